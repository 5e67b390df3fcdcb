from __future__ import annotations

from typing import Any

import pytest

from besom.errors import NotFound, Refused, UsageError
from besom.operations import housekeeping, runs, sweeps, tokens
from besom.store import agents as stored_agents
from besom.store import events, run_answers
from besom.store import tokens as stored_tokens
from besom.store.database import Database
from besom.wire.runs import NewRun

RANDOM = """
method: random
seed: 1
program: a.py
metric: {name: loss}
early_terminate: {type: hyperband, min_iter: 2, eta: 2}
parameters: {lr: {min: 0.0, max: 1.0}}
"""


def test_a_run_by_hand_starts_once_and_takes_what_a_second_start_adds(sqlite_hand: Any) -> None:
    sqlite_hand.start(uid="u1", name="first", tags=["a"])
    new = NewRun(uid="u1", project="shapes", display_name="second", group="g", notes="n", job_type="j")
    started = sqlite_hand.do(runs.start, new, "mira")
    assert (started.name, started.display_name, started.attempt) == ("first", "second", 1)
    answer = sqlite_hand.run("u1")
    assert (answer.id, answer.name, answer.group, answer.notes, answer.job_type) == ("first", "second", "g", "n", "j")
    assert answer.tags == ["a"]
    assert started.url == answer.url == "/mira/shapes/runs/first"


def test_a_name_that_is_taken_is_refused(sqlite_hand: Any) -> None:
    sqlite_hand.start(name="same")
    with pytest.raises(Refused, match="a run same is in the project already"):
        sqlite_hand.start(name="same")


@pytest.mark.parametrize(("fields", "words"), [({"name": "a/b"}, "run id 'a/b'"), ({"project": "a/b"}, "project name")])
def test_impossible_names_are_refused(sqlite_hand: Any, fields: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        sqlite_hand.start(**fields)


def test_a_run_is_found_by_path_and_by_uid(sqlite_hand: Any) -> None:
    uid = sqlite_hand.start(name="r1")
    for path in ("r1", "shapes/r1", "mira/shapes/r1", uid):
        assert sqlite_hand.database.read_now(run_answers.find, path).uid == uid
    sqlite_hand.start(name="r1", project="other")
    with pytest.raises(Refused, match="several runs are called r1: say which one, such as mira/shapes/r1"):
        sqlite_hand.database.read_now(run_answers.find, "r1")
    with pytest.raises(NotFound, match="there is no run nobody"):
        sqlite_hand.database.read_now(run_answers.find, "nobody")


def test_the_token_of_a_run_reaches_as_long_as_the_attempt(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    run = sqlite_hand.take(sqlite_hand.agent(sweep))
    assert len(run.token) >= 40
    look = stored_tokens.find, stored_tokens.hash_of(run.token), sqlite_hand.clock()
    facts = sqlite_hand.database.read_now(*look)
    assert (facts.scope, facts.run_uid, facts.sweep_uid, facts.entity) == ("run", run.uid, sweep, "mira")
    assert sqlite_hand.database.read_now(stored_tokens.rows) == []
    sqlite_hand.finish(run.uid)
    assert sqlite_hand.database.read_now(*look) is None


def test_a_killed_run_ends_at_once_when_it_waits_and_by_its_agent_when_it_runs(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    waiting, running = sqlite_hand.take(agent), sqlite_hand.take(agent)
    sqlite_hand.finish(waiting.uid, signal=9)
    sqlite_hand.do(runs.kill, waiting.uid)
    assert sqlite_hand.run(waiting.uid).state == "killed"
    sqlite_hand.do(runs.kill, running.uid)
    assert sqlite_hand.run(running.uid).state == "running"
    (order,) = sqlite_hand.beat(agent, running).orders
    assert (order.order, order.reason) == ("kill", "killed by a person")
    sqlite_hand.finish(running.uid, signal=9, stopped_by="cancel")
    with pytest.raises(Refused, match="has ended already: killed"):
        sqlite_hand.do(runs.kill, running.uid)


def test_a_run_without_an_agent_hears_that_it_should_end(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    assert sqlite_hand.do(runs.heartbeat, run, 1).stop is None
    sqlite_hand.do(runs.kill, run)
    assert sqlite_hand.do(runs.heartbeat, run, 1).stop == "killed by a person"


def test_a_single_run_is_queued_again(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    run = sqlite_hand.take(agent)
    sqlite_hand.log(run.uid, 1, [(0, {"loss": 1.0})])
    sqlite_hand.finish(run.uid)
    sqlite_hand.do(runs.rerun, run.uid)
    assert sqlite_hand.run(run.uid).state == "queued"
    with pytest.raises(Refused, match="is queued already"):
        sqlite_hand.do(runs.rerun, run.uid)
    again = sqlite_hand.take(agent)
    assert (again.uid, again.attempt) == (run.uid, 2)
    answer = sqlite_hand.run(run.uid)
    assert (answer.score, answer.summary) == (None, {})


def test_a_run_that_no_sweep_made_is_not_queued_again(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    sqlite_hand.finish(run)
    with pytest.raises(Refused, match="start its script again"):
        sqlite_hand.do(runs.rerun, run)


def test_a_removed_run_leaves_the_best_to_another(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    made = []
    for loss in (0.1, 0.2):
        run = sqlite_hand.take(agent)
        sqlite_hand.log(run.uid, 1, [(0, {"loss": loss})])
        sqlite_hand.finish(run.uid)
        made.append(run)
    best = sqlite_hand.database.read_now(run_answers.best, sweep)
    assert (best.id, best.score) == (made[0].name, 0.1)
    sqlite_hand.do(runs.delete, made[0].uid)
    assert sqlite_hand.database.read_now(run_answers.best, sweep).id == made[1].name
    assert sqlite_hand.state(sweep).runs.finished == 1


def test_summaries_follow_define_metric_and_values_set_by_hand(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    sqlite_hand.note(
        run, 1,
        {"t": "define", "name": "val/*", "summary": ["min", "max"]},
        {"t": "define", "name": "val/acc", "summary": ["max"]},
        {"t": "define", "name": "hidden", "summary": ["none"]},
        {"t": "summary", "set": {"best": 5, "gone": 1}, "delete": []},
        {"t": "summary", "set": {}, "delete": ["gone", "loss"]},
    )  # fmt: skip
    rows = [(step, {"val/loss": 3.0 - step, "val/acc": float(step), "hidden": 1.0, "loss": 1.0}) for step in range(3)]
    sqlite_hand.log(run, 1, rows)
    assert sqlite_hand.run(run).summary == {
        "best": 5,
        "val/acc": {"max": 2.0},
        "val/loss": {"min": 1.0, "max": 3.0},
    }


def test_what_a_script_says_of_its_run_is_taken(sqlite_hand: Any) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    about = {"t": "about", "display_name": "mine", "group": "g", "tags": ["x", "y"], "notes": "n", "job_type": "j"}
    sqlite_hand.note(run.uid, 1, about, {"t": "note", "text": "look here"}, {"t": "from a later version"})
    answer = sqlite_hand.run(run.uid)
    assert (answer.name, answer.group, answer.tags, answer.notes, answer.job_type) == (
        "mine",
        "g",
        ["x", "y"],
        "n",
        "j",
    )
    assert answer.warnings == ["look here"]


@pytest.mark.parametrize(
    ("lost", "warnings"),
    [
        (12, ["12 records of its script could not be written (a full disk?) and are lost"]),
        (1, ["1 record of its script could not be written (a full disk?) and is lost"]),
        (0, []),
        ("many", []),
        (True, []),
        (None, []),
    ],
)
def test_what_a_script_could_not_write_is_told(sqlite_hand: Any, lost: Any, warnings: list[str]) -> None:
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    sqlite_hand.note(run.uid, 1, {"t": "exit", "code": 0, "error": None, "lost": lost})
    assert sqlite_hand.run(run.uid).warnings == warnings


def test_a_run_is_judged_once_at_a_rung(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(RANDOM)
    agent = sqlite_hand.agent(sweep)
    first, second = sqlite_hand.take(agent), sqlite_hand.take(agent)
    sqlite_hand.log(first.uid, 1, [(0, {"loss": 0.5}), (1, {"loss": 0.5})])
    sqlite_hand.log(second.uid, 1, [(0, {"loss": 0.1}), (1, {"loss": 0.1}), (2, {"loss": 0.1})])
    assert sqlite_hand.run(first.uid).stop_reason is None
    sqlite_hand.log(first.uid, 1, [(1, {"loss": 0.9}), (2, {"loss": 0.9})], writer="later")
    assert sqlite_hand.run(first.uid).stop_reason is None


def test_a_run_that_passed_a_rung_is_not_judged_there_again_after_a_restart(sqlite_hand: Any, tmp_path: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep(RANDOM))
    passed, good = sqlite_hand.take(agent), sqlite_hand.take(agent)
    sqlite_hand.log(passed.uid, 1, [(0, {"loss": 0.5}), (1, {"loss": 0.5})])
    sqlite_hand.log(good.uid, 1, [(0, {"loss": 0.1}), (1, {"loss": 0.1})])
    sqlite_hand.database.close()

    sqlite_hand.database = Database.open(f"sqlite:///{tmp_path / 'besom.db'}", now=sqlite_hand.clock)
    late = sqlite_hand.take(agent)
    sqlite_hand.log(passed.uid, 1, [(1, {"loss": 0.6}), (2, {"loss": 0.6})], writer="later")
    sqlite_hand.log(late.uid, 1, [(0, {"loss": 0.7}), (1, {"loss": 0.7})])
    told = sqlite_hand.run(passed.uid).stop_reason, sqlite_hand.run(late.uid).stop_reason
    sqlite_hand.database.close()

    assert told == (None, "step 2: 0.7 is above 0.6, the best half of 3 runs")


def test_progress_is_told_once_a_second(sqlite_hand: Any) -> None:
    run = sqlite_hand.start()
    for number in range(6):
        sqlite_hand.log(run, 1, [(number, {"loss": 1.0})], writer=f"w{number}")
        sqlite_hand.clock.pass_s(0.5)
    told = [event for event in sqlite_hand.database.read_now(events.after, 0) if event.kind == "run.progress"]
    assert [event.data["step"] for event in told] == [0, 2, 4]


def test_an_agents_failures_are_counted_with_the_last_error(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    sqlite_hand.finish(sqlite_hand.take(agent).uid)
    sqlite_hand.finish(sqlite_hand.take(agent).uid, exit_code=1, error="ValueError: no")
    running = sqlite_hand.take(agent)
    (row,) = sqlite_hand.database.read_now(stored_agents.rows, sqlite_hand.clock(), sweep)
    assert (row.done, row.failed, row.last_error, row.running) == (2, 1, "ValueError: no", [running.name])
    assert row.state == "alive"


def test_an_agent_that_is_silent_is_late_then_gone_and_may_come_back(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)

    def state() -> str:
        (row,) = sqlite_hand.database.read_now(stored_agents.rows, sqlite_hand.clock(), sweep)
        return str(row.state)

    sqlite_hand.clock.pass_s(61)
    sqlite_hand.do(housekeeping.expire_leases)
    assert state() == "late"
    sqlite_hand.clock.pass_s(600)
    sqlite_hand.do(housekeeping.expire_leases)
    assert state() == "ended"
    sqlite_hand.beat(agent)
    assert state() == "alive"


def test_a_heartbeat_keeps_the_lease_and_tells_how_far_the_sweep_is(sqlite_hand: Any) -> None:
    agent = sqlite_hand.agent(sqlite_hand.sweep())
    done, held = sqlite_hand.take(agent), sqlite_hand.take(agent)
    sqlite_hand.log(done.uid, 1, [(0, {"loss": 0.5})])
    sqlite_hand.finish(done.uid)
    for _ in range(3):
        sqlite_hand.clock.pass_s(40)
        beat = sqlite_hand.beat(agent, held)
        assert sqlite_hand.do(housekeeping.expire_leases) == []
    assert (beat.runs_done, beat.runs_total, beat.best_score, beat.best_run) == (1, 6, 0.5, done.name)


def test_old_events_are_forgotten(sqlite_hand: Any) -> None:
    for number in range(10):
        sqlite_hand.database.write_now(events.tell, "run.progress", 1.0, number=number)
    sqlite_hand.database.write_now(housekeeping.trim_events, keep=3)
    kept = sqlite_hand.database.read_now(events.after, 0)
    assert [event.data["number"] for event in kept] == [7, 8, 9]


# ---- tokens


def make(hand: Any, name: str = "n", scope: Any = "agent", **more: Any) -> Any:
    return hand.database.write_now(tokens.create, name, scope, entity="mira", now=hand.clock(), **more)


def test_a_token_stands_for_its_scope_until_it_is_revoked(sqlite_hand: Any) -> None:
    made = make(sqlite_hand)
    look = stored_tokens.find, stored_tokens.hash_of(made.token), sqlite_hand.clock()
    assert sqlite_hand.database.read_now(*look).scope == "agent"
    sqlite_hand.do(tokens.revoke, made.id)
    assert sqlite_hand.database.read_now(*look) is None
    (row,) = sqlite_hand.database.read_now(stored_tokens.rows)
    assert (row.name, row.revoked) == ("n", True)


def test_a_token_expires(sqlite_hand: Any) -> None:
    made = make(sqlite_hand, expires_s=10)
    hashed = stored_tokens.hash_of(made.token)
    assert sqlite_hand.database.read_now(stored_tokens.find, hashed, sqlite_hand.clock() + 9) is not None
    assert sqlite_hand.database.read_now(stored_tokens.find, hashed, sqlite_hand.clock() + 10) is None


def test_the_local_token_is_the_same_token_twice(sqlite_hand: Any) -> None:
    secret = "a" * 48
    assert make(sqlite_hand, secret=secret).id == make(sqlite_hand, secret=secret).id


def test_no_secret_is_stored(sqlite_hand: Any, tmp_path: Any) -> None:
    made = make(sqlite_hand)
    run = sqlite_hand.take(sqlite_hand.agent(sqlite_hand.sweep()))
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("besom.db*"))
    assert made.token.encode() not in stored
    assert run.token.encode() not in stored
    assert stored_tokens.hash_of(made.token).encode() in stored


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "needs a name"),
        ({"scope": "run"}, "take scope admin, agent or read"),
        ({"expires_s": 0}, "of no use"),
        ({"expires_s": 2.5e11}, "a hundred years"),
        ({"secret": "short"}, "40 or more"),
    ],
)
def test_impossible_tokens_are_refused(sqlite_hand: Any, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make(sqlite_hand, **fields)
    with pytest.raises(NotFound, match="there is no token 99"):
        sqlite_hand.do(tokens.revoke, 99)


# ---- many runs


def test_handing_out_looks_at_no_more_rows_when_there_are_many_runs(sqlite_hand: Any) -> None:
    """Every question of a hand-out goes through an index: none of its statements scans a table."""
    sweep = sqlite_hand.sweep()
    agent = sqlite_hand.agent(sweep)
    sqlite_hand.take(agent)
    asked: list[str] = []

    def watch(connection: Any, callback: Any) -> None:
        connection.connection.dbapi_connection.set_trace_callback(callback)

    sqlite_hand.database.write_now(watch, asked.append)
    sqlite_hand.finish(sqlite_hand.take(agent).uid)
    sqlite_hand.database.write_now(watch, None)
    questions = [words for words in asked if words.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE"))]
    assert len(questions) > 10

    def plans(connection: Any) -> list[tuple[str, str]]:
        driver = connection.connection.dbapi_connection
        return [(words, row[3]) for words in questions for row in driver.execute(f"EXPLAIN QUERY PLAN {words}")]

    steps = sqlite_hand.database.read_now(plans)
    assert [(words, step) for words, step in steps if step.startswith("SCAN") and "CONSTANT ROW" not in step] == []


def test_reruns_of_a_sweep_take_failed_and_crashed_as_asked(sqlite_hand: Any) -> None:
    sweep = sqlite_hand.sweep(
        "{method: grid, program: a.py, retry: {crashed: 0}, parameters: {a: {values: [1, 2, 3]}}}"
    )
    agent = sqlite_hand.agent(sweep)
    failed, crashed, done = (sqlite_hand.take(agent) for _ in range(3))
    sqlite_hand.finish(failed.uid, exit_code=1)
    sqlite_hand.finish(crashed.uid, signal=9)
    sqlite_hand.finish(done.uid)
    assert sqlite_hand.do(sweeps.rerun, sweep, False, True) == [crashed.name]
    assert sqlite_hand.do(sweeps.rerun, sweep, True, False) == [failed.name]
    assert sqlite_hand.do(sweeps.rerun, sweep, True, True) == []
    assert {sqlite_hand.take(agent).uid for _ in range(2)} == {failed.uid, crashed.uid}
