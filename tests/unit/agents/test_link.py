import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from besom.agents.link import Link, Reach
from besom.client.connection import Connection
from besom.common.discovery import API_VERSION
from besom.errors import ServerUnreachable, Unauthorized


class Server:
    """A small HTTP server that calls itself ``server_id``; with ``refuse`` it answers 401. ``tokens``: those seen."""

    def __init__(self, server_id, port=0, *, refuse=False):
        tokens = self.tokens = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                tokens.append(self.headers.get("Authorization"))
                refused = refuse and self.path != "/health"
                body = {"kind": "Unauthorized", "detail": "no"} if refused else {"server_id": server_id}
                self.send_response(401 if refused else 200)
                self.send_header("X-Besom-Api", str(API_VERSION))
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def serve():
    """Starts servers that end with the test."""
    begun = []

    def start(*args, **kwargs):
        begun.append(Server(*args, **kwargs))
        return begun[-1]

    yield start
    for server in begun:
        server.close()


def make_link(url, said, find=None, server_id="ours"):
    connection = Connection(url, "secret", timeout_s=5, server_id=server_id)
    return Link(connection, find or (lambda: Connection(url, "secret")), Reach(said.append))


def test_going_away_and_coming_back_are_told_once_each(serve):
    said = []
    server = serve("ours")
    link = make_link(server.url, said)
    server.close()
    for _ in range(3):
        with pytest.raises(ServerUnreachable):
            link.ask("GET", "/x")
    again = serve("ours", server.port)
    link.ask("GET", "/x")
    link.ask("GET", "/x")
    assert len(said) == 2
    assert "no Besom server answers" in said[0]
    assert said[1] == "the server answers again"
    assert again.tokens[0] is None, "first who it is, then the token"


def test_what_asks_the_server_nothing_does_not_find_it_again(serve):
    said = []
    server = serve("ours")
    link = make_link(server.url, said)
    server.close()
    with pytest.raises(ServerUnreachable):
        link.ask("GET", "/x")
    assert link.reached(lambda: "nothing to send") == "nothing to send"
    with pytest.raises(ServerUnreachable):
        link.ask("GET", "/x")
    assert len(said) == 1


def test_a_server_that_took_the_address_sees_no_token(serve):
    server = serve("ours")
    link = make_link(server.url, [])
    server.close()
    with pytest.raises(ServerUnreachable):
        link.ask("GET", "/x")
    other = serve("theirs", server.port)
    with pytest.raises(ServerUnreachable, match="another Besom server answers"):
        link.ask("GET", "/x")
    assert set(other.tokens) == {None}


def test_a_refusal_by_another_server_is_no_refusal_by_ours(serve):
    link = make_link(serve("theirs", refuse=True).url, [])
    with pytest.raises(ServerUnreachable, match="another Besom server answers"):
        link.ask("GET", "/x")


def test_a_refusal_by_our_server_is_one(serve):
    link = make_link(serve("ours", refuse=True).url, [])
    with pytest.raises(Unauthorized):
        link.ask("GET", "/x")


def test_a_server_that_moved_is_found_again(serve):
    said = []
    old = serve("ours")
    old.close()
    new = serve("ours")
    link = make_link(old.url, said, find=lambda: Connection(new.url, "secret"))
    waits = []
    link.ask_patiently("GET", "/x", patience_s=60, wait=lambda seconds: waits.append(seconds) or True)
    assert link.connection.url == new.url
    assert len(waits) == 1


def test_who_does_not_want_to_wait_gives_up_at_once(serve):
    server = serve("ours")
    server.close()
    link = make_link(server.url, [])
    with pytest.raises(ServerUnreachable):
        link.ask_patiently("GET", "/x", patience_s=60, wait=lambda seconds: False)
