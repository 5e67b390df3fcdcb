"""The public surface as users type it, held against mypy."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_mypy_agrees_with_every_line_of_the_users_script(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path),
         "--follow-imports=silent", str(HERE / "user_script.py")],
        capture_output=True, text=True, timeout=300, check=False, cwd=HERE.parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
