"""Addresses of the pages of sweeps and runs, as people see and share them."""

from __future__ import annotations

from urllib.parse import quote


def _join(base_url: str, *parts: str) -> str:
    return base_url.rstrip("/") + "".join(f"/{quote(part, safe='')}" for part in parts)


def sweep_page(base_url: str, entity: str, project: str, uid: str) -> str:
    """The page of a sweep."""
    return _join(base_url, entity, project, "sweeps", uid)


def run_page(base_url: str, entity: str, project: str, name: str) -> str:
    """The page of a run."""
    return _join(base_url, entity, project, "runs", name)
