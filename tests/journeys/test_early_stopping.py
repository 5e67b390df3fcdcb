"""A sweep whose bad runs are stopped early, seen at every door."""

import csv
import io
import json

import pytest

# One agent trains one run after the other, so two good runs stand at the rung when the bad one comes.
LOGS = """
    import besom, os, time
    with besom.init() as run:
        x = run.config["x"]
        for step in range(4):
            besom.log({"loss": float(x)})
        while x == 3:
            time.sleep(0.02)
"""
REASON = "step 2: 3 is above 2, the best third of 3 runs"


@pytest.fixture(scope="module")
def sweep(workshop):
    sweep = workshop.sweep(
        {"x": {"values": [1, 2, 3]}},
        metric={"name": "loss", "goal": "minimize"},
        early_terminate={"type": "hyperband", "min_iter": 2, "eta": 3, "min_peers": 3},
    )
    said = workshop.besom("agent", sweep, place=workshop.place(train=LOGS)).stderr
    assert f"stopping the run: {REASON}" in said
    return sweep


@pytest.fixture(scope="module")
def stopped(workshop, sweep):
    (run,) = [run for run in workshop.runs(sweep) if run["state"] == "stopped"]
    return run


def test_the_api_has_state_reason_and_score(workshop, sweep, stopped):
    assert (stopped["params"], stopped["stop_reason"], stopped["score"]) == ({"x": 3}, REASON, 3.0)
    assert workshop.state(sweep)["runs"] == {
        **dict.fromkeys(workshop.state(sweep)["runs"], 0), "finished": 2, "stopped": 1,
    }  # fmt: skip


def test_the_sweep_has_ended_and_ranks_the_stopped_run(workshop, sweep, stopped):
    assert workshop.state(sweep)["ended_reason"] == "grid exhausted: 3 of 3 points"
    page = workshop.server.call("GET", f"/api/v1/sweeps/{sweep}/runs", query={"order": "score"})
    assert [run["params"]["x"] for run in page["runs"]] == [1, 2, 3]


def test_show_tells_the_reason_of_the_run(workshop, sweep, stopped):
    for shown in (workshop.besom("show", sweep), workshop.besom("show", stopped["id"])):
        assert REASON in shown.stdout


def test_the_export_has_the_reason(workshop, sweep):
    rows = csv.DictReader(io.StringIO(workshop.besom("export", sweep).stdout))
    (row,) = [row for row in rows if row["params.x"] == "3"]
    assert (row["state"], row["stop_reason"]) == ("stopped", REASON)
    runs = json.loads(workshop.besom("export", sweep, "--format", "json", "--history").stdout)
    (run,) = [run for run in runs if run["params"] == {"x": 3}]
    assert (run["state"], run["stop_reason"], len(run["history"])) == ("stopped", REASON, 4)


@pytest.mark.parametrize("page", ["sweeps/{sweep}", "runs/{run}"])
def test_the_pages_show_the_reason(workshop, sweep, stopped, page):
    path = f"/{stopped['entity']}/{stopped['project']}/{page.format(sweep=sweep, run=stopped['id'])}"
    assert REASON in workshop.server.raw("GET", path)[0].decode()


def test_a_run_of_nans_is_stopped_when_the_sweep_asks_for_it(workshop):
    script = """
        import besom, math, time
        with besom.init() as run:
            while True:
                besom.log({"loss": math.nan})
                time.sleep(0.01)
    """
    sweep = workshop.sweep(
        {"x": {"values": [1]}},
        metric={"name": "loss"},
        early_terminate={"type": "hyperband", "min_iter": 100, "nan": {"patience": 4}},
    )
    workshop.besom("agent", sweep, place=workshop.place(train=script))
    (run,) = workshop.runs(sweep)
    assert (run["state"], run["score"]) == ("stopped", None)
    assert run["stop_reason"] == "the last 4 values of loss were NaN or infinite"
