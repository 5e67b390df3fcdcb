"""Sweeps: making, steering, looking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from besom.errors import UsageError
from besom.operations import preview
from besom.operations import sweeps as operations
from besom.server.endpoint import Ask
from besom.store import run_answers
from besom.store import sweeps as stored
from besom.wire.agents import Finish, HandOut, Wait
from besom.wire.runs import Curves, RunAnswer, RunsPage
from besom.wire.sweeps import (
    CheckAnswer,
    EditSweep,
    NewSweep,
    Rerun,
    RerunAnswer,
    SweepAnswer,
    SweepSource,
)

MAX_PAGE = 10_000
MAX_CURVES = 1000
MAX_PX = 10_000
LONG_BODY = 1024 * 1024
S = TypeVar("S", bound=SweepSource)
T = TypeVar("T")


class ProjectQuery(Struct, forbid_unknown_fields=True):
    """Which entity and project are meant; absent: any."""

    entity: str | None = None
    project: str | None = None


class RunsQuery(ProjectQuery, forbid_unknown_fields=True):
    """Which runs of a sweep, and in which order."""

    order: Literal["score", "created", "idx"] = "created"
    limit: int = 1000
    after: str | None = None


class CurvesQuery(ProjectQuery, forbid_unknown_fields=True):
    """Which curves, over how many pixels and which steps. ``runs`` are names, separated by commas; absent: the best."""

    metric: str | None = None
    px: int = 500
    runs: str | None = None
    limit: int = 100
    from_step: int | None = None
    to_step: int | None = None


async def ls(ask: Ask, query: ProjectQuery) -> dict[str, list[SweepAnswer]]:
    """Sweeps, newest first."""
    found = await ask.read(stored.answers, query.entity, query.project, base_url=ask.base_url)
    return {"sweeps": found}


async def create(ask: Ask, body: NewSweep) -> SweepAnswer:
    """Makes a sweep; the same request_id twice is the same sweep."""
    config = await _beside(ask, operations.read, body)
    uid = await ask.write(operations.create, body, entity=ask.who.entity, config=config)
    return await _answer(ask, uid)


async def check(ask: Ask, body: SweepSource) -> CheckAnswer:
    """What a sweep config means; nothing is made."""
    return await _beside(ask, _check, body)


async def get(ask: Ask, query: ProjectQuery) -> SweepAnswer:
    """One sweep; entity and project must be its own where they are given."""
    return await ask.read(stored.answer, ask.path["id"], query.entity, query.project, base_url=ask.base_url)


async def edit(ask: Ask, query: ProjectQuery, body: EditSweep) -> SweepAnswer:
    """Changes name, description or run cap."""
    await ask.write(operations.edit, await _meant(ask, query), body)
    return await _answer(ask, ask.path["id"])


async def delete(ask: Ask, query: ProjectQuery) -> None:
    """Removes the sweep and its runs for good."""
    await ask.write(operations.delete, await _meant(ask, query))


async def pause(ask: Ask, query: ProjectQuery) -> SweepAnswer:
    """No new runs until it is resumed."""
    await ask.write(operations.pause, await _meant(ask, query))
    return await _answer(ask, ask.path["id"])


async def resume(ask: Ask, query: ProjectQuery) -> SweepAnswer:
    """Hands out runs again."""
    await ask.write(operations.resume, await _meant(ask, query))
    return await _answer(ask, ask.path["id"])


async def stop(ask: Ask, query: ProjectQuery) -> SweepAnswer:
    """No new runs; running ones finish."""
    await ask.write(operations.stop, await _meant(ask, query))
    return await _answer(ask, ask.path["id"])


async def cancel(ask: Ask, query: ProjectQuery) -> SweepAnswer:
    """Ends the sweep now; running runs are killed."""
    await ask.write(operations.cancel, await _meant(ask, query))
    return await _answer(ask, ask.path["id"])


async def rerun(ask: Ask, query: ProjectQuery, body: Rerun) -> RerunAnswer:
    """Queues failed or crashed runs again."""
    names = await ask.write(operations.rerun, await _meant(ask, query), body.failed, body.crashed)
    return RerunAnswer(runs=names)


async def runs(ask: Ask, query: RunsQuery) -> RunsPage:
    """Runs of the sweep, page by page."""
    return await ask.read(
        run_answers.page, sweep_uid=ask.path["id"], entity=query.entity, project_name=query.project,
        order=query.order, limit=max(1, min(query.limit, MAX_PAGE)), after=query.after,
        base_url=ask.base_url,
    )  # fmt: skip


async def best(ask: Ask, query: ProjectQuery) -> dict[str, RunAnswer | None]:
    """The best run by the sweep's rule."""
    return {"run": await ask.read(run_answers.best, await _meant(ask, query), base_url=ask.base_url)}


async def curves(ask: Ask, query: CurvesQuery) -> Curves:
    """One metric's curves of many runs, each reduced to what a screen can show."""
    names = None if query.runs is None else query.runs.split(",")
    if names is not None and len(names) > MAX_CURVES:
        raise UsageError(f"{len(names)} runs are too many at once: name at most {MAX_CURVES}")
    return await ask.read(
        run_answers.curves_of, await _meant(ask, query), query.metric, max(1, min(query.px, MAX_PX)), names,
        max(1, min(query.limit, MAX_CURVES)), query.from_step, query.to_step,
    )  # fmt: skip


async def next_run(ask: Ask, query: ProjectQuery) -> HandOut | Wait | Finish:
    """What an agent would get next; nothing is taken."""
    return await ask.read(preview.next_params, await _meant(ask, query), now=ask.now, base_url=ask.base_url)


async def _meant(ask: Ask, query: ProjectQuery) -> str:
    """The sweep's id; raises NotFound where it is another project's than the one that was named."""
    if query.entity is not None or query.project is not None:
        await ask.read(stored.get, ask.path["id"], query.entity, query.project)
    return ask.path["id"]


async def _answer(ask: Ask, uid: str) -> SweepAnswer:
    return await ask.read(stored.answer, uid, base_url=ask.base_url)


async def _beside(ask: Ask, work: Callable[[S], T], source: S) -> T:
    """Works on a sweep config in a thread; on long ones one after the other, as each needs much memory."""
    size = ask.request.headers.get("content-length", "")
    if size.isdecimal() and int(size) < LONG_BODY:
        return await asyncio.to_thread(work, source)
    async with ask.services.long_work:
        return await asyncio.to_thread(work, source)


def _check(source: SweepSource) -> CheckAnswer:
    import numpy as np

    from besom.sweep_config import check as meaning_of
    from besom.sweep_config import read_sweep_config

    written: Any = source.config if source.text is None else source.text
    config = read_sweep_config(written, format=source.format, file=source.file)
    meaning = meaning_of(config, np.random.default_rng(config.seed))
    return msgspec.convert(meaning, CheckAnswer, from_attributes=True)
