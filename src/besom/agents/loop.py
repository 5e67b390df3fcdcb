"""The agent: register, then claim, train and report until the sweep, the user or patience ends it."""

from __future__ import annotations

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
from besom.agents.settings import number
from besom.agents.signals import Signals
from besom.agents.starting import Starter
from besom.agents.watch import Manners, agent_order
from besom.client.connection import Connection, part
from besom.common.discovery import host_name
from besom.common.ids import new_id, split_path
from besom.common.places import runs_folder
from besom.common.version import VERSION
from besom.common.wording import duration, score_text
from besom.errors import BesomError, NotFound, Refused, ServerUnreachable, UsageError

# One answer of the server is waited for so long; heartbeats and shipping have lines of their own.
ANSWER_S = 15.0
_SLICE_S = 0.05
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
    link = Link(Connection(connection.url, connection.token, timeout_s=ANSWER_S), find, Reach(screen.say))
    guard = Guard()
    with Signals(forward=options.forward_signals) as signals:
        try:
            return _Agent(options, starter, link, screen, signals, guard).run(options.address())
        finally:
            starter.close()
            guard.close()
            link.close()


class _Agent:
    def __init__(
        self, options: Options, starter: Starter, link: Link, screen: Screen, signals: Signals, guard: Guard
    ) -> None:
        self.options = options
        self.starter = starter
        self.link = link
        self.screen = screen
        self.signals = signals
        self.guard = guard
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
        interval_s = min(interval_s, max(number(self.options.environ, "BESOM_AGENT_HEARTBEAT"), _SLICE_S))
        heartbeat = Heartbeat(self.link.another(), self.uid, interval_s)
        heartbeat.start()
        try:
            ending = self._cannot_work(sweep) or self._work(self._surroundings(sweep, heartbeat))
        except ServerUnreachable as error:
            ending = Ending(ExitCode.UNREACHABLE, str(error))
        except NotFound:
            ending = Ending(ExitCode.DELETED, "Sweep was deleted or agent was not found.")
        except BesomError as error:
            ending = Ending(ExitCode.ERROR, str(error))
        except OSError as error:
            ending = Ending(ExitCode.ERROR, f"this machine does not let the agent work: {error}")
        finally:
            heartbeat.close()
        self._say_goodbye(ending)
        return self._close(ending, sweep)

    # ---- beginning

    def _register(self, address: Mapping[str, str | None]) -> dict[str, Any]:
        body = {
            **{key: value for key, value in address.items() if value is not None},
            "uid": self.uid,
            "host": host_name(),
            "pid": os.getpid(),
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

    def _surroundings(self, sweep: Mapping[str, Any], heartbeat: Heartbeat) -> Surroundings:
        runs = runs_folder(self.options.environ)
        leftovers.clear_up(runs, self.link, self.screen.say)
        manners = Manners(
            kill_delay_s=number(self.options.environ, "BESOM_AGENT_KILL_DELAY"),
            term_timeout_s=self.options.term_timeout_s,
            one_step=self.starter.function,
            quiet=self.options.quiet,
        )
        return Surroundings(
            agent_uid=self.uid, sweep=sweep, runs=runs, link=self.link, heartbeat=heartbeat,
            screen=self.screen, signals=self.signals, guard=self.guard, starter=self.starter, manners=manners,
            server_patience_s=self.server_patience_s, wait=self._wait_for_server,
        )  # fmt: skip

    # ---- working

    def _work(self, around: Surroundings) -> Ending:
        while True:
            if ending := self._enough(around.heartbeat):
                return ending
            hand_out = self._claim(around.heartbeat)
            if isinstance(hand_out, Ending):
                return hand_out
            self._announce(hand_out)
            self.started += 1
            outcome = train(hand_out, around, first=self.started == 1)
            if ending := self._after(hand_out, outcome, around):
                return ending

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

    def _claim(self, heartbeat: Heartbeat) -> dict[str, Any] | Ending:
        """The next run, or why there is none; waits with a line as long as the server says so."""
        said = ""
        began = time.monotonic()
        while True:
            answer: dict[str, Any] = self._ask(
                f"/api/v1/agents/{part(self.uid)}/claim", {"request_id": new_id(16), "slot": 0}
            )
            if answer["kind"] == "run":
                return answer
            if answer["kind"] == "finish":
                return Ending(_WHY[answer["why"]], answer["reason"])
            if answer["reason"] != said:
                said = answer["reason"]
                self.screen.say(f"waiting: {said}")
            self._pause(pause_s(float(answer["seconds"]), time.monotonic() - began), heartbeat)
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

    def _after(self, hand_out: Mapping[str, Any], outcome: Outcome, around: Surroundings) -> Ending | None:
        state = self._told_state(around.heartbeat)
        self._report(hand_out, outcome, state, (around.sweep["metric"] or {}).get("name"))
        if outcome.watched.agent:
            return outcome.watched.agent
        ending = self.patience.run_ended(str(hand_out["name"]), failed=outcome.failed, now=time.monotonic())
        return ending or agent_order(state)

    def _told_state(self, heartbeat: Heartbeat) -> dict[str, Any]:
        try:
            heartbeat.beat_once()
        except BesomError:
            return {}
        return heartbeat.take() or {}

    def _scores(self, hand_out: Mapping[str, Any], state: Mapping[str, Any], metric: str | None) -> str:
        """The run's score, and the best of the sweep so far; nothing where there is none."""
        try:
            run = self.link.ask("GET", f"/api/v1/runs/{part(hand_out['uid'])}")
        except BesomError:
            return ""
        own = "" if metric is None or run["score"] is None else f": {metric} {score_text(run['score'])}"
        best, which = state.get("best_score"), state.get("best_run")
        if best is None or (self.options.quiet and which != run["id"]):
            return own
        return f"{own}, the best so far" if which == run["id"] else f"{own}; best so far {score_text(best)} ({which})"

    def _report(
        self, hand_out: Mapping[str, Any], outcome: Outcome, state: Mapping[str, Any], metric: str | None
    ) -> None:
        place, name = run_place(hand_out), hand_out["name"]
        if outcome.watched.dropped:
            return self.screen.say(f"{place} ({name}) goes on elsewhere: this machine was not heard of for too long")
        verb = outcome.state or "ended"
        how = ""
        if outcome.failed or verb in ("queued", "crashed"):
            number = outcome.watched.exit.signal
            how = f" ({how_it_ended(outcome.watched.exit.code, None if number is None else _signal_name(number))})"
            verb = "failed and waits for another attempt" if verb == "queued" else verb
        scores = self._scores(hand_out, state, metric)
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
        for warning in outcome.warnings:
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
        while time.monotonic() < end and not self.signals.step and not heartbeat.ends_agent():
            time.sleep(min(_SLICE_S, seconds))

    def _wait_for_server(self, seconds: float) -> bool:
        """Waits; False once the user asks a second time (a first Ctrl-C lets a run's end be told)."""
        end = time.monotonic() + seconds
        steps = 0 if not self.started else 1
        while time.monotonic() < end:
            if self.signals.step > steps:
                return False
            time.sleep(_SLICE_S)
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
