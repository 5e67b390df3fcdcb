"""When a run ends early.

In: what the runs of a sweep showed at a rung. Out: `Stop` with the sentence that says why, or None.
Pure: who is judged when is the caller's matter.
"""

from besom.stopping.rules import RULES, make_stoppers
from besom.stopping.stopper import RungValue, Stop, Stopper

__all__ = ["RULES", "RungValue", "Stop", "Stopper", "make_stoppers"]
