"""What an agent that asks gets: a run, a wait, or the news that there is nothing any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from besom.engine.ahead import Ready
from besom.engine.records import Run, Sweep
from besom.metric import Metric
from besom.search.searcher import Searcher
from besom.space import params_hash

# Draws that one ask may pass over because they were tried before; a longer stretch takes several asks.
MOST_SKIPS = 1000
WAIT_S = 5.0
COMPUTING = "the next suggestion is being computed"


class HandOutRun(Struct, frozen=True):
    """Hand out ``again`` (a new attempt of it), or make a run of draw ``number`` with ``params``.

    ``info`` says why a model has chosen them.
    """

    again: Run | None
    number: int
    params: Mapping[str, Any]
    params_hash: str | None
    info: Mapping[str, Any] | None = None


class WaitForRuns(Struct, frozen=True):
    """Nothing now. ``next_number`` is where the search goes on, ``computing``: as soon as a suggestion is made."""

    seconds: float
    reason: str
    next_number: int
    computing: bool = False


class NothingLeft(Struct, frozen=True):
    """Nothing any more; ``reason`` becomes the sweep's if it is still open."""

    reason: str
    next_number: int


class Progress(Struct, frozen=True):
    """What there is to know besides the sweep itself.

    ``waiting`` is the run that has waited longest to be handed out again, ``reached`` the run (name, score) that has
    met the target. ``pending`` and ``tried`` are asked only when needed: the params of runs that are under way, and
    whether the sweep has had params with this hash; so is ``running_s``, how long runs under way have trained in all.
    ``ready`` gives what was made ahead for the next draw, where the method looks at results.
    """

    waiting: Run | None
    reached: tuple[str, float] | None
    pending: Callable[[], Sequence[Mapping[str, Any]]]
    tried: Callable[[str], bool]
    running_s: Callable[[], float] = lambda: 0.0
    ready: Callable[[], Ready | None] = lambda: None


def next_run(
    sweep: Sweep, progress: Progress, searcher: Searcher | None, now: float
) -> HandOutRun | WaitForRuns | NothingLeft:
    """The answer to an agent of this sweep: a waiting run first, then the caps, then the next draw.

    That is one of the ``searcher``; without one it is what was made ahead.
    """
    number = sweep.next_number
    if sweep.state in ("finished", "canceled"):
        return NothingLeft(sweep.ended_reason or f"the sweep is {sweep.state}", number)
    if sweep.state == "paused":
        return WaitForRuns(WAIT_S, f"the sweep is paused: `besom resume {sweep.uid}` lets it go on", number)
    if (run := progress.waiting) is not None:
        return HandOutRun(run, run.idx or 0, run.params, run.params_hash)
    running_s = 0.0 if sweep.compute_cap_s is None else progress.running_s()
    if reason := end_of_search(sweep, progress.reached, now, running_s):
        return _wait_or_end(sweep, reason, number)
    if searcher is None:
        return _hand_ready(sweep, progress.ready(), progress.tried)
    return _draw(sweep, progress, searcher)


def end_of_search(sweep: Sweep, reached: tuple[str, float] | None, now: float, running_s: float = 0.0) -> str | None:
    """Why the sweep makes no more new runs, as far as its counters tell; None if it may.

    ``running_s`` is how long the runs that are under way have trained in all.
    """
    if sweep.metric is not None and sweep.metric.target is not None and reached is not None:
        return target_sentence(sweep.metric, *reached)
    if sweep.run_cap is not None and sweep.created_runs >= sweep.run_cap:
        return f"run cap of {sweep.run_cap} reached"
    if reason := _cap_of_time(sweep, now, running_s):
        return reason
    if sweep.plateau_runs is not None and sweep.since_best >= sweep.plateau_runs:
        ended = "run" if sweep.plateau_runs == 1 else f"{sweep.plateau_runs} runs"
        return f"plateau: the last {ended} brought nothing better"
    if sweep.size is not None and sweep.next_number >= sweep.size:
        return exhausted_sentence(sweep)
    return None


def _cap_of_time(sweep: Sweep, now: float, running_s: float) -> str | None:
    begun = sweep.first_started
    if sweep.time_cap_s is not None and begun is not None and now - begun >= sweep.time_cap_s:
        return f"time cap of {duration(sweep.time_cap_s)} reached"
    if sweep.compute_cap_s is not None and sweep.run_time_ms / 1000 + running_s >= sweep.compute_cap_s:
        trained = duration(round(sweep.run_time_ms / 1000 + running_s))
        return f"compute cap of {duration(sweep.compute_cap_s)} reached: runs have trained for {trained}"
    return None


def under_way(sweep: Sweep) -> int:
    """How many runs of the sweep are training or wait to be handed out again."""
    return sweep.counts.get("running", 0) + sweep.waiting


def _draw(sweep: Sweep, progress: Progress, searcher: Searcher) -> HandOutRun | WaitForRuns | NothingLeft:
    pending = _Later(progress.pending)
    for number in range(sweep.next_number, sweep.next_number + MOST_SKIPS):
        params = searcher.ask(number, pending)
        if params is None:
            return _wait_or_end(sweep, exhausted_sentence(sweep), number)
        if sweep.size is None:
            return HandOutRun(None, number, params, None)
        digest = params_hash(params)
        if not progress.tried(digest):
            return HandOutRun(None, number, params, digest)
    passed = sweep.next_number + MOST_SKIPS
    return WaitForRuns(0.0, f"passing over points that were tried before ({passed} so far)", passed)


def _hand_ready(
    sweep: Sweep, ready: Ready | None, tried: Callable[[str], bool]
) -> HandOutRun | WaitForRuns | NothingLeft:
    number = sweep.next_number
    if ready is not None and ready.params is None:
        return _wait_or_end(sweep, exhausted_sentence(sweep), number)
    if ready is None or ready.params is None or (ready.params_hash is not None and tried(ready.params_hash)):
        # No time: whoever asks again waits at the server, which knows when it is made.
        return WaitForRuns(0.0, COMPUTING, number, computing=True)
    return HandOutRun(None, number, ready.params, ready.params_hash, ready.info)


class _Later(Sequence[Mapping[str, Any]]):
    """A sequence that is fetched when somebody looks into it: many methods never do."""

    def __init__(self, fetch: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self._fetch = fetch
        self._found: Sequence[Mapping[str, Any]] | None = None

    def _items(self) -> Sequence[Mapping[str, Any]]:
        if self._found is None:
            self._found = self._fetch()
        return self._found

    def __getitem__(self, at: Any) -> Any:
        return self._items()[at]

    def __len__(self) -> int:
        return len(self._items())


def _wait_or_end(sweep: Sweep, reason: str, number: int) -> WaitForRuns | NothingLeft:
    left = under_way(sweep)
    if left == 0:
        return NothingLeft(reason, number)
    runs = "the last run is still training with another agent"
    if left > 1:
        runs = f"the last {left} runs are still training with other agents"
    return WaitForRuns(WAIT_S, f"{reason}; {runs}", number)


def exhausted_sentence(sweep: Sweep) -> str:
    """Why a finite search has ended, with its points counted."""
    what = "grid" if sweep.method == "grid" else f"{sweep.method} search"
    return f"{what} exhausted" if sweep.size is None else f"{what} exhausted: {sweep.size} of {sweep.size} points"


def target_sentence(metric: Metric, run_name: str, score: float) -> str:
    """Why a sweep with a target has ended."""
    sign = "≤" if metric.goal == "minimize" else "≥"
    return f"target reached: {metric.name} {score:.6g} {sign} {metric.target:.6g} by run {run_name}"


def duration(seconds: float) -> str:
    """``8h``, ``1h30m``, ``45s``: a length of time as people write it."""
    whole = int(seconds)
    if whole != seconds:
        return f"{seconds:g}s"
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")]
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
