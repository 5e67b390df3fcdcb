"""Besom of another version: a copy of the source with a changed version and, if asked, one more migration."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import besom
from besom.store.migrations import HEAD

SOURCE = Path(besom.__file__).parent
# The schema of the other version, where it has one of its own.
NEXT = f"{int(HEAD) + 1:04}"


def other_version(folder: Path, version: str, *, upgrade: str = "", api: int | None = None) -> dict[str, str]:
    """Makes the copy; the variables with which Python finds it instead of this one.

    ``upgrade``: the body of a migration to the schema `NEXT`, as lines of Python.
    """
    copy = folder / f"besom-{version}"
    shutil.copytree(SOURCE, copy / "besom", ignore=shutil.ignore_patterns("__pycache__", "web"))
    _change(copy / "besom/common/version.py", r'VERSION = ".*"', f'VERSION = "{version}"')
    if api is not None:
        _change(copy / "besom/common/discovery.py", r"API_VERSION = \d+", f"API_VERSION = {api}")
    if upgrade:
        migrations = copy / "besom/store/migrations"
        _change(migrations / "__init__.py", r'HEAD = ".*"', f'HEAD = "{NEXT}"')
        _change(migrations / "__init__.py", r"KNOWN = (.*)", rf'KNOWN = \1 | {{"{NEXT}"}}')
        body = "\n".join(f"    {line}" for line in upgrade.strip().splitlines())
        (migrations / f"{NEXT}_more.py").write_text(
            '"""More."""\nimport os, pathlib, time\nimport sqlalchemy as sa\nfrom alembic import op\n'
            f'revision = "{NEXT}"\ndown_revision = "{HEAD}"\n\ndef upgrade():\n{body}\n'
        )
    return {"PYTHONPATH": str(copy)}


def _change(file: Path, pattern: str, text: str) -> None:
    before = file.read_text(encoding="utf-8")
    after, count = re.subn(pattern, text, before)
    assert count == 1, f"{file}: {count} × {pattern}"
    file.write_text(after, encoding="utf-8")
