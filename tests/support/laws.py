"""What must hold after any round of the monkey: pure functions of what was read back and of the scripts' journals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from monkey_script import character, payload

from besom.agents.exit_codes import ExitCode
from besom.engine.states import ENDS, RUN_MOVES

# How an agent may end that nobody killed.
AGENT_CODES = frozenset([ExitCode.DONE, ExitCode.ERROR, ExitCode.UNREACHABLE, ExitCode.SWEEP_ENDED])


@dataclass(frozen=True, slots=True)
class Journal:
    """What one script wrote down: counters whose ``log()`` returned, those that a full disk took, its spool's end."""

    uid: str
    x: int
    attempt: int
    first: int
    kept: tuple[int, ...]
    lost: frozenset[int]
    size: int | None

    @classmethod
    def of(cls, lines: list[dict[str, Any]]) -> Journal:
        """A journal from its lines."""
        head, rows = lines[0], [line for line in lines[1:] if "counter" in line]
        ends = [line["bytes"] for line in lines if "bytes" in line]
        return cls(
            uid=head["uid"], x=head["x"], attempt=head["attempt"], first=head["first"],
            kept=tuple(line["counter"] for line in rows if line["kept"]),
            lost=frozenset(line["counter"] for line in rows if not line["kept"]),
            size=ends[0] if ends else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that was read back. Rows are by (run uid, attempt); ``curves`` are the rows that count, by run uid."""

    seed: int
    points: int
    rows_a_run: int
    sweep: dict[str, Any]
    runs: list[dict[str, Any]]
    rows: dict[tuple[str, int], list[dict[str, Any]]]
    sizes: dict[tuple[str, int], int]
    curves: dict[str, list[dict[str, Any]]]
    events: list[dict[str, Any]]
    journals: list[Journal]
    exits: list[tuple[int, bool]]
    orphans: list[str]
    left_open: dict[str, int]
    integrity: list[str]
    unsent: list[str] = field(default_factory=list)

    @property
    def by_attempt(self) -> dict[tuple[str, int], Journal]:
        """The journals by (run uid, attempt)."""
        return {(journal.uid, journal.attempt): journal for journal in self.journals}


def broken(facts: Facts) -> list[str]:
    """A sentence for each breach of a law; empty when all hold."""
    return [sentence for law in LAWS for sentence in law(facts)]


def every_point_has_one_run(facts: Facts) -> Iterator[str]:
    """A grid of n points has n runs, one for each."""
    found = Counter(run["params"]["x"] for run in facts.runs)
    wanted = range(facts.points)
    if missing := sorted(set(wanted) - set(found)):
        yield f"points without a run: {missing}"
    if doubled := {x: count for x, count in found.items() if count != 1}:
        yield f"points with several runs: {doubled}"
    if alien := set(found) - set(wanted):
        yield f"runs at points that the sweep does not have: {alien}"


def every_run_has_ended(facts: Facts) -> Iterator[str]:
    """Runs are in a final state, and so are their attempts and the sweep."""
    if facts.sweep["state"] != "finished":
        yield f"the sweep is {facts.sweep['state']}"
    for run in facts.runs:
        if run["state"] not in ENDS:
            yield f"run {name(run)} is {run['state']}"
        if run["state"] == "finished" and (run["error"] or run["attempts"][-1]["exit_code"]):
            yield f"run {name(run)} is finished with an error: {run['error']}"
        if run["state"] == "finished" and character(run["params"]["x"]) == "fails":
            yield f"run {name(run)} is finished though its script ends with an error"
        numbers = [attempt["number"] for attempt in run["attempts"]]
        if numbers != list(range(1, run["attempt"] + 1)):
            yield f"run {name(run)} has attempts {numbers}, its last is said to be {run['attempt']}"
        for attempt in run["attempts"]:
            if attempt["state"] == "running" or attempt["ended"] is None:
                yield f"attempt {attempt['number']} of run {name(run)} has no end"


def every_row_is_there_once(facts: Facts) -> Iterator[str]:
    """What ``log()`` returned from is in its attempt's own stream, whole; nothing is there that was not logged."""
    journals = facts.by_attempt
    if len(journals) != len(facts.journals):
        yield "two scripts ran as the same attempt of the same run"
    for key in journals.keys() | facts.rows.keys():
        stored, journal = facts.rows.get(key, []), journals.get(key)
        if journal is None:
            if stored:
                yield f"{key}: rows without a script that logged them"
            continue
        yield from _stream(facts, key, journal, stored)


def _stream(facts: Facts, key: tuple[str, int], journal: Journal, stored: list[dict[str, Any]]) -> Iterator[str]:
    counters = [int(row["_step"]) for row in stored]
    # A script that was killed between `log()` and its journal has logged one row more.
    in_flight = {max(journal.kept, default=journal.first - 1) + 1} if not journal.lost else set(range(facts.rows_a_run))
    if missing := sorted(set(journal.kept) - set(counters)):
        yield f"{key} x={journal.x}: {len(missing)} of {len(journal.kept)} logged rows are not there: {missing[:10]}"
    if alien := sorted(set(counters) - set(journal.kept) - in_flight):
        yield f"{key}: rows that nobody logged: {alien[:10]}"
    for row in stored:
        if (shown := plain(row)) != (wanted := expected(facts.seed, journal.x, journal.attempt, int(row["_step"]))):
            yield f"{key}: the row of step {row['_step']} is {shown}, logged was {wanted}"
            return
    if journal.size is not None and not journal.lost and facts.sizes.get(key) != journal.size:
        yield f"{key}: the stream holds {facts.sizes.get(key)} bytes, the spool held {journal.size}"


def found(facts: Facts) -> tuple[int, int]:
    """Stored rows: those whose ``log()`` had returned, and those besides (killed before it was written down)."""
    journals = facts.by_attempt
    kept = {key: set(journal.kept) for key, journal in journals.items()}
    counted = sum(int(row["_step"]) in kept.get(key, ()) for key, rows in facts.rows.items() for row in rows)
    return counted, sum(map(len, facts.rows.values())) - counted


def whole_streams(facts: Facts) -> int:
    """How many streams have as many bytes as the spool of a script that came to its end."""
    return sum(
        journal.size is not None and facts.sizes.get(key) == journal.size for key, journal in facts.by_attempt.items()
    )


def the_curve_is_the_last_attempts(facts: Facts) -> Iterator[str]:
    """The curve is the last attempt's; if that went on from a step, earlier attempts' rows below it come in front."""
    for run in facts.runs:
        wanted: dict[int, dict[str, Any]] = {}
        below = math.inf
        for number in range(run["attempt"], 0, -1):
            rows = {int(row["_step"]): plain(row) for row in facts.rows.get((run["uid"], number), [])}
            for step, row in rows.items():
                if step < below:
                    wanted.setdefault(step, row)
            went_on = run["state"] == "finished" or below < math.inf or bool(rows)
            if (rows and min(rows) == 0) or not went_on:
                break
            # An attempt that died without a row stands between no two others; one that ended well went on at the end.
            below = min([below, *rows]) if rows else min(below, 2**62)
        curve = {int(row["_step"]): plain(row) for row in facts.curves[run["uid"]]}
        if len(curve) != len(facts.curves[run["uid"]]):
            yield f"the curve of run {name(run)} has a step twice"
        if curve != wanted:
            differ = sorted(step for step in curve.keys() | wanted.keys() if curve.get(step) != wanted.get(step))
            yield (
                f"the curve of run {name(run)} (x={run['params']['x']}, attempt {run['attempt']}, {run['state']}) is"
                f" not its attempts' by the rule: {len(curve)} steps, wanted {len(wanted)}, differing {differ[:10]}"
            )
        if run["state"] == "finished" and not _excused(facts, run) and len(curve) != facts.rows_a_run:
            yield f"run {name(run)} is finished with {len(curve)} of {facts.rows_a_run} rows"


def _excused(facts: Facts, run: dict[str, Any]) -> bool:
    return any(journal.lost for journal in facts.journals if journal.uid == run["uid"])


def nothing_counts_twice(facts: Facts) -> Iterator[str]:
    """Score and mean are those of the rows that count, each taken once."""
    for run in facts.runs:
        curve = facts.curves[run["uid"]]
        if {row["attempt"] for row in curve} != {run["attempt"]} or _excused(facts, run):
            # What a superseded attempt sends late is shown in front of a resumed one and changes no summary.
            continue
        mean = run["summary"].get("number")
        wanted = sum(row["number"] for row in curve) / len(curve)
        found = mean.get("mean") if isinstance(mean, dict) else None
        if found is None or not math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-3):
            yield f"run {name(run)}: the mean of number is {found}, of its {len(curve)} rows {wanted}"
        if run["score"] != min(row["loss"] for row in curve):
            yield f"run {name(run)}: its score is {run['score']}, its best row {min(row['loss'] for row in curve)}"


def no_forbidden_move(facts: Facts) -> Iterator[str]:
    """The events tell of allowed moves only, and end in the state that the run is in."""
    states: dict[str, str] = {}
    attempts: dict[str, int] = {}
    for event in facts.events:
        uid, data = event["run"], event["data"]
        if event["kind"] == "run.created":
            if uid in states:
                yield f"run {uid} was created twice"
            states[uid], attempts[uid] = "running", 1
        elif event["kind"] in ("run.started", "run.ended"):
            new = "running" if event["kind"] == "run.started" else data["state"]
            old = states.get(uid, "")
            if new != old and new not in RUN_MOVES.get(old, ()):
                yield f"run {uid}: {old} → {new} at event {event['id']}"
            if data["attempt"] < attempts.get(uid, 0):
                yield f"run {uid}: attempt {data['attempt']} after attempt {attempts[uid]} at event {event['id']}"
            states[uid], attempts[uid] = new, data["attempt"]
    for run in facts.runs:
        if states.get(run["uid"]) != run["state"]:
            yield f"run {name(run)} is {run['state']}, its events end with {states.get(run['uid'])}"


def nothing_is_left(facts: Facts) -> Iterator[str]:
    """No orphan, no open lease or token, no spool that cannot be sent, a sound database."""
    yield from (f"an orphan: {line}" for line in facts.orphans)
    yield from (f"left open: {count} × {what}" for what, count in facts.left_open.items() if count)
    yield from facts.unsent
    yield from facts.integrity


def agents_end_as_documented(facts: Facts) -> Iterator[str]:
    """Each agent that nobody killed ended with a code of the documents."""
    for code, killed in facts.exits:
        if code not in AGENT_CODES and not (killed and code == -9):
            yield f"an agent ended with {code}"


LAWS: tuple[Callable[[Facts], Iterator[str]], ...] = (
    every_point_has_one_run,
    every_run_has_ended,
    every_row_is_there_once,
    the_curve_is_the_last_attempts,
    nothing_counts_twice,
    no_forbidden_move,
    nothing_is_left,
    agents_end_as_documented,
)


def name(run: dict[str, Any]) -> str:
    """How a run is called in a sentence."""
    return f"{run['id']} ({run['uid']})"


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what Besom adds."""
    return {key: value for key, value in row.items() if not key.startswith("_")}


def expected(seed: int, x: int, attempt: int, counter: int) -> dict[str, Any]:
    """The row as readers show it: numbers are floats, ∞ is a word."""
    return {key: shown(value) for key, value in payload(seed, x, attempt, counter).items()}


def shown(value: Any) -> Any:
    """A logged value as readers show it."""
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
    return value
