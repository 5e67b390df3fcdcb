"""Runs as another program describes them, a mapping each, and what a searcher is told of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from besom.command import flatten
from besom.engine.folding import to_number
from besom.engine.states import RUN_STATES
from besom.errors import UsageError
from besom.metric import Metric
from besom.search import Observation

# Of a curve every count of values is kept up to here, and then each that is so many times the one before.
DENSE_COUNTS = 30
COUNT_RATIO = 1.1


@dataclass(frozen=True, slots=True)
class DescribedRun:
    """A run with the id that its describer gave it."""

    id: str | int
    observation: Observation


def described_runs(runs: Any, metric: Metric | None) -> list[DescribedRun]:
    """The runs in their order, numbered from 0.

    Each is a mapping with ``config`` (nested; it may hold more than the swept names) and ``state``, and for what it
    has shown ``value``, the metric's score in its own unit, or ``history``: its values in order, or the rows that it
    logged. Where the value is no finite number, the score is that of the history. ``id`` is a text or a whole number;
    without one it is the run's number. Further keys do not matter.

    Raises UsageError with a sentence that names the run.
    """
    if not isinstance(runs, (list, tuple)):
        raise UsageError(f"`runs` is a list of runs, not {_noun(runs)}")
    described: list[DescribedRun] = []
    known: set[str] = set()
    for number, run in enumerate(runs):
        described.append(_described(run, number, metric))
        name = str(described[-1].id)
        if name in known:
            raise UsageError(f"two runs have the id {name}: give each one of its own")
        known.add(name)
    return described


def _described(run: Any, number: int, metric: Metric | None) -> DescribedRun:
    if not isinstance(run, Mapping):
        raise UsageError(f"run {number} is {_noun(run)}: write a mapping with `id`, `config`, `state` and `value`")
    name = run.get("id", number)
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        raise UsageError(f"run {number}: `id` is a text or a whole number, not {_noun(name)}")
    where = f"run {name}"
    config, state = _config(run, where), _state(run, where)
    if metric is None:
        return DescribedRun(name, Observation(number, config, None, state))
    history = _history(run, metric, where)
    score = _score(run, state, history, metric, where)
    losses = [metric.as_loss(value) for value in history]
    loss = None if score is None else metric.as_loss(score)
    return DescribedRun(name, Observation(number, config, loss, state, len(losses), _rungs(losses)))


def _config(run: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    config = run.get("config")
    if not isinstance(config, Mapping):
        raise UsageError(f"{where}: `config` is a mapping of the parameters and their values, not {_noun(config)}")
    try:
        plain: dict[str, Any] = _plain(config)
    except TypeError as problem:
        raise UsageError(f"{where}: `config` holds {problem}: write numbers, text, lists and mappings") from None
    return plain


def _state(run: Mapping[str, Any], where: str) -> str:
    state = run.get("state")
    if state not in RUN_STATES:
        near = get_close_matches(str(state), RUN_STATES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"write one of {', '.join(RUN_STATES)}"
        found = f"there is no state {state!r}" if isinstance(state, str) else "`state` is missing"
        raise UsageError(f"{where}: {found}: {hint}")
    return str(state)


def _score(run: Mapping[str, Any], state: str, history: Sequence[float], metric: Metric, where: str) -> float | None:
    """The run's one number; None if no finite one is known."""
    if state in ("finished", "stopped") and "value" not in run and "history" not in run:
        raise UsageError(f"{where} is {state} and has no `value`: write null if it never had one")
    given = run.get("value")
    value = _number(given)
    if value is None and given is not None:
        raise UsageError(f'{where}: `value` is a number, "NaN", "Infinity" or null, not {_noun(given)}')
    return value if value is not None and math.isfinite(value) else metric.score(history)


def _history(run: Mapping[str, Any], metric: Metric, where: str) -> list[float]:
    """The finite values of the metric in the order in which they were logged."""
    history = run.get("history")
    if history is None:
        return []
    entries = _unwrapped(history)
    if not isinstance(entries, (list, tuple, range)):
        raise UsageError(f"{where}: `history` is a list of values or of logged rows, not {_noun(history)}")
    numbers = (_number(_logged(entry, metric.name)) for entry in entries)
    return [number for number in numbers if number is not None and math.isfinite(number)]


def _logged(entry: Any, name: str) -> Any:
    """The metric's value in an entry of a history, which may be a row of many values, nested or not."""
    if not isinstance(entry, Mapping):
        return entry
    return entry[name] if name in entry else dict(flatten(entry)).get(name)


def _rungs(losses: Sequence[float]) -> tuple[tuple[int, float], ...]:
    """The best loss up to counts that are the same for all runs: all small ones, then fewer and fewer."""
    rungs = []
    best, due = math.inf, 1.0
    for count, loss in enumerate(losses, 1):
        best = min(best, loss)
        if count >= due:
            rungs.append((count, best))
            due = count + 1 if count < DENSE_COUNTS else count * COUNT_RATIO
    return tuple(rungs)


def _plain(value: Any) -> Any:
    """The value with Python's own numbers and lists in place of those of NumPy and torch.

    Raises TypeError, which names the type, for what JSON has no word for.
    """
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, range)):
        return [_plain(item) for item in value]
    plain = _unwrapped(value)
    if plain is value:
        raise TypeError(f"a {type(value).__name__}")
    return plain


def _unwrapped(value: Any) -> Any:
    """NumPy's and torch's scalars and arrays as numbers and lists, anything else as it is."""
    unwrap = getattr(value, "tolist", None)
    return unwrap() if callable(unwrap) else value


def _number(value: Any) -> float | None:
    return to_number(_unwrapped(value))


def _noun(value: Any) -> str:
    """What the value is, for a sentence."""
    if value is None:
        return "nothing"
    if isinstance(value, (Mapping, list, tuple)):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    return repr(value) if len(repr(value)) <= 40 else f"a {type(value).__name__}"
