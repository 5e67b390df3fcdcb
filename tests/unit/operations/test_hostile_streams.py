"""Streams that lie: whatever bytes come, what was good before them stays, the run can end, and people are told."""

from __future__ import annotations

import itertools
import math
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from besom.common.spool_format import HEADER, json_record, row_struct
from besom.errors import Refused
from besom.store.database import Database

numbers = itertools.count()
LAST_STEP, FIRST_STEP = 2**63 - 1, -(2**63)
WRONG = (
    None, True, -1, 2**63, -(2**64), 10**400, 0.5, 1e308, "", "x", "\x00", "\ud800", "a" * 5000, [], [None], [[]], {},
    {"": None}, {"a": {"b": [1]}}, {"\x00": 1}, "NaN",
)  # fmt: skip
KEYS = {
    "kind": ("kind", "keys"), "row": ("step", "time", "data"), "config": ("set",), "summary": ("set", "delete"),
    "define": ("name", "step_metric", "summary", "hidden"), "resumed": ("step",), "reads": ("read",),
    "preempting": (), "about": ("display_name", "group", "job_type", "notes", "tags"), "note": ("text",),
    "exit": ("code", "error"), "": (), "unknown": ("x",),
}  # fmt: skip
sometimes = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def kind(number: int, *keys: str) -> bytes:
    return json_record({"t": "kind", "kind": number, "keys": list(keys)})


def fast(number: int, step: int, *values: float) -> bytes:
    return row_struct(len(values)).pack(number, step, 1e9, *values)


def good_records() -> list[bytes]:
    """A header and records of every sort, the rows at steps 0, 1, 2, …"""
    steps = itertools.count()
    names = kind(1, "loss", "acc")
    rows = [fast(1, next(steps), 0.5, float(number)) for number in range(5)]
    slow = json_record({"t": "row", "step": next(steps), "time": 1e9, "data": {"loss": 0.1, "note": "a"}})
    config = json_record({"t": "config", "set": {"lr": 0.1}})
    more = [fast(1, next(steps), math.nan, math.inf), kind(2, "other"), fast(2, next(steps), 1.0)]
    end = json_record({"t": "exit", "code": 0, "error": None})
    return [HEADER, names, *rows, slow, config, *more, end]


def ship(hand: Any, data: bytes, cuts: list[int] | None = None) -> str:
    """Sends a stream in pieces to a run of its own; a refusal ends the sending, as it does a sender's."""
    run = str(hand.start(uid=f"hostile-{next(numbers)}"))
    at = 0
    for end in [*sorted(cuts or []), len(data)]:
        piece = data[at:end]
        try:
            following = hand.append(run, 1, piece, at)
        except Refused:
            break
        assert at <= following <= at + len(piece)
        if following < at + len(piece):
            break
        at = following
    return run


def ends_well(hand: Any, run: str) -> list[dict[str, Any]]:
    """The run can be read and ended; returns its rows."""
    before = hand.rows(run)
    hand.finish(run)
    assert hand.run(run).state in ("finished", "failed")
    after: list[dict[str, Any]] = hand.rows(run)
    assert after == before
    return after


@sometimes
@given(st.binary(max_size=400), st.booleans(), st.lists(st.integers(0, 400), max_size=4))
def test_any_bytes_are_a_stream_or_a_broken_one(sqlite_hand: Any, data: bytes, begun: bool, cuts: list[int]) -> None:
    run = ship(sqlite_hand, (HEADER + kind(1, "a") if begun else b"") + data, cuts)
    ends_well(sqlite_hand, run)


@sometimes
@given(st.data())
def test_turned_bits_cost_nothing_that_came_before_them(sqlite_hand: Any, data: Any) -> None:
    records = good_records()
    stream = bytearray(b"".join(records))
    at = data.draw(st.integers(0, len(stream) - 1), "byte")
    stream[at] ^= 1 << data.draw(st.integers(0, 7), "bit")
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=3), "cuts")

    run = ship(sqlite_hand, bytes(stream), cuts)

    before = sum(end <= at for end in itertools.accumulate(map(len, records)))
    whole = b"".join(records[:before])
    kept = {row["_step"] for row in sqlite_hand.rows(ship(sqlite_hand, whole))}
    assert kept <= {row["_step"] for row in ends_well(sqlite_hand, run)}


@sometimes
@given(st.integers(0, 2**16 - 1), st.binary(max_size=60))
@example(0, struct.pack("<I", 2**32 - 1))
@example(0, struct.pack("<I", 0))
@example(0, struct.pack("<I", 5) + b"[[[[[")
@example(65_535, b"")
def test_a_record_that_lies_about_itself_breaks_only_what_follows(sqlite_hand: Any, head: int, rest: bytes) -> None:
    run = ship(sqlite_hand, HEADER + kind(1, "a") + fast(1, 0, 1.0) + struct.pack("<H", head) + rest)
    assert ends_well(sqlite_hand, run)[0] == {"_step": 0, "a": 1.0}


@pytest.mark.parametrize("t", KEYS)
def test_records_with_anything_in_any_key_are_taken_or_refused(sqlite_hand: Any, t: str) -> None:
    for key, value in [(None, None), *itertools.product(KEYS[t], WRONG)]:
        record: dict[str, Any] = {"t": t, "step": 3, "time": 1.0, "data": {"b": 1}, "kind": 2, "keys": ["c"]}
        if key is not None:
            record[key] = value
        run = ship(sqlite_hand, HEADER + kind(1, "a") + fast(1, 0, 1.0) + json_record(record))
        assert {"_step": 0, "a": 1.0}.items() <= {row["_step"]: row for row in ends_well(sqlite_hand, run)}[0].items()


@pytest.mark.parametrize("levels", [90, 101, 500, 5000])
def test_a_deep_value_is_kept_or_breaks_the_stream(sqlite_hand: Any, levels: int) -> None:
    text = b'{"t":"row","step":1,"time":1.0,"data":{"deep":' + b"[" * levels + b"]" * levels + b"}}"
    deep = struct.pack("<HI", 0, len(text)) + text
    run = ship(sqlite_hand, HEADER + kind(1, "a") + fast(1, 0, 1.0) + deep)
    assert len(ends_well(sqlite_hand, run)) == (2 if levels < 100 else 1)


@sometimes
@given(
    st.lists(
        st.tuples(
            st.sampled_from([FIRST_STEP, FIRST_STEP + 1, -1, 0, 1, LAST_STEP - 1, LAST_STEP]),
            st.sampled_from([0.0, -0.0, 1e308, 5e-324, math.nan, math.inf, -math.inf]),
            st.floats(),
        ),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_steps_and_numbers_at_the_ends_of_their_range_are_kept(sqlite_hand: Any, rows: list[Any]) -> None:
    body = b"".join(struct.pack("<Hqdd", 1, step, time, value) for step, value, time in rows)
    run = ship(sqlite_hand, HEADER + kind(1, "a") + body)
    assert {row["_step"] for row in ends_well(sqlite_hand, run)} == {step for step, _, _ in rows}


def test_a_kind_with_very_many_names_is_kept(sqlite_hand: Any) -> None:
    names = [f"k{number}" for number in range(10_000)]
    run = ship(sqlite_hand, HEADER + kind(1, *names) + fast(1, 0, *map(float, range(10_000))))
    assert ends_well(sqlite_hand, run)[0]["k9999"] == 9999.0


def test_a_kind_may_be_told_twice_but_not_changed(sqlite_hand: Any) -> None:
    same = ship(sqlite_hand, HEADER + kind(1, "a") + fast(1, 0, 1.0) + kind(1, "a") + fast(1, 1, 2.0))
    changed = ship(sqlite_hand, HEADER + kind(1, "a") + fast(1, 0, 1.0) + kind(1, "b") + fast(1, 1, 2.0), [60])
    assert len(ends_well(sqlite_hand, same)) == 2
    assert ends_well(sqlite_hand, changed)[:1] == [{"_step": 0, "a": 1.0}]
    assert sqlite_hand.run(same).warnings == []


def test_people_are_told_from_which_byte_on_a_stream_is_lost(sqlite_hand: Any) -> None:
    good = HEADER + kind(1, "a") + fast(1, 0, 1.0)
    run = ship(sqlite_hand, good + b"\xff\xff nonsense")
    (warning,) = sqlite_hand.run(run).warnings
    assert warning.startswith(f"what its writer w0 logged is lost from byte {len(good)} on: ")


class Offsets(RuleBasedStateMachine):
    """A sender that forgets, repeats, overlaps and runs ahead, against the number of bytes that the server has."""

    database: Database
    hand: Any

    @initialize()
    def begin(self) -> None:
        records = [HEADER, kind(1, "a"), *(fast(1, step, float(step)) for step in range(40))]
        self.bytes = b"".join(records)
        self.ends = list(itertools.accumulate(map(len, records)))
        self.run_uid = str(self.hand.start(uid=f"offsets-{next(numbers)}"))
        self.taken = 0

    def post(self, begin: int, end: int) -> None:
        following = self.hand.append(self.run_uid, 1, self.bytes[begin:end], begin)
        if begin == self.taken:
            self.taken = max(begin, min(end, len(self.bytes)))
        assert following == self.taken

    @rule(size=st.integers(0, 300))
    def go_on(self, size: int) -> None:
        self.post(self.taken, self.taken + size)

    @rule(back=st.integers(1, 400), size=st.integers(0, 900))
    def overlap(self, back: int, size: int) -> None:
        self.post(max(0, self.taken - back), max(0, self.taken - back) + size)

    @rule(ahead=st.integers(1, 400), size=st.integers(0, 300))
    def run_ahead(self, ahead: int, size: int) -> None:
        self.post(self.taken + ahead, self.taken + ahead + size)

    @precondition(lambda self: self.taken > 0)
    @rule()
    def begin_again(self) -> None:
        self.post(0, len(self.bytes))

    @invariant()
    def every_whole_row_is_there_once(self) -> None:
        whole = sum(end <= self.taken for end in self.ends[2:])
        rows = self.hand.rows(self.run_uid)
        assert rows == [{"_step": step, "a": float(step)} for step in range(whole)]


def test_offsets_repeated_overlapping_or_ahead_lose_and_double_nothing(sqlite_hand: Any) -> None:
    machine = type("Machine", (Offsets,), {"hand": sqlite_hand})
    test = machine.TestCase("runTest")
    test.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
    test.runTest()
