import os
import signal
import threading

from besom.agents.signals import Signals
from besom.agents.wake import Wake


def test_each_ctrl_c_is_a_step_and_the_old_handler_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with Signals(Wake()) as signals:
        for step in (1, 2, 3):
            os.kill(os.getpid(), signal.SIGINT)
            assert signals.step == step
    assert signal.getsignal(signal.SIGINT) is before


def test_term_and_hup_are_steps_too():
    with Signals(Wake()) as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
        assert signals.step == 2
        assert signals.last == signal.SIGHUP


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals(Wake()) as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signals.step == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_are_handed_on_only_when_asked():
    with Signals(Wake(), forward=True) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        assert list(signals.to_forward) == [signal.SIGUSR1, signal.SIGTERM]
        assert signals.step == 1
    with Signals(Wake()) as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        assert not signals.to_forward


def test_outside_the_main_thread_no_signal_is_taken():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def enter():
        with Signals(Wake()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [before]


def test_what_was_held_back_before_is_heard():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        # To this thread alone: a signal to the process may go to a thread that does not hold it back.
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        with Signals(Wake()) as signals:
            assert signals.step == 1
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
