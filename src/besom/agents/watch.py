"""Watches one run's child until it has ended: shows its output, hands on signals, carries out orders."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from besom.agents.exit_codes import Ending, ExitCode
from besom.agents.heartbeat import Heartbeat
from besom.agents.process import TICK_S, Child, Exit
from besom.agents.screen import Screen
from besom.agents.sentences import LADDER
from besom.agents.signals import ENDING, Signals
from besom.agents.wake import Wake

# What a shell ran may still be writing its checkpoint when the shell has gone.
_LINGER_S = 5.0
StoppedBy = Literal["stop", "cancel", "interrupt"]


@dataclass(frozen=True, slots=True)
class Manners:
    """How an agent treats its children. ``kill_delay_s``: from TERM to KILL on an order of the server.

    ``term_timeout_s``: from a handed-on signal to KILL (None: never). ``one_step``: the first Ctrl-C ends the run
    (agents that call functions), instead of waiting for it. ``quiet``: somebody else tells what a Ctrl-C does.
    """

    kill_delay_s: float = 30.0
    term_timeout_s: float | None = None
    one_step: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Watched:
    """How it went. ``dropped``: the run is somebody else's by now. ``agent``: the agent itself should end."""

    exit: Exit
    stopped_by: StoppedBy | None
    dropped: bool
    agent: Ending | None


def agent_order(answer: Mapping[str, Any]) -> Ending | None:
    """The ending that a heartbeat's answer asks of the agent; None to go on."""
    reason = answer.get("reason")
    if answer.get("agent") in ("off", "off now"):
        return Ending(ExitCode.TURNED_OFF, reason or "the agent was turned off")
    if answer.get("agent") == "exit":
        return Ending(ExitCode.CANCELED, reason or "the sweep was canceled")
    if answer.get("agent") == "gone":
        return Ending(ExitCode.DELETED, reason or "Sweep was deleted or agent was not found.")
    return None


class Watch:
    """One child and everybody who may want it to end."""

    def __init__(
        self,
        child: Child,
        key: tuple[str, int],
        *,
        screen: Screen,
        signals: Signals,
        heartbeat: Heartbeat,
        wake: Wake,
        manners: Manners,
        ask_to_stop: Callable[[str], None],
    ) -> None:
        self._child = child
        self._key = key
        self._screen = screen
        self._signals = signals
        self._heartbeat = heartbeat
        self._wake = wake
        self._manners = manners
        self._ask_to_stop = ask_to_stop
        self._stopped_by: StoppedBy | None = None
        self._dropped = False
        self._agent: Ending | None = None
        self._kill_at: float | None = None

    def run(self) -> Watched:
        """Returns when the child and all that it started are gone."""
        ended_at: float | None = None
        while True:
            self._wake.clear()
            self._hear_signals()
            if answer := self._heartbeat.take():
                self._obey(answer)
            now = time.monotonic()
            if self._kill_at is not None and now >= self._kill_at:
                self._child.kill()
                self._kill_at = now + 1.0
            end = self._child.poll()
            if end is not None:
                ended_at = ended_at or now
                if self._stopped_by is None or not self._child.lingers() or now > ended_at + _LINGER_S:
                    break
            piece = self._child.next_piece(self._patience_s(ended_at, now), (self._wake.fd,))
            if piece:
                self._screen.show(piece)
        self._child.close(self._screen.show)
        return Watched(end, self._stopped_by, self._dropped, self._agent)

    def _patience_s(self, ended_at: float | None, now: float) -> float | None:
        """How long nothing needs to be done unless something happens."""
        if ended_at is not None:
            return TICK_S
        return None if self._kill_at is None else max(0.0, self._kill_at - now)

    def _hear_signals(self) -> None:
        while self._signals.to_forward:
            number = self._signals.to_forward.popleft()
            self._child.send(number)
            if number in ENDING and self._manners.term_timeout_s is not None:
                self._kill_after(self._manners.term_timeout_s)
        while self._signals.heard < self._signals.step:
            self._signals.heard += 1
            self._climb(self._signals.heard + (1 if self._manners.one_step else 0))

    def _climb(self, rung: int) -> None:
        """The Ctrl-C ladder: wait, TERM, KILL."""
        if not self._manners.quiet:
            one_step = self._manners.one_step and rung == 2
            self._screen.say("Ctrl + C detected. Stopping sweep." if one_step else LADDER[min(rung, len(LADDER)) - 1])
        if rung == 2:
            self._stopped_by = self._stopped_by or "interrupt"
            if self._manners.one_step:
                self._kill_after(self._manners.kill_delay_s)
            self._ask_to_stop("interrupted at its agent")
            self._child.terminate()
        elif rung > 2:
            self._kill("interrupt")

    def _obey(self, answer: Mapping[str, Any]) -> None:
        for order in answer.get("orders", ()):
            if (order["uid"], order["attempt"]) == self._key:
                self._carry_out(order["order"], order["reason"])
        ending = agent_order(answer)
        if ending is None or self._agent is not None:
            return
        self._agent = ending
        if answer["agent"] == "off now":
            self._screen.say(f"{ending.reason}: killing the run")
            self._kill("interrupt")
        elif answer["agent"] == "exit":
            self._screen.say(f"{ending.reason}: killing the run")
            self._kill("cancel")
        else:
            self._screen.say(f"{ending.reason}; the agent ends after the run")

    def _carry_out(self, order: str, reason: str) -> None:
        if self._stopped_by is not None or self._dropped:
            return
        if order == "stop":
            self._screen.say(f"stopping the run: {reason}")
            self._stopped_by = "stop"
            self._ask_to_stop(reason)
            self._kill_after(self._manners.kill_delay_s)
            self._child.terminate()
        elif order == "kill":
            self._screen.say(f"killing the run: {reason}")
            self._kill("cancel")
        elif order == "drop":
            self._screen.say(f"ending the run here: {reason}")
            self._dropped = True
            self._child.kill()

    def _kill(self, by: StoppedBy) -> None:
        self._stopped_by = self._stopped_by or by
        self._child.kill()
        self._kill_at = time.monotonic() + 1.0

    def _kill_after(self, delay_s: float) -> None:
        at = time.monotonic() + delay_s
        self._kill_at = at if self._kill_at is None else min(self._kill_at, at)
