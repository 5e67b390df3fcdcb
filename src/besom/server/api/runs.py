"""Runs: starting without an agent, ending, looking."""

from __future__ import annotations

from msgspec import Struct

from besom.errors import NotFound
from besom.operations import runs as operations
from besom.server.api.sweeps import MAX_PAGE
from besom.server.auth import Access, require
from besom.server.endpoint import Ask
from besom.store import history as stored_history
from besom.store import run_answers
from besom.wire.runs import (
    FinishAnswer,
    FinishRun,
    HistoryPage,
    NewRun,
    RunAnswer,
    RunHeartbeat,
    RunHeartbeatAnswer,
    RunsPage,
    StartedRun,
)


class ProjectRunsQuery(Struct, forbid_unknown_fields=True):
    """Runs of which project."""

    entity: str | None = None
    project: str | None = None
    limit: int = 1000
    after: str | None = None


class FindQuery(Struct, forbid_unknown_fields=True):
    """``[ENTITY/][PROJECT/]NAME``."""

    path: str


class HistoryQuery(Struct, forbid_unknown_fields=True):
    """Which rows; ``keys`` are separated by commas, absent: all. ``attempt``: the rows of that attempt alone, counted
    or superseded; absent: those that count.
    """

    from_step: int | None = None
    limit: int = 1000
    keys: str | None = None
    attempt: int | None = None


async def ls(ask: Ask, query: ProjectRunsQuery) -> RunsPage:
    """Runs, oldest first."""
    return await ask.read(
        run_answers.page, entity=query.entity, project_name=query.project, order="created",
        limit=max(1, min(query.limit, MAX_PAGE)), after=query.after, base_url=ask.base_url,
    )  # fmt: skip


async def find(ask: Ask, query: FindQuery) -> RunAnswer:
    """The run of a name, with its attempts."""
    found = await ask.read(run_answers.find, query.path, base_url=ask.base_url)
    require(ask.who, Access.READ_RUN, run_uid=found.uid)
    return found


async def get(ask: Ask) -> RunAnswer:
    """One run, with its attempts."""
    return await _answer(ask)


async def start(ask: Ask, body: NewRun) -> StartedRun:
    """Starts a run that no agent started; the same uid twice is the same run."""
    require(ask.who, Access.OWN_RUN, run_uid=body.uid)
    return await ask.write(operations.start, body, ask.who.entity, base_url=ask.base_url)


async def heartbeat(ask: Ask, body: RunHeartbeat) -> RunHeartbeatAnswer:
    """Renews the lease of a run without an agent."""
    return await ask.write(operations.heartbeat, ask.path["uid"], attempt_number(ask))


async def finish(ask: Ask, body: FinishRun) -> FinishAnswer:
    """How the attempt ended, as its watcher saw it; the agent may ask for its next run with it."""
    if body.next is not None:
        # A run's own token ends its run and reaches no other.
        require(ask.who, Access.CHANGE)
    return await ask.write(operations.finish, ask.path["uid"], attempt_number(ask), body, base_url=ask.base_url)


async def rerun(ask: Ask) -> RunAnswer:
    """Queues the next attempt."""
    await ask.write(operations.rerun, ask.path["uid"])
    return await _answer(ask)


async def kill(ask: Ask) -> RunAnswer:
    """Ends the run now; it counts as killed."""
    await ask.write(operations.kill, ask.path["uid"])
    return await _answer(ask)


async def delete(ask: Ask) -> None:
    """Removes the run for good; its point is not handed out again."""
    await ask.write(operations.delete, ask.path["uid"])


async def history(ask: Ask, query: HistoryQuery) -> HistoryPage:
    """Merged rows in order of step."""
    return await ask.read(
        stored_history.page, ask.path["uid"], from_step=query.from_step, limit=max(1, min(query.limit, MAX_PAGE)),
        keys=None if query.keys is None else query.keys.split(","), attempt=query.attempt,
    )  # fmt: skip


def attempt_number(ask: Ask) -> int:
    """The number of the attempt in the address."""
    number = ask.path["number"]
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise NotFound(f"there is no attempt {number!r}")
    return int(number)


async def _answer(ask: Ask) -> RunAnswer:
    return await ask.read(run_answers.get, ask.path["uid"], base_url=ask.base_url)
