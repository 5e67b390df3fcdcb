"""What SQLite and PostgreSQL must do alike: nothing twice, nothing lost, everything in commit order."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from besom.common import spool_format
from besom.engine.ahead import carry_out
from besom.errors import DataFolderError, NotFound, Refused
from besom.operations import agents, housekeeping, runs, suggesting, sweeps
from besom.store import events, history, logs, prepared, projects, run_answers, streams
from besom.store.database import Database
from besom.store.tables import project
from besom.sweep_config import read_sweep_config
from besom.wire.agents import Claim, Finish, HandOut, Wait
from besom.wire.runs import FinishRun, LastBytes

HYPERBAND = """
method: random
seed: 1
project: shapes
program: train.py
metric: {name: loss, goal: minimize}
early_terminate: {type: hyperband, min_iter: 3, eta: 3}
parameters: {lr: {min: 0.0, max: 1.0}}
"""


# ---- handing out


def test_claims_from_eight_threads_hand_each_point_out_once(hand: Any) -> None:
    sweep = hand.sweep(
        "{method: grid, program: a.py, project: p, parameters: {a: {values: [1, 2, 3, 4]}, b: {values: [1, 2, 3]}}}"
    )
    takers = [hand.agent(sweep) for _ in range(8)]

    def work(agent: str) -> list[HandOut]:
        mine = []
        while isinstance(answer := hand.claim(agent), HandOut):
            mine.append(answer)
        return mine

    with ThreadPoolExecutor(8) as pool:
        taken = [run for mine in pool.map(work, takers) for run in mine]
    assert sorted((run.params["a"], run.params["b"]) for run in taken) == [
        (a, b) for a in (1, 2, 3, 4) for b in (1, 2, 3)
    ]
    assert len({run.uid for run in taken}) == len({run.number for run in taken}) == 12


def test_a_repeated_ask_gets_the_same_attempt_and_a_token_that_works(hand: Any) -> None:
    agent = hand.agent(hand.sweep())
    first, second = hand.claim(agent, "once"), hand.claim(agent, "once")
    assert (first.uid, first.attempt, first.params) == (second.uid, second.attempt, second.params)
    assert hand.state(hand.run(first.uid).sweep).runs.running == 1


def test_the_same_request_makes_one_sweep(hand: Any) -> None:
    from besom.wire.sweeps import NewSweep

    request = NewSweep(request_id="r1", text="{method: grid, program: a.py, parameters: {a: {values: [1]}}}")
    made = [hand.database.write_now(sweeps.create, request, entity="mira", now=1.0) for _ in range(2)]
    assert made[0] == made[1]


def test_two_servers_on_one_database_hand_each_point_out_once(hand: Any, database_url: str) -> None:
    sweep = hand.sweep()
    with _second(database_url) as other:
        takers = [(hand.database, hand.agent(sweep)), (other, hand.agent(sweep))]

        def work(taker: tuple[Database, str]) -> list[HandOut]:

            mine = []
            for number in range(20):
                answer = taker[0].write_now(runs.claim, taker[1], Claim(request_id=f"{taker[1]}-{number}"), 5.0)
                if isinstance(answer, HandOut):
                    mine.append(answer)
            return mine

        with ThreadPoolExecutor(2) as pool:
            taken = [run.number for mine in pool.map(work, takers) for run in mine]
    assert sorted(taken) == [1, 2, 3, 4, 5, 6]


class _second:
    """Another server's connection to the same database."""

    def __init__(self, url: str) -> None:
        self._database = Database.open(url)

    def __enter__(self) -> Database:
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.close()


# ---- streams


def test_bytes_that_come_twice_are_stored_once(hand: Any, make_spool: Any) -> None:
    run = hand.start()
    data = make_spool([{"t": "row", "step": 0, "time": 1.0, "data": {"loss": 0.5}}])
    assert hand.append(run, 1, data) == len(data)
    assert hand.append(run, 1, data) == len(data)
    assert hand.rows(run) == [{"_step": 0, "loss": 0.5}]


def test_bytes_behind_a_gap_are_not_stored_and_the_right_offset_is_told(hand: Any) -> None:
    run = hand.start()
    assert hand.append(run, 1, b"later", offset=100) == 0
    assert hand.database.read_now(streams.next_offset, run, 1, "w0", "history") == 0


def test_numbers_survive_with_nan_and_infinity(hand: Any) -> None:
    run = hand.start()
    hand.log(run, 1, [(0, {"loss": "NaN", "big": "Infinity"}), (1, {"loss": 0.1 + 0.2, "big": "-Infinity"})])
    hand.finish(run)
    assert hand.rows(run) == [
        {"_step": 0, "loss": "NaN", "big": "Infinity"},
        {"_step": 1, "loss": 0.1 + 0.2, "big": "-Infinity"},
    ]
    assert hand.run(run).summary == {"big": "-Infinity", "loss": 0.1 + 0.2}


def test_texts_that_a_database_refuses_are_stored_without_what_it_refuses(hand: Any) -> None:
    run = hand.start(display_name="a\x00b \ud800 ü")
    hand.log(run, 1, [(0, {"te\x00xt": "a\x00b \ud800 ü", "\ud800": 1.0})])
    hand.finish(run, exit_code=1, error="bad \x00 \ud800")
    assert hand.run(run).name == "a�b ? ü"
    assert hand.run(run).error == "bad � ?"
    assert hand.rows(run)[0]["te�xt"] == "a\x00b ? ü"


def test_curves_come_from_tails_and_columns_alike(hand: Any) -> None:
    sweep = hand.sweep()
    agent = hand.agent(sweep)
    for count in (40, 50, 10):
        hand.log(hand.take(agent).uid, 1, [(step, {"loss": float(count + step)}) for step in range(count)])
    uids = [run.uid for run in hand.database.read_now(run_answers.page, sweep_uid=sweep, order="idx").runs]
    for uid in uids[:2]:
        hand.finish(uid)
        assert hand.database.write_now(housekeeping.compact)
    answer = hand.database.read_now(run_answers.curves_of, sweep, None, 25, None, 10)
    assert (answer.metric, answer.from_step, answer.to_step) == ("loss", 0, 49)
    assert [(curve.points, len(curve.low) // 4, len(curve.steps) // 8) for curve in answer.curves] == [
        (10, 10, 10),
        (40, 20, 20),
        (50, 25, 25),
    ]


def test_a_name_of_any_length_keeps_its_values_and_the_run_is_marked(hand: Any) -> None:
    run = hand.start()
    names = ["".join(random.Random(seed).choices("abcdefgh/ü", k=10_000)) for seed in (1, 2)]
    hand.log(run, 1, [(0, {names[0]: 1.0, names[1]: 2.0, "../../x\r\n": 3.0})])
    hand.finish(run)
    summary = hand.run(run).summary
    assert sorted(summary.values()) == [1.0, 2.0, 3.0]
    assert max(map(len, summary)) < 2000
    assert summary["../../x\r\n"] == 3.0
    assert "is longer than 2000 bytes" in hand.run(run).warnings[0]
    assert hand.rows(run)[0].keys() == {"_step", *summary}


def test_a_row_may_have_more_keys_than_a_statement_may_have_values(hand: Any) -> None:
    run = hand.start()
    hand.log(run, 1, [(0, {f"k{at}": at for at in range(40_000)})])
    assert len(hand.run(run).summary) == 40_000
    assert hand.run(run).summary["k39999"] == 39_999.0


def test_a_spoiled_stream_keeps_what_was_good_and_the_run_can_end(hand: Any, make_spool: Any) -> None:
    run = hand.start()
    good = make_spool([{"t": "row", "step": 0, "time": 1.0, "data": {"loss": 0.5}}])
    bad = b"\x07\x00" + b"nonsense" * 10
    assert hand.append(run, 1, good + bad) == len(good)
    with pytest.raises(Refused, match="is spoiled at byte"):
        hand.append(run, 1, bad, offset=len(good))
    assert hand.rows(run) == [{"_step": 0, "loss": 0.5}]
    assert "is lost from byte" in hand.run(run).warnings[0]
    assert hand.finish(run, exit_code=0, offsets={"w0/history": len(good) + len(bad)}).state == "finished"


def test_console_bytes_come_back_by_offset(hand: Any) -> None:
    run = hand.start()
    for offset, piece in ((0, b"hello "), (6, b"w\xff\x00rld\n")):
        hand.do(runs.append, run, 1, "agent", "console", offset, piece)
    assert hand.database.read_now(logs.read, run) == (b"hello w\xff\x00rld\n", 13)
    assert hand.database.read_now(logs.read, run, 1, 4, 4) == (b"o w\xff", 8)
    assert hand.database.read_now(logs.read, run, offset=-4) == (b"rld\n", 13)


def test_long_histories_are_packed_and_read_back_by_pages(hand: Any) -> None:
    run = hand.start()
    count = 20_000
    packer = spool_format.row_struct(2)
    data = spool_format.HEADER + spool_format.json_record({"t": "kind", "kind": 1, "keys": ["a", "b"]})
    data += b"".join(packer.pack(1, step, 1000.0 + step, step / 7, float(step)) for step in range(count))
    sent = 0
    while sent < len(data):
        sent = hand.append(run, 1, data[sent : sent + 100_000], offset=sent)
    page = hand.database.read_now(history.page, run, from_step=9_990, limit=20)
    assert [row["_step"] for row in page.rows] == list(range(9_990, 10_010))
    assert page.next_step == 10_010
    assert page.rows[5]["a"] == 9_995 / 7
    only = hand.database.read_now(history.page, run, from_step=count - 2, keys=["b"])
    assert [(row["_step"], row["b"], "a" in row) for row in only.rows] == [
        (count - 2, count - 2.0, False),
        (count - 1, count - 1.0, False),
    ]
    assert only.next_step is None


# ---- attempts, leases


def test_a_lost_lease_queues_the_run_and_the_next_attempt_is_another_agents(hand: Any) -> None:
    sweep = hand.sweep()
    one, two = hand.agent(sweep), hand.agent(sweep)
    run = hand.take(one)
    hand.clock.pass_s(61)
    assert hand.do(housekeeping.expire_leases) == [run.uid]
    assert hand.run(run.uid).state == "queued"
    again = hand.take(two)
    assert (again.uid, again.attempt, again.params, again.resumed) == (run.uid, 2, run.params, True)
    assert hand.beat(one, run).orders[0].order == "drop"


def test_an_agent_that_comes_back_takes_its_run_back_if_nobody_has_it(hand: Any) -> None:
    agent = hand.agent(hand.sweep())
    run = hand.take(agent)
    hand.clock.pass_s(61)
    hand.do(housekeeping.expire_leases)
    assert hand.beat(agent, run).orders == []
    assert hand.run(run.uid).state == "running"
    assert hand.run(run.uid).attempt == 1
    assert hand.finish(run.uid).state == "finished"


def test_the_third_lost_lease_ends_the_run_as_crashed(hand: Any) -> None:
    agent = hand.agent(hand.sweep())
    run = hand.take(agent)
    for attempt in (1, 2, 3):
        hand.clock.pass_s(61)
        hand.do(housekeeping.expire_leases)
        if attempt < 3:
            assert hand.take(agent).attempt == attempt + 1
    assert hand.run(run.uid).state == "crashed"
    assert [attempt.state for attempt in hand.run(run.uid).attempts] == ["lost"] * 3


def test_time_in_which_the_server_was_down_does_not_count(hand: Any) -> None:
    run = hand.take(hand.agent(hand.sweep()))
    hand.clock.pass_s(100_000)
    hand.do(housekeeping.renew_all_leases)
    assert hand.do(housekeeping.expire_leases) == []
    assert hand.run(run.uid).state == "running"


def test_what_a_superseded_attempt_sends_is_kept_and_changes_nothing(hand: Any) -> None:
    sweep = hand.sweep()
    one, two = hand.agent(sweep), hand.agent(sweep)
    run = hand.take(one)
    hand.clock.pass_s(61)
    hand.do(housekeeping.expire_leases)
    again = hand.take(two)
    hand.log(again.uid, 2, [(0, {"loss": 0.5})])
    hand.log(run.uid, 1, [(0, {"loss": 0.001})], writer="old")
    late = hand.finish(run.uid, 1, exit_code=0)
    assert (late.state, late.current) == ("running", False)
    assert hand.run(run.uid).score == 0.5
    assert hand.run(run.uid).summary == {"loss": 0.5}
    assert hand.rows(run.uid) == [{"_step": 0, "loss": 0.5}]
    assert hand.database.read_now(streams.next_offset, run.uid, 1, "old", "history") > 0


def test_an_attempt_that_resumes_has_the_rows_before_its_checkpoint_in_front(hand: Any) -> None:
    sweep = hand.sweep()
    agent = hand.agent(sweep)
    run = hand.take(agent)
    hand.log(run.uid, 1, [(0, {"loss": 0.9}), (1, {"loss": 0.3}), (2, {"loss": 0.2})])
    hand.clock.pass_s(61)
    hand.do(housekeeping.expire_leases)
    hand.take(agent)
    assert hand.run(run.uid).score is None
    hand.log(run.uid, 2, [(2, {"loss": 0.7}), (3, {"loss": 0.6})])
    assert [row["loss"] for row in hand.rows(run.uid)] == [0.9, 0.3, 0.7, 0.6]
    assert hand.run(run.uid).score == 0.3


def test_an_attempt_that_begins_anew_counts_alone(hand: Any) -> None:
    sweep = hand.sweep()
    agent = hand.agent(sweep)
    run = hand.take(agent)
    hand.log(run.uid, 1, [(0, {"loss": 0.1, "old": 1})])
    hand.clock.pass_s(61)
    hand.do(housekeeping.expire_leases)
    hand.take(agent)
    hand.log(run.uid, 2, [(0, {"loss": 0.5})])
    assert hand.rows(run.uid) == [{"_step": 0, "loss": 0.5}]
    assert hand.run(run.uid).summary == {"loss": 0.5}


def test_a_run_cannot_end_before_its_rows_are_there(hand: Any) -> None:
    run = hand.start()
    sent = hand.log(run, 1, [(0, {"loss": 1.0})])
    with pytest.raises(Refused, match="send the rest"):
        hand.finish(run, exit_code=0, offsets={"w0/history": sent + 1})
    assert hand.finish(run, exit_code=0, offsets={"w0/history": sent}).state == "finished"


def test_a_second_report_of_an_end_changes_nothing(hand: Any) -> None:
    run = hand.take(hand.agent(hand.sweep()))
    assert hand.finish(run.uid, exit_code=0).state == "finished"
    assert hand.finish(run.uid, exit_code=1).state == "finished"


def test_an_end_brings_its_last_rows_and_the_next_run_once(hand: Any, make_spool: Any) -> None:
    run = hand.take(hand.agent(hand.sweep()))
    data = make_spool([{"t": "row", "step": 0, "time": 1.0, "data": {"loss": 0.5}}])
    report = {"exit_code": 0, "rest": {"w0/history": LastBytes(offset=0, data=data)}, "next": Claim(request_id="more")}
    first, second = hand.finish(run.uid, **report), hand.finish(run.uid, **report)
    assert (first.state, first.score, first.best_run) == (second.state, 0.5, run.name) == ("finished", 0.5, run.name)
    assert (first.next.uid, first.next.number) == (second.next.uid, 2)
    assert hand.rows(run.uid) == [{"_step": 0, "loss": 0.5}]


def test_a_rerun_is_the_next_attempt_and_opens_the_sweep_again(hand: Any) -> None:
    sweep = hand.sweep("{method: grid, program: a.py, project: p, parameters: {a: {values: [1]}}}")
    agent = hand.agent(sweep)
    run = hand.take(agent)
    hand.finish(run.uid, exit_code=3)
    assert hand.state(sweep).state == "finished"
    assert hand.do(sweeps.rerun, sweep, True, True) == [run.name]
    assert hand.state(sweep).state == "running"
    again = hand.take(agent)
    assert (again.uid, again.attempt) == (run.uid, 2)
    with pytest.raises(Refused, match="is running"):
        hand.do(runs.rerun, run.uid)


def test_a_removed_run_does_not_give_its_point_back(hand: Any) -> None:
    sweep = hand.sweep()
    agent = hand.agent(sweep)
    gone = hand.take(agent)
    hand.do(runs.delete, gone.uid)
    with pytest.raises(NotFound):
        hand.run(gone.uid)
    others = [hand.take(agent).params for _ in range(5)]
    assert gone.params not in others
    assert hand.beat(agent, gone).orders[0].order == "drop"
    assert isinstance(hand.claim(agent), Wait)


def test_a_deleted_sweep_lets_its_agents_go(hand: Any) -> None:
    sweep = hand.sweep()
    agent = hand.agent(sweep)
    run = hand.take(agent)
    hand.log(run.uid, 1, [(0, {"loss": 1.0})])
    hand.do(sweeps.delete, sweep)
    assert hand.beat(agent, run).agent == "gone"
    answer = hand.claim(agent)
    assert isinstance(answer, Finish)
    assert answer.why == "deleted"
    hand.do(agents.end, agent, "bye")


# ---- early stopping


def test_a_run_is_judged_in_the_transaction_that_stores_the_value(hand: Any) -> None:
    sweep = hand.sweep(HYPERBAND)
    agent = hand.agent(sweep)
    good, bad = hand.take(agent), hand.take(agent)
    hand.log(good.uid, 1, [(step, {"loss": 0.1}) for step in range(3)])
    hand.log(bad.uid, 1, [(step, {"loss": 0.9}) for step in range(2)], writer="a")
    assert hand.run(bad.uid).stop_reason is None
    hand.log(bad.uid, 1, [(2, {"loss": 0.9})], writer="b")
    stopped = hand.run(bad.uid)
    assert stopped.stop_reason is not None
    told = [event for event in hand.database.read_now(events.after, 0) if event.kind == "run.stop"]
    assert [(event.run, event.data["reason"]) for event in told] == [(bad.uid, stopped.stop_reason)]
    (order,) = hand.beat(agent, good, bad).orders
    assert (order.uid, order.order, order.reason) == (bad.uid, "stop", stopped.stop_reason)
    assert hand.finish(bad.uid, signal=15, stopped_by="stop").state == "stopped"


# ---- transactions, events, the bell


def _then_fail(connection: Connection, name: str) -> None:
    projects.get_or_make(connection, "mira", name, 1.0)
    events.tell(connection, "sweep.created", 1.0, name=name)
    raise Refused(f"no {name}")


def _twice(connection: Connection, name: str) -> None:
    for _ in range(2):
        # Nobody asks for the answer of this one: on PostgreSQL its error shows later.
        prepared.add(connection, project, {"entity": "mira", "name": name, "created": 1.0})


@pytest.mark.parametrize(("fails", "error"), [(_then_fail, Refused), (_twice, IntegrityError)])
def test_a_change_that_fails_undoes_itself_and_nothing_else(database: Database, fails: Any, error: Any) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        entered.set()
        go.wait(30)

    async def together() -> list[Any]:
        held = asyncio.ensure_future(database.write(hold))
        await asyncio.to_thread(entered.wait, 30)
        # These three wait behind the first and so share a transaction.
        changes = [
            asyncio.ensure_future(database.write(projects.get_or_make, "mira", "before", 1.0)),
            asyncio.ensure_future(database.write(fails, "broken")),
            asyncio.ensure_future(database.write(projects.get_or_make, "mira", "after", 1.0)),
        ]
        await asyncio.sleep(0)
        go.set()
        await held
        return await asyncio.gather(*changes, return_exceptions=True)

    before, broken, after = asyncio.run(together())
    assert isinstance(broken, error)
    assert database.read_now(projects.find, "mira", "before") == before
    assert database.read_now(projects.find, "mira", "after") == after
    assert database.read_now(projects.find, "mira", "broken") is None
    assert database.read_now(events.after, 0) == []


def test_a_look_that_writes_fails(database: Database) -> None:
    with pytest.raises((SQLAlchemyError, DataFolderError)):
        database.read_now(projects.get_or_make, "mira", "p", 1.0)
    assert database.read_now(projects.find, "mira", "p") is None


def test_events_appear_in_commit_order_whoever_writes(hand: Any, database_url: str) -> None:
    seen: list[int] = []
    done = threading.Event()

    def watch() -> None:
        last = 0
        while not done.is_set() or hand.database.read_now(events.last_id) > last:
            for event in hand.database.read_now(events.after, last):
                seen.append(event.id)
                last = event.id

    with _second(database_url) as other, ThreadPoolExecutor(3) as pool:
        watching = pool.submit(watch)

        def tell(database: Database) -> None:
            for number in range(60):
                database.write_now(events.tell, "run.progress", 1.0, number=number)

        for future in [pool.submit(tell, hand.database), pool.submit(tell, other)]:
            future.result()
        done.set()
        watching.result()
    assert len(seen) == 120
    assert seen == sorted(seen)


def test_the_bell_rings_after_a_commit_and_not_for_what_was_undone(database: Database) -> None:
    async def listen() -> tuple[bool, bool, bool]:
        silent = await database.bell.wait_for_event(0, 0.01)
        with pytest.raises(Refused):
            await database.write(_then_fail, "broken")
        undone = await database.bell.wait_for_event(0, 0.01)
        waiting = asyncio.ensure_future(database.bell.wait_for_event(0, 30))
        await database.write(events.tell, "sweep.created", 1.0)
        return silent, undone, await waiting

    assert asyncio.run(listen()) == (False, False, True)


@pytest.mark.postgres
def test_the_bell_rings_for_what_another_process_has_written(postgres_url: str) -> None:
    with _second(postgres_url) as here, _second(postgres_url) as there:
        assert here._listener is not None
        assert here._listener.listening.wait(30)

        async def listen() -> bool:
            waiting = asyncio.ensure_future(here.bell.wait_for_event(0, 30))
            await asyncio.to_thread(there.write_now, events.tell, "sweep.created", 1.0)
            return await waiting

        assert asyncio.run(listen())


def test_reads_see_one_moment(database: Database) -> None:
    def look(connection: Connection) -> tuple[int, int]:
        before = connection.execute(text("SELECT count(*) FROM project")).scalar_one()
        database.write_now(projects.get_or_make, "mira", "p", 1.0)
        return before, connection.execute(text("SELECT count(*) FROM project")).scalar_one()

    assert database.read_now(look) == (0, 0)


# ---- paging


@pytest.mark.parametrize("order", ["score", "created", "idx"])
def test_pages_hold_every_run_once(hand: Any, order: Any) -> None:
    from besom.store import run_answers

    sweep = hand.sweep()
    agent = hand.agent(sweep)
    for loss in (0.3, None, 0.1, 0.3, 0.2):
        run = hand.take(agent)
        if loss is not None:
            hand.log(run.uid, 1, [(0, {"loss": loss})])
        hand.finish(run.uid)
    hand.start(sweep_id=sweep)
    found, after = [], None
    while True:
        page = hand.database.read_now(run_answers.page, sweep_uid=sweep, order=order, limit=2, after=after)
        found += page.runs
        if (after := page.next) is None:
            break
    assert len({run.uid for run in found}) == len(found) == 6
    if order == "score":
        assert [run.score for run in found] == [0.1, 0.2, 0.3, 0.3, None, None]
    if order == "idx":
        assert [run.idx for run in found] == [0, 1, 2, 3, 4, None]


# ---- suggestions

MODEL = """
{method: tpe, seed: 1, program: a.py, project: p, metric: {name: loss}, parameters: {a: {values: [1, 2]}, b: {values: [1, 2, 3]}}}
"""  # noqa: E501


def test_two_servers_that_make_the_same_suggestion_hand_it_out_once(hand: Any, database_url: str) -> None:
    sweep = hand.sweep(MODEL)
    with _second(database_url) as other:
        takers = [(hand.database, hand.agent(sweep)), (other, hand.agent(sweep))]

        def work(taker: tuple[Database, str]) -> list[tuple[int, int]]:
            database, agent = taker
            mine: list[tuple[int, int]] = []
            asks = 0
            while True:
                asks += 1
                answer = database.write_now(runs.claim, agent, Claim(request_id=f"{agent}-{asks}"), 5.0)
                if isinstance(answer, Finish):
                    return mine
                if isinstance(answer, HandOut):
                    mine.append((answer.params["a"], answer.params["b"]))
                    database.write_now(runs.finish, answer.uid, 1, FinishRun(exit_code=0), 6.0)
                task = database.read_now(suggesting.due, 5.0, {})
                for drawn in [] if task is None else carry_out(task, read_sweep_config(task.config)):
                    database.write_now(suggesting.keep, task, drawn, 5.0)

        with ThreadPoolExecutor(2) as pool:
            taken = [point for mine in pool.map(work, takers) for point in mine]
    assert sorted(taken) == [(a, b) for a in (1, 2) for b in (1, 2, 3)]


def test_what_was_made_ahead_goes_with_its_sweep(hand: Any) -> None:
    sweep = hand.sweep(MODEL)
    hand.do(suggesting.suggest_now, sweep)
    hand.do(sweeps.delete, sweep)
    assert hand.database.read_now(lambda c: c.execute(text("SELECT count(*) FROM suggestion")).scalar()) == 0
