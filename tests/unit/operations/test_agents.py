from __future__ import annotations

from typing import Any

from besom.operations import agents
from besom.wire.agents import HeldRun, NewAgent


def register(hand: Any, sweep: str, uid: str, host: str = "box", **fields: Any) -> Any:
    return hand.do(agents.register, NewAgent(uid=uid, sweep_id=sweep, host=host, **fields), "mira")


def test_an_agent_hears_what_others_of_its_host_hold(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    register(sqlite_hand, sweep, "dead", pid=7, process_started="55", boot_id="b")
    register(sqlite_hand, sweep, "idle", pid=8)
    register(sqlite_hand, sweep, "far", host="elsewhere")
    first, second = sqlite_hand.take("dead"), sqlite_hand.take("dead")
    sqlite_hand.take("far")
    (other,) = register(sqlite_hand, sweep, "new").neighbours
    assert (other.uid, other.pid, other.process_started, other.boot_id) == ("dead", 7, "55", "b")
    assert other.runs == [HeldRun(uid=first.uid, attempt=1), HeldRun(uid=second.uid, attempt=1)]
    assert [found.uid for found in register(sqlite_hand, sweep, "dead").neighbours] == []


def test_the_run_of_a_dead_neighbour_is_handed_out_at_once(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    register(sqlite_hand, sweep, "dead")
    lost = sqlite_hand.take("dead")
    sqlite_hand.finish(lost.uid, error="its agent is gone")
    assert register(sqlite_hand, sweep, "new").neighbours == []
    again = sqlite_hand.take("new")
    assert (again.uid, again.attempt) == (lost.uid, 2)


def test_an_agent_that_has_ended_is_no_neighbour(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    register(sqlite_hand, sweep, "gone")
    sqlite_hand.take("gone")
    sqlite_hand.do(agents.end, "gone", "Ctrl-C")
    assert register(sqlite_hand, sweep, "new").neighbours == []
