"""Section 10.5: Ctrl-C and signals at an agent."""

import os
import signal

import pytest

# Tells what it got; `stubborn` goes on after TERM, `careful` saves and ends well.
HEARS = """
    import besom, os, signal, sys, time
    run = besom.init()
    kind = os.environ["KIND"]

    def term(number, frame):
        print("got", signal.Signals(number).name, flush=True)
        if kind == "careful":
            besom.log({"saved": 1})
            sys.exit(0)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
        signal.signal(number, term)
    print(f"ready {os.getpid()}", flush=True)
    while not os.path.exists("go"):
        time.sleep(0.02)
"""
TWO = {"x": {"values": [1, 2]}}


@pytest.fixture
def begun(workshop):
    """Begins an agent and waits until its first run is ready: (agent, place, sweep)."""

    def begin(kind, *args, **environ):
        place, sweep = workshop.place(train=HEARS), workshop.sweep(TWO)
        agent = workshop.begin("agent", sweep, *args, place=place, KIND=kind, **environ)
        agent.wait_for("ready")
        return agent, place, sweep

    return begin


def states(workshop, sweep):
    return [run["state"] for run in workshop.runs(sweep)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_s10_5_the_first_waits_for_the_run_and_takes_no_other(workshop, begun, number):
    agent, place, sweep = begun("stubborn")
    agent.send(number)
    agent.wait_for("Waiting for runs to end")
    (place / "go").touch()
    said = agent.end(code=130)
    assert "got" not in said, "without -f the run hears nothing"
    assert states(workshop, sweep) == ["finished"]


def test_s10_5_the_sweep_stays_running(workshop, begun):
    agent, place, sweep = begun("stubborn")
    agent.send(signal.SIGINT)
    (place / "go").touch()
    agent.end(code=130)
    assert workshop.state(sweep)["state"] == "running"
    workshop.besom("agent", sweep, place=place, KIND="stubborn")
    assert states(workshop, sweep) == ["finished", "finished"]


def test_s10_5_the_second_sends_term_and_waits(workshop, begun):
    agent, _place, sweep = begun("careful")
    agent.send(signal.SIGINT)
    agent.wait_for("Waiting")
    agent.send(signal.SIGINT)
    assert "got SIGTERM" in agent.end(code=130)
    (run,) = workshop.runs(sweep)
    assert run["state"] == "killed"
    assert run["summary"]["saved"] == 1


def test_s10_5_the_third_kills(workshop, begun):
    agent, _place, sweep = begun("stubborn")
    agent.send(signal.SIGINT)
    agent.wait_for("Waiting")
    agent.send(signal.SIGINT)
    agent.wait_for("got SIGTERM")
    assert agent.process.poll() is None, "no time limit after the second"
    agent.send(signal.SIGINT)
    agent.end(code=130)
    assert states(workshop, sweep) == ["killed"]


def test_s10_5_without_a_run_the_first_ends_the_agent(workshop):
    sweep = workshop.sweep(TWO)
    workshop.besom("agent", sweep, "--count", "1", place=workshop.place(train="pass"))
    workshop.besom("pause", sweep)
    agent = workshop.begin("agent", sweep, place=workshop.place(train="pass"))
    agent.wait_for("waiting: ")
    agent.send(signal.SIGINT)
    agent.end(code=130)


def test_s10_5_forwarded_signals_reach_the_run_and_it_decides(workshop, begun):
    agent, _place, sweep = begun("careful", "--forward-signals", "--count", "1")
    agent.send(signal.SIGUSR1)
    assert "got SIGUSR1" in agent.end(code=0)
    assert states(workshop, sweep) == ["finished"]


def test_s10_5_a_forwarded_ctrl_c_is_the_agents_first_step_too(workshop, begun):
    agent, _place, sweep = begun("careful", "-f")
    agent.send(signal.SIGINT)
    assert "got SIGINT" in agent.end(code=130)
    assert states(workshop, sweep) == ["finished"]


def test_s10_5_after_term_timeout_a_forwarded_signal_becomes_kill(workshop, begun):
    agent, _place, sweep = begun("stubborn", "-f", "-t", "0.2")
    agent.send(signal.SIGTERM)
    said = agent.end(code=130)
    assert "got SIGTERM" in said
    (run,) = workshop.runs(sweep)
    assert run["attempts"][0]["signal"] == signal.SIGKILL


def test_s10_5_under_nohup_a_closed_terminal_is_nothing(workshop, begun):
    place, sweep = workshop.place(train=HEARS), workshop.sweep({"x": {"value": 1}})
    runner = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        " os.execv(sys.executable, [sys.executable, '-m', 'besom', 'agent', sys.argv[1]])"
    )
    agent = workshop.begin("-c", runner, sweep, place=place, module=False, KIND="stubborn")
    agent.wait_for("ready")
    agent.send(signal.SIGHUP)
    (place / "go").touch()
    agent.end(code=0)


FUNCTION_AGENT = """
    import besom, os, sys, time

    def train():
        with besom.init():
            print(f"ready {os.getpid()}", flush=True)
            sum(range(10**12))

    besom.agent(sys.argv[1], function=train)
    print("and the script goes on", flush=True)
    run = besom.init(project="after")
    besom.log({"a": 1})
    besom.finish()
"""


@pytest.mark.parametrize("isolation", ["process", "pool"])
def test_s10_5_a_function_agent_stops_its_run_at_the_first_ctrl_c(workshop, isolation):
    sweep = workshop.sweep(TWO)
    script = FUNCTION_AGENT.replace("function=train", f"function=train, isolation={isolation!r}")
    agent = workshop.begin("script.py", sweep, place=workshop.place(script=script), module=False)
    agent.wait_for("ready")
    agent.send(signal.SIGINT)
    said = agent.end(code=0)
    assert "Ctrl + C detected. Stopping sweep." in said
    assert "and the script goes on" in said
    assert states(workshop, sweep) == ["killed"]
    runs = workshop.server.call("GET", "/api/v1/runs", query={"project": "after"})["runs"]
    assert runs[0]["state"] == "finished"
    assert runs[0]["sweep"] is None


def test_s10_5_no_child_outlives_the_ladder(workshop, begun):
    agent, _place, _sweep = begun("stubborn")
    pid = int(agent.text().partition("ready ")[2].split()[0])
    for words in ("Waiting", "got SIGTERM"):
        agent.send(signal.SIGINT)
        agent.wait_for(words)
    agent.send(signal.SIGINT)
    agent.end(code=130)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
