from __future__ import annotations

import pytest

from besom.cli.sweep_file import SweepOptions, read_sweep_file
from besom.errors import UsageError


def test_a_file_is_read_as_text_with_its_format(tmp_path):
    (tmp_path / "s.yaml").write_text("method: grid\n", encoding="utf-8")
    (tmp_path / "s.json").write_text('{"name": "☃"}', encoding="utf-8-sig")
    found = read_sweep_file(str(tmp_path / "s.yaml"))
    assert (found.text, found.format) == ("method: grid\n", "yaml")
    found = read_sweep_file(str(tmp_path / "s.json"))
    assert (found.text, found.format) == ('{"name": "☃"}', "json")


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"Couldn't open sweep file: nope.yaml \(No such file or directory\)"):
        read_sweep_file("nope.yaml")
    with pytest.raises(UsageError, match="Is a directory"):
        read_sweep_file(str(tmp_path))


@pytest.mark.parametrize("text", ["", "  \n\t\n"])
def test_an_empty_file_is_a_sentence(tmp_path, text):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"Configuration file is empty: .*s\.yaml"):
        read_sweep_file(str(tmp_path / "s.yaml"))


def test_a_file_that_is_no_text_is_a_sentence(tmp_path):
    (tmp_path / "s.yaml").write_bytes(b"method: \xff\xfe")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        read_sweep_file(str(tmp_path / "s.yaml"))


def test_a_script_is_told_to_be_named_by_a_sweep_file(tmp_path):
    (tmp_path / "train.py").write_text("print(1)\n")
    with pytest.raises(UsageError, match=r"is a script.*write `program: .*train\.py`"):
        read_sweep_file(str(tmp_path / "train.py"))


def test_options_win_over_the_environment_and_ours_over_the_twin():
    environ = {"BESOM_PROJECT": "ours", "WANDB_PROJECT": "theirs", "WANDB_ENTITY": "they"}
    assert SweepOptions(project="given").overrides(environ) == {"project": "given", "entity": "they"}
    assert SweepOptions(name="n", program="p").overrides(environ) == {
        "project": "ours", "entity": "they", "name": "n", "program": "p",
    }  # fmt: skip
    assert SweepOptions().overrides({}) == {}


def test_a_file_without_end_is_refused_after_what_a_sweep_file_may_have():
    with pytest.raises(UsageError, match=r"/dev/zero has more than the 33,554,432 bytes of a sweep file: describe"):
        read_sweep_file("/dev/zero")
