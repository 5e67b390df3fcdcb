import os
import stat

from besom.common.places import config_folder, data_folder, runs_folder, state_folder, write_private


def test_xdg_folders_and_their_defaults():
    environ = {"HOME": "/home/ada", "XDG_DATA_HOME": "/d"}
    assert str(data_folder(environ)) == "/d/besom"
    assert str(config_folder(environ)) == "/home/ada/.config/besom"
    assert str(state_folder(environ)) == "/home/ada/.local/state/besom"
    assert str(runs_folder(environ)) == "/home/ada/.local/state/besom/runs"


def test_besom_dir_holds_everything():
    environ = {"BESOM_DIR": "/b", "XDG_DATA_HOME": "/d", "HOME": "/home/ada"}
    assert {str(f(environ)) for f in (data_folder, config_folder, state_folder)} == {"/b/data", "/b/config", "/b/state"}


def test_a_relative_xdg_folder_is_ignored_as_its_standard_says():
    assert str(data_folder({"HOME": "/home/ada", "XDG_DATA_HOME": "rel"})) == "/home/ada/.local/share/besom"


def test_private_files_are_readable_by_their_owner_alone(tmp_path):
    path = tmp_path / "deep" / "token"
    before = os.umask(0)
    try:
        write_private(path, "secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == "secret"
    assert [found.name for found in path.parent.iterdir()] == ["token"]
