"""`early_terminate: {type: hyperband}`: at each rung, only the best 1/eta of the runs go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from besom.metric import Metric
from besom.stopping.ladder import Ladder, by_factor, down_by_factor
from besom.stopping.options import COMMON, RESOURCE, Options
from besom.stopping.ranked import Ranked
from besom.stopping.sentences import part


class Hyperband(Ranked):
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
        **RESOURCE,
        **COMMON,
    }

    name = "hyperband"

    def __init__(
        self, metric: Metric, ladder: Ladder, *, eta: float = 3, strict: bool = True, min_peers: int = 1
    ) -> None:
        super().__init__(metric, ladder, strict=strict, min_peers=min_peers)
        self._eta = eta

    @classmethod
    def from_options(cls, given: Mapping[str, Any], metric: Metric) -> Hyperband:
        """From the keys of a sweep file without ``type``. Raises ValueError with a sentence."""
        options = Options("hyperband", given, cls.options)
        eta, strict = options.eta(), options.flag("strict", default=True)
        ladder = options.ladder(_rungs(options, eta), metric.name)
        return cls(metric, ladder, eta=eta, strict=strict, min_peers=options.min_peers(default=1))

    def last(self, runs: int) -> int:
        """The index of the threshold."""
        return int((1 / self._eta) * runs)

    def part(self) -> str:
        """``third``."""
        return part(self._eta)


def _rungs(options: Options, eta: float) -> list[int]:
    """The rungs in ascending order, by `min_iter`, or by `max_iter` and `s`."""
    if "min_iter" in options:
        if "max_iter" in options or "s" in options:
            raise ValueError("hyperband takes `min_iter`, or `max_iter` and `s`, not both: leave one of them out")
        return by_factor(options.whole("min_iter", least=1), eta)
    if "max_iter" not in options:
        raise ValueError("hyperband needs its first rung, such as `min_iter: 3`, or `max_iter` and `s`")
    if "s" not in options:
        raise ValueError("`max_iter` needs `s`, the number of rungs below it, such as `s: 2`")
    max_iter = options.whole("max_iter", least=1)
    rungs = down_by_factor(max_iter, eta, options.whole("s", least=1))
    if not rungs:
        raise ValueError(
            f"`max_iter` {max_iter} is below `eta` {eta:g}, which leaves no rung: write a larger `max_iter`"
        )
    return rungs
