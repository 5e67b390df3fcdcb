"""When an agent asks again, and when it gives up: too many failed runs (pure: the time is an argument).

A failure is an exit code above zero, or an exception out of a function. Death by a signal and a run that was stopped
on an order are not failures: they say nothing about the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass

from besom.agents.exit_codes import Ending, ExitCode
from besom.agents.settings import number, read

FLAPPING_FAILURES = 3
FLAPPING_S = 60.0
MAX_INITIAL_FAILURES = 5
_SHORTEST_PAUSE_S = 0.5
_TRUE = frozenset(["1", "true", "yes", "on"])


@dataclass(frozen=True, slots=True)
class Limits:
    """How much failing an agent bears. ``function``: the rules for agents that call a Python function."""

    flapping: bool = True
    max_initial_failures: int = MAX_INITIAL_FAILURES
    max_consecutive: int | None = None
    function: bool = False


def read_limits(environ: Mapping[str, str], *, max_consecutive: int | None = None, function: bool = False) -> Limits:
    """The limits that the variables set."""
    flapping = read(environ, "BESOM_AGENT_DISABLE_FLAPPING").strip().lower() not in _TRUE
    initial = int(number(environ, "BESOM_AGENT_MAX_INITIAL_FAILURES"))
    return Limits(flapping, initial, max_consecutive, function)


def pause_s(most_s: float, waited_s: float) -> float:
    """Seconds until an agent without a run asks again: a tenth of its wait, half a second at least, ``most_s`` at most.

    So the end of a short wait is noticed at once, and a long one costs the server little.
    """
    return min(most_s, max(_SHORTEST_PAUSE_S, waited_s / 10))


class Patience:
    """Counts the runs of one agent and says when it should give up. ``started``: the agent's start, in seconds."""

    def __init__(self, limits: Limits, started: float) -> None:
        self.limits = limits
        self.started = started
        self.failures = 0
        self.others = 0
        self.in_a_row = 0

    def run_ended(self, run: str, *, failed: bool, now: float) -> Ending | None:
        """Counts a run; an ending when the agent should go. ``run`` is named as the one whose log to read."""
        if not failed:
            self.others += 1
            self.in_a_row = 0
            return None
        self.failures += 1
        self.in_a_row += 1
        found = self._verdict(now)
        if found is None:
            return None
        code, reason = found
        return Ending(code, reason, f"The sweep goes on without this agent. Why the last run failed: besom logs {run}")

    def at_its_end(self, now: float) -> bool:
        """True if one more failure would end the agent."""
        return copy(self).run_ended("", failed=True, now=now) is not None

    def _verdict(self, now: float) -> tuple[ExitCode, str] | None:
        limits = self.limits
        if limits.flapping and self.failures >= FLAPPING_FAILURES and now - self.started < FLAPPING_S:
            return ExitCode.FLAPPING, (
                f"Detected {self.failures} failed runs in the first {FLAPPING_S:g} seconds, shutting down"
                " (BESOM_AGENT_DISABLE_FLAPPING=true turns this off)."
            )
        if self._first_runs_fail():
            return ExitCode.INITIAL_FAILURES, (
                f"Detected {self.failures} failed runs in a row at start, shutting down"
                " (BESOM_AGENT_MAX_INITIAL_FAILURES sets how many are borne)."
                if not self.others
                else f"{self.failures} of the first {self.failures + self.others} runs failed, shutting down"
                " (BESOM_AGENT_MAX_INITIAL_FAILURES sets how many are borne)."
            )
        if limits.max_consecutive is not None and self.in_a_row >= limits.max_consecutive:
            return ExitCode.CONSECUTIVE_FAILURES, f"{self.in_a_row} runs in a row failed, shutting down."
        return None

    def _first_runs_fail(self) -> bool:
        most = self.limits.max_initial_failures
        if self.limits.function:
            return self.failures > most and self.others == 0
        # Upstream compares with all runs that ended before this one: at most one of them was no failure.
        return self.failures >= most and self.others <= 1
