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


def test_a_run_that_diverges_is_stopped_when_the_sweep_asks_for_it(workshop):
    script = """
        import besom, math, time
        with besom.init() as run:
            besom.log({"loss": 2.5})
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
    assert (run["state"], run["score"]) == ("stopped", 2.5)
    assert run["stop_reason"] == "the last 4 values of loss were NaN or infinite, after 1 finite value"


# ---- rules by epochs, by the others' means, and what a rule would have done

EPOCHS = """
    import besom, time
    with besom.init() as run:
        x = run.config["x"]
        for batch in range(40):
            besom.log({"loss": x + 1 / (batch + 1), "epoch": batch // 10})
        while x == 9:
            time.sleep(0.02)
"""
ASHA = {"type": "asha", "resource": "epoch", "min_iter": 2, "eta": 2}


@pytest.fixture(scope="module")
def by_epochs(workshop):
    sweep = workshop.sweep(
        {"x": {"values": [1, 2, 3, 9]}}, metric={"name": "loss"}, early_terminate={**ASHA, "min_peers": 4}
    )
    workshop.besom("agent", sweep, place=workshop.place(train=EPOCHS))
    return sweep


def test_rungs_can_be_epochs_however_often_a_script_logs(workshop, by_epochs):
    (run,) = [run for run in workshop.runs(by_epochs) if run["state"] == "stopped"]
    assert (run["params"], run["stop_reason"]) == ({"x": 9}, "epoch 2: 9.048 is above 2.048, the best half of 4 runs")


def test_the_median_rule_stops_a_run_that_is_worse_than_the_others_on_average(workshop):
    rule = {"type": "median", "min_peers": 3, "grace": 2}
    sweep = workshop.sweep({"x": {"values": [1, 2, 3]}}, metric={"name": "loss"}, early_terminate=[rule])
    workshop.besom("agent", sweep, place=workshop.place(train=LOGS))
    (run,) = [run for run in workshop.runs(sweep) if run["state"] == "stopped"]
    assert (run["params"], run["stop_reason"]) == (
        {"x": 3}, "step 2: 3, the best so far, is above 1.5, the median of the running means of 2 other runs",
    )  # fmt: skip


def test_a_replay_by_the_sweeps_own_rule_gives_the_same_verdict(workshop, by_epochs):
    report = json.loads(workshop.besom("replay", by_epochs, "--json").stdout)
    (stopped,) = report["stopped"]
    (run,) = [run for run in workshop.runs(by_epochs) if run["state"] == "stopped"]
    assert (stopped["id"], stopped["reason"]) == (run["id"], run["stop_reason"])
    assert (stopped["rung"], stopped["step"], stopped["values"]) == (2, 20, 21)
    assert report["rules"] == ["asha: the best half goes on at epoch 2, 4, 8, 16, …, once 4 runs have come"]
    assert (report["runs"], report["best"]["stopped"]) == (4, False)


def test_a_replay_by_another_rule_tells_what_it_saves_and_what_becomes_of_the_best(workshop, by_epochs):
    place = workshop.place()
    (place / "bounds.yaml").write_text("# any rule\n- {type: threshold, upper: 2.5, grace: 3}\n")
    said = workshop.besom("replay", by_epochs, "--rule", "bounds.yaml", place=place).stdout
    assert said.startswith("threshold: a value of loss from number 3 on ends the run if it is above 2.5\n\n")
    assert "2 of 4 runs would have been stopped\nsaved: 74 of 160 values of loss, 46 %\n" in said
    (place / "median.json").write_text(json.dumps({"early_terminate": {"type": "plateau", "patience": 1, "grace": 2}}))
    report = json.loads(workshop.besom("replay", by_epochs, "--rule", "median.json", "--json", place=place).stdout)
    assert (report["stopped"], report["saved_values"], report["best_left"]["score"]) == ([], 0, 1.025)


def test_a_replay_needs_a_rule_and_names_every_mistake_in_its_file(workshop):
    sweep = workshop.sweep({"x": {"values": [1]}}, metric={"name": "loss"})
    assert "give a rule with --rule FILE" in workshop.besom("replay", sweep, code=2).stderr
    place = workshop.place()
    (place / "rule.yaml").write_text("type: asha\neta: 1\nmin_itr: 3\n")
    said = workshop.besom("replay", sweep, "--rule", "rule.yaml", place=place, code=2).stderr
    assert "rule.yaml:2:6: eta: 1 is not a number above 1" in said
    assert "rule.yaml:3:1: min_itr: unknown key `min_itr`: did you mean `min_iter`?" in said
    bare = workshop.sweep({"x": {"values": [1]}})
    assert "has no metric" in workshop.besom("replay", bare, code=2).stderr
