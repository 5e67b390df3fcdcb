from __future__ import annotations

import pytest

from besom.common.file_system import network_kind

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
proc /proc proc rw 0 0
filer:/home /home nfs4 rw 0 0
/dev/sdb1 /home/local xfs rw 0 0
lustre@tcp:/scratch /scratch\\040big lustre rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/anna/.local/share/besom", "nfs4"),
        ("/home/local/anna", None),
        ("/homework", None),
        ("/scratch big/anna", "lustre"),
        ("/var/lib", None),
        ("/home", "nfs4"),
    ],
)
def test_the_nearest_mount_decides(folder, kind):
    assert network_kind(folder, MOUNTS) == kind


def test_this_machine_can_be_asked(tmp_path):
    assert network_kind(tmp_path) is None
