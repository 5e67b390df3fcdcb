"""The monkey's own measures: the same seed is the same plan, and each law sees its breach."""

from dataclasses import replace

import laws
import pytest
from monkey import KINDS, plan

SEED, X, ROWS = 3, 0, 4


def row(counter, attempt=1):
    return {"_step": counter, "_timestamp": 1.0, "_runtime": 0.5, **laws.expected(SEED, X, attempt, counter)}


def facts():
    """One point, one run of two attempts: the first was lost after two rows, the second one has finished."""
    first, second = [row(0), row(1)], [row(counter, 2) for counter in range(ROWS)]
    numbers = [each["number"] for each in second]
    attempt = {"state": "finished", "ended": "then", "exit_code": 0}
    run = {
        "id": "r", "uid": "u", "state": "finished", "error": None, "attempt": 2, "params": {"x": X},
        "attempts": [{**attempt, "number": 1, "state": "lost"}, {**attempt, "number": 2}],
        "summary": {"number": {"mean": sum(numbers) / ROWS}}, "score": min(each["loss"] for each in second),
    }  # fmt: skip
    events = [("run.created", {}), ("run.started", {"attempt": 1}), ("run.ended", {"attempt": 1, "state": "queued"}),
              ("run.started", {"attempt": 2}), ("run.ended", {"attempt": 2, "state": "finished"})]  # fmt: skip
    return laws.Facts(
        seed=SEED, points=1, rows_a_run=ROWS, sweep={"state": "finished"}, runs=[run], curves={"u": second},
        rows={("u", 1): first, ("u", 2): second}, sizes={("u", 1): 50, ("u", 2): 99},
        events=[{"id": at, "kind": kind, "run": "u", "data": data} for at, (kind, data) in enumerate(events)],
        journals=[journal(1, (0, 1), None), journal(2, (0, 1, 2, 3), 99)], exits=[(0, False), (-9, True)], orphans=[],
        left_open={}, integrity=[],
    )  # fmt: skip


def journal(attempt, kept, size):
    return laws.Journal("u", X, attempt, 0, kept, frozenset(), size)


def with_run(found, **values):
    return replace(found, runs=[{**found.runs[0], **values}])


def with_rows(found, attempt, rows):
    return replace(found, rows={**found.rows, ("u", attempt): rows})


def with_last_event(found, **data):
    return replace(found, events=[*found.events[:-1], {**found.events[-1], "data": {"attempt": 2, **data}}])


OPEN = {"state": "running", "ended": None, "exit_code": None}
BREACHES = {
    "points without a run": lambda found: replace(found, points=2),
    "points with several runs": lambda found: replace(found, runs=found.runs * 2),
    "runs at points that the sweep does not have": lambda found: with_run(found, params={"x": 5}),
    "the sweep is": lambda found: replace(found, sweep={"state": "running"}),
    "has attempts": lambda found: with_run(found, attempt=3),
    "with 3 of 4 rows": lambda found: replace(found, curves={"u": found.curves["u"][:3]}),
    "was created twice": lambda found: replace(found, events=[found.events[0], *found.events]),
    "is running": lambda found: with_run(found, state="running"),
    "though its script ends with an error": lambda found: with_run(found, params={"x": 7}),
    "has no end": lambda found: with_run(
        found, attempts=[{**each, "ended": None} for each in found.runs[0]["attempts"]]
    ),
    "logged rows are not there": lambda found: with_rows(found, 1, [row(0)]),
    "rows that nobody logged": lambda found: with_rows(found, 1, [row(0), row(1), row(2), row(3)]),
    "logged was": lambda found: with_rows(found, 1, [row(0), {**row(1), "text": row(0).get("text", "") + "x"}]),
    "the spool held 99": lambda found: replace(found, sizes={("u", 2): 100}),
    "not its attempts' by the rule": lambda found: replace(found, curves={"u": found.rows["u", 1]}),
    "the mean of number": lambda found: with_run(found, summary={"number": {"mean": 0.0}}),
    "its score is": lambda found: with_run(found, score=0.0),
    "finished → failed": lambda found: replace(
        found, events=[*found.events, {**found.events[-1], "data": {"attempt": 2, "state": "failed"}}]
    ),
    "its events end with": lambda found: with_last_event(found, state="failed"),
    "an orphan": lambda found: replace(found, orphans=["7: sleep"]),
    "left open": lambda found: replace(found, left_open={"token": 1}),
    "an agent ended with 70": lambda found: replace(found, exits=[(70, False)]),
    "two scripts ran as the same attempt": lambda found: replace(found, journals=[*found.journals, found.journals[0]]),
}


def test_what_is_right_breaks_no_law():
    assert laws.broken(facts()) == []


@pytest.mark.parametrize("sentence", BREACHES)
def test_a_breach_is_seen(sentence):
    assert [told for told in laws.broken(BREACHES[sentence](facts())) if sentence in told]


def test_a_seed_is_a_plan():
    first, again, other = (plan(seed, 50, KINDS, lease_s=4, away_s=3, gap_s=1) for seed in (1, 1, 2))
    assert first == again != other
    assert {fault.kind for fault in first} == set(KINDS)
