"""What a run that was stopped early would have come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from besom.search.searcher import Observation

Array = NDArray[np.float64]

END = float("inf")  # stands for the count of values of a whole run, whatever it was
TO_DEVIATION = 1.4826  # from the median of absolute deviations, for a normal law


class PartialCurves:
    """How losses go on from one rung to the next, over all runs that have reached both.

    A run's final loss is that at its last rung less the median improvement over each stage that is left: rungs one
    after the other, then the end of the finished runs. The errors of the stages add up. Most stopped runs are stopped
    early, so a stage has many more runs behind it than the whole way has.
    """

    def __init__(self, observations: Sequence[Observation]) -> None:
        curves = [dict(curve(each)) for each in observations]
        counts = sorted({count for each in curves for count in each})
        self._stages = [_stage(curves, one, other) for one, other in zip(counts, counts[1:], strict=False)]
        ends = [each[END] for each in curves if END in each]
        self._best = min(ends) if ends else -np.inf

    def final(self, observation: Observation) -> tuple[float, float]:
        """The final loss of a run that has a finite one, and the standard deviation of its error: 0 if it finished.

        A forecast is not worse than the run is now, and not better than all finished runs.
        """
        now = observation.loss
        assert now is not None
        if observation.state == "finished":
            return now, 0.0
        points = [(count, loss) for count, loss in curve(observation) if count < END] or [(observation.length, now)]
        reached, loss = points[-1]
        left = [stage for stage in self._stages if stage.start >= reached]
        final = loss - sum(stage.improvement for stage in left)
        deviation = sum(stage.deviation**2 for stage in left) ** 0.5
        return min(max(final, self._best), now), deviation


@dataclass(frozen=True, slots=True)
class Stage:
    """From one rung to the next: the median improvement and its spread."""

    start: float
    improvement: float
    deviation: float


def curve(observation: Observation) -> list[tuple[float, float]]:
    """The points (count, loss) of a run, counts rising; a finished run's loss stands at `END`."""
    points = [(float(count), loss) for count, loss in observation.rungs]
    if observation.state == "finished" and observation.loss is not None:
        points.append((END, observation.loss))
    return points


def _stage(curves: Sequence[dict[float, float]], start: float, end: float) -> Stage:
    # One run that does not improve is believed in from the start, so that the first real one does not count for sure.
    changes = np.array([0.0] + [each[start] - each[end] for each in curves if start in each and end in each])
    improvement = float(np.median(changes))
    return Stage(start, improvement, TO_DEVIATION * float(np.median(np.abs(changes - improvement))))
