from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import pytest

from besom.engine.ahead import Drawn, Task, carry_out
from besom.search import Observation
from besom.server import frames
from besom.server.suggestion_child import Chooser
from besom.server.suggestion_worker import SuggestionWorker, WorkerFailed
from besom.sweep_config import read_sweep_config

CONFIG = {
    "method": "tpe",
    "program": "train.py",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}
SEEN = [Observation(at, {"lr": at / 20}, (at / 20 - 0.3) ** 2, "finished") for at in range(20)]
TASK = Task(1, CONFIG, 3, [20, 21], SEEN, [], 20)
HEAD = "import sys\nfrom besom.server.frames import pack\nout = sys.stdout.buffer\nout.write(pack({})); out.flush()\n"


def running(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 60))


async def asked(worker: SuggestionWorker, task: Task = TASK) -> list[Drawn]:
    return [drawn async for drawn in worker.answers(frames.pack(task))]


def test_the_process_answers_what_the_task_answers_here() -> None:
    async def work() -> list[Drawn]:
        worker = SuggestionWorker()
        try:
            return await asked(worker)
        finally:
            await worker.close()

    assert running(work()) == list(carry_out(TASK, read_sweep_config(CONFIG)))


def test_a_process_that_was_killed_is_replaced() -> None:
    async def work() -> None:
        worker = SuggestionWorker()
        first = await asked(worker)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        waiting = asyncio.ensure_future(asked(worker))
        await asyncio.sleep(0.1)
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerFailed, match="has died"):
            await waiting
        assert worker.pid is None
        assert await asked(worker) == first
        await worker.close()

    running(work())


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (HEAD + "import time; time.sleep(60)", "longer than 0.5 s"),
        (HEAD + "sys.exit(1)", "has died"),
        ("import sys; sys.exit(1)", "has died"),
        (HEAD + "out.write(pack({'error': 'ValueError: so'})); out.flush(); sys.stdin.read()", "ValueError: so"),
    ],
)
def test_every_failure_has_a_reason_and_ends_the_wait(script: str, why: str) -> None:
    async def work() -> None:
        worker = SuggestionWorker([sys.executable, "-c", script], answer_s=0.5)
        with pytest.raises(WorkerFailed, match=why):
            await asked(worker)
        await worker.close()

    running(work())


def test_a_mistake_of_ours_is_an_answer_and_the_next_task_is_answered() -> None:
    chooser = Chooser()
    (answer,) = chooser.answers(frames.unpack(frames.pack({"sweep_id": 1})[4:]))
    assert "ValidationError" in answer["error"]
    kinds = [next(iter(answer)) for answer in chooser.answers(frames.unpack(frames.pack(TASK)[4:]))]
    assert kinds == ["drawn", "drawn", "is_done"]


def test_messages_are_read_whole_or_not_at_all() -> None:
    message = {"big": 2**80, "inf": "Infinity", "nested": [1, 1.0, None]}
    stream = frames.pack(message)
    assert frames.read(io.BytesIO(stream)) == message
    for end in (0, 2, 4, len(stream) - 1):
        assert frames.read(io.BytesIO(stream[:end])) is None
