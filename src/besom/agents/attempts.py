"""One attempt of a run, from the hand-out to the server's word that it has heard the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from besom.agents.environment import RunFacts
from besom.agents.guard import Guard
from besom.agents.heartbeat import Heartbeat
from besom.agents.leftovers import owner_facts, remove
from besom.agents.link import Link
from besom.agents.process import Exit
from besom.agents.screen import Screen
from besom.agents.sentences import TAIL_BYTES, error_text, last_words
from besom.agents.shipping import Shipping
from besom.agents.signals import Signals
from besom.agents.starting import CannotStart, Starter
from besom.agents.watch import Manners, Watch, Watched
from besom.client.connection import part
from besom.client.run_folder import RunFolder
from besom.errors import BesomError, NotFound, Refused, ServerUnreachable

# The agent's own writer in a run folder: what the child printed.
WRITER = "0"
_MOST_TELLINGS = 5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all attempts of an agent share. ``wait(seconds)``: False when the user wants no more waiting."""

    agent_uid: str
    sweep: Mapping[str, Any]
    runs: Path
    link: Link
    heartbeat: Heartbeat
    screen: Screen
    signals: Signals
    guard: Guard
    starter: Starter
    manners: Manners
    server_patience_s: float
    wait: Callable[[float], bool]


class Outcome(NamedTuple):
    """How an attempt went: what was seen, its last words when it failed, what the server made of it.

    ``state``: None when the server could not be told or the run is somebody else's. ``log``: where the output is.
    """

    watched: Watched
    seconds: float
    words: list[str]
    state: str | None
    warnings: list[str]
    log: Path

    @property
    def failed(self) -> bool:
        """True if the program itself failed: an exit code above zero that nobody asked for, or its own word."""
        if self.watched.stopped_by is not None or self.watched.dropped:
            return False
        return self.state == "failed" or (bool(self.watched.exit.code) and self.state not in ("preempted", "stopped"))


def train(hand_out: Mapping[str, Any], around: Surroundings, *, first: bool) -> Outcome:
    """Trains one run and tells the server how it ended. ``first``: it is this agent's first."""
    folder = RunFolder(around.runs / hand_out["uid"])
    attempt = int(hand_out["attempt"])
    run = _facts(hand_out, around, folder, first)
    folder.write_config(_config(hand_out, around.sweep))
    folder.clear_stop()
    around.heartbeat.hold([{"uid": run.uid, "attempt": attempt, "slot": 0}])
    log = folder.stream_file(attempt, WRITER, "console")
    log.parent.mkdir(mode=0o700, exist_ok=True)
    folder.write_owner("agent", owner_facts(around.agent_uid, around.link.server_id, attempt, None))
    shipping = Shipping(around.link.another(), folder, attempt, around.heartbeat.hurry)
    began = time.monotonic()
    try:
        watched = _watch(run, folder, log, around)
        seconds = time.monotonic() - began
    finally:
        shipping.end_thread()
    words = last_words(_tail(log)) if watched.exit.code or watched.exit.signal else []
    answer = _tell(folder, attempt, watched, error_text(words), shipping, around)
    shipping.close()
    around.heartbeat.hold([])
    outcome = Outcome(watched, seconds, words, answer.get("state"), answer.get("warnings", []), log)
    if answer:
        folder.mark_done(attempt)
        remove(folder, keep_log=outcome.failed)
    return outcome


def _facts(hand_out: Mapping[str, Any], around: Surroundings, folder: RunFolder, first: bool) -> RunFacts:
    sweep = around.sweep
    return RunFacts(
        uid=hand_out["uid"], name=hand_out["name"], attempt=int(hand_out["attempt"]), params=hand_out["params"],
        token=hand_out["token"], sweep_id=sweep["sweep_id"], entity=sweep["entity"], project=sweep["project"],
        agent=around.agent_uid, server_url=around.link.connection.url, folder=folder.path, first=first,
    )  # fmt: skip


def _config(hand_out: Mapping[str, Any], sweep: Mapping[str, Any]) -> dict[str, Any]:
    taken = ("uid", "name", "display_name", "attempt", "params", "swept", "url", "resumed")
    return {
        **{key: hand_out[key] for key in taken},
        "entity": sweep["entity"],
        "project": sweep["project"],
        "sweep_id": sweep["sweep_id"],
        "sweep_url": sweep["url"],
        "metric": sweep["metric"],
    }


def _watch(run: RunFacts, folder: RunFolder, log: Path, around: Surroundings) -> Watched:
    try:
        child = around.starter.start(run, log, around.guard, around.screen.say)
    except CannotStart as error:
        around.screen.say(str(error))
        log.write_text(f"{error}\n", encoding="utf-8", errors="backslashreplace")
        return Watched(Exit(127, None), None, dropped=False, agent=None)
    folder.write_owner("agent", owner_facts(around.agent_uid, around.link.server_id, run.attempt, child.owner))
    watch = Watch(
        child, (run.uid, run.attempt), screen=around.screen, signals=around.signals, heartbeat=around.heartbeat,
        manners=around.manners, ask_to_stop=folder.ask_to_stop,
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
    folder: RunFolder, attempt: int, watched: Watched, error: str | None, shipping: Shipping, around: Surroundings
) -> dict[str, Any]:
    """Ships the rest and reports the end; the server's answer, empty when the server does not have it all."""
    if watched.dropped:
        return _ship_for_nothing(shipping)
    report = {
        "exit_code": watched.exit.code,
        "signal": watched.exit.signal,
        "stopped_by": watched.stopped_by,
        "error": None if watched.stopped_by else error,
    }
    # Kept first: should this agent die now, its successor tells this end and not "the agent died".
    folder.write_end(attempt, report)
    path = f"/api/v1/runs/{part(folder.uid)}/attempts/{attempt}/finish"

    def ship_and_tell() -> Any:
        shipping.ship_rest()
        return around.link.ask("POST", path, {**report, "offsets": shipping.offsets()})

    for _ in range(_MOST_TELLINGS):
        try:
            answer: dict[str, Any] = around.link.patiently(
                ship_and_tell, patience_s=around.server_patience_s, wait=around.wait
            )
        except Refused:
            # Rows are missing there: written while the end was told, or lost with the server's disk.
            shipping.begin_again()
            continue
        except (BesomError, OSError) as problem:
            return _untold(folder, problem, around.screen)
        return answer
    return _untold(folder, Refused("it keeps asking for rows that it was sent"), around.screen)


def _ship_for_nothing(shipping: Shipping) -> dict[str, Any]:
    """What a superseded attempt logged is kept on the server, if it is there; its end is nobody's business."""
    try:
        shipping.ship_rest()
    except ServerUnreachable:
        return {}
    except BesomError:
        pass
    return {"state": None, "warnings": []}


def _untold(folder: RunFolder, problem: BesomError | OSError, screen: Screen) -> dict[str, Any]:
    if isinstance(problem, NotFound):
        screen.say(f"the server has no such run any more: {problem}")
        return {"state": None, "warnings": []}
    screen.say(f"the server does not know yet how the run ended: {problem}")
    screen.say(f"what it logged is in {folder.path}; `besom sync {folder.path}` sends it")
    return {}
