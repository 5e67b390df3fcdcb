"""`early_terminate: {type: hyperband}`: at each rung, only the best 1/eta of the runs go on."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from besom.metric import Metric
from besom.stopping.stopper import RungValue, Stop

# Far above what a run logs, and far below where powers of eta overflow.
_LARGEST = 10**15
_HIGHEST_LOG2 = 50
_PARTS = dict(enumerate(("half", "third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), 2))
_NOT_BUILT = ("resource",)
_PATIENCE = 5


class Hyperband:
    """Asynchronous successive halving with one bracket, as in W&B.

    A rung is a count of finite values that a run has logged. The value of a run that reaches one is compared with
    those of all runs that were ever there, this one included: of n values, sorted best first, the one at index
    ``int(n / eta)`` is the threshold, and a run that is worse than it ends. Equal values stay.

    Li et al., "Hyperband: a novel bandit-based approach to hyperparameter optimization", JMLR 2018; Li et al., "A
    system for massively parallel hyperparameter tuning" (ASHA), MLSys 2020.
    """

    options: ClassVar[Mapping[str, str]] = {
        "min_iter": "the first rung; the others follow by factors of eta",
        "max_iter": "the full length of a run; the rungs are max_iter/eta, max_iter/eta², … (needs `s`)",
        "s": "how many rungs `max_iter` makes",
        "eta": "of the runs at a rung the best 1/eta go on (3)",
        "strict": "compare the value at the rung (true), or the best value up to it (false)",
        "min_peers": "a run is not judged where fewer runs than this were, itself included (1)",
        "grace": "rungs below this count of values are left out (0)",
        "nan": "`{patience: 5}` ends a run whose last 5 values were NaN or infinite (such runs go on)",
    }

    def __init__(
        self,
        metric: Metric,
        rungs: Sequence[int],
        *,
        eta: float = 3,
        strict: bool = True,
        min_peers: int = 1,
        nan_patience: int | None = None,
    ) -> None:
        self._metric = metric
        self._rungs = tuple(rungs)
        self._eta = eta
        self._strict = strict
        self._min_peers = min_peers
        self._nan_patience = nan_patience

    @classmethod
    def from_options(cls, options: Mapping[str, Any], metric: Metric) -> Hyperband:
        """From the keys of a sweep file without ``type``. Raises ValueError with a sentence."""
        _check_names(options, cls.options)
        eta = _number("eta", options.get("eta", 3))
        if eta <= 1:
            raise ValueError(f"`eta` must be above 1, not {eta}: 3 keeps the best third")
        strict = options.get("strict", True)
        if not isinstance(strict, bool):
            raise ValueError(f"`strict` must be true or false, not {strict!r}")
        grace = _whole(options, "grace", least=0)
        rungs = [rung for rung in _rungs(options, eta) if rung >= grace]
        if not rungs:
            raise ValueError(f"`grace` {grace} leaves no rung, so no run would ever be judged: write a smaller one")
        peers = _whole(options, "min_peers", least=1, default=1)
        return cls(metric, rungs, eta=eta, strict=strict, min_peers=peers, nan_patience=_nan_patience(options))

    def is_rung(self, count: int) -> bool:
        """True if a run is judged when it has logged ``count`` finite values."""
        position = bisect_left(self._rungs, count)
        return position < len(self._rungs) and self._rungs[position] == count

    def rungs(self, most: int) -> list[int]:
        """The first ``most`` rungs in order."""
        return list(self._rungs[:most])

    def judge(self, rung: int, mine: RungValue, peers: Sequence[RungValue]) -> Stop | None:
        """Stop for a value that is worse than the threshold of its rung; ``peers`` include it."""
        if not peers or len(peers) < self._min_peers:
            return None
        values = sorted((self._value(each) for each in peers), key=self._metric.as_loss)
        threshold = values[int((1 / self._eta) * len(values))]
        value = self._value(mine)
        if not self._metric.better(threshold, value):
            return None
        side = "above" if self._metric.goal == "minimize" else "below"
        shown, limit = _unlike(value, threshold)
        return Stop(f"step {rung}: {shown} is {side} {limit}, the best {_part(self._eta)} of {len(values)} runs")

    def judge_streak(self, streak: int) -> Stop | None:
        """Stop at ``nan.patience``; without it such a run goes on."""
        if self._nan_patience is None or streak < self._nan_patience:
            return None
        if self._nan_patience == 1:
            return Stop(f"{self._metric.name} was NaN or infinite")
        return Stop(f"the last {self._nan_patience} values of {self._metric.name} were NaN or infinite")

    def _value(self, shown: RungValue) -> float:
        return shown.value if self._strict else shown.best


def _nan_patience(options: Mapping[str, Any]) -> int | None:
    if "nan" not in options:
        return None
    chosen = options["nan"]
    if not isinstance(chosen, Mapping) or not chosen.keys() <= {"patience"}:
        raise ValueError(f"`nan` must be a mapping such as `nan: {{patience: {_PATIENCE}}}`, not {chosen!r}")
    return _whole(chosen, "patience", least=1, default=_PATIENCE)


def _rungs(options: Mapping[str, Any], eta: float) -> list[int]:
    """The rungs in ascending order, by `min_iter`, or by `max_iter` and `s`."""
    if "min_iter" in options:
        if "max_iter" in options or "s" in options:
            raise ValueError("hyperband takes `min_iter`, or `max_iter` and `s`, not both: leave one of them out")
        return _rungs_up(_whole(options, "min_iter", least=1), eta)
    if "max_iter" not in options:
        raise ValueError("hyperband needs its first rung, such as `min_iter: 3`, or `max_iter` and `s`")
    if "s" not in options:
        raise ValueError("`max_iter` needs `s`, the number of rungs below it, such as `s: 2`")
    max_iter = _whole(options, "max_iter", least=1)
    rungs = _rungs_down(max_iter, _whole(options, "s", least=1), eta)
    if not rungs:
        raise ValueError(
            f"`max_iter` {max_iter} is below `eta` {eta:g}, which leaves no rung: write a larger `max_iter`"
        )
    return rungs


def _rungs_up(min_iter: int, eta: float) -> list[int]:
    """``int(min_iter eta^k)`` for k = 0 … 99, as far as a run can reach."""
    powers = range(min(100, int(_HIGHEST_LOG2 / math.log2(eta)) + 1))
    return sorted({int(min_iter * eta**power) for power in powers})


def _rungs_down(max_iter: int, s: int, eta: float) -> list[int]:
    """``int(max_iter / eta^k)`` for k = 1 … s, down to 1."""
    powers = range(1, min(s, int(_HIGHEST_LOG2 / math.log2(eta))) + 1)
    return sorted({int(max_iter / eta**power) for power in powers} - {0})


def _check_names(options: Mapping[str, Any], known: Mapping[str, str]) -> None:
    for name in options:
        if name in _NOT_BUILT:
            raise ValueError(f"`{name}` is not built yet: leave it out")
        if name not in known:
            raise ValueError(f"hyperband has no `{name}`: it takes {', '.join(f'`{each}`' for each in known)}")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:
        raise ValueError(f"`{name}` must be a number up to {_LARGEST}, not {value!r}")
    return value


def _whole(options: Mapping[str, Any], name: str, *, least: int, default: int = 0) -> int:
    number = _number(name, options.get(name, default))
    if number != int(number) or number < least:
        raise ValueError(f"`{name}` must be a whole number, {least} or larger, not {number}")
    return int(number)


def _part(eta: float) -> str:
    """1/eta in words where there is a word for it."""
    return _PARTS[int(eta)] if eta in _PARTS else f"1/{eta:g}"


def _unlike(one: float, other: float) -> tuple[str, str]:
    """Two different numbers in four digits, or in as many as it takes to see that they differ."""
    # Adding 0.0 makes 0 of -0.
    texts = [(f"{one + 0.0:.{digits}g}", f"{other + 0.0:.{digits}g}") for digits in range(4, 18)]
    return next(pair for pair in texts if pair[0] != pair[1])
