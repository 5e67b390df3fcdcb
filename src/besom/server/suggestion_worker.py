"""The child process that runs models, so that no request ever waits for one. It may be killed at any time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec

from besom.engine.ahead import Drawn
from besom.server.frames import LENGTH_BYTES, unpack

COMMAND = (sys.executable, "-m", "besom.server.suggestion_child")
# Libraries are loaded before the first answer.
START_S = 60.0
# Models end by themselves long before.
ANSWER_S = 10.0
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")}


class WorkerFailed(Exception):
    """A task was not carried out; the text says why."""


class SuggestionWorker:
    """One task at a time. The process starts with the first one, and anew after it has died."""

    def __init__(self, command: Sequence[str] = COMMAND, answer_s: float = ANSWER_S) -> None:
        self._command = command
        self._answer_s = answer_s
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """The process's number; None while there is none."""
        return None if self._process is None else self._process.pid

    async def answers(self, task: bytes) -> AsyncGenerator[Drawn, None]:
        """The draws of a packed task, one by one; raises WorkerFailed. Who leaves early ends the process."""
        is_whole = False
        try:
            process = await self._living()
            assert process.stdin is not None
            process.stdin.write(task)
            await asyncio.wait_for(process.stdin.drain(), self._answer_s)
            while "drawn" in (message := await self._receive(process, self._answer_s)):
                yield msgspec.convert(message["drawn"], Drawn)
            is_whole = True
            if "error" in message:
                raise WorkerFailed(message["error"])
        except asyncio.TimeoutError:
            raise WorkerFailed(f"the model took longer than {self._answer_s:g} s") from None
        except (asyncio.IncompleteReadError, OSError):
            raise WorkerFailed("the process that runs the model has died") from None
        finally:
            if not is_whole:
                await self.close()

    async def close(self) -> None:
        """Ends the process."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _living(self) -> Process:
        if self._process is not None and self._process.returncode is not None:
            await self.close()
        if self._process is None:
            # A session of its own, so that Ctrl-C reaches the server alone.
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd="/", env={**os.environ, **_ONE_THREAD},
                start_new_session=True,
            )  # fmt: skip
            await self._receive(self._process, START_S)
        return self._process

    async def _receive(self, process: Process, limit_s: float) -> Any:
        assert process.stdout is not None
        head = await asyncio.wait_for(process.stdout.readexactly(LENGTH_BYTES), limit_s)
        return unpack(await asyncio.wait_for(process.stdout.readexactly(int.from_bytes(head, "big")), limit_s))
