from __future__ import annotations

import signal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besom.engine.endings import Again, Circumstances, Final, Report, ending, lost_lease, signal_name
from besom.engine.states import ENDS, RUN_MOVES
from besom.sweep_config import Retry

OPEN = Circumstances(past={}, retry=Retry(), handable=True)
CLOSED = Circumstances(past={}, retry=Retry(), handable=False)


@pytest.mark.parametrize(
    ("report", "state"),
    [
        (Report(exit_code=0), "finished"),
        (Report(exit_code=0, script_exit=0), "finished"),
        (Report(exit_code=0, script_exit=3), "failed"),
        (Report(exit_code=1), "failed"),
        (Report(exit_code=137), "failed"),
        (Report(signal=signal.SIGINT), "killed"),
        (Report(signal=signal.SIGKILL), "crashed"),
        (Report(), "crashed"),
        (Report(exit_code=0, stopped_by="stop"), "stopped"),
        (Report(signal=signal.SIGKILL, stopped_by="stop"), "stopped"),
        (Report(signal=signal.SIGKILL, stopped_by="cancel", preempting=True), "killed"),
        (Report(signal=signal.SIGTERM, stopped_by="interrupt"), "killed"),
        (Report(exit_code=1, stopped_by="interrupt", preempting=True), "preempted"),
        (Report(exit_code=0, preempting=True), "finished"),
        (Report(exit_code=1, preempting=True), "preempted"),
        (Report(signal=signal.SIGINT, preempting=True), "preempted"),
        (Report(exit_code=0, stopped_by="preempt"), "preempted"),
    ],
)
def test_what_an_attempt_has_come_to(report: Report, state: str) -> None:
    assert ending(report, CLOSED).state == state


@pytest.mark.parametrize(
    ("report", "past", "retry", "again"),
    [
        (Report(exit_code=1), {}, Retry(), None),
        (Report(exit_code=1), {}, Retry(failed=1), "queued"),
        (Report(exit_code=1), {"failed": 1}, Retry(failed=1), None),
        (Report(exit_code=1), {"failed": 99}, Retry(failed=None), "queued"),
        (Report(signal=9), {}, Retry(), "queued"),
        (Report(signal=9), {"crashed": 1, "lost": 1}, Retry(), "queued"),
        (Report(signal=9), {"crashed": 2}, Retry(), None),
        (Report(exit_code=1, preempting=True), {"preempted": 1000}, Retry(), "preempted"),
        (Report(exit_code=1, preempting=True), {"preempted": 1}, Retry(preempted=1), None),
        (Report(exit_code=0), {}, Retry(failed=None), None),
        (Report(signal=2), {}, Retry(crashed=None), None),
        (Report(exit_code=0, stopped_by="stop"), {}, Retry(), None),
    ],
)
def test_who_gets_another_attempt(report: Report, past: dict[str, int], retry: Retry, again: str | None) -> None:
    decision = ending(report, Circumstances(past, retry, handable=True))
    assert (decision.state if isinstance(decision, Again) else None) == again


def test_the_first_two_lost_leases_queue_the_run_and_the_third_ends_it() -> None:
    for losses, kind in ((0, Again), (1, Again), (2, Final)):
        decision = lost_lease(Circumstances({"lost": losses}, Retry(), handable=True))
        assert isinstance(decision, kind)
    assert (decision.state, decision.attempt_state) == ("crashed", "lost")
    assert decision.reason == "nothing was heard from it any more, for the 3rd time"


def test_a_run_that_nobody_can_take_crashes_at_the_first_lost_lease() -> None:
    assert lost_lease(CLOSED) == Final("lost", "crashed", "nothing was heard from it any more")


@pytest.mark.parametrize(("wanted", "state"), [("kill", "killed"), ("stop", "stopped")])
def test_a_lost_run_that_was_to_end_has_ended(wanted: str, state: Any) -> None:
    decision = lost_lease(Circumstances({}, Retry(), handable=True, stop_wanted=wanted))
    assert decision == Final(state, state, None)


@given(
    st.builds(
        Report,
        exit_code=st.none() | st.integers(0, 255),
        signal=st.none() | st.integers(1, 64),
        stopped_by=st.sampled_from([None, "stop", "cancel", "interrupt", "preempt"]),
        preempting=st.booleans(),
        script_exit=st.none() | st.integers(0, 3),
    ),
    st.booleans(),
)
def test_every_ending_is_an_allowed_move_and_unhappy_ones_have_a_reason(report: Report, handable: bool) -> None:
    decision = ending(report, Circumstances({}, Retry(failed=1), handable))
    assert decision.state in RUN_MOVES["running"]
    if isinstance(decision, Final):
        assert decision.state in ENDS | {"preempted"}
        assert decision.reason or decision.state in ("finished", "stopped")
    else:
        assert decision.reason


def test_signals_have_names() -> None:
    assert signal_name(9) == "SIGKILL"
    assert signal_name(999) == "signal 999"
