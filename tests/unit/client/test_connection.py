import math
import os
import socket
import threading

import pytest

from besom.client.connection import FIRST_WAIT_S, LONGEST_WAIT_S, Connection, WrongOffset, backoff, part
from besom.errors import (
    BesomError,
    Forbidden,
    IncompatibleVersion,
    NotFound,
    Refused,
    ServerError,
    ServerUnreachable,
    SweepConfigError,
    Unauthorized,
    UsageError,
)


@pytest.fixture
def connection(server):
    connection = Connection(server.url, "t0ken", timeout_s=10)
    yield connection
    connection.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_an_answer_is_decoded_and_words_stay_words(server, connection):
    server.answers["GET /api/v1/x"] = [(200, {"value": "NaN"})]
    assert connection.call("GET", "/api/v1/x", query={"a": 1, "b": None, "c": "ü/&"}) == {"value": "NaN"}
    method, path, query, _, headers = server.requests[0]
    assert (method, path, query) == ("GET", "/api/v1/x", {"a": "1", "c": "ü/&"})
    assert headers["Authorization"] == "Bearer t0ken"


def test_a_body_is_strict_json(server, connection):
    server.answers["POST /api/v1/x"] = [(200, {})]
    connection.call("POST", "/api/v1/x", {"a": math.nan, "b": "ü"})
    assert server.requests[0][3] == '{"a":"NaN","b":"ü"}'.encode()


def test_one_line_serves_many_calls(server, connection):
    server.answers["GET /api/v1/x"] = [(200, {})] * 3
    ports = set()
    for _ in range(3):
        connection.call("GET", "/api/v1/x")
        ports.add(connection._line.sock.getsockname()[1])
    assert len(ports) == 1


def test_a_line_that_the_server_closed_is_opened_again(server, connection):
    server.answers["GET /api/v1/x"] = [(200, {"n": 1}), (200, {"n": 2})]
    connection.call("GET", "/api/v1/x")
    connection._line.sock.shutdown(socket.SHUT_RDWR)
    assert connection.call("GET", "/api/v1/x") == {"n": 2}


def test_a_fresh_line_asks_who_answers_before_it_shows_the_token(server, connection):
    server.answers["GET /api/v1/x"] = [(200, {})] * 2
    connection.call("GET", "/api/v1/x")
    connection.call("GET", "/api/v1/x")
    (introduction,) = server.introductions
    assert "Authorization" not in introduction[4]
    assert connection.server_id == "ours"


def test_a_server_that_took_the_address_sees_no_token(server, connection):
    server.answers["GET /api/v1/x"] = [(200, {})] * 2
    connection.call("GET", "/api/v1/x")
    server.server_id = "theirs"
    connection.close()
    with pytest.raises(ServerUnreachable, match="another Besom server answers"):
        connection.call("GET", "/api/v1/x")
    with pytest.raises(ServerUnreachable, match="another Besom server answers"):
        connection.call("GET", "/api/v1/x")
    assert len(server.requests) == 1


def test_events_are_not_asked_of_another_server(server, connection):
    connection.server_id = "theirs"
    with pytest.raises(ServerUnreachable, match="another Besom server answers"):
        next(connection._event_lines(0, None))
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [(404, "NotFound", NotFound), (401, "Unauthorized", Unauthorized), (403, "Forbidden", Forbidden),
     (409, "Refused", Refused), (400, "UsageError", UsageError), (500, "ServerError", ServerError),
     (418, "Unheard", ServerError), (404, "Unheard", NotFound)],
)  # fmt: skip
def test_refusals_are_the_errors_that_the_server_names(server, connection, status, kind, error):
    server.answers["GET /api/v1/x"] = [(status, {"kind": kind, "detail": "what is wrong"})]
    with pytest.raises(BesomError, match="what is wrong") as raised:
        connection.call("GET", "/api/v1/x")
    assert type(raised.value) is error


def test_problems_of_a_sweep_config_come_whole(server, connection):
    problems = [{"sentence": "a", "line": 1}, {"sentence": "b", "line": 2}]
    server.answers["POST /api/v1/x"] = [(422, {"kind": "SweepConfigError", "detail": "2", "problems": problems})]
    with pytest.raises(SweepConfigError) as raised:
        connection.call("POST", "/api/v1/x")
    assert raised.value.problems == problems


def test_a_wrong_offset_names_the_right_one(server, connection):
    server.answers["POST /api/v1/x"] = [(409, {"kind": "Refused", "detail": "no", "offset": 12})]
    with pytest.raises(WrongOffset) as raised:
        connection.call("POST", "/api/v1/x", data=b"abc")
    assert raised.value.offset == 12


def test_a_refusal_that_is_not_json_still_gets_a_sentence(server, connection):
    server.answers["GET /api/v1/x"] = [(500, b"<html>")]
    with pytest.raises(ServerError, match="answered with status 500"):
        connection.call("GET", "/api/v1/x")


def test_nobody_there_is_a_sentence_with_the_address():
    port = free_port()
    with pytest.raises(ServerUnreachable, match=f"no Besom server answers at http://127.0.0.1:{port}"):
        Connection(f"http://127.0.0.1:{port}", None).call("GET", "/health")


def test_something_else_at_the_address_is_told(server, connection):
    server.headers = {}
    with pytest.raises(ServerUnreachable, match="something else than a Besom server"):
        connection.call("GET", "/health")


def test_another_api_is_refused(server, connection):
    server.headers = {"X-Besom-Api": "7", "X-Besom-Version": "9.0"}
    with pytest.raises(IncompatibleVersion, match=r"Besom 9\.0 \(API 7\).*same version"):
        connection.call("GET", "/health")


def test_patience_outlasts_a_busy_server(server, connection):
    server.answers["GET /api/v1/x"] = [(503, {}), (429, {}), (200, {"ok": True})]
    assert connection.call("GET", "/api/v1/x", patience_s=60) == {"ok": True}


def test_without_patience_a_busy_server_is_unreachable(server, connection):
    server.answers["GET /api/v1/x"] = [(503, {})]
    with pytest.raises(ServerUnreachable, match="busy"):
        connection.call("GET", "/api/v1/x")
    assert len(server.requests) == 1


def test_raw_gives_bytes_and_headers(server, connection):
    server.answers["GET /api/v1/x"] = [(200, b"\x00\xff")]
    content, headers = connection.raw("GET", "/api/v1/x")
    assert content == b"\x00\xff"
    assert headers["x-besom-api"] == "1"


def test_events_are_read_and_gone_on_after_a_break(server, connection):
    event = b'id: %d\nevent: run.ended\ndata: {"id": %d, "kind": "run.ended"}\n\n'
    server.answers["GET /api/v1/events"] = [
        (200, b": hello\n\n" + event % (4, 4) + event % (5, 5)),
        (200, event % (6, 6)),
    ]
    events = connection.events(3, "sweep123")
    assert [next(events)["id"] for _ in range(3)] == [4, 5, 6]
    assert [request[2] for request in server.requests] == [
        {"after": "3", "sweep": "sweep123"},
        {"after": "5", "sweep": "sweep123"},
    ]


def test_events_end_with_a_refusal(server, connection):
    server.answers["GET /api/v1/events"] = [(401, {"kind": "Unauthorized", "detail": "no token"})]
    with pytest.raises(Unauthorized):
        next(connection.events(0))


def test_threads_share_a_connection(server, connection):
    server.answers["GET /api/v1/x"] = [(200, {"n": 1})] * 40
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(connection.call("GET", "/api/v1/x")["n"] for _ in range(10)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 40


def test_a_forked_child_opens_a_line_of_its_own(server, connection):
    server.answers["GET /api/v1/x"] = [(200, {"n": 1})] * 3
    connection.call("GET", "/api/v1/x")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if connection.call("GET", "/api/v1/x") == {"n": 1} else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert connection.call("GET", "/api/v1/x") == {"n": 1}


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http:///path", "http://host:99999", "http://host:x"])
def test_a_bad_address_is_refused(url):
    with pytest.raises(UsageError, match="write http://HOST:PORT"):
        Connection(url, None)


def test_an_address_may_lack_http_and_have_a_path():
    assert Connection("localhost:8080", None).url == "http://localhost:8080"
    assert Connection("https://host/besom/", None).url == "https://host/besom"


def test_waits_grow_and_have_an_end():
    assert [backoff(n, lambda: 1.0) for n in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff(10_000, lambda: 0.0) == LONGEST_WAIT_S / 2
    assert backoff(0, lambda: 0.0) == FIRST_WAIT_S / 2


def test_parts_of_a_path_are_quoted():
    assert part("a/b?c#ü") == "a%2Fb%3Fc%23%C3%BC"
