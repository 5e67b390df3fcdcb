from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    """No test reads or writes the folders of the person who runs it."""
    monkeypatch.setenv("BESOM_DIR", str(tmp_path / "besom"))
    for name in ("URL", "TOKEN", "DEBUG", "PROJECT", "ENTITY"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)
        monkeypatch.delenv(f"BESOM_{name}", raising=False)
