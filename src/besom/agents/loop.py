"""The agent: register, then claim, train and report until the sweep, the user or patience ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from besom.agents import leftovers
from besom.agents.attempts import Outcome, Surroundings, train
from besom.agents.exit_codes import Ending, ExitCode
from besom.agents.guard import Guard
from besom.agents.heartbeat import Heartbeat
from besom.agents.link import Find, Link, Reach
from besom.agents.patience import Patience, pause_s, read_limits
from besom.agents.screen import Screen
from besom.agents.sentences import how_it_ended, params_text, run_place, shown_words
from besom.agents.settings import misread, number
from besom.agents.shipping import Shipping
from besom.agents.signals import Signals
from besom.agents.spare import Spare
from besom.agents.starting import Starter
from besom.agents.wake import Wake
from besom.agents.watch import Manners, Watched, agent_order
from besom.client import left_behind
from besom.client.connection import Connection, part
from besom.client.finding import meant_for
from besom.client.run_folder import this_process
from besom.common.discovery import host_name
from besom.common.ids import new_id, split_path
from besom.common.spool_place import spool_place
from besom.common.version import VERSION
from besom.common.wording import duration, score_text
from besom.errors import BesomError, NotFound, Refused, ServerUnreachable, UsageError

# One answer of the server is waited for so long; heartbeats and shipping have lines of their own.
ANSWER_S = 15.0
_SHORTEST_HEARTBEAT_S = 0.05
_WHY = {
    "finished": ExitCode.DONE,
    "canceled": ExitCode.CANCELED,
    "deleted": ExitCode.DELETED,
    "turned off": ExitCode.TURNED_OFF,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for. ``count``: most attempts to start, None for no limit. ``term_timeout_s`` in seconds.

    ``quiet``: says only what `besom run` does not show itself.
    """

    sweep: str
    entity: str | None = None
    project: str | None = None
    count: int | None = None
    forward_signals: bool = False
    term_timeout_s: float | None = None
    max_consecutive_failed_runs: int | None = None
    quiet: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def address(self) -> dict[str, str | None]:
        """``sweep_id, entity, project``; raises UsageError for a path of another form or one that contradicts."""
        entity, project, name = split_path(self.sweep, "sweep")
        for option, given, in_path in (("entity", self.entity, entity), ("project", self.project, project)):
            if given and in_path and given != in_path:
                raise UsageError(f"--{option} {given} contradicts the sweep's path {self.sweep}")
        return {"sweep_id": name, "entity": entity or self.entity, "project": project or self.project}

    def check(self) -> None:
        """Raises UsageError for options that cannot be meant."""
        self.address()
        if self.term_timeout_s is not None and not self.forward_signals:
            raise UsageError("--term-timeout needs --forward-signals: it limits what follows a signal handed on")


def run(options: Options, starter: Starter, connection: Connection, find: Find, screen: Screen) -> Ending:
    """Runs an agent to its end and returns why it ended; raises UsageError for a mistake in the options."""
    options.check()
    for sentence in misread(options.environ):
        screen.say(sentence)
    link = Link(Connection(connection.url, connection.token, timeout_s=ANSWER_S), find, Reach(screen.say))
    guard, wake = Guard(), Wake()
    with Signals(wake, forward=options.forward_signals) as signals:
        try:
            return _Agent(options, starter, link, screen, signals, guard, wake).run(options.address())
        finally:
            starter.close()
            guard.close()
            link.close()
            wake.close()


class _Agent:
    def __init__(
        self, options: Options, starter: Starter, link: Link, screen: Screen, signals: Signals, guard: Guard,
        wake: Wake,
    ) -> None:  # fmt: skip
        self.options = options
        self.starter = starter
        self.link = link
        self.screen = screen
        self.signals = signals
        self.guard = guard
        self.wake = wake
        self.process = this_process()
        self.uid = new_id(16)
        self.started = 0
        self.warnings: list[str] = []
        self.server_patience_s = number(options.environ, "BESOM_AGENT_SERVER_PATIENCE")
        self.patience = Patience(
            read_limits(
                options.environ, max_consecutive=options.max_consecutive_failed_runs, function=starter.function
            ),
            time.monotonic(),
        )

    def run(self, address: Mapping[str, str | None]) -> Ending:
        """Registers and works; tells the user and the server how it ended."""
        try:
            sweep = self._register(address)
        except ServerUnreachable as error:
            return self._close(Ending(ExitCode.UNREACHABLE, str(error)))
        except NotFound:
            advice = "`besom ls` lists the sweeps that there are."
            return self._close(Ending(ExitCode.NOT_FOUND, f"there is no sweep {self.options.sweep}", advice))
        except Refused as error:
            return self._close(Ending(ExitCode.SWEEP_ENDED, str(error)))
        interval_s = float(sweep["heartbeat_s"])
        interval_s = min(interval_s, max(number(self.options.environ, "BESOM_AGENT_HEARTBEAT"), _SHORTEST_HEARTBEAT_S))
        heartbeat = Heartbeat(self.link.another(), self.uid, interval_s, self.wake)
        heartbeat.start()
        shipping = Shipping(self.link.another(), heartbeat.hurry)
        spare = Spare(shipping.discard)
        try:
            ending = self._cannot_work(sweep) or self._work(self._surroundings(sweep, heartbeat, shipping, spare))
        except ServerUnreachable as error:
            ending = Ending(ExitCode.UNREACHABLE, str(error))
        except NotFound:
            ending = Ending(ExitCode.DELETED, "Sweep was deleted or agent was not found.")
        except BesomError as error:
            ending = Ending(ExitCode.ERROR, str(error))
        except OSError as error:
            ending = Ending(ExitCode.ERROR, f"this machine does not let the agent work: {error}")
        finally:
            spare.close()
            shipping.close()
            heartbeat.close()
        self._say_goodbye(ending)
        return self._close(ending, sweep)

    # ---- beginning

    def _register(self, address: Mapping[str, str | None]) -> dict[str, Any]:
        body = {
            **{key: value for key, value in address.items() if value is not None},
            "uid": self.uid,
            "host": host_name(),
            "pid": self.process["pid"],
            "process_started": self.process["pid_started"] or "",
            "boot_id": leftovers.process_place(),
            "slots": 1,
            "version": VERSION,
            "function": self.starter.function,
        }
        server = self.link.connection
        sweep: dict[str, Any] = server.call("POST", "/api/v1/agents", body)
        return sweep

    def _cannot_work(self, sweep: Mapping[str, Any]) -> Ending | None:
        path = f"{sweep['entity']}/{sweep['project']}/{sweep['sweep_id']}"
        if sweep["sweep_state"] in ("finished", "canceled"):
            advice = f"`besom rerun {path}` queues its failed runs again; `besom sweep` makes a new sweep."
            return Ending(ExitCode.SWEEP_ENDED, f"sweep {path} is {sweep['sweep_state']}: it has no runs left", advice)
        if not self.options.quiet:
            self.screen.say(f"agent {self.uid[:8]} works on sweep {sweep['sweep_name']} ({path})")
            self.screen.say(f"see it at {sweep['url']}")
        return self.starter.check(sweep)

    def _surroundings(
        self, sweep: Mapping[str, Any], heartbeat: Heartbeat, shipping: Shipping, spare: Spare
    ) -> Surroundings:
        say = self.screen.say
        spools = spool_place(self.options.environ)
        if spools.remark:
            say(spools.remark)
        found = {attempt for runs in spools.all for attempt in leftovers.clear_up(runs, self.link, say)}
        leftovers.tell_of_dead(sweep["neighbours"], found, self.link, say)
        leftovers.check_room(spools.runs)
        left_behind.ship_in_background(spools.all, self.link.connection, meant_for(self.options.environ), say)
        manners = Manners(
            kill_delay_s=number(self.options.environ, "BESOM_AGENT_KILL_DELAY"),
            term_timeout_s=self.options.term_timeout_s,
            one_step=self.starter.function,
            quiet=self.options.quiet,
        )
        return Surroundings(
            agent_uid=self.uid, process=self.process, sweep=sweep, spools=spools, link=self.link, heartbeat=heartbeat,
            shipping=shipping, spare=spare, wake=self.wake, screen=self.screen, signals=self.signals,
            guard=self.guard, starter=self.starter, manners=manners, server_patience_s=self.server_patience_s,
            wait=self._wait_for_server, more=lambda watched: self._wants_more(watched, heartbeat),
        )  # fmt: skip

    # ---- working

    def _work(self, around: Surroundings) -> Ending:
        answer: Mapping[str, Any] | None = None
        while True:
            in_hand = answer is not None and answer["kind"] == "run"
            if self.signals.step and answer is not None and in_hand:
                self._give_back(answer)
            if (not in_hand or self.signals.step) and (ending := self._enough(around.heartbeat)):
                return ending
            hand_out = self._claim(around.heartbeat, answer)
            if isinstance(hand_out, Ending):
                return hand_out
            self._announce(hand_out)
            self.started += 1
            outcome = train(hand_out, around, first=self.started == 1)
            answer = outcome.answer.get("next")
            if ending := self._after(hand_out, outcome, around.sweep):
                return ending

    def _wants_more(self, watched: Watched, heartbeat: Heartbeat) -> bool:
        """Whether another run is taken after one that went so: then it is asked for with the report of the end."""
        if self.signals.step or watched.agent is not None or heartbeat.ends_agent():
            return False
        if self.options.count and self.started >= self.options.count:
            return False
        return not self.patience.at_its_end(time.monotonic())

    def _give_back(self, hand_out: Mapping[str, Any]) -> None:
        """A run that was handed out and not begun goes to another agent."""
        path = f"/api/v1/runs/{part(hand_out['uid'])}/attempts/{hand_out['attempt']}/finish"
        # Nobody there: then its lease gives it back.
        with contextlib.suppress(BesomError):
            self.link.ask("POST", path, {"stopped_by": "preempt"})

    def _enough(self, heartbeat: Heartbeat) -> Ending | None:
        if self.signals.step:
            name = signal.Signals(self.signals.last or signal.SIGINT).name
            why = "Ctrl-C" if name == "SIGINT" else name
            return Ending(
                ExitCode.INTERRUPTED, f"{why}: the agent takes no more runs", "The sweep goes on: start an agent again."
            )
        if self.options.count and self.started >= self.options.count:
            runs = "run" if self.started == 1 else "runs"
            return Ending(ExitCode.DONE, f"{self.started} {runs} started, as --count says", "The sweep itself goes on.")
        answer = heartbeat.take()
        return agent_order(answer) if answer else None

    def _claim(self, heartbeat: Heartbeat, answer: Mapping[str, Any] | None) -> Mapping[str, Any] | Ending:
        """The next run, or why there is none; waits with a line as long as the server says so.

        ``answer``: what the server said when the last run's end was told.
        """
        said = ""
        # With a run's end nobody waits for a model: that a suggestion is not there yet is no news then.
        has_waited = answer is None
        began = time.monotonic()
        while True:
            if answer is None:
                path = f"/api/v1/agents/{part(self.uid)}/claim"
                answer = self._ask(path, {"request_id": new_id(16), "slot": 0})
            if answer["kind"] == "run":
                return answer
            if answer["kind"] == "finish":
                return Ending(_WHY[answer["why"]], answer["reason"])
            if answer["reason"] != said and (has_waited or not answer.get("computing")):
                said = answer["reason"]
                self.screen.say(f"waiting: {said}")
            self._pause(pause_s(float(answer["seconds"]), time.monotonic() - began), heartbeat)
            answer, has_waited = None, True
            if ending := self._enough(heartbeat):
                return ending

    def _announce(self, hand_out: Mapping[str, Any]) -> None:
        again = f", attempt {hand_out['attempt']}" if hand_out["attempt"] > 1 else ""
        params = hand_out["display_name"] if self.options.quiet else params_text(hand_out["params"])
        self.screen.say(f"{run_place(hand_out)}: {hand_out['name']}{again}: {params}")
        command = self.starter.describe(hand_out["name"], hand_out["params"])
        if command and not self.options.quiet:
            self.screen.say(f"  {command}")

    # ---- after a run

    def _after(self, hand_out: Mapping[str, Any], outcome: Outcome, sweep: Mapping[str, Any]) -> Ending | None:
        self._report(hand_out, outcome, (sweep["metric"] or {}).get("name"))
        if outcome.watched.agent:
            return outcome.watched.agent
        return self.patience.run_ended(str(hand_out["name"]), failed=outcome.failed, now=time.monotonic())

    def _scores(self, hand_out: Mapping[str, Any], answer: Mapping[str, Any], metric: str | None) -> str:
        """The run's score, and the best of the sweep so far; nothing where there is none."""
        score, best, which = answer.get("score"), answer.get("best_score"), answer.get("best_run")
        own = "" if metric is None or score is None else f": {metric} {score_text(score)}"
        if best is None or (self.options.quiet and which != hand_out["name"]):
            return own
        if which == hand_out["name"]:
            return f"{own}, the best so far"
        return f"{own}; best so far {score_text(best)} ({which})"

    def _report(self, hand_out: Mapping[str, Any], outcome: Outcome, metric: str | None) -> None:
        place, name = run_place(hand_out), hand_out["name"]
        if outcome.superseded:
            return self.screen.say(f"{place} ({name}) goes on elsewhere: this machine was not heard of for too long")
        verb = outcome.state or "ended"
        how = ""
        if outcome.failed or verb in ("queued", "crashed"):
            number = outcome.watched.exit.signal
            how = f" ({how_it_ended(outcome.watched.exit.code, None if number is None else _signal_name(number))})"
            verb = "failed and waits for another attempt" if verb == "queued" else verb
        scores = self._scores(hand_out, outcome.answer, metric)
        quiet = self.options.quiet
        log = f"; its log: besom logs {name}" if quiet and outcome.failed else ""
        self.screen.say(f"{place} {verb}{how} after {duration(outcome.seconds)}{scores}{log}")
        if quiet:
            return None
        for line in shown_words(outcome.words) if outcome.failed else ():
            self.screen.say(line)
        if outcome.failed:
            self.screen.say(f"  the whole log: besom logs {name}, or {outcome.log}")
            if advice := self.starter.advice(outcome.words):
                self.screen.say(f"  {advice}")
        for warning in outcome.answer.get("warnings", ()):
            if warning not in self.warnings:
                self.warnings.append(warning)
                self.screen.say(f"WARNING {warning}")
        return None

    # ---- ending

    def _say_goodbye(self, ending: Ending) -> None:
        try:
            self.link.ask("POST", f"/api/v1/agents/{part(self.uid)}/end", {"reason": ending.reason})
        except BesomError:
            # The server learns it from the silence.
            return

    def _close(self, ending: Ending, sweep: Mapping[str, Any] | None = None) -> Ending:
        if self.options.quiet and ending.code in (ExitCode.DONE, ExitCode.INTERRUPTED):
            return ending
        self.screen.say(f"agent ends: {ending.reason}")
        if ending.advice:
            self.screen.say(ending.advice)
        if sweep is not None and self.started and ending.code in (ExitCode.DONE, ExitCode.INTERRUPTED):
            self.screen.say(f"results: besom show {sweep['sweep_id']}    the best: besom best {sweep['sweep_id']}")
        for warning in self.warnings if self.started > 1 else ():
            self.screen.say(f"WARNING {warning}")
        return ending

    # ---- waiting

    def _ask(self, path: str, body: Mapping[str, Any]) -> Any:
        return self.link.ask_patiently(
            "POST",
            path,
            body,
            patience_s=self.server_patience_s,
            wait=self._wait_for_server,
        )

    def _pause(self, seconds: float, heartbeat: Heartbeat) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.signals.step and not heartbeat.ends_agent():
            self.wake.wait(left)

    def _wait_for_server(self, seconds: float) -> bool:
        """Waits; False once the user asks a second time (a first Ctrl-C lets a run's end be told)."""
        end = time.monotonic() + seconds
        steps = 0 if not self.started else 1
        while (left := end - time.monotonic()) > 0:
            if self.signals.step > steps:
                return False
            self.wake.wait(left)
        return True


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def program_agent(
    options: Options, connection: Connection, find: Callable[[], Connection], screen: Screen, *, wandb: Any = "ours"
) -> Ending:
    """An agent that starts the sweep's program in this folder."""
    from besom.agents.program import ProgramStarter

    return run(options, ProgramStarter(options.environ, Path.cwd(), wandb=wandb), connection, find, screen)
