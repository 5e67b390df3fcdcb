import math
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from besom.client.spool import MOST_KINDS, Spool
from besom.common.spool_reader import Note, Reader, Row


@pytest.fixture
def file(tmp_path):
    return tmp_path / "history.bin"


@pytest.fixture
def spool(file):
    spool = Spool(lambda: file)
    yield spool
    spool.close()


def records(file):
    return list(Reader().feed(file.read_bytes()))


def test_nothing_is_made_before_the_first_record(spool, file):
    assert not file.exists()


def test_a_row_is_in_the_file_when_the_call_returns(spool, file):
    spool.numbers(3, 12.5, {"loss": 0.5, "epoch": 2})
    assert records(file) == [Row(3, 12.5, {"loss": 0.5, "epoch": 2.0})]


def test_names_travel_once(spool, file):
    for step in range(100):
        spool.numbers(step, 0.0, {"loss": 1.0})
    assert file.read_bytes().count(b'"loss"') == 1
    assert len(records(file)) == 100


def test_each_set_of_names_is_a_kind_of_its_own(spool, file):
    spool.numbers(0, 0.0, {"loss": 1.0})
    spool.numbers(0, 0.0, {"acc": 2.0})
    spool.numbers(1, 0.0, {"loss": 3.0})
    assert [record.data for record in records(file)] == [{"loss": 1.0}, {"acc": 2.0}, {"loss": 3.0}]


@pytest.mark.parametrize("value", ["text", None, [1.0], {"a": 1}, True, False, numpy.zeros(3), 10**400])
def test_what_is_no_number_is_left_to_json(spool, file, value):
    assert spool.numbers(0, 0.0, {"loss": 1.0, "other": value}) is None
    assert not file.exists()


@pytest.mark.parametrize(
    "value", [2, 2.0, numpy.float32(2), numpy.int64(2), numpy.array(2.0)], ids=lambda value: type(value).__name__
)
def test_everything_that_is_a_number_is_one(spool, file, value):
    assert spool.numbers(0, 0.0, {"loss": value}) is not None
    assert records(file) == [Row(0, 0.0, {"loss": 2.0})]


def test_non_finite_numbers_survive(spool, file):
    spool.numbers(0, 0.0, {"a": math.nan, "b": math.inf, "c": -math.inf})
    (row,) = records(file)
    assert math.isnan(row.data["a"])
    assert (row.data["b"], row.data["c"]) == (math.inf, -math.inf)


def test_names_that_are_no_text_are_refused_by_the_fast_path(spool, file):
    assert spool.numbers(0, 0.0, {1: 2.0}) is None


def test_notes_are_json(spool, file):
    spool.note("config", set={"lr": math.nan})
    assert records(file) == [Note("config", {"t": "config", "set": {"lr": "NaN"}})]


def test_a_spool_without_a_place_keeps_nothing(tmp_path):
    spool = Spool(None)
    assert spool.numbers(0, 0.0, {"loss": 1.0}) is not None
    spool.note("exit", code=0)
    assert not any(tmp_path.iterdir())


def test_a_second_spool_on_the_same_file_does_not_begin_it_again(spool, file):
    spool.numbers(0, 0.0, {"loss": 1.0})
    again = Spool(lambda: file.with_name("other.bin"))
    again.numbers(0, 0.0, {"loss": 1.0})
    again.close()
    assert file.read_bytes() == file.with_name("other.bin").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_once_and_counted_and_never_raises(capsys):
    spool = Spool(lambda: Path("/dev/full"))
    for step in range(5):
        spool.numbers(step, 0.0, {"loss": 1.0})
        spool.row(step, 0.0, {"loss": 1.0})
    assert spool.dropped == 10
    assert capsys.readouterr().err.count("rows are being lost") == 1


def test_a_disk_that_fills_up_in_the_middle_of_a_record_leaves_a_whole_stream(spool, file):
    spool.numbers(0, 0.0, {"loss": 0.0})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 10, hard))
        spool.numbers(1, 0.0, {"loss": 1.0})
        spool.note("note", text="lost")
        spool.note("note", text="lost too")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    spool.numbers(2, 0.0, {"loss": 2.0})
    assert [(row.step, row.data["loss"]) for row in records(file)] == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert spool.dropped == 2


def test_a_record_whose_end_never_found_room_is_told_and_counted(spool, file, capsys):
    spool.numbers(0, 0.5, {"loss": 1.0})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 10, hard))
        assert spool.numbers(1, 0.5, {"loss": 2.0}) is not None
        spool.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert spool.dropped == 1
    assert "rows are being lost" in capsys.readouterr().err


def test_a_record_that_is_too_large_is_told_and_left_out(spool, file, capsys):
    spool.note("note", text="x" * (17 * 1024 * 1024))
    spool.note("note", text="small")
    assert [note.body["text"] for note in records(file)] == ["small"]
    assert "was not kept" in capsys.readouterr().err


def test_kill_9_after_a_call_loses_nothing(file):
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from besom.client.spool import Spool\n"
        "spool = Spool(lambda: Path(sys.argv[1]))\n"
        "for step in range(1000):\n"
        "    spool.numbers(step, 0.0, {'loss': float(step)})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(file)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [row.step for row in records(file)] == list(range(1000))


def test_many_threads_write_whole_records(spool, file):
    script = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from besom.client.spool import Spool\n"
        "spool = Spool(lambda: Path(sys.argv[1]))\n"
        "def write(n):\n"
        "    for step in range(500):\n"
        "        spool.numbers(step, 0.0, {f'k{n}': 1.0})\n"
        "threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    subprocess.run([sys.executable, "-c", script, str(file)], timeout=60, check=True)
    assert len(records(file)) == 2000


def test_the_file_is_private(spool, file):
    spool.note("note", text="x")
    assert os.stat(file).st_mode & 0o077 == 0


def test_names_that_never_come_back_are_remembered_up_to_a_bound(spool, file):
    for number in range(MOST_KINDS + 5):
        assert (spool.numbers(number, 0.0, {f"k{number}": 1.0}) is None) == (number >= MOST_KINDS)
    spool.numbers(9999, 0.0, {"k7": 2.0})
    assert len(spool.kinds) == MOST_KINDS
    assert records(file)[-1] == Row(9999, 0.0, {"k7": 2.0})


def test_rows_that_travel_as_json_use_up_no_numbers_of_kinds(spool):
    for value in ("text", numpy.zeros(3), object()):
        assert spool.numbers(0, 0.0, {"other": value}) is None
    kind, _ = spool.numbers(0, 0.0, {"loss": 1.0})
    assert kind.number == 1
