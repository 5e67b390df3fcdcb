import os

import pytest

from besom.client.run import Run
from besom.client.run_folder import RunFolder
from besom.errors import UsageError


@pytest.fixture
def work(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    (folder / "out").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_files_are_copied_with_their_paths(make_run, work):
    made = make_run()
    (work / "out" / "a.pt").write_text("a")
    (work / "out" / "b.txt").write_text("b")
    copies = made.run.save("out/*.pt", policy="now")
    assert copies == [str(made.folder.files / "out" / "a.pt")]
    assert (made.folder.files / "out" / "a.pt").read_text() == "a"
    assert made.run.save(str(work / "out" / "b.txt"), base_path=str(work / "out")) == [str(made.folder.files / "b.txt")]


def test_files_from_elsewhere_keep_their_bare_name(make_run, work, tmp_path):
    made = make_run()
    (tmp_path / "elsewhere.txt").write_text("x")
    assert made.run.save(str(tmp_path / "elsewhere.txt")) == [str(made.folder.files / "elsewhere.txt")]


@pytest.mark.parametrize(("policy", "kept"), [("now", "first"), ("live", "second"), ("end", "second")])
def test_the_policy_says_which_state_is_kept(make_run, work, policy, kept):
    made = make_run()
    (work / "model.pt").write_text("first")
    made.run.save("model.pt", policy=policy)
    (work / "model.pt").write_text("second")
    made.run.finish()
    assert (made.folder.files / "model.pt").read_text() == kept


def test_a_live_pattern_finds_files_that_come_later(make_run, work):
    made = make_run()
    assert made.run.save("*.ckpt") == []
    (work / "late.ckpt").write_text("x")
    made.run.finish()
    assert (made.folder.files / "late.ckpt").exists()


def test_where_files_stay_is_said_once(make_run, work, capsys):
    made = make_run()
    (work / "a").write_text("a")
    made.run.save("a")
    made.run.save("a")
    assert capsys.readouterr().err.count("does not send them to the server") == 1


def test_nothing_that_matches_is_told(make_run, work, capsys):
    assert make_run().run.save("*.nothing", policy="now") == []
    assert "matches no file" in capsys.readouterr().err


def test_an_unknown_policy_is_refused(make_run, work):
    with pytest.raises(UsageError, match="now, live, end"):
        make_run().run.save("a", policy="later")


def test_save_without_a_name_copies_nothing(make_run, work):
    made = make_run()
    (work / "a").write_text("a")
    assert made.run.save() == []
    assert not made.folder.files.exists()


def test_brackets_are_names_when_globbing_is_off(make_run, work):
    made = make_run()
    (work / "a[1].txt").write_text("x")
    assert made.run.save("a[1].txt", glob=False) == [str(made.folder.files / "a[1].txt")]


def test_a_file_that_lies_in_the_folder_already_is_kept_there(work, tmp_path, capsys):
    run = Run({"uid": "u", "name": "n", "dir": str(work / "out")}, {}, folder=RunFolder(tmp_path / "u"), writer="w1")
    (work / "out" / "a.pt").write_text("a")
    assert run.save("out/*.pt", policy="now") == [str(work / "out" / "a.pt")]
    assert "matches no file" not in capsys.readouterr().err
    assert os.listdir(work / "out") == ["a.pt"]
