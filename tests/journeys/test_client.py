"""The client on a real server: runs without an agent, reading them back, sweeps from Python."""

import json
import math
import socket

import pytest

from besom.client.api import Api
from besom.client.as_wandb import stored
from besom.errors import NotFound, UsageError


@pytest.fixture
def api(workshop):
    return Api({"base_url": workshop.server.url})


@pytest.fixture(autouse=True)
def _local_token(workshop, monkeypatch):
    monkeypatch.setenv("BESOM_DIR", workshop.environ["BESOM_DIR"])
    for name in ("BESOM_URL", "BESOM_TOKEN", "BESOM_ENTITY", "BESOM_PROJECT", "WANDB_ENTITY", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)


def train(workshop, script, code=0, **environ):
    place = workshop.place(train=script)
    done = workshop.command("train.py", place=place, **environ)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_a_run_without_an_agent_comes_back_whole(workshop, api):
    done = train(
        workshop,
        """
        import besom, math
        with besom.init(project="alone", name="mine", config={"lr": 0.1, "odd": math.nan, "opt": {"b": [1, 2]}},
                        tags=["first"], group="g", job_type="j", notes="n") as run:
            run.define_metric("val/*", summary="min")
            for step in range(30):
                run.log({"loss": 1 / (step + 1), "val/acc": step}, step=step)
                run.log({"text": f"row {step}", "inf": math.inf}, step=step)
            run.summary["best"] = 7
            print(run.id)
        """,
    )
    run = api.run(f"alone/{done.stdout.strip()}")
    assert (run.name, run.state, run.tags, run.group, run.job_type) == ("mine", "finished", ["first"], "g", "j")
    assert math.isnan(run.config["odd"])
    assert (run.config["lr"], run.config["opt"]) == (0.1, {"b": [1, 2]})
    assert run.summary["val/acc"] == {"min": 0.0}
    assert (run.summary["loss"], run.summary["inf"], run.summary["best"]) == (1 / 30, math.inf, 7)
    rows = list(run.scan_history())
    assert [row["_step"] for row in rows] == list(range(30))
    assert rows[3]["text"] == "row 3"
    assert rows[3]["loss"] == 0.25
    assert run.url.startswith(workshop.server.url)
    assert run.url in done.stderr
    assert workshop.run_folders == []


def test_history_takes_samples_keys_and_ranges(workshop, api):
    done = train(
        workshop,
        """
        import besom
        run = besom.init(project="history")
        for step in range(20):
            run.log({"a": step, **({"b": -step} if step % 2 else {})})
        print(run.id)
        """,
    )
    run = api.run(f"history/{done.stdout.strip()}")
    assert [row["_step"] for row in run.history(samples=3, pandas=False)] == [0, 10, 19]
    assert run.history(keys=["b"], samples=None, pandas=False)[:2] == [{"_step": 1, "b": -1.0}, {"_step": 3, "b": -3.0}]
    assert [row["_step"] for row in run.scan_history(page_size=4, min_step=5, max_step=12)] == list(range(5, 12))


@pytest.mark.parametrize(
    ("ending", "code", "state"),
    [("raise ValueError('bad luck')", 1, "failed"), ("run.finish(exit_code=2)", 0, "failed"), ("", 0, "finished")],
    ids=["exception", "exit code", "plain"],
)
def test_the_end_of_the_script_is_the_state_of_the_run(workshop, api, ending, code, state):
    done = train(
        workshop, f"import besom\nrun = besom.init(project='ends')\nprint(run.id, flush=True)\n{ending}\n", code=code
    )
    run = api.run(f"ends/{done.stdout.strip()}")
    assert run.state == state
    if code:
        assert "bad luck" in run.load()["error"]


def test_an_offline_run_comes_with_sync(workshop, api):
    done = train(
        workshop, "import besom\nrun = besom.init(project='later', mode='offline')\nrun.log({'a': 1})\nprint(run.id)\n"
    )
    with pytest.raises(NotFound):
        api.run(f"later/{done.stdout.strip()}")
    workshop.besom("sync")
    run = api.run(f"later/{done.stdout.strip()}")
    assert (run.state, run.summary) == ("finished", {"a": 1.0})
    assert workshop.run_folders == []


def test_a_run_that_lost_its_server_comes_with_sync(workshop, api):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    script = "import besom\nrun = besom.init(project='lost')\nrun.log({'a': 1})\nprint(run.id)\n"
    done = train(workshop, script, BESOM_URL=nobody, BESOM_FINISH_TIMEOUT="0")
    assert "besom sync" in done.stderr
    workshop.besom("sync")
    assert api.run(f"lost/{done.stdout.strip()}").summary == {"a": 1.0}


def test_a_killed_run_is_ended_by_sync_and_keeps_its_rows(workshop, api):
    script = (
        "import besom, os, signal\nrun = besom.init(project='killed', mode='offline')\nprint(run.id, flush=True)\n"
        "for i in range(100): run.log({'a': i})\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = train(workshop, script, code=-9)
    workshop.besom("sync")
    run = api.run(f"killed/{done.stdout.strip()}")
    assert run.state == "crashed"
    assert len(list(run.scan_history())) == 100


def test_names_that_are_taken_and_tokens_that_are_wrong_are_sentences(workshop):
    script = "import besom\nbesom.init(project='taken', id='same')\n"
    train(workshop, script)
    done = train(workshop, script, code=1)
    assert "same" in done.stderr.splitlines()[-1]
    done = train(workshop, script, code=1, BESOM_URL=workshop.server.url, BESOM_TOKEN="wrong")
    assert done.stderr.splitlines()[-1].startswith("besom.errors.Unauthorized: ")


def test_a_stop_order_reaches_a_run_without_an_agent(workshop, wait_until):
    place = workshop.place(
        train="import besom, time\nrun = besom.init(project='stopped', id='long')\nrun.log({'a': 1})\n"
        "print('begun', flush=True)\ntime.sleep(300)\n"
    )
    begun = workshop.begin("train.py", place=place, module=False)
    begun.wait_for("begun")
    uid = Api({"base_url": workshop.server.url}).run("stopped/long").load()["uid"]
    workshop.server.call("POST", f"/api/v1/runs/{uid}/kill")
    assert "the run is being stopped" in begun.end()
    assert workshop.server.call("GET", f"/api/v1/runs/{uid}")["state"] in ("killed", "stopped")


# ---- sweeps


SWEEP = {
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [3.0, 1.0, 2.0]}, "n": {"value": 5}},
}


def test_a_sweep_from_python_is_trained_and_read_back(workshop, api):
    done = train(
        workshop,
        f"""
        import besom

        def train():
            with besom.init() as run:
                for step in range(run.config.n):
                    run.log({{"loss": run.config.lr / (step + 1)}})

        sweep_id = besom.sweep({SWEEP!r}, project="python")
        besom.agent(sweep_id, train, project="python", count=3)
        assert besom.run is None
        besom.init(project="after", mode="offline").finish()
        """,
    )
    line = done.stdout.splitlines()[0]
    assert line.startswith("Create sweep with ID: ")
    assert done.stdout.splitlines()[1].startswith("Sweep URL: http://")
    sweep = api.sweep(f"python/{line.split()[-1]}")
    assert (sweep.state, sweep.expected_run_count, sweep.order) == ("finished", 3, "+summary_metrics.loss")
    assert sweep.config["parameters"] == SWEEP["parameters"]
    assert [run.params["lr"] for run in sweep.runs] == [3.0, 1.0, 2.0]
    assert sweep.best_run().config == {"lr": 1.0, "n": 5}
    assert sweep.best_loss == 0.2
    assert sweep.best_run(order="-summary_metrics.loss").config["lr"] == 3.0
    assert len(sweep.agents()) == 1
    assert [run.id for run in api.runs("python")] == [run.id for run in sweep.runs]
    best = api.runs("python", filters={"config.lr": 1.0, "state": "finished"})
    assert [run.id for run in best] == [sweep.best_run().id]
    shown = stored.Api().sweep(f"python/{sweep.id}")
    assert shown.state == "FINISHED"
    workshop.besom("sync")


@pytest.mark.parametrize("kind", ["yaml", "json", "function"])
def test_a_sweep_may_be_a_file_or_a_function(workshop, api, kind):
    text = json.dumps(SWEEP)
    argument = {"yaml": "'s.yaml'", "json": "pathlib.Path('s.json')", "function": f"lambda: {SWEEP!r}"}[kind]
    place = workshop.place(make=f"import besom, pathlib\nprint('id', besom.sweep({argument}, project='forms'))\n")
    (place / "s.yaml").write_text(text)
    (place / "s.json").write_text(text)
    done = workshop.command("make.py", place=place)
    assert done.returncode == 0, done.stderr
    assert api.sweep(f"forms/{done.stdout.split()[-1]}").config["method"] == "grid"


def test_every_problem_of_a_sweep_is_told_at_once(workshop):
    done = train(
        workshop,
        "import besom\ntry:\n    besom.sweep({'method': 'gird', 'parametrs': {}})\n"
        "except besom.SweepConfigError as error:\n    print(len(error.problems)); print(error)\n",
    )
    assert int(done.stdout.splitlines()[0]) >= 2
    assert "grid" in done.stdout
    assert "parameters" in done.stdout


def test_what_is_not_there_is_a_sentence(api):
    with pytest.raises(NotFound, match="nothere1"):
        api.sweep("nothere1")
    with pytest.raises(NotFound):
        api.run("python/nothere1")
    with pytest.raises(UsageError, match="is not a sweep id"):
        api.sweep("a/b/c/d")
    with pytest.raises(UsageError, match="needs a project"):
        api.runs()


def test_a_first_init_starts_the_server(tmp_path, workshop):
    place = workshop.place(train="import besom\nwith besom.init() as run:\n    run.log({'a': 1})\n")
    home = str(tmp_path / "fresh")
    try:
        done = workshop.command("train.py", place=place, BESOM_DIR=home)
        assert done.returncode == 0, done.stderr
        assert "besom: starting the server of this machine" in done.stderr
        assert "finished: http://127.0.0.1:" in done.stderr
    finally:
        workshop.besom("server", "stop", BESOM_DIR=home)
