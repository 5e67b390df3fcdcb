from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from besom.common import spool_format
from besom.store import compaction, history, observations, runs

RULES = """
method: random
seed: 1
program: train.py
metric: {name: loss, goal: minimize}
early_terminate:
  - {type: hyperband, min_iter: 2, eta: 2}
  - {type: asha, resource: epoch, eta: 2}
  - {type: plateau, patience: 3}
  - {type: nan, patience: 2}
parameters: {lr: {min: 0.0, max: 1.0}}
"""
NUMBERS = st.floats(-100, 100) | st.sampled_from([math.nan, math.inf])
VALUES = NUMBERS | st.sampled_from(["text", True, None, {"a": 1.5}, "NaN"])
# (how far the step goes on, the row as numbers or as JSON, its values)
LOGGED = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.dictionaries(st.sampled_from(["loss", "epoch"]), NUMBERS, min_size=1)
        | st.dictionaries(st.sampled_from(["loss", "epoch", "word"]), VALUES, min_size=1),
    ),
    max_size=25,
)


def spool_of(logged: list[tuple[int, dict[str, Any]]]) -> tuple[bytes, list[tuple[int, dict[str, Any]]]]:
    """Bytes as a client writes them, and the rows."""
    data, kinds, step, rows = spool_format.HEADER, {}, 0, []
    for ahead, values in logged:
        step += ahead
        rows.append((step, values))
        if all(isinstance(value, float) for value in values.values()):
            keys = tuple(values)
            if keys not in kinds:
                kinds[keys] = len(kinds) + 1
                data += spool_format.json_record({"t": "kind", "kind": kinds[keys], "keys": list(keys)})
            data += spool_format.row_struct(len(keys)).pack(kinds[keys], step, 1000.0 + step, *values.values())
        else:
            data += spool_format.json_record({"t": "row", "step": step, "time": 1000.0 + step, "data": values})
    return data, rows


def shown(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity"
    return value


def merged(rows: list[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    by_step: dict[int, dict[str, Any]] = {}
    for step, values in rows:
        by_step.setdefault(step, {"_step": step}).update({key: shown(value) for key, value in values.items()})
    return [by_step[step] for step in sorted(by_step)]


def everything(hand: Any, run: str) -> Any:
    answer = hand.run(run)
    run_id = hand.database.read_now(runs.get, run).id
    rungs = hand.database.read_now(observations.of_run, run_id)
    return hand.rows(run), answer.summary, answer.score, rungs, answer.stop_reason


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logged=LOGGED, cuts=st.lists(st.integers(0, 2000), max_size=6), finish_first=st.booleans())
def test_bytes_cut_anywhere_are_the_bytes_at_once(
    sqlite_hand: Any, logged: Any, cuts: list[int], finish_first: bool
) -> None:
    data, rows = spool_of(logged)
    # In sweeps of their own: a run that is compared with another may be stopped where that one was not.
    whole, pieces = (sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep(RULES))).uid for _ in range(2))
    sqlite_hand.append(whole, 1, data)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        assert sqlite_hand.append(pieces, 1, data[start:end], offset=start) == end
    if finish_first:
        sqlite_hand.finish(pieces)
    assert everything(sqlite_hand, pieces) == everything(sqlite_hand, whole)
    assert sqlite_hand.rows(whole) == merged(rows)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logged=LOGGED, limit=st.integers(1, 5))
def test_pages_of_any_size_make_the_whole_history(sqlite_hand: Any, logged: Any, limit: int) -> None:
    data, rows = spool_of(logged)
    run = sqlite_hand.start()
    middle = len(data) // 2
    sqlite_hand.append(run, 1, data[:middle])
    sqlite_hand.append(run, 1, data[middle:], offset=middle)
    found: list[dict[str, Any]] = []
    step: int | None = 0
    while step is not None:
        page = sqlite_hand.database.read_now(history.page, run, from_step=step, limit=limit)
        assert len(page.rows) <= limit
        found += page.rows
        step = page.next_step
    assert [row["_step"] for row in found] == [row["_step"] for row in merged(rows)]


def test_tails_become_columns_when_they_are_long(sqlite_hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "TAIL_ROWS", 3)
    run = sqlite_hand.start()
    for step in range(7):
        sqlite_hand.log(run, 1, [(step, {"loss": float(step), "word": "w"})], writer=f"w{step // 4}")
        offset = sqlite_hand.database.read_now(_stream_offset, run, f"w{step // 4}")
        assert offset > 0
    assert len(sqlite_hand.rows(run)) == 2
    with sqlite_hand.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tail").scalar_one() == 2


def _stream_offset(connection: Any, run: str, writer: str) -> int:
    from besom.store import streams

    return streams.next_offset(connection, run, 1, writer, "history")


def test_a_row_that_goes_on_behind_a_compaction_is_one_row(
    sqlite_hand: Any, make_spool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "TAIL_ROWS", 2)
    run = sqlite_hand.start()
    first = make_spool([_row(0, {"a": 1.0}), _row(1, {"a": 2.0, "b": 1.0})])
    sqlite_hand.append(run, 1, first)
    sqlite_hand.append(run, 1, make_spool([_row(1, {"b": 5.0}), _row(2, {"a": 3.0})], header=False), offset=len(first))
    assert sqlite_hand.rows(run) == [
        {"_step": 0, "a": 1.0},
        {"_step": 1, "a": 2.0, "b": 5.0},
        {"_step": 2, "a": 3.0},
    ]


def _row(step: int, data: dict[str, Any]) -> dict[str, Any]:
    return {"t": "row", "step": step, "time": 1000.0 + step, "data": data}


def test_writers_of_one_run_share_its_rows(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    sqlite_hand.log(run, 1, [(0, {"rank0": 1.0}), (2, {"rank0": 2.0})], writer="rank0")
    sqlite_hand.log(run, 1, [(0, {"rank1": 3.0}), (1, {"rank1": 4.0})], writer="rank1")
    assert sqlite_hand.rows(run) == [
        {"_step": 0, "rank0": 1.0, "rank1": 3.0},
        {"_step": 1, "rank1": 4.0},
        {"_step": 2, "rank0": 2.0},
    ]


def test_rows_carry_their_time_and_the_time_since_the_attempt_began(sqlite_hand: Any, clock: Any) -> None:
    run = sqlite_hand.start()
    begun = clock()
    data = spool_format.HEADER + spool_format.json_record(
        {"t": "row", "step": 0, "time": begun + 2.5, "data": {"a": 1}}
    )
    sqlite_hand.append(run, 1, data)
    (row,) = sqlite_hand.database.read_now(history.page, run).rows
    assert row == {"_step": 0, "_timestamp": begun + 2.5, "_runtime": 2.5, "a": 1.0}


def test_names_of_a_kind_cannot_change_in_the_middle(sqlite_hand: Any, make_spool: Any) -> None:
    run = sqlite_hand.start()
    first = make_spool([{"t": "kind", "kind": 1, "keys": ["a"]}])
    first += spool_format.row_struct(1).pack(1, 0, 1000.0, 5.0)
    sqlite_hand.append(run, 1, first)
    again = make_spool([{"t": "kind", "kind": 1, "keys": ["b"]}], header=False)
    assert sqlite_hand.append(run, 1, again, offset=len(first)) == len(first)
    assert "other names" in sqlite_hand.run(run).warnings[0]
    assert sqlite_hand.rows(run) == [{"_step": 0, "a": 5.0}]


def test_an_attempt_without_rows_does_not_hide_the_one_before(sqlite_hand: Any) -> None:
    from besom.operations import housekeeping

    agent = sqlite_hand.agent(sqlite_hand.sweep())
    run = sqlite_hand.take(agent).uid
    sqlite_hand.log(run, 1, [(0, {"loss": 1.0}), (1, {"loss": 2.0})])
    for attempt in (2, 3):
        sqlite_hand.clock.pass_s(61)
        sqlite_hand.do(housekeeping.expire_leases)
        assert sqlite_hand.take(agent).attempt == attempt
    sqlite_hand.log(run, 3, [(2, {"loss": 3.0})])
    assert [row["loss"] for row in sqlite_hand.rows(run)] == [1.0, 2.0, 3.0]
