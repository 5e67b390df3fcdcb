"""`wandb.Api()`: stored sweeps and runs with W&B's words for their states."""

from __future__ import annotations

from collections.abc import Mapping

from besom.client import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SWEEP_STATES = {"canceled": "CANCELED", "finished": "FINISHED", "paused": "PAUSED", "pending": "PENDING"}
_RUN_STATES = {"queued": "pending", "stopped": "killed"}


class StoredRun(api.StoredRun):
    """A run; W&B calls a stopped one killed."""

    @property
    def state(self) -> str:
        """``pending, running, finished, killed, failed, crashed`` or ``preempted``."""
        state = super().state
        return _RUN_STATES.get(state, state)


class Sweep(api.Sweep):
    """A sweep."""

    run_class = StoredRun

    @property
    def state(self) -> str:
        """``PENDING, RUNNING, PAUSED, FINISHED`` or ``CANCELED``."""
        return _SWEEP_STATES.get(super().state, "RUNNING")


class Api(api.Api):
    """The server's sweeps and runs, read only; ``api_key`` is accepted and not used."""

    sweep_class = Sweep
    run_class = StoredRun

    def __init__(
        self, overrides: Mapping[str, Any] | None = None, timeout: float | None = None, api_key: str | None = None
    ) -> None:
        # An address or key of W&B's own server means nothing to ours.
        kept = {key: value for key, value in (overrides or {}).items() if key in ("entity", "project")}
        super().__init__(kept, timeout)
