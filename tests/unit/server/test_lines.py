"""Connections on an event loop of their own; time is what `look` is told."""

from __future__ import annotations

import asyncio
import json
import resource
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from besom.server import lines
from besom.server.lines import Lines

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
PATIENCE_S = 10


class Place:
    """A listening application: answers ``size`` bytes when ``go`` is set, after it has read the body.

    The body of its answer waits for ``on``.
    """

    def __init__(self, most):
        self.lines = Lines(most)
        self.state = ServerState()
        self.go = asyncio.Event()
        self.go.set()
        self.on = asyncio.Event()
        self.on.set()
        self.size = 2
        self.bodies = []
        self.askers = []
        self.port = 0

    async def app(self, scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        await self.go.wait()
        length = (b"content-length", b"%d" % self.size)
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await self.on.wait()
        await send({"type": "http.response.body", "body": b"x" * self.size})

    async def line(self, data=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 16)
        self.askers.append(writer)
        writer.write(data)
        return reader

    def look(self, later_s):
        self.lines.look(self.state.connections, asyncio.get_running_loop().time() + later_s)


async def until(condition):
    for _ in range(PATIENCE_S * 1000):
        if condition():
            return
        await asyncio.sleep(0.001)
    pytest.fail("the condition did not come true")


def with_place(scenario, most=100):
    async def run():
        async with place_of(most) as place:
            await asyncio.wait_for(scenario(place), PATIENCE_S)

    asyncio.run(run())


@asynccontextmanager
async def place_of(most):
    place = Place(most)
    config = uvicorn.Config(
        place.app, http=place.lines.protocol(), log_config=None, lifespan="off", ws="none", interface="asgi3"
    )
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: config.http_protocol_class(config=config, server_state=place.state, app_state={}, _loop=loop),
        "127.0.0.1", 0,
    )  # fmt: skip
    place.port = server.sockets[0].getsockname()[1]
    try:
        yield place
    finally:
        server.close()
        for line in list(place.state.connections):
            line.give_up()
        for writer in place.askers:
            writer.transport.abort()
        await until(lambda: not place.state.connections and not place.state.tasks)


async def refusal(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head[9:12]), json.loads(await reader.read())["detail"]


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nX: "])
def test_a_head_that_does_not_come_is_ended_with_a_sentence(begun):
    async def scenario(place):
        reader = await place.line(begun)
        await until(lambda: place.state.connections)
        place.look(lines.HEAD_S - 1)
        assert len(place.lines.resting) == 1
        place.look(lines.HEAD_S + 1)
        assert await refusal(reader) == (408, "no whole request came within 15 s")
        place.look(lines.HEAD_S + lines.LINGER_S + 9)
        await until(lambda: not place.state.connections)

    with_place(scenario)


def test_a_body_must_come_at_a_walking_pace():
    async def scenario(place):
        head = b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"
        slow, steady = await place.line(head + b"x"), await place.line(head + b"x" * 50_000)
        await until(lambda: sum(line._body_bytes for line in place.state.connections) == 50_001)
        place.look(lines.BODY_S + 2)
        assert await refusal(slow) == (408, "the request's body comes too slowly: send it again")
        place.look(lines.BODY_S + lines.LINGER_S + 9)
        await until(lambda: len(place.state.connections) == 1)
        place.look(lines.BODY_S + 60)
        assert (await refusal(steady))[0] == 408
        assert place.bodies == []

    with_place(scenario)


@pytest.mark.parametrize(
    "data",
    [
        b"GET /" + b"a" * 300_000,
        b"GET / HTTP/1.1\r\nX: " + b"a" * 300_000,
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % number for number in range(1000)) + b"\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 300_000,
        b"\r\n" * 200_000,
    ],
    ids=["address", "header", "headers", "trailer", "line ends"],
)
def test_a_head_is_bounded(data):
    async def scenario(place):
        status, sentence = await refusal(await place.line(data))
        assert status == 431
        assert "65,536 bytes" in sentence

    with_place(scenario)


def test_what_is_not_http_is_told_so():
    async def scenario(place):
        assert await refusal(await place.line(b"\x16\x03\x01 hello\r\n\r\n")) == (
            400, "this is not HTTP as this server understands it",
        )  # fmt: skip

    with_place(scenario)


def test_an_answer_that_nobody_reads_is_given_up():
    async def scenario(place):
        place.size = 20_000_000
        await place.line(GET)
        await until(lambda: any(line.transport.get_write_buffer_size() for line in place.state.connections))
        place.look(2)
        place.look(lines.UNREAD_S - 1)
        assert len(place.state.connections) == 1
        place.look(lines.UNREAD_S + 3)
        await until(lambda: not place.state.connections)

    with_place(scenario)


def test_too_many_unread_bytes_together_end_the_largest_first(monkeypatch):
    monkeypatch.setattr(lines, "MOST_UNREAD_BYTES", 25_000_000)

    async def scenario(place):
        for size in (8_000_000, 30_000_000, 16_000_000):
            place.size, count = size, len(place.bodies)
            await place.line(GET)
            await until(lambda count=count: len(place.bodies) > count)
        await until(lambda: sum(line.transport.get_write_buffer_size() > 0 for line in place.state.connections) == 3)
        place.look(2)
        place.look(3 + lines.SOON_UNREAD_S)
        await until(lambda: len(place.state.connections) == 2)

    with_place(scenario)


def test_one_that_asks_for_nothing_makes_room():
    async def scenario(place):
        resting = await place.line(GET)
        await resting.readuntil(b"\r\n\r\nxx")
        reader = await place.line(GET)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await resting.read() == b""

    with_place(scenario, most=1)


def test_with_all_places_at_work_a_newcomer_is_told_to_come_again():
    async def scenario(place):
        place.go.clear()
        busy = await place.line(GET)
        await until(lambda: place.bodies)
        assert await refusal(await place.line(GET)) == (
            503, "1 connections are open already: ask again in a moment",
        )  # fmt: skip
        place.go.set()
        assert (await busy.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")

    with_place(scenario, most=1)


def test_requests_one_behind_the_other_are_answered_in_order_up_to_a_number():
    async def scenario(place):
        place.go.clear()
        reader = await place.line(GET * 10)
        await until(lambda: place.bodies)
        place.go.set()
        for _ in range(10):
            assert (await reader.readuntil(b"\r\n\r\nxx")).startswith(b"HTTP/1.1 200")
        place.go.clear()
        reader = await place.line(GET * 200)
        await until(lambda: len(place.bodies) == 11)
        place.go.set()
        answers = await reader.read()
        assert 1 <= answers.count(b"200 OK") <= lines.MOST_PIPELINED + 1

    with_place(scenario)


def test_a_head_does_not_wait_for_a_body_that_comes_later():
    async def scenario(place):
        place.on.clear()
        reader = await place.line(GET)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        place.on.set()
        assert await reader.readexactly(2) == b"xx"

    with_place(scenario)


def test_a_large_body_comes_whole_behind_its_head():
    async def scenario(place):
        place.size = lines.MOST_JOINED_BYTES + 1
        reader = await place.line(GET)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(place.size) == b"x" * place.size

    with_place(scenario)


def test_answers_without_a_body_are_heads_alone():
    async def scenario(place):
        reader = await place.line(GET.replace(b"GET", b"HEAD") * 2 + GET)
        for end in (b"\r\n\r\n", b"\r\n\r\n", b"\r\n\r\nxx"):
            assert (await reader.readuntil(end)).count(b"HTTP/1.1 200") == 1

    with_place(scenario)


def test_a_body_that_waits_for_a_word_gets_it_before_the_answer():
    async def scenario(place):
        reader = await place.line(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        place.askers[-1].write(b"b")
        assert (await reader.readuntil(b"\r\n\r\nxx")).startswith(b"HTTP/1.1 200")
        assert place.bodies == [b"b"]

    with_place(scenario)


def test_the_limit_of_files_is_raised_as_far_as_it_may():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(1024, before[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, before[1]))
    try:
        room = lines.raise_file_limit()
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert soft == min(before[1], lines.MOST_LINES + lines.OTHER_FILES)
    assert room == soft - lines.OTHER_FILES
