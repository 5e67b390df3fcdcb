"""Section 10.3: what agents and the server say to each other: register, heartbeat, run, stop, exit."""

import json
import signal
import socket

HEARS_NOTHING = """
    import besom, os, signal, time
    signal.signal(signal.SIGTERM, lambda *_: print("got SIGTERM", flush=True))
    run = besom.init()
    besom.log({"loss": run.config["x"]})
    print("ready", os.environ["BESOM_RUN_ID"], flush=True)
    while not os.path.exists("go"):
        time.sleep(0.02)
"""
STOPPABLE = """
    import besom, os, time
    run = besom.init()
    print("ready", flush=True)
    if run.config["x"] == 1:
        besom.log({"loss": 0.0})
    else:
        besom.log({"loss": 9.0})
        while True:
            time.sleep(0.02)
"""
TWO = {"x": {"values": [1, 2]}}
HYPERBAND = {
    "metric": {"name": "loss", "goal": "minimize"},
    "early_terminate": {"type": "hyperband", "min_iter": 1},
}


def begin(workshop, script, sweep, *args, **environ):
    place = workshop.place(train=script)
    agent = workshop.begin("agent", sweep, *args, place=place, **environ)
    agent.wait_for("ready")
    return agent, place


def states(workshop, sweep):
    return [run["state"] for run in workshop.runs(sweep)]


def test_s10_3_an_agent_registers_with_its_host_and_holds_one_run(workshop):
    sweep = workshop.sweep(TWO)
    agent, place = begin(workshop, HEARS_NOTHING, sweep)
    (row,) = workshop.server.call("GET", "/api/v1/agents", query={"sweep": sweep})["agents"]
    assert (row["host"], row["pid"], row["state"]) == (socket.gethostname(), agent.process.pid, "alive")
    assert len(row["running"]) == 1
    (place / "go").touch()
    agent.end(code=0)


def test_s10_3_an_agent_is_seen_every_few_seconds_while_its_run_lasts(workshop, wait_until):
    sweep = workshop.sweep(TWO)
    agent, place = begin(workshop, HEARS_NOTHING, sweep)

    def seen():
        return workshop.server.call("GET", "/api/v1/agents", query={"sweep": sweep})["agents"][0]["seen"]

    first = seen()
    wait_until(lambda: seen() > first, timeout_s=20)
    (place / "go").touch()
    agent.end(code=0)


def test_s10_3_stop_is_term_and_the_run_is_stopped_with_its_reason(workshop):
    sweep = workshop.sweep(TWO, **HYPERBAND)
    agent, _ = begin(workshop, STOPPABLE, sweep)
    said = agent.end(code=0)
    first, second = workshop.runs(sweep)
    assert (first["state"], second["state"]) == ("finished", "stopped")
    assert second["stop_reason"] in said
    assert second["attempts"][0]["signal"] == signal.SIGTERM


def test_s10_3_a_stopped_run_is_no_failure(workshop):
    script = STOPPABLE.replace("import besom, os, time", "import besom, os, signal, sys, time\n"
                               "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))")  # fmt: skip
    sweep = workshop.sweep(TWO, **HYPERBAND)
    agent, _ = begin(workshop, script, sweep, "--max-consecutive-failed-runs", "1")
    agent.end(code=0)
    assert states(workshop, sweep) == ["finished", "stopped"]


def test_s10_3_after_the_kill_delay_stop_is_kill(workshop):
    script = STOPPABLE.replace("import besom, os, time", "import besom, os, signal, time\n"
                               "    signal.signal(signal.SIGTERM, signal.SIG_IGN)")  # fmt: skip
    sweep = workshop.sweep(TWO, **HYPERBAND)
    agent, _ = begin(workshop, script, sweep, WANDB_AGENT_KILL_DELAY="0.2")
    agent.end(code=0)
    second = workshop.runs(sweep)[1]
    assert second["state"] == "stopped"
    assert second["attempts"][0]["signal"] == signal.SIGKILL


def test_s10_2_canceled_runs_are_killed_and_the_agent_ends(workshop):
    sweep = workshop.sweep(TWO)
    agent, _ = begin(workshop, HEARS_NOTHING, sweep)
    workshop.besom("cancel", sweep)
    said = agent.end(code=6)
    assert "got SIGTERM" not in said
    assert states(workshop, sweep) == ["killed"]


def test_s10_2_after_stop_the_current_run_finishes_and_the_agent_ends(workshop):
    sweep = workshop.sweep(TWO)
    agent, place = begin(workshop, HEARS_NOTHING, sweep)
    workshop.besom("stop", sweep)
    (place / "go").touch()
    agent.end(code=0)
    assert states(workshop, sweep) == ["finished"]


def test_s10_2_while_paused_an_agent_stays_and_gets_runs_after_resume(workshop):
    sweep = workshop.sweep(TWO)
    agent, place = begin(workshop, HEARS_NOTHING, sweep)
    workshop.besom("pause", sweep)
    (place / "go").touch()
    agent.wait_for("waiting: ")
    assert states(workshop, sweep) == ["finished"]
    workshop.besom("resume", sweep)
    agent.end(code=0)
    assert states(workshop, sweep) == ["finished", "finished"]


def test_s10_2_when_the_sweep_is_deleted_the_run_ends_by_itself_and_the_agent_says_so(workshop):
    sweep = workshop.sweep(TWO)
    agent, place = begin(workshop, HEARS_NOTHING, sweep)
    workshop.server.call("DELETE", f"/api/v1/sweeps/{sweep}")
    (place / "go").touch()
    said = agent.end(code=7)
    assert "Sweep was deleted or agent was not found." in said


def test_s10_2_a_new_agent_cannot_register_with_a_finished_sweep(workshop):
    sweep = workshop.sweep(TWO)
    workshop.besom("stop", sweep)
    done = workshop.besom("agent", sweep, place=workshop.place(train="pass"), code=12)
    assert "is not running" in done.stderr


def test_s10_3_a_run_killed_by_a_person_is_killed_and_the_agent_goes_on(workshop):
    sweep = workshop.sweep(TWO)
    agent, place = begin(workshop, HEARS_NOTHING, sweep)
    (run,) = workshop.runs(sweep)
    workshop.server.call("POST", f"/api/v1/runs/{run['uid']}/kill")
    agent.wait_for("killing the run")
    (place / "go").touch()
    agent.end(code=0)
    assert states(workshop, sweep) == ["killed", "finished"]


def test_s10_6_a_preempted_run_is_taken_up_again_with_the_same_id_and_params(workshop):
    script = """
        import besom, os, sys
        run = besom.init()
        besom.log({"loss": 1.0})
        print(run.id, run.config["x"], flush=True)
        if os.environ["BESOM_ATTEMPT"] == "1":
            run.mark_preempting()
            sys.exit(1)
    """
    sweep = workshop.sweep({"x": {"value": 5}})
    done = workshop.besom("agent", sweep, "--max-consecutive-failed-runs", "1", place=workshop.place(train=script))
    (run,) = workshop.runs(sweep)
    assert [attempt["state"] for attempt in run["attempts"]] == ["preempted", "finished"]
    assert done.stdout.splitlines() == [f"{run['id']} 5"] * 2
    assert json.loads(workshop.besom("show", run["id"], "--json").stdout)["state"] == "finished"


def test_s10_1_count_ends_the_agent_and_leaves_the_sweep_running(workshop):
    sweep, place = workshop.sweep(TWO), workshop.place(train="")
    workshop.besom("agent", sweep, "--count", "1", place=place)
    state = workshop.state(sweep)
    assert (state["state"], state["runs"]["finished"]) == ("running", 1)


def test_s10_3_count_0_is_no_limit(workshop):
    sweep, place = workshop.sweep(TWO), workshop.place(train="")
    workshop.besom("agent", sweep, "--count", "0", place=place)
    assert workshop.state(sweep)["state"] == "finished"
