import os
import signal
import sys
from collections import deque
from types import SimpleNamespace

import pytest

from besom.agents.exit_codes import ExitCode
from besom.agents.process import Exit, Surroundings, start_program
from besom.agents.screen import Screen
from besom.agents.wake import Wake
from besom.agents.watch import Manners, Watch, agent_order

PATIENT = "import time; print('ready', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(15, signal.SIG_IGN); " + PATIENT
CAREFUL = (
    "import signal, sys, time\n"
    "def save(*_):\n    print('saved', flush=True); sys.exit(0)\n"
    "signal.signal(15, save)\nsignal.signal(10, lambda *_: print('usr1', flush=True))\n" + PATIENT
)


class Room:
    """A watch over a real process; ``script`` says what happens each time the child has printed something."""

    def __init__(self, tmp_path, guard, code, *, manners=Manners(kill_delay_s=0.1), script=()):  # noqa: B008
        self.said, self.shown, self.stops = [], bytearray(), []
        self.script = deque(script)
        self.signals = SimpleNamespace(step=0, heard=0, to_forward=deque())
        self.answers = deque()
        heartbeat = SimpleNamespace(take=lambda: self.answers.popleft() if self.answers else None)
        around = Surroundings(dict(os.environ), tmp_path, tmp_path / "log", guard, self.said.append)
        child = start_program([sys.executable, "-c", code], around)
        self.watch = Watch(
            child, ("u", 1), screen=Screen(self.show, self.said.append), signals=self.signals, heartbeat=heartbeat,
            wake=Wake(), manners=manners, ask_to_stop=self.stops.append,
        )  # fmt: skip

    def show(self, piece):
        self.shown += piece
        if self.script:
            self.script.popleft()(self)

    def run(self):
        return self.watch.run()


def ctrl_c(room):
    room.signals.step += 1


def order(word, reason="why", attempt=1):
    answer = {"orders": [{"uid": "u", "attempt": attempt, "order": word, "reason": reason}], "agent": "go on"}
    return lambda room: room.answers.append(answer)


def agent_word(word):
    return lambda room: room.answers.append({"orders": [], "agent": word, "reason": "because"})


def forward(number):
    return lambda room: room.signals.to_forward.append(number)


def all_of(*acts):
    return lambda room: [act(room) for act in acts]


@pytest.fixture
def room(tmp_path, guard):
    return lambda *args, **kwargs: Room(tmp_path, guard, *args, **kwargs)


def test_a_run_that_ends_by_itself_is_nobodys_doing(room):
    went = room("print('x')").run()
    assert (went.exit, went.stopped_by, went.dropped, went.agent) == (Exit(0, None), None, False, None)


def test_an_order_to_stop_raises_the_flag_and_sends_term(room):
    watched = room(CAREFUL, script=[order("stop", "step 9: too bad")])
    went = watched.run()
    assert (went.exit, went.stopped_by) == (Exit(0, None), "stop")
    assert watched.stops == ["step 9: too bad"]
    assert b"saved" in watched.shown


def test_after_the_delay_term_becomes_kill(room):
    went = room(STUBBORN, script=[order("stop")]).run()
    assert (went.exit, went.stopped_by) == (Exit(None, signal.SIGKILL), "stop")


def test_an_order_to_kill_kills_at_once(room):
    went = room(STUBBORN, manners=Manners(kill_delay_s=600), script=[order("kill")]).run()
    assert (went.exit, went.stopped_by) == (Exit(None, signal.SIGKILL), "cancel")


def test_a_lost_run_is_dropped(room):
    went = room(STUBBORN, manners=Manners(kill_delay_s=600), script=[order("drop")]).run()
    assert went.dropped


def test_orders_for_another_attempt_are_void(room):
    code = "import time; print(1, flush=True); time.sleep(0.3)"
    went = room(code, script=[order("kill", attempt=2)]).run()
    assert went.exit == Exit(0, None)


@pytest.mark.parametrize(
    ("word", "code", "by"), [("off now", ExitCode.TURNED_OFF, "interrupt"), ("exit", ExitCode.CANCELED, "cancel")]
)
def test_an_agent_that_must_go_at_once_kills(room, word, code, by):
    went = room(STUBBORN, manners=Manners(kill_delay_s=600), script=[agent_word(word)]).run()
    assert (went.exit.signal, went.stopped_by, went.agent.code) == (signal.SIGKILL, by, code)


@pytest.mark.parametrize(("word", "code"), [("off", ExitCode.TURNED_OFF), ("gone", ExitCode.DELETED)])
def test_an_agent_that_may_finish_its_run_does(room, word, code):
    went = room("import time; print(1, flush=True); time.sleep(0.3)", script=[agent_word(word)]).run()
    assert (went.exit, went.stopped_by, went.agent.code) == (Exit(0, None), None, code)


def test_an_agent_that_goes_on_has_no_ending():
    assert agent_order({"agent": "go on"}) is None


def test_the_first_ctrl_c_waits_for_the_run(room):
    watched = room("import time; print(1, flush=True); time.sleep(0.3)", script=[ctrl_c])
    went = watched.run()
    assert (went.exit, went.stopped_by) == (Exit(0, None), None)
    assert any("Waiting for runs to end" in line for line in watched.said)


def test_the_second_sends_term_and_waits_without_a_limit(room):
    manners = Manners(kill_delay_s=0)
    code = CAREFUL.replace("print('saved', flush=True)", "time.sleep(0.5); print('saved', flush=True)")
    went = room(code, manners=manners, script=[all_of(ctrl_c, ctrl_c)]).run()
    assert (went.exit, went.stopped_by) == (Exit(0, None), "interrupt")


def test_the_third_kills(room):
    went = room(STUBBORN, script=[all_of(ctrl_c, ctrl_c, ctrl_c)]).run()
    assert (went.exit, went.stopped_by) == (Exit(None, signal.SIGKILL), "interrupt")


def test_a_function_agents_first_ctrl_c_ends_the_run(room):
    watched = room(PATIENT, manners=Manners(one_step=True), script=[ctrl_c])
    went = watched.run()
    assert (went.exit, went.stopped_by) == (Exit(None, signal.SIGTERM), "interrupt")
    assert watched.said[-1] == "besom: Ctrl + C detected. Stopping sweep.\n"


def test_a_signal_is_handed_on_and_the_run_decides(room):
    went = room(CAREFUL, script=[forward(signal.SIGUSR1), forward(signal.SIGTERM)]).run()
    assert (went.exit, went.stopped_by) == (Exit(0, None), None)


def test_after_term_timeout_a_handed_on_signal_becomes_kill(room):
    went = room(STUBBORN, manners=Manners(term_timeout_s=0.1), script=[forward(signal.SIGTERM)]).run()
    assert went.exit == Exit(None, signal.SIGKILL)


def test_a_signal_that_asks_nothing_starts_no_timeout(room):
    code = "import signal, time; signal.signal(10, lambda *_: None); print(1, flush=True); time.sleep(0.4)"
    went = room(code, manners=Manners(term_timeout_s=0.01), script=[forward(signal.SIGUSR1)]).run()
    assert went.exit == Exit(0, None)


def test_what_a_shell_ran_may_still_save_after_term(room):
    code = f"import subprocess, sys; print('up', flush=True); subprocess.run([sys.executable, '-c', {CAREFUL!r}])"
    slow = code.replace("print(\\'saved\\', flush=True)", "time.sleep(0.3); print(\\'saved\\', flush=True)")

    def once_ready(room):
        if b"ready" in room.shown:
            order("stop")(room)
        else:
            room.script.append(once_ready)

    watched = room(slow, manners=Manners(kill_delay_s=30), script=[once_ready])
    watched.run()
    assert b"saved" in watched.shown
