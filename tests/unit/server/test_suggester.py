from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from besom.engine.ahead import Drawn, Task, carry_out
from besom.server import frames
from besom.server.suggester import Suggester
from besom.server.suggestion_worker import SuggestionWorker, WorkerFailed
from besom.store import suggestions
from besom.store import sweeps as stored
from besom.store.database import Database
from besom.sweep_config import read_sweep_config
from besom.wire.agents import HandOut

TPE = "{method: tpe, seed: 1, program: a.py, project: p, metric: {name: loss}, parameters: {x: {min: 0.0, max: 1.0}}}"


class Here(SuggestionWorker):
    """Does the work in this process; fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures
        self.tasks: list[Task] = []

    async def answers(self, task: bytes) -> AsyncGenerator[Drawn, None]:
        read = msgspec.convert(frames.unpack(task[frames.LENGTH_BYTES :]), Task)
        self.tasks.append(read)
        if self.failures:
            self.failures -= 1
            raise WorkerFailed("the process that runs the model has died")
        for drawn in carry_out(read, read_sweep_config(read.config)):
            yield drawn


def served(database: Database, worker: Here, work: Callable[[Suggester], Awaitable[Any]]) -> Any:
    """Runs a suggester while ``work`` goes on."""

    async def run() -> Any:
        closing = asyncio.Event()
        suggester = Suggester(database, closing, time.time, worker)
        task = asyncio.ensure_future(suggester.run())
        try:
            return await asyncio.wait_for(work(suggester), 30)
        finally:
            closing.set()
            await task

    return asyncio.run(run())


def ready(database: Database, sweep: str) -> Any:
    return database.read_now(lambda c: suggestions.in_order(c, stored.get(c, sweep)))


def is_ready(database: Database, sweep: str, number: int) -> bool:
    return [each.number for each in ready(database, sweep)] == [number]


async def until(condition: Callable[[], Any]) -> Any:
    """Looks until the condition is true, in a thread: the database is asked there."""
    return await asyncio.to_thread(_wait_for, condition)


def _wait_for(condition: Callable[[], Any]) -> Any:
    while not (found := condition()):
        time.sleep(0.01)
    return found


def test_a_new_sweep_has_a_suggestion_before_anybody_asks(hand: Any) -> None:
    async def work(_: Suggester) -> None:
        sweep = await asyncio.to_thread(hand.sweep, TPE)
        (found,) = await until(lambda: ready(hand.database, sweep))
        assert found.number == 0

    served(hand.database, Here(), work)


def test_the_next_one_is_made_as_soon_as_a_run_was_handed_out(hand: Any) -> None:
    async def work(_: Suggester) -> None:
        sweep = await asyncio.to_thread(hand.sweep, TPE)
        agent = await asyncio.to_thread(hand.agent, sweep)
        for wanted in range(3):
            await until(partial(is_ready, hand.database, sweep, wanted))
            assert isinstance(await asyncio.to_thread(hand.claim, agent), HandOut)

    served(hand.database, Here(), work)


def test_who_waits_is_woken_when_a_suggestion_was_made(hand: Any) -> None:
    sweep = hand.sweep(TPE)
    sweep_id = hand.database.read_now(stored.get, sweep).id

    async def work(suggester: Suggester) -> None:
        await asyncio.gather(*(suggester.wait(sweep_id, 20.0) for _ in range(4)))
        assert len(ready(hand.database, sweep)) >= 1

    worker = Here()
    served(hand.database, worker, work)
    assert max(len(task.numbers) for task in worker.tasks) > 1


def test_who_waits_in_vain_is_sent_to_ask_again(hand: Any) -> None:
    async def work(suggester: Suggester) -> None:
        await suggester.wait(12345, 20.0)

    began = time.monotonic()
    served(hand.database, Here(), work)
    assert time.monotonic() - began < 20.0


def test_a_worker_that_fails_costs_a_draw_by_chance_and_no_more(hand: Any) -> None:
    async def work(_: Suggester) -> None:
        sweep = await asyncio.to_thread(hand.sweep, TPE)
        agent = await asyncio.to_thread(hand.agent, sweep)
        await until(lambda: ready(hand.database, sweep))
        first = await asyncio.to_thread(hand.take, agent)
        await until(lambda: ready(hand.database, sweep))
        second = await asyncio.to_thread(hand.take, agent)
        sources = [hand.run(run.uid).search_info["source"] for run in (first, second)]
        assert sources == ["random", "initial"]

    served(hand.database, Here(failures=1), work)
