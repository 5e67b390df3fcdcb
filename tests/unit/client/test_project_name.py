from besom.client.project_name import FALLBACK, default_project


def test_the_repository_around_the_program_names_the_project(tmp_path):
    (tmp_path / "my-repo" / ".git").mkdir(parents=True)
    (tmp_path / "my-repo" / "src").mkdir()
    (tmp_path / "my-repo" / "src" / "train.py").touch()
    assert default_project("src/train.py", tmp_path / "my-repo") == "my-repo"
    assert default_project(str(tmp_path / "my-repo" / "src" / "train.py"), tmp_path) == "my-repo"


def test_without_a_repository_the_folder_does(tmp_path):
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "train.py").touch()
    assert default_project("digits/train.py", tmp_path) == "digits"
    assert default_project("nowhere.py", tmp_path / "digits") == "digits"


def test_names_that_a_project_cannot_bear_are_mended(tmp_path):
    (tmp_path / "50% off: #1?").mkdir()
    assert default_project("x.py", tmp_path / "50% off: #1?") == "50_ off_ _1_"


def test_the_root_folder_has_a_name_too():
    from pathlib import Path

    assert default_project("x.py", Path("/")) == FALLBACK
