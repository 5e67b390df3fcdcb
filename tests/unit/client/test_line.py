import io
import socket
import threading
from urllib.parse import urlsplit

import pytest

from besom.client.line import Answer, BrokenAnswer, Line


def answer(text, body=b""):
    return Answer(io.BytesIO(text.replace("\n", "\r\n").encode() + body))


def test_a_body_is_as_long_as_its_head_says():
    found = answer("HTTP/1.1 200 OK\nContent-Length: 3\n\n", b"abcHTTP/1.1 500")
    assert (found.status, found.read(), found.closes) == (200, b"abc", False)


def test_names_of_headers_are_in_lower_case_and_values_bare():
    assert answer("HTTP/1.1 200 OK\nX-Besom-Api:  1 \nContent-Length: 0\n\n").headers["x-besom-api"] == "1"


def test_a_body_in_chunks_is_put_together():
    found = answer(
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", b"3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"
    )
    assert (found.read(), found.closes) == (b"abc0123456789", False)


def test_a_body_without_a_length_goes_to_the_end_of_the_line():
    found = answer("HTTP/1.1 200 OK\n\n", b"abc")
    assert (found.read(), found.closes) == (b"abc", True)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_content_leaves_the_line_open(status):
    found = answer(f"HTTP/1.1 {status} No\n\n")
    assert (found.read(), found.closes) == (b"", False)


@pytest.mark.parametrize(
    ("head", "closes"),
    [("HTTP/1.1 200 OK\nConnection: close", True), ("HTTP/1.1 200 OK\nConnection: keep-alive", False),
     ("HTTP/1.0 200 OK", True), ("HTTP/1.0 200 OK\nConnection: Keep-Alive", False)],
)  # fmt: skip
def test_who_keeps_the_line_is_told_by_the_head(head, closes):
    assert answer(f"{head}\nContent-Length: 0\n\n").closes is closes


def test_a_word_before_the_answer_is_passed_over():
    found = answer("HTTP/1.1 100 Continue\nA: b\n\nHTTP/1.1 201 Created\nContent-Length: 2\n\n", b"ok")
    assert (found.status, found.read()) == (201, b"ok")


def test_lines_come_whole_however_they_were_cut():
    body = b"5\r\na\r\nb\xc3\r\n3\r\n\xbc\n\n\r\n4\r\nhalf\r\n0\r\n\r\n"
    assert list(answer("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", body).lines()) == ["a", "bü", ""]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", b""),
        ("SSH-2.0-OpenSSH\n", b""),
        ("HTTP/1.1 abc OK\n\n", b""),
        ("HTTP/1.1 200 OK\nno colon\n\n", b""),
        ("HTTP/1.1 200 OK\nA: b\n", b""),
        ("HTTP/1.1 200 OK\nContent-Length: 4\n\n", b"abc"),
        ("HTTP/1.1 200 OK\nContent-Length: -4\n\n", b"abc"),
        ("HTTP/1.1 200 OK\nContent-Length: four\n\n", b"abc"),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", b"5\r\nabc"),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", b"2\r\nabc\r\n0\r\n\r\n"),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", b"\r\nabc\r\n"),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", b"3\r\nabc\r\n"),
        ("HTTP/1.1 200 OK\n" + "A: b\n" * 200 + "\n", b""),
        ("HTTP/1.1 200 OK\nA: " + "b" * 70_000 + "\n\n", b""),
    ],
)
def test_what_is_no_whole_answer_is_refused(head, body):
    with pytest.raises(BrokenAnswer):
        answer(head, body).read()


def test_a_length_beyond_all_memory_takes_no_memory():
    with pytest.raises(BrokenAnswer, match="breaks off"):
        answer(f"HTTP/1.1 200 OK\nContent-Length: {10**18}\n\n", b"abc").read()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_a_request_and_its_body_are_one_write(listener):
    pieces = []

    def serve():
        line, _ = listener.accept()
        with line:
            pieces.append(line.recv(65_536))
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server = threading.Thread(target=serve)
    server.start()
    port = listener.getsockname()[1]
    line = Line(urlsplit(f"http://127.0.0.1:{port}"), 10)
    line.ask("POST", "/x?a=1", {"A": "b"}, b"body").read()
    line.close()
    server.join()
    head, body = pieces[0].split(b"\r\n\r\n")
    assert body == b"body"
    assert head.decode().split("\r\n") == [
        "POST /x?a=1 HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept-Encoding: identity", "A: b", "Content-Length: 4",
    ]  # fmt: skip


def test_a_line_break_in_a_header_is_not_sent(listener):
    line = Line(urlsplit(f"http://127.0.0.1:{listener.getsockname()[1]}"), 10)
    with pytest.raises(ValueError, match="line break"):
        line.ask("GET", "/", {"Authorization": "Bearer a\r\nX: y"})
    line.close()
