"""Besom of another version: a copy of the source with a changed version and, if asked, one more migration."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import besom

SOURCE = Path(besom.__file__).parent


def other_version(folder: Path, version: str, *, upgrade: str = "", api: int | None = None) -> dict[str, str]:
    """Makes the copy; the variables with which Python finds it instead of this one.

    ``upgrade``: the body of a migration to a schema 0002, as lines of Python.
    """
    copy = folder / f"besom-{version}"
    shutil.copytree(SOURCE, copy / "besom", ignore=shutil.ignore_patterns("__pycache__", "web"))
    _change(copy / "besom/common/version.py", r'VERSION = ".*"', f'VERSION = "{version}"')
    if api is not None:
        _change(copy / "besom/common/discovery.py", r"API_VERSION = \d+", f"API_VERSION = {api}")
    if upgrade:
        migrations = copy / "besom/store/migrations"
        _change(migrations / "__init__.py", r'HEAD = ".*"', 'HEAD = "0002"')
        _change(migrations / "__init__.py", r'\["0001"\]', '["0001", "0002"]')
        body = "\n".join(f"    {line}" for line in upgrade.strip().splitlines())
        (migrations / "0002_more.py").write_text(
            '"""More."""\nimport os, pathlib, time\nimport sqlalchemy as sa\nfrom alembic import op\n'
            f'revision = "0002"\ndown_revision = "0001"\n\ndef upgrade():\n{body}\n'
        )
    return {"PYTHONPATH": str(copy)}


def _change(file: Path, pattern: str, text: str) -> None:
    before = file.read_text(encoding="utf-8")
    after, count = re.subn(pattern, text, before)
    assert count == 1, f"{file}: {count} × {pattern}"
    file.write_text(after, encoding="utf-8")
