"""Section 12.3: steps, merging, summary, what is stored."""

import math

import pytest

from besom.client.run import Run
from besom.client.run_folder import RunFolder
from besom.common.spool_reader import Note, Reader, Row


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "uid1")
    folder.write_config({"uid": "uid1"})
    return Run({"name": "run1"}, {}, folder=folder, writer=folder.new_writer(1), watched=True)


@pytest.fixture
def records(tmp_path):
    return lambda: list(Reader().feed((tmp_path / "uid1" / "1-w1" / "history.bin").read_bytes()))


@pytest.fixture
def merged(records):
    """The rows as readers merge them: one a step, the last value of a name wins."""

    def rows():
        found = {}
        for record in records():
            if isinstance(record, Row):
                found.setdefault(record.step, {}).update(record.data)
        return found

    return rows


def test_s12_3_each_log_is_a_step_of_its_own(run, merged):
    for value in (1, 2, 3):
        run.log({"loss": value})
    assert merged() == {0: {"loss": 1}, 1: {"loss": 2}, 2: {"loss": 3}}
    assert run.step == 3


def test_s12_3_commit_false_gathers_into_the_next_call(run, merged):
    run.log({"a": 1}, commit=False)
    run.log({"b": 2})
    run.log({"a": 3})
    assert merged() == {0: {"a": 1, "b": 2}, 1: {"a": 3}}


def test_s12_3_commit_false_is_written_at_once(run, records):
    run.log({"a": 1}, commit=False)
    assert [record.data for record in records()] == [{"a": 1.0}]


def test_s12_3_rows_of_one_step_are_merged_and_the_last_value_wins(run, merged):
    run.log({"train": 1}, step=4)
    run.log({"test": 2, "train": 3}, step=4)
    assert merged() == {4: {"train": 3, "test": 2}}


def test_s12_3_a_lower_step_is_dropped_with_a_warning(run, merged, capsys):
    run.log({"a": 1}, step=5)
    run.log({"a": 2}, step=4)
    assert merged() == {5: {"a": 1}}
    assert "log(step=4) was dropped: the run is at step 5" in capsys.readouterr().err


def test_s12_3_with_step_commit_defaults_to_false(run, merged):
    run.log({"a": 1}, step=2)
    assert run.step == 2
    run.log({"b": 2})
    assert merged() == {2: {"a": 1, "b": 2}}
    assert run.step == 3


def test_s12_3_with_step_and_commit_the_step_is_over(run, merged):
    run.log({"a": 1}, step=2, commit=True)
    run.log({"b": 2})
    assert merged() == {2: {"a": 1}, 3: {"b": 2}}


def test_s12_3_an_empty_row_is_a_step_too(run):
    run.log({})
    assert run.step == 1


def test_s12_3_the_summary_holds_the_last_value_of_each_key(run):
    run.log({"a": 1, "b": 1})
    run.log({"a": 2})
    assert dict(run.summary) == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("word", "expected"),
    [("min", {"min": 1}), ("max", {"max": 3}), ("mean", {"mean": 2}), ("last", {"last": 2}), ("first", {"first": 3}),
     ("min,max", {"min": 1, "max": 3})],
)  # fmt: skip
def test_s12_3_define_metric_makes_the_summary_an_object(run, word, expected):
    run.define_metric("loss", summary=word)
    for value in (3, 1, 2):
        run.log({"loss": value})
    assert run.summary["loss"] == expected


def test_s12_3_summary_none_keeps_the_key_out(run):
    run.define_metric("loss", summary="none")
    run.log({"loss": 1, "acc": 2})
    assert dict(run.summary) == {"acc": 2}


def test_s12_3_globs_are_suffixes(run):
    run.define_metric("val/*", summary="max")
    run.log({"val/acc": 1, "train/acc": 1})
    run.log({"val/acc": 0, "train/acc": 0})
    assert dict(run.summary) == {"val/acc": {"max": 1}, "train/acc": 0}


def test_s12_3_the_definition_is_recorded(run, records):
    run.define_metric("val/*", step_metric="epoch", summary="min")
    (note,) = [record for record in records() if isinstance(record, Note)]
    assert note.body == {"t": "define", "name": "val/*", "step_metric": "epoch", "summary": ["min"], "hidden": False}


def test_s12_3_the_x_axis_goes_with_rows_that_lack_it(run, merged):
    run.define_metric("val/*", step_metric="epoch")
    run.log({"epoch": 2})
    run.log({"val/loss": 0.5})
    assert merged()[1] == {"val/loss": 0.5, "epoch": 2}


def test_s12_3_writing_the_summary_overrides(run):
    run.log({"x": 1})
    run.summary["x"] = 5
    assert run.summary["x"] == 5
    run.log({"x": 2})
    assert run.summary["x"] == 2


def test_s12_3_nested_dictionaries_get_dotted_keys(run, merged):
    run.log({"val": {"loss": 1, "top": {"k1": 2}}})
    assert merged() == {0: {"val.loss": 1, "val.top.k1": 2}}


def test_s12_3_nan_and_infinity_survive(run, merged):
    run.log({"a": math.nan, "b": math.inf, "c": -math.inf})
    run.log({"a": math.nan, "b": math.inf, "text": "x"})
    first, second = merged().values()
    assert math.isnan(first["a"])
    assert (first["b"], first["c"]) == (math.inf, -math.inf)
    assert (second["a"], second["b"]) == ("NaN", "Infinity")


def test_s12_3_finish_with_a_code_is_the_end(run, records):
    run.finish(exit_code=2)
    assert records()[-1] == Note("exit", {"t": "exit", "code": 2, "error": None})


def test_s12_3_an_uncaught_exception_is_the_end(run, records):
    with pytest.raises(ZeroDivisionError), run:
        _ = 1 / 0
    assert records()[-1] == Note("exit", {"t": "exit", "code": 1, "error": "ZeroDivisionError: division by zero"})
