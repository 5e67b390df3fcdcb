"""Rows of names that were logged before: the short way must mean what the long way means."""

import math
import os
import subprocess
import sys
import threading

import numpy
import pytest

from besom.client.run import Run
from besom.common.spool_reader import Reader, Row
from besom.errors import UsageError


@pytest.mark.parametrize(
    "value",
    [True, False, None, "text", [1, 2], {"inner": 1.0}, numpy.array([1.0, 2.0]), 10**400],
    ids=["true", "false", "none", "text", "list", "dict", "array", "huge"],
)
def test_a_value_of_another_kind_under_known_names_is_kept_as_what_it_is(make_run, value):
    made, other = make_run(), None
    for _ in range(3):
        made.run.log({"loss": 1.0, "x": 2.0})
    made.run.log({"loss": 1.0, "x": value})
    made.run.log({"loss": 1.0, "x": 3.0})
    steps = [step for step, _ in made.rows()]
    assert steps == [0, 1, 2, 3, 4]
    other = made.rows()[3][1]
    plain = value.tolist() if isinstance(value, numpy.ndarray) else str(value) if value == 10**400 else value
    assert other == ({"loss": 1.0, "x.inner": 1.0} if isinstance(value, dict) else {"loss": 1.0, "x": plain})
    assert type(other.get("x")) is type(plain) or isinstance(value, dict)
    assert made.run.summary["x"] == 3.0


@pytest.mark.parametrize(
    "row",
    [
        {"loss": 0.1, "phase": 'trän \ud800 "{[', "good": True, "none": None, "count": -(2**63)},
        {"phase": "", "loss": math.nan},
        {"phase": "a", "loss": -math.inf},
        {"phase": "a", "count": 2**63},
        {1: "number as a name", None: 1.0},
        {"phase": "a", "x": numpy.float32(0.5)},
        {"phase": "a", "x": {"inner": [1, "b"]}},
    ],
    ids=["scalars", "nan", "infinite", "huge", "names", "numpy", "nested"],
)
def test_a_row_with_text_is_kept_the_same_by_its_short_and_its_long_way(make_run, monkeypatch, row):
    short, long = make_run(), make_run()
    short.run.log(row)
    monkeypatch.setattr(long.run._rows.spool, "flat_row", lambda *_: False)
    long.run.log(row)
    assert repr(short.rows()) == repr(long.rows())
    assert len(short.rows()) == 1
    assert repr(dict(short.run.summary)) == repr(dict(long.run.summary))


def test_numbers_of_any_kind_share_the_short_way(make_run):
    made = make_run()
    for value in (1, 1.0, numpy.float32(1), numpy.array(1.0), numpy.int64(1)):
        made.run.log({"loss": value})
    assert made.rows() == [(step, {"loss": 1.0}) for step in range(5)]
    assert made.file.read_bytes().count(b'"loss"') == 1


def test_non_finite_numbers_take_the_short_way(make_run):
    made = make_run()
    for value in (0.0, math.nan, math.inf, -math.inf):
        made.run.log({"loss": value})
    found = [data["loss"] for _, data in made.rows()]
    assert math.isnan(found[1])
    assert found[2:] == [math.inf, -math.inf]


def test_steps_only_grow_whichever_way_a_row_goes(make_run, capsys):
    made = make_run()
    for step in (None, None, 7, 7, 3, None, numpy.int64(9), 9, 8):
        made.run.log({"loss": 1.0}, step=step)
    assert [step for step, _ in made.rows()] == [0, 1, 7, 7, 7, 9, 9]
    assert capsys.readouterr().err.count("was dropped") == 1
    assert made.run.step == 9


def test_commit_says_whether_the_step_is_over_under_known_names_too(make_run):
    made = make_run()
    for commit in (None, False, None, False, True, None):
        made.run.log({"loss": 1.0}, commit=commit)
    made.run.log({"loss": 1.0}, step=20, commit=True)
    made.run.log({"loss": 1.0}, step=30)
    made.run.log({"loss": 1.0})
    assert [step for step, _ in made.rows()] == [0, 1, 1, 2, 2, 3, 20, 30, 30]


@pytest.mark.parametrize("step", [1.5, "9", 2**63, float("nan")])
def test_a_step_is_a_whole_number_under_known_names_too(make_run, step):
    made = make_run()
    made.run.log({"loss": 1.0})
    with pytest.raises(UsageError, match="a step is a whole number"):
        made.run.log({"loss": 1.0}, step=step)


def test_rows_after_the_end_are_refused_under_known_names_too(make_run):
    made = make_run()
    made.run.log({"loss": 1.0})
    made.run.log({"loss": 1.0})
    made.run.finish()
    with pytest.raises(UsageError, match="is finished"):
        made.run.log({"loss": 1.0})


def test_a_definition_speaks_of_rows_whose_names_were_logged_before(make_run):
    made = make_run()
    for epoch in range(3):
        made.run.log({"epoch": epoch})
        made.run.log({"loss": 3.0 - epoch})
        made.run.log({"other": epoch})
    made.run.define_metric("loss", step_metric="epoch", summary="max")
    made.run.log({"epoch": 7})
    for loss in (2.0, 5.0, 4.0):
        made.run.log({"loss": loss})
        made.run.log({"other": loss})
    assert [data for _, data in made.rows()[-6::2]] == [{"loss": loss, "epoch": 7.0} for loss in (2.0, 5.0, 4.0)]
    assert dict(made.run.summary) == {"epoch": 7.0, "loss": {"max": 5.0}, "other": 4.0}


def test_names_of_other_types_and_orders_are_told_apart(make_run):
    made = make_run()
    for data in ({"a": 1.0, "b": 2.0}, {"b": 3.0, "a": 4.0}, {"a": 5.0, "b": 6.0}, {1: 7.0}, {1: 8.0}):
        made.run.log(data)
    assert [data for _, data in made.rows()] == [
        {"a": 1.0, "b": 2.0}, {"b": 3.0, "a": 4.0}, {"a": 5.0, "b": 6.0}, {"1": 7.0}, {"1": 8.0},
    ]  # fmt: skip


def test_a_run_that_records_nothing_keeps_its_summary():
    run = Run({"uid": "u", "name": "n"}, {}, mode="disabled")
    for loss in range(3):
        run.log({"loss": loss})
    assert (dict(run.summary), run.step) == ({"loss": 2.0}, 3)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_disk_that_is_full_under_the_short_way_is_told_once_and_counted(make_run, capsys):
    made = make_run()
    made.run.log({"loss": 0.0})
    full = os.open("/dev/full", os.O_WRONLY)
    disk = os.dup(made.run._spool._descriptor)
    os.dup2(full, made.run._spool._descriptor)
    for loss in range(5):
        made.run.log({"loss": loss})
    os.dup2(disk, made.run._spool._descriptor)
    made.run.log({"loss": 9.0})
    for descriptor in (full, disk):
        os.close(descriptor)
    assert made.rows() == [(0, {"loss": 0.0}), (6, {"loss": 9.0})]
    assert made.run._spool.dropped == 5
    made.run.finish()
    assert made.notes("exit")[-1]["lost"] == 5
    assert capsys.readouterr().err.count("rows are being lost") == 1


def test_a_disk_that_takes_half_a_row_gets_the_other_half_before_anything_else(agent_folder):
    agent_folder.train(
        """
        import besom, os, resource, signal
        run = besom.init()
        for i in range(3):
            run.log({"loss": i})
        run.config.learning_rate, run.config.batch_size
        size = os.stat(os.path.join(os.environ["BESOM_RUN_DIR"], "1-w1", "history.bin")).st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
        for i in range(3, 6):
            run.log({"loss": i})
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for i in range(6, 9):
            run.log({"loss": i})
        """
    )
    assert [(row.step, row.data["loss"]) for row in agent_folder.rows()] == [(i, i) for i in (0, 1, 2, 3, 6, 7, 8)]


def test_threads_log_whole_rows_at_steps_of_their_own(make_run):
    made = make_run()
    made.run.log({"loss": 0.0})

    def log():
        for value in range(1000):
            made.run.log({"loss": value})

    threads = [threading.Thread(target=log) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(step for step, _ in made.rows()) == list(range(4001))


SIGNALS = """
import os, signal, sys
from pathlib import Path
from besom.client.run import Run
from besom.client.run_folder import RunFolder
folder = RunFolder(Path(sys.argv[1]))
folder.write_config({"uid": "u"})
writer = folder.new_writer(1)
run = Run({"uid": "u", "name": "n"}, {}, folder=folder, writer=writer, watched=True)
handled = 0
def handler(number, frame):
    global handled
    handled += 1
    run.log({"handled": handled, f"h{handled}": 1})
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
n = 0
while handled < 50:
    run.log({"loss": n} if n % 3 else {"loss": n, f"k{n % 500}": 1})
    n += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(n, handled)
"""


def test_a_signal_handler_may_log_in_the_middle_of_a_call(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SIGNALS, str(tmp_path / "uid1")], capture_output=True, text=True, timeout=60, check=True
    )
    n, handled = map(int, done.stdout.split())
    (file,) = (tmp_path / "uid1").glob("*/history.bin")
    rows = [record for record in Reader().feed(file.read_bytes()) if isinstance(record, Row)]
    assert sorted(row.step for row in rows) == list(range(n + handled))
    assert sorted(row.data["loss"] for row in rows if "loss" in row.data) == list(range(n))
