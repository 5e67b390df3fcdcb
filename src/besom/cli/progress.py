"""What `besom run` shows while agents work: their lines, and below them how far the sweep is."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import click

from besom.cli.words import DONE_STATES, done, of_text, params_text, states_text, total
from besom.common.wording import duration, score_text
from besom.errors import BesomError

if TYPE_CHECKING:
    from rich.text import Text

    from besom.client.connection import Connection

# How often the server is asked, in seconds.
_LOOK_S = 1.0
_BAR = 16


@dataclass
class Snapshot:
    """A sweep at one moment: the server's answer, its best run, and when both were asked (monotonic seconds)."""

    sweep: Mapping[str, Any]
    best: Mapping[str, Any] | None = None
    at: float = 0.0


class Watch:
    """Asks the server once a second, in a thread: a slow answer never holds the agents' lines up."""

    def __init__(self, connection: Connection, sweep: Mapping[str, Any]) -> None:
        self.last = Snapshot(sweep, at=time.monotonic())
        self._connection = connection
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_again, name="watch", daemon=True)
        self._thread.start()

    def _look_again(self) -> None:
        while not self._ended.wait(_LOOK_S):
            try:
                self.look()
            except BesomError:
                # The agents have their own patience with a server that is away; the last answer stays on the screen.
                continue

    def look(self) -> Snapshot:
        """Asks for the sweep as it is now."""
        from besom.cli.lookup import best_run, find_sweep
        from besom.cli.words import sweep_path

        sweep = find_sweep(self._connection, sweep_path(self.last.sweep))
        self.last = Snapshot(sweep, best_run(self._connection, sweep), time.monotonic())
        return self.last

    def close(self) -> None:
        """Ends the asking."""
        self._ended.set()
        self._thread.join()


@dataclass
class Pace:
    """Guesses the time left from how many runs ended since ``started`` (monotonic seconds)."""

    started: float
    agents: int = 1
    done: int = 0
    done_at: float = field(default=0.0)

    def left(self, ended: int, most: int | None, now: float) -> float | None:
        """Seconds until ``most`` runs have ended; None where nothing can be said yet."""
        if ended > self.done:
            self.done, self.done_at = ended, now
        if not self.done or most is None:
            return None
        # When the first of several runs ends, those beside it are nearly done.
        each = (self.done_at - self.started) / max(self.done, self.agents)
        return max(0.0, self.started + each * most - now)


@dataclass(frozen=True)
class Status:
    """The line below: how far, what is best, how long it still takes."""

    ended: int
    most: int | None
    counts: str
    running: str
    best: str
    best_params: str
    time: str

    def text(self) -> str:
        """All of it in one line."""
        best = f"{self.best} ({self.best_params})" if self.best and self.best_params else self.best
        return ", ".join(part for part in (self.counts, self.running, best, self.time) if part)


def status(found: Snapshot, count: int | None, pace: Pace, now: float) -> Status:
    """The status of a snapshot at ``now`` (monotonic seconds). ``count``: the runs after which this command ends."""
    sweep, best = found.sweep, found.best
    runs: Mapping[str, int] = sweep["runs"]
    limits = [limit for limit in (total(sweep), count) if limit is not None]
    most = min(limits) if limits else None
    over = sweep["state"] in ("finished", "canceled") or (most is not None and done(runs) >= most)
    metric = (sweep["metric"] or {}).get("name", "score")
    others = states_text({state: runs.get(state, 0) for state in DONE_STATES if state != "finished"})
    return Status(
        ended=done(runs),
        most=most,
        counts=of_text(done(runs), most) + (f" ({others})" if others else ""),
        running=f"{runs['running']} running" if runs.get("running") else "",
        best="" if best is None else f"best {metric} {score_text(best['score'])}",
        best_params="" if best is None else params_text(best["params"]),
        time=_time_text(over, now - pace.started, pace.left(done(runs), most, now)),
    )


def _time_text(over: bool, elapsed_s: float, left_s: float | None) -> str:
    if over:
        return f"after {duration(elapsed_s)}"
    return f"{duration(elapsed_s)} so far" if left_s is None else f"about {duration(left_s)} left"


class Display(Protocol):
    """Shows lines of agents and the status below them."""

    def line(self, agent: int, text: str) -> None:
        """A whole line of an agent."""
        ...

    def unfinished(self, agent: int, text: str) -> None:
        """The present state of a line that still changes."""
        ...

    def say(self, text: str) -> None:
        """A line of the command itself."""
        ...

    def show(self, found: Status) -> None:
        """The status now."""
        ...

    def close(self) -> None:
        """The end: nothing that changes is left on the screen."""
        ...


class PlainDisplay:
    """For files and pipes: a line whenever a run has ended or the best has changed."""

    def __init__(self, agents: int) -> None:
        self._agents = agents
        self._told: tuple[str, str] | None = None

    def line(self, agent: int, text: str) -> None:
        """The line, with the agent's number in front when there are several."""
        click.echo(f"[{agent}] {text}" if self._agents > 1 else text, err=True)

    def say(self, text: str) -> None:
        """A line of its own."""
        click.echo(f"besom: {text}", err=True)

    def unfinished(self, agent: int, text: str) -> None:
        """Nothing: what still changes is told when it is done."""

    def show(self, found: Status) -> None:
        """A line if there is news."""
        news = (found.counts, found.best)
        if self._told is not None and news != self._told:
            click.echo(f"besom: {found.text()}", err=True)
        self._told = news

    def close(self) -> None:
        """Nothing to take away."""


class LiveDisplay:
    """For terminals: lines scroll by, the status stays below them."""

    def __init__(self, agents: int) -> None:
        from rich.live import Live

        from besom.cli.output import console

        self._agents = agents
        self._console = console(stderr=True)
        self._open: dict[int, str] = {}
        self._status: Status | None = None
        self._live = Live(console=self._console, transient=True, refresh_per_second=4, get_renderable=self._draw)
        self._live.start()

    def line(self, agent: int, text: str) -> None:
        """The line, in the colors that it brought along."""
        self._open.pop(agent, None)
        self._console.print(self._prefixed(agent, text), soft_wrap=True)

    def say(self, text: str) -> None:
        """A line of its own."""
        self._console.print(f"besom: {text}", soft_wrap=True, markup=False, highlight=False)

    def unfinished(self, agent: int, text: str) -> None:
        """The line stands above the status until it is done."""
        self._open[agent] = text

    def show(self, found: Status) -> None:
        """The status from now on."""
        self._status = found

    def close(self) -> None:
        """Takes the status away."""
        self._live.stop()

    def _prefixed(self, agent: int, text: str) -> Text:
        from rich.text import Text

        line = Text.from_ansi(text)
        if self._agents == 1:
            return line
        return Text.assemble((f"[{agent}] ", f"color({1 + agent % 6})"), line)

    def _draw(self) -> Text:
        from rich.text import Text

        lines = [self._prefixed(agent, text) for agent, text in sorted(self._open.items())]
        if self._status is not None:
            lines.append(status_line(self._status, self._console.width, ascii_only=self._console.options.ascii_only))
        for line in lines:
            line.truncate(self._console.width, overflow="ellipsis")
        return Text("\n").join(lines)


def status_line(found: Status, width: int, *, ascii_only: bool) -> Text:
    """The status with a bar; what does not fit is left out, the best run's params first."""
    from rich.text import Text

    full, empty = ("#", "-") if ascii_only else ("━", "─")
    filled = round(_BAR * min(found.ended, found.most) / found.most) if found.most else 0
    bar = Text.assemble((full * filled, "green"), (empty * (_BAR - filled), "dim")) if found.most else Text("")
    params = f"({found.best_params})" if found.best_params else ""
    short = [found.counts, found.best, found.time]
    longer = [found.counts, found.running, found.best, found.time]
    longest = [found.counts, found.running, found.best, params, found.time]
    for parts in (longest, longer, short):
        words = "  ".join(part for part in parts if part)
        if len(words) + _BAR + 2 <= width:
            return Text.assemble(bar, "  " if found.most else "", words)
    return Text("  ".join(part for part in short if part))


def make_display(agents: int) -> Display:
    """The display that fits stderr."""
    import sys

    return LiveDisplay(agents) if sys.stderr.isatty() else PlainDisplay(agents)
