"""Has the next suggestions made before agents ask for them, one piece of work at a time, by a worker process.

It looks whenever something has happened, and when an agent waits. What it knows itself is who waits: what is ready lies
in the database, so that several servers at one database, or a server after another, go on where they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from besom.engine.ahead import Task
from besom.errors import DataFolderError, ServerBusy
from besom.operations import suggesting
from besom.server.frames import pack
from besom.server.suggestion_worker import SuggestionWorker, WorkerFailed
from besom.store import events
from besom.store.database import Database

log = logging.getLogger("besom.server")

# What happens within a moment is looked at once: a longer one while no open sweep has a model.
GATHER_S = 0.02
GATHER_WITHOUT_MODELS_S = 0.5
LOOK_EVERY_S = 30.0
RETRY_S = 3.0
# A worker without work gives its memory back.
IDLE_S = 600.0


class Suggester:
    """Works until ``closing`` is set. ``now`` is the wall clock, in seconds since 1970."""

    def __init__(
        self,
        database: Database,
        closing: asyncio.Event,
        now: Callable[[], float],
        worker: SuggestionWorker | None = None,
    ) -> None:
        self._database = database
        self._closing = closing
        self._now = now
        self.worker = worker or SuggestionWorker()
        self._waiting: defaultdict[int, deque[asyncio.Future[None]]] = defaultdict(deque)
        self._asked = asyncio.Event()
        self._last_event = 0
        self._last_sweep = 0
        self._gather_s = GATHER_S
        self._idle_since = 0.0

    async def run(self) -> None:
        """Runs until the server closes; what fails is logged and tried again."""
        try:
            while not self._closing.is_set():
                await self._turn()
        finally:
            self._wake_all()
            await self.worker.close()

    async def wait(self, sweep_id: int, timeout_s: float) -> None:
        """Returns when it is worth asking the sweep again, after ``timeout_s`` seconds at the latest."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        self._waiting[sweep_id].append(woken)
        self._asked.set()
        try:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(woken, timeout_s)
        finally:
            # Others may have emptied the queue.
            with contextlib.suppress(ValueError):
                self._waiting[sweep_id].remove(woken)

    async def _turn(self) -> None:
        self._asked.clear()
        hungry = {sweep_id: len(queue) for sweep_id, queue in self._waiting.items() if queue}
        try:
            self._last_event, has_models, work = await self._database.read(_look, self._now(), hungry, self._last_sweep)
            self._gather_s = GATHER_S if has_models else GATHER_WITHOUT_MODELS_S
            if work is not None:
                await self._carry_out(*work)
                return
            # Who waits for something else hears what that is.
            self._wake_all()
            await self._rest(LOOK_EVERY_S)
        except (DataFolderError, ServerBusy) as error:
            log.warning("the next suggestions have to wait: %s", error)
            await self._rest(RETRY_S)
        except Exception:
            log.exception("no suggestion could be made")
            await self._rest(RETRY_S)

    async def _carry_out(self, task: Task, packed: bytes) -> None:
        self._last_sweep = task.sweep_id
        left = list(task.numbers)
        try:
            async with contextlib.aclosing(self.worker.answers(packed)) as answers:
                async for drawn in answers:
                    await self._database.write(suggesting.keep, task, drawn, self._now())
                    left.remove(drawn.number)
                    self._wake_one(task.sweep_id)
        except WorkerFailed as failed:
            log.warning("a suggestion is drawn by chance: %s", failed)
            if left:
                await self._database.write(suggesting.keep_by_chance, task, left[0], str(failed), self._now())
                self._wake_one(task.sweep_id)
        self._idle_since = asyncio.get_running_loop().time()

    async def _rest(self, most_s: float) -> None:
        """Until something happens."""
        if self.worker.pid is not None and asyncio.get_running_loop().time() - self._idle_since > IDLE_S:
            await self.worker.close()
        happenings = [
            asyncio.ensure_future(each)
            for each in (
                self._database.bell.wait_for_event(self._last_event, most_s),
                self._asked.wait(),
                self._closing.wait(),
            )
        ]
        try:
            await asyncio.wait(happenings, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in happenings:
                each.cancel()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._asked.wait(), self._gather_s)

    def _wake_one(self, sweep_id: int) -> None:
        queue = self._waiting[sweep_id]
        while queue:
            woken = queue.popleft()
            if not woken.done():
                woken.set_result(None)
                return

    def _wake_all(self) -> None:
        for sweep_id in list(self._waiting):
            while self._waiting[sweep_id]:
                self._wake_one(sweep_id)
            del self._waiting[sweep_id]


def _look(
    connection: Connection, now: float, hungry: Mapping[int, int], last_sweep: int
) -> tuple[int, bool, tuple[Task, bytes] | None]:
    """The id of the last event, whether an open sweep has a model, and the next work with its message to the worker."""
    task = suggesting.due(connection, now, hungry, last_sweep)
    last_event = events.last_id(connection)
    if task is None:
        return last_event, bool(suggesting.sweeps_of_models(connection)), None
    return last_event, True, (task, pack(task))
