from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from besom.common.spool_place import spool_place
from besom.errors import UsageError

MOUNTS = "/dev/sda1 / ext4 rw 0 0\nfiler:/home /home nfs4 rw 0 0\n"
FOLDER = f"besom-{os.getuid()}"


@pytest.fixture
def environ(tmp_path):
    return {"HOME": "/home/ada", "TMPDIR": str(tmp_path)}


def test_with_the_state_folder_on_a_network_runs_go_to_the_local_disk(environ, tmp_path):
    found = spool_place(environ, MOUNTS)

    assert found.runs == tmp_path / FOLDER / "runs"
    assert found.all == [found.runs, Path("/home/ada/.local/state/besom/runs")]
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700
    assert "/home/ada/.local/state/besom/runs is on a network file system (nfs4)" in found.remark
    assert found.saved_files("a1") == "/home/ada/.local/state/besom/runs/a1/files"


def test_a_folder_of_ours_that_others_could_read_is_closed(environ, tmp_path):
    (tmp_path / FOLDER).mkdir(mode=0o755)
    spool_place(environ, MOUNTS)
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "change",
    [
        {"BESOM_DIR": "/home/ada/besom"},
        {"HOME": "/srv/ada"},
        {"TMPDIR": "/home/ada/tmp"},
        {"TMPDIR": "/dev/null/nowhere"},
    ],
)
def test_runs_stay_in_the_state_folder_where_the_network_cannot_be_helped_or_is_meant(environ, change):
    found = spool_place({**environ, **change}, MOUNTS)
    assert found.all == [found.lasting]
    assert (found.remark, found.saved_files("a1")) == ("", None)


def test_a_folder_that_somebody_else_put_there_is_refused(environ, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / FOLDER).symlink_to(elsewhere)
    with pytest.raises(UsageError, match="is not a folder of yours, so no run is recorded there: set TMPDIR"):
        spool_place(environ, MOUNTS)
