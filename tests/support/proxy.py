"""A bad line: a TCP proxy that drops, delays, swallows, half-closes, cuts answers or refuses when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

KINDS = ("refuse", "drop", "swallow", "delay", "half_close", "cut")
_PIECE = 65536


class Proxy:
    """Stands on a port of its own in front of ``target()``, the address of the real server (None: nobody is there).

    ``disturb`` spoils what passes for a while and returns at once; ``hits`` counts by kind how often that met somebody.
    """

    def __init__(self, target: Callable[[], tuple[str, int] | None], seed: int = 0) -> None:
        self.hits: Counter[str] = Counter()
        self._target = target
        self._chance = random.Random(seed)
        self._kind, self._until = "", 0.0
        self._healing: asyncio.TimerHandle | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.port = 0
        self._server = self._do(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def disturb(self, kind: str, seconds: float) -> None:
        """Spoils the line from now on, for so long."""
        assert kind in KINDS, kind
        self._do(self._disturb(kind, seconds))

    def heal(self) -> None:
        """The line is good again."""
        self._do(self._heal())

    def close(self) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # ---- in the loop

    def _do(self, what):
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _disturb(self, kind: str, seconds: float) -> None:
        await self._heal()
        self._kind, self._until = kind, time.monotonic() + seconds
        if kind in ("refuse", "drop"):
            self.hits[kind] += len(self._writers) // 2
            self._abort_all()
        if kind == "refuse":
            self._server.close()
        self._healing = self._loop.call_later(seconds, lambda: self._tasks.add(self._loop.create_task(self._heal())))

    async def _heal(self) -> None:
        if self._healing is not None:
            self._healing.cancel()
        # What comes now would follow on bytes that are missing.
        if self._kind not in ("", "delay"):
            self._abort_all()
        self._kind = ""
        if not self._server.is_serving():
            self._server = await self._listen()

    async def _end(self) -> None:
        self._server.close()
        self._abort_all()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _abort_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def _spoiled(self) -> str:
        return self._kind if time.monotonic() < self._until else ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        other = None
        try:
            target = self._target()
            if target is None or self._spoiled() == "drop":
                self.hits["drop"] += self._spoiled() == "drop"
                return
            from_server, other = await asyncio.open_connection(*target)
            self._writers.add(other)
            await asyncio.gather(self._pump(reader, other, False), self._pump(from_server, writer, True))
        except OSError:
            return  # one of the two has gone, and the other one is told by the end of its line
        finally:
            for each in (writer, other):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: bool) -> None:
        while piece := await reader.read(_PIECE):
            kind = self._spoiled()
            if kind in ("swallow", "delay"):
                self.hits[kind] += 1
            if kind == "swallow":
                continue
            if kind == "delay":
                await asyncio.sleep(self._chance.uniform(0.02, 0.5))
            if kind == "cut" and answers:
                self.hits[kind] += 1
                writer.write(piece[: self._chance.randrange(len(piece))])
                await writer.drain()
                raise ConnectionAbortedError
            writer.write(piece)
            await writer.drain()
            if kind == "half_close" and writer.can_write_eof():
                self.hits[kind] += 1
                writer.write_eof()
                return
        if writer.can_write_eof():
            writer.write_eof()
