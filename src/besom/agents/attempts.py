"""One attempt of a run, from the hand-out to the server's word that it has heard the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from besom.agents.environment import RunFacts
from besom.agents.guard import Guard
from besom.agents.heartbeat import Heartbeat
from besom.agents.leftovers import clear_up_folder
from besom.agents.link import Link
from besom.agents.notes import Note
from besom.agents.process import Exit
from besom.agents.screen import Screen
from besom.agents.sentences import TAIL_BYTES, error_text, last_words
from besom.agents.shipping import Rest, Shipping
from besom.agents.signals import Signals
from besom.agents.spare import WRITER as SPARE_WRITER
from besom.agents.spare import Spare
from besom.agents.starting import CannotStart, Starter
from besom.agents.wake import Wake
from besom.agents.watch import Manners, Watch, Watched
from besom.client.connection import part
from besom.client.run_folder import RunFolder
from besom.common.ids import new_id
from besom.common.spool_place import SpoolPlace
from besom.errors import BesomError, NotFound, Refused, ServerUnreachable

# The agent's own writer in a run folder: what the child printed.
WRITER = "0"
_MOST_TELLINGS = 5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all attempts of an agent share. ``process``: who we are, as `run_folder.this_process` tells it.

    ``wait(seconds)``: False when the user wants no more waiting. ``more(watched)``: whether the agent wants another
    run after one that went so.
    """

    agent_uid: str
    process: Mapping[str, Any]
    sweep: Mapping[str, Any]
    spools: SpoolPlace
    link: Link
    heartbeat: Heartbeat
    shipping: Shipping
    spare: Spare
    wake: Wake
    screen: Screen
    signals: Signals
    guard: Guard
    starter: Starter
    manners: Manners
    server_patience_s: float
    wait: Callable[[float], bool]
    more: Callable[[Watched], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went: what was seen, its last words when it failed, what the server made of it.

    ``answer``: fields of ``FinishAnswer``, none when the server could not be told or the run is somebody else's.
    ``log``: where the output is.
    """

    watched: Watched
    seconds: float
    words: list[str]
    log: Path
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str | None:
        """What became of the run."""
        state: str | None = self.answer.get("state")
        return state

    @property
    def superseded(self) -> bool:
        """True if the run is somebody else's by now."""
        return self.watched.dropped or self.answer.get("current") is False

    @property
    def failed(self) -> bool:
        """True if the program itself failed: an exit code above zero that nobody asked for, or its own word."""
        if self.watched.stopped_by is not None or self.superseded:
            return False
        return self.state == "failed" or (bool(self.watched.exit.code) and self.state not in ("preempted", "stopped"))


class _Told(NamedTuple):
    """What came of telling an end: the server's answer (empty: none), and whether it has all that was logged."""

    answer: Mapping[str, Any]
    complete: bool


def train(hand_out: Mapping[str, Any], around: Surroundings, *, first: bool) -> Outcome:
    """Trains one run and tells the server how it ended. ``first``: it is this agent's first."""
    folder = RunFolder(around.spools.runs / hand_out["uid"])
    attempt = int(hand_out["attempt"])
    if attempt > 1:
        # An earlier attempt may have been another agent's of this machine, or our own a moment ago.
        around.shipping.clear_up()
        clear_up_folder(folder, around.link, around.screen.say)

    def note_in(place: RunFolder) -> Note:
        return Note(place, attempt, around.process, around.agent_uid, around.link.server_id)

    reused = around.spare.become(folder, attempt, note_in)
    note = reused or note_in(folder)
    try:
        if reused:
            folder.rewrite_config(_config(hand_out, around))
        else:
            folder.write_config(_config(hand_out, around), durable=False)
        run = _facts(hand_out, around, folder, first=first, writer=SPARE_WRITER if reused else None)
        return _train(run, folder, note, around)
    finally:
        note.close()


def _train(run: RunFacts, folder: RunFolder, note: Note, around: Surroundings) -> Outcome:
    attempt = run.attempt
    if attempt > 1:
        folder.clear_stop()
    around.heartbeat.hold([{"uid": run.uid, "attempt": attempt, "slot": 0}])
    log = folder.stream_file(attempt, WRITER, "console")
    around.shipping.begin(folder, attempt)
    began = time.monotonic()
    try:
        watched = _watch(run, folder, note, log, around)
        seconds = time.monotonic() - began
    finally:
        around.shipping.hold()
    words = last_words(_tail(log)) if watched.exit.code or watched.exit.signal else []
    told = _tell(folder, attempt, watched, error_text(words), note, around)
    around.heartbeat.hold([])
    outcome = Outcome(watched, seconds, words, log, told.answer)
    if told.complete:
        note.add(told=True)
        goes_on = (told.answer.get("next") or {}).get("kind") == "run"
        if outcome.failed or not goes_on or not around.spare.keep(folder, watched.exit.closed):
            around.shipping.discard(folder, attempt, keep_log=outcome.failed)
    return outcome


def _facts(
    hand_out: Mapping[str, Any], around: Surroundings, folder: RunFolder, *, first: bool, writer: str | None
) -> RunFacts:
    sweep = around.sweep
    return RunFacts(
        uid=hand_out["uid"], name=hand_out["name"], attempt=int(hand_out["attempt"]), params=hand_out["params"],
        token=hand_out["token"], sweep_id=sweep["sweep_id"], entity=sweep["entity"], project=sweep["project"],
        agent=around.agent_uid, server_url=around.link.connection.url, folder=folder.path, first=first,
        writer=writer,
    )  # fmt: skip


def _config(hand_out: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    sweep = around.sweep
    saved = around.spools.saved_files(hand_out["uid"])
    taken = ("uid", "name", "display_name", "attempt", "params", "swept", "url", "resumed")
    return {
        **{key: hand_out[key] for key in taken},
        "entity": sweep["entity"],
        "project": sweep["project"],
        "sweep_id": sweep["sweep_id"],
        "sweep_url": sweep["url"],
        "metric": sweep["metric"],
        **({"dir": saved} if saved else {}),
    }


def _watch(run: RunFacts, folder: RunFolder, note: Note, log: Path, around: Surroundings) -> Watched:
    try:
        child = around.starter.start(run, log, around.guard, around.screen.say)
    except CannotStart as error:
        around.screen.say(str(error))
        log.parent.mkdir(mode=0o700, exist_ok=True)
        log.write_text(f"{error}\n", encoding="utf-8", errors="backslashreplace")
        return Watched(Exit(127, None), None, dropped=False, agent=None)
    note.add(child=child.owner)
    watch = Watch(
        child, (run.uid, run.attempt), screen=around.screen, signals=around.signals, heartbeat=around.heartbeat,
        wake=around.wake, manners=around.manners, ask_to_stop=folder.ask_to_stop,
    )  # fmt: skip
    try:
        return watch.run()
    except BaseException:
        child.kill()
        child.close(around.screen.show)
        raise


def _tail(log: Path) -> bytes:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            return file.read()
    except OSError:
        return b""


def _tell(
    folder: RunFolder, attempt: int, watched: Watched, error: str | None, note: Note, around: Surroundings
) -> _Told:
    """Ships the rest and reports the end."""
    shipping = around.shipping
    if watched.dropped:
        return _Told({}, _ship_for_nothing(shipping))
    report: dict[str, Any] = {
        "exit_code": watched.exit.code,
        "signal": watched.exit.signal,
        "stopped_by": watched.stopped_by,
        "error": None if watched.stopped_by else error,
    }
    # Kept first: should this agent die now, its successor tells this end and not "its agent died".
    note.add(end=report)
    if around.more(watched):
        # Asked again with the same id, it is answered with the same run.
        report["next"] = {"request_id": new_id(16), "slot": 0}
    path = f"/api/v1/runs/{part(folder.uid)}/attempts/{attempt}/finish"
    refused: list[Refused] = []

    def ship_and_tell() -> Any:
        along = _along(shipping, tries=len(refused))
        shipping.clear_up_meanwhile()
        return around.link.ask("POST", path, {**report, "offsets": along[0], "rest": along[1]})

    while len(refused) < _MOST_TELLINGS:
        try:
            answer: dict[str, Any] = around.link.patiently(
                ship_and_tell, patience_s=around.server_patience_s, wait=around.wait
            )
        except Refused as problem:
            # Rows are missing there: written while the end was told, or lost with the server's disk.
            refused.append(problem)
            shipping.begin_again()
            continue
        except (BesomError, OSError) as problem:
            return _untold(folder, problem, around.screen)
        if len(refused) == _MOST_TELLINGS - 1:
            around.screen.say(f"the server does not take all of what the run logged: {refused[0]}")
            around.screen.say(f"it stays in {folder.path}")
            return _Told(answer, complete=False)
        return _Told(answer, bool(answer["current"]) or _ship_for_nothing(shipping))
    return _untold(folder, refused[0], around.screen)


def _along(shipping: Shipping, tries: int) -> Rest:
    """What goes along with the report: at first the rest itself, then proof that it was shipped, in the end nothing."""
    if tries == 0 and (rest := shipping.rest()) is not None:
        return rest
    if tries == _MOST_TELLINGS - 1:
        return {}, {}
    shipping.ship_rest()
    return shipping.offsets(), {}


def _ship_for_nothing(shipping: Shipping) -> bool:
    """What a superseded attempt logged is kept on the server; its end is nobody's business. False: nobody is there."""
    shipping.begin_again()
    try:
        shipping.ship_rest()
    except ServerUnreachable:
        return False
    except BesomError:
        # The run was deleted, or the stream is spoiled: nobody will ever want the rest.
        return True
    return True


def _untold(folder: RunFolder, problem: BesomError | OSError, screen: Screen) -> _Told:
    if isinstance(problem, NotFound):
        screen.say(f"the server has no such run any more: {problem}")
        return _Told({}, complete=True)
    screen.say(f"the server does not know yet how the run ended: {problem}")
    screen.say(f"what it logged is in {folder.path}; `besom sync {folder.path}` sends it")
    return _Told({}, complete=False)
