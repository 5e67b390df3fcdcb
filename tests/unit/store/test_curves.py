from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from besom.common import spool_format
from besom.errors import NotFound, UsageError
from besom.operations import housekeeping
from besom.store import compaction, curves, run_answers, runs
from besom.wire.runs import Curve

VALUES = st.floats(-100, 100, width=32) | st.sampled_from([math.nan, "text", None])


def curve(hand: Any, run: str, px: int, **window: int) -> tuple[int, list[int], list[float], list[float]]:
    """Points, steps, low and high of the run's curve of `loss`."""
    found = hand.database.read_now(runs.get, run)
    wanted = [curves.CurveOf(found.id, found.name, found.attempt)]
    answer = hand.database.read_now(curves.read, found.project_id, "loss", wanted, px, **window)
    return unpacked(answer.curves[0])


def unpacked(one: Curve) -> tuple[int, list[int], list[float], list[float]]:
    steps = np.frombuffer(one.steps, "<f8").astype(int).tolist()
    return one.points, steps, np.frombuffer(one.low, "<f4").tolist(), np.frombuffer(one.high, "<f4").tolist()


def numbers(first: int, values: Any, *, head: bool = True) -> bytes:
    """Rows of plain numbers, as a client writes them."""
    kind = spool_format.HEADER + spool_format.json_record({"t": "kind", "kind": 1, "keys": ["loss"]})
    row = spool_format.row_struct(1)
    rows = b"".join(row.pack(1, first + at, 1000.0 + at, float(value)) for at, value in enumerate(values))
    return (kind if head else b"") + rows


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(0, 2), VALUES), max_size=12),
    tail_rows=st.sampled_from([1, 3, 100]),
)
def test_a_curve_point_by_point_is_what_the_rows_say(
    sqlite_hand: Any, monkeypatch: pytest.MonkeyPatch, rows: Any, tail_rows: int
) -> None:
    monkeypatch.setattr(compaction, "TAIL_ROWS", tail_rows)
    run, step, offset = sqlite_hand.start(), 0, 0
    for ahead, value in rows:
        step += ahead
        data = b"" if offset else spool_format.HEADER
        data += spool_format.json_record({"t": "row", "step": step, "time": 1.0, "data": {"loss": value}})
        offset = sqlite_hand.append(run, 1, data, offset=offset)
    expected = [(row["_step"], row["loss"]) for row in sqlite_hand.rows(run)]
    count, steps, low, high = curve(sqlite_hand, run, 1000)
    assert (count, steps) == (len(expected), [step for step, _ in expected])
    shown = [math.nan if value in ("NaN", "text", None) else value for _, value in expected]
    np.testing.assert_array_equal(low, shown)
    np.testing.assert_array_equal(high, shown)


def test_the_points_of_several_writers_are_one_curve(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    for writer, steps in (("w0", (0, 2, 4)), ("w1", (1, 3))):
        sqlite_hand.log(run, 1, [(step, {"loss": float(step)}) for step in steps], writer=writer)
    assert curve(sqlite_hand, run, 10)[:3] == (5, [0, 1, 2, 3, 4], [0.0, 1.0, 2.0, 3.0, 4.0])


def test_each_pixel_has_the_extremes_of_its_steps(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    values = np.random.default_rng(0).standard_normal(1000).astype("<f4")
    sqlite_hand.append(run, 1, numbers(0, values))
    sqlite_hand.finish(run)
    sqlite_hand.database.write_now(housekeeping.compact)
    count, steps, low, high = curve(sqlite_hand, run, 100)
    pixels = values.reshape(100, 10)
    assert (count, steps) == (1000, list(range(0, 1000, 10)))
    assert (low, high) == (pixels.min(axis=1).tolist(), pixels.max(axis=1).tolist())


def test_a_long_curve_is_read_from_its_coarse_level(sqlite_hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run, count = sqlite_hand.start(), 3 * compaction.TAIL_ROWS
    values = np.random.default_rng(0).standard_normal(count).astype("<f4")
    offset = 0
    for first in range(0, count, 4096):
        data = numbers(first, values[first : first + 4096], head=first == 0)
        offset = sqlite_hand.append(run, 1, data, offset=offset)
    monkeypatch.setattr(curves, "unpack_floats", None)
    _, steps, low, high = curve(sqlite_hand, run, 48)
    pixels = values.reshape(48, 256)
    assert steps == list(range(0, count, 256))
    assert (low, high) == (pixels.min(axis=1).tolist(), pixels.max(axis=1).tolist())


def test_a_window_shows_its_own_steps_only(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    sqlite_hand.append(run, 1, numbers(0, range(100)))
    _, steps, low, _ = curve(sqlite_hand, run, 50, from_step=20, to_step=29)
    assert (steps, low) == (list(range(20, 30)), [float(step) for step in range(20, 30)])


def test_earlier_attempts_stand_in_front_of_the_step_where_the_last_one_went_on(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    run = sqlite_hand.take(agent).uid
    sqlite_hand.append(run, 1, numbers(0, [0.0] * 40))
    sqlite_hand.clock.pass_s(61)
    sqlite_hand.do(housekeeping.expire_leases)
    sqlite_hand.database.write_now(housekeeping.compact)
    assert sqlite_hand.take(agent).uid == run
    sqlite_hand.append(run, 2, numbers(30, [1.0] * 20))
    _, steps, low, _ = curve(sqlite_hand, run, 100)
    assert (steps, low) == (list(range(50)), [0.0] * 30 + [1.0] * 20)


def test_curves_of_a_sweep_come_in_the_order_of_its_best_runs(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    names = []
    for value in (3.0, 1.0, 2.0):
        run = sqlite_hand.take(agent)
        sqlite_hand.log(run.uid, 1, [(0, {"loss": value})])
        names.append(run.name)
    waiting = sqlite_hand.take(agent)
    answer = sqlite_hand.database.read_now(run_answers.curves_of, sweep, None, 10, None, 10)
    assert [one.run for one in answer.curves] == [names[1], names[2], names[0], waiting.name]
    assert (answer.metric, answer.curves[-1].points) == ("loss", 0)
    with pytest.raises(NotFound, match="there is no run nobody in sweep"):
        sqlite_hand.database.read_now(run_answers.curves_of, sweep, None, 10, ["nobody"], 10)


def test_a_sweep_without_a_metric_must_be_told_one(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep("{method: grid, program: a.py, project: p, parameters: {a: {values: [1]}}}")
    with pytest.raises(UsageError, match="has no metric: say which one"):
        sqlite_hand.database.read_now(run_answers.curves_of, sweep, None, 10, None, 10)
    answer = sqlite_hand.database.read_now(run_answers.curves_of, sweep, "never", 10, None, 10)
    assert (answer.curves, answer.from_step) == ([], None)


@pytest.mark.parametrize("px", [7, 60])
def test_curves_read_together_are_those_read_alone(sqlite_hand: Any, px: int) -> None:
    wanted = []
    for count in (50, 50, 40, 50):
        run = sqlite_hand.start()
        sqlite_hand.append(run, 1, numbers(0, np.random.default_rng(count + len(wanted)).standard_normal(count)))
        sqlite_hand.finish(run)
        found = sqlite_hand.database.read_now(runs.get, run)
        wanted.append(curves.CurveOf(found.id, found.name, found.attempt))
    for _ in range(3):
        assert sqlite_hand.database.write_now(housekeeping.compact)
    args = (found.project_id, "loss")
    together = sqlite_hand.database.read_now(curves.read, *args, wanted, px).curves
    alone = [
        sqlite_hand.database.read_now(curves.read, *args, [one], px, from_step=0, to_step=49).curves[0]
        for one in wanted
    ]
    assert [unpacked(one) for one in together] == [unpacked(one) for one in alone]
