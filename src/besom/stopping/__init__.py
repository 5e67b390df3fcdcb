"""When a run ends early.

In: what a run showed where a rule looks at it, and what the other runs showed there. Out: `Stop` with the sentence that
says why, or None. Pure: who is looked at when is `engine.judging`'s matter.
"""

from besom.stopping.peers import HowMany, PeerValues
from besom.stopping.rules import RULES, make_stoppers
from besom.stopping.stopper import Peers, Seen, Stop, Stopper

__all__ = ["RULES", "HowMany", "PeerValues", "Peers", "Seen", "Stop", "Stopper", "make_stoppers"]
