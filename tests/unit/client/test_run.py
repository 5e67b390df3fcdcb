import math
import os

import numpy
import pytest

from besom.errors import UsageError


def test_rows_are_recorded_at_once(make_run):
    made = make_run()
    made.run.log({"loss": 1.0})
    assert made.rows() == [(0, {"loss": 1.0})]


def test_mixed_rows_keep_every_value(make_run):
    made = make_run()
    made.run.log({"loss": 1.0, "note": "good", "none": None, "list": [1, 2], "flag": True})
    assert made.rows() == [(0, {"loss": 1.0, "note": "good", "none": None, "list": [1, 2], "flag": True})]


def test_nested_dictionaries_of_numbers_become_fast_rows(make_run):
    made = make_run()
    made.run.log({"val": {"loss": 1, "acc": numpy.float32(0.5)}})
    assert made.rows() == [(0, {"val.loss": 1.0, "val.acc": 0.5})]
    assert made.run.summary["val.loss"] == 1.0


def test_arrays_with_several_elements_become_lists(make_run):
    made = make_run()
    made.run.log({"weights": numpy.array([1.0, math.nan])})
    assert made.rows() == [(0, {"weights": [1.0, "NaN"]})]


def test_what_is_no_dictionary_is_refused(make_run):
    with pytest.raises(UsageError, match="takes a dictionary"):
        make_run().run.log([1, 2])


@pytest.mark.parametrize("step", [1.5, "3", 2**63, float("nan"), object()])
def test_a_step_is_a_whole_number(make_run, step):
    with pytest.raises(UsageError, match="a step is a whole number"):
        make_run().run.log({"loss": 1.0}, step=step)


def test_a_step_may_be_any_kind_of_whole_number(make_run):
    made = make_run()
    made.run.log({"loss": 1.0}, step=numpy.int64(3))
    made.run.log({"loss": 1.0}, step=4.0)
    assert [step for step, _ in made.rows()] == [3, 4]


def test_log_after_the_end_is_refused(make_run):
    made = make_run()
    made.run.finish()
    with pytest.raises(UsageError, match="is finished"):
        made.run.log({"loss": 1.0})


def test_the_end_is_the_last_record(make_run):
    made = make_run()
    made.run.log({"loss": 1.0})
    made.run.finish()
    made.run.finish(3)
    assert made.notes("exit") == [{"t": "exit", "code": 0, "error": None}]
    assert made.records()[-1].t == "exit"


def test_the_context_manager_ends_the_run_well(make_run):
    made = make_run()
    with made.run as run:
        run.log({"loss": 1.0})
    assert made.notes("exit") == [{"t": "exit", "code": 0, "error": None}]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("first\nsecond"), 1, "ValueError: first"),
        (ValueError("bad"), 1, "ValueError: bad"),
        (KeyboardInterrupt(), 130, "KeyboardInterrupt"),
        (SystemExit(3), 3, None),
        (SystemExit("no data"), 1, "no data"),
        (SystemExit(), 0, None),
    ],
)
def test_an_exception_in_the_context_is_the_end(make_run, error, code, line):
    made = make_run()
    with pytest.raises(type(error)), made.run:
        raise error
    assert made.notes("exit") == [{"t": "exit", "code": code, "error": line}]


def test_the_config_is_recorded_at_the_start_and_when_it_changes(make_run):
    made = make_run({"lr": 0.1}, {"lr": 9, "epochs": 3})
    made.run.config["seed"] = 5
    assert made.notes("config") == [
        {"t": "config", "set": {"lr": 0.1, "epochs": 3}},
        {"t": "config", "set": {"seed": 5}},
    ]


def test_a_config_that_is_what_the_server_handed_out_is_not_told_again(make_run):
    assert make_run({"lr": 0.1}).notes("config") == []


def test_a_later_attempt_tells_its_config_as_the_one_before_may_have_changed_it(make_run):
    assert make_run({"lr": 0.1}, attempt=2).notes("config") == [{"t": "config", "set": {"lr": 0.1}}]


def test_what_the_script_writes_into_the_summary_is_recorded(make_run):
    made = make_run()
    made.run.log({"loss": 1.0})
    made.run.summary["loss"] = 0.5
    made.run.summary.update({"a": numpy.int64(2)}, b="x")
    del made.run.summary["a"]
    assert made.notes("summary") == [
        {"t": "summary", "set": {"loss": 0.5}, "delete": []},
        {"t": "summary", "set": {"a": 2, "b": "x"}, "delete": []},
        {"t": "summary", "set": {}, "delete": ["a"]},
    ]
    assert dict(made.run.summary) == {"loss": 0.5, "b": "x"}


def test_the_newest_row_wins_in_the_summary_whatever_its_names(make_run):
    run = make_run().run
    run.log({"a": 1.0, "b": 1.0})
    run.log({"a": 2.0})
    run.log({"a": 3.0, "b": 3.0})
    run.log({"a": 4.0, "note": "text"})
    run.log({"b": 5.0})
    assert dict(run.summary) == {"a": 4.0, "b": 5.0, "note": "text"}


def test_reading_a_mutable_value_later_does_not_change_what_was_logged(make_run):
    run = make_run().run
    value = numpy.array(1.0)
    run.log({"loss": value})
    value += 5
    assert run.summary["loss"] == 1.0


def test_preempting_and_names_given_later_are_recorded(make_run):
    made = make_run()
    made.run.mark_preempting()
    made.run.name = "lr=0.1"
    made.run.tags += ("baseline",)
    made.run.notes = "second try"
    assert made.notes("preempting") == [{"t": "preempting"}]
    assert [{key: value for key, value in note.items() if key != "t"} for note in made.notes("about")] == [
        {"display_name": "lr=0.1"},
        {"tags": ["baseline"]},
        {"notes": "second try"},
    ]
    assert made.run.name == "lr=0.1"


def test_a_later_attempt_that_begins_above_zero_says_from_where(make_run):
    made = make_run(attempt=2, resumed=True)
    made.run.log({"loss": 1.0}, step=40)
    made.run.log({"loss": 1.0}, step=41)
    assert made.notes("resumed") == [{"t": "resumed", "step": 40}]


def test_the_stop_flag_is_noticed(make_run):
    made = make_run()
    assert made.run.stop_reason is None
    made.folder.ask_to_stop("step 9: worse than the rest")
    assert made.run.stop_reason == "step 9: worse than the rest"


def test_a_forked_child_writes_a_file_of_its_own(make_run):
    made = make_run()
    made.run.log({"loss": 1.0})
    child = os.fork()
    if child == 0:
        try:
            made.run.log({"loss": 2.0})
            made.run.finish()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    made.run.log({"loss": 3.0})
    made.run.finish()
    assert made.rows() == [(0, {"loss": 1.0}), (1, {"loss": 3.0})]
    streams = {stream.writer: stream.file.read_bytes() for stream in made.folder.streams()}
    assert set(streams) == {"w1", "w2"}
    assert b'"exit"' not in streams["w2"]


def test_what_a_forked_child_reads_counts_for_its_parent(make_run, capsys):
    made = make_run({"lr": 0.1, "n": 2})
    child = os.fork()
    if child == 0:
        try:
            assert made.run.config["lr"] == 0.1
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert made.run.config.n == 2
    made.run.finish()
    assert made.notes("reads") == [{"t": "reads", "read": ["lr", "n"]}]
    assert "never read" not in capsys.readouterr().err


def test_a_failed_run_is_not_asked_what_it_read(make_run, capsys):
    made = make_run({"lr": 0.1})
    made.run.finish(1)
    assert made.notes("reads") == []
    assert "never read" not in capsys.readouterr().err
