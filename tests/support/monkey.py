"""The plan of a monkey: which fault, when, to whom, for how long. Pure: the same seed gives the same plan."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import proxy

LINE = proxy.KINDS
KILLS = (
    "kill_script", "kill_agent", "kill_agent_of_stubborn", "kill_server", "kill_database", "kill_everything",
    "preempt_script",
)  # fmt: skip
STALLS = ("server_away", "sleep", "freeze_agent")
DISKS = ("full_data", "full_spool")
KINDS = (*KILLS, *STALLS, *DISKS, *LINE)
# Kinds that need a database server of its own.
NEEDS_POSTGRES = frozenset(["kill_database"])
# How often each kind comes, where it is not once: what is cheap and cruel comes more often.
_WEIGHT = {"kill_script": 4, "kill_agent": 4, "kill_server": 2, "cut": 2, "preempt_script": 2}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. ``after_s`` since the fault before it has ended; ``which`` chooses the victim."""

    kind: str
    after_s: float
    lasts_s: float
    which: int

    def __str__(self) -> str:
        return f"{self.kind} (after {self.after_s:.2f} s, for {self.lasts_s:.1f} s, which {self.which})"


def plan(seed: int, faults: int, kinds: Sequence[str], *, lease_s: float, away_s: float, gap_s: float) -> list[Fault]:
    """``faults`` faults of these kinds; every kind comes before one comes again beyond its weight.

    ``away_s``: how long the server stays away; ``gap_s``: the mean pause between two faults.
    """
    chance = random.Random(f"plan of {seed}")
    deck: list[str] = []
    found = []
    for _ in range(faults):
        if not deck:
            deck = [kind for kind in kinds for _ in range(_WEIGHT.get(kind, 1))]
            chance.shuffle(deck)
        kind = deck.pop()
        lasts_s = _lasts_s(kind, chance, lease_s, away_s)
        found.append(Fault(kind, chance.uniform(0.2, 1.8) * gap_s, lasts_s, chance.randrange(1000)))
    return found


def _lasts_s(kind: str, chance: random.Random, lease_s: float, away_s: float) -> float:
    if kind in ("sleep", "freeze_agent"):
        return lease_s * chance.uniform(1.6, 2.2)
    if kind == "server_away":
        return away_s
    if kind in LINE or kind in DISKS:
        return chance.uniform(0.5, 2.5)
    return chance.uniform(0.0, 0.5) if kind in ("kill_server", "kill_database", "kill_everything") else 0.0
