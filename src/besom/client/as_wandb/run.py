"""The run as W&B's scripts hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from besom.client.as_wandb.stand_ins import FUNCTIONS, QUIET, StandIn
from besom.client.as_wandb.write_back import WandbConfig
from besom.client.current import LiveConfig
from besom.client.run import Run


class LiveWandbConfig(WandbConfig, LiveConfig):
    """``wandb.config``: the current run's config; before `init` it holds what is set, for the run to come."""

    __slots__ = ()


class WandbRun(Run):
    """A `Run` with W&B's further methods, which have no effect and say so once."""

    config_class = WandbConfig

    def log(
        self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, sync: bool | None = None
    ) -> None:
        """Records a row of values: see `Run.log`. ``sync`` is accepted and changes nothing."""
        super().log(data, step=step, commit=commit)

    def get_url(self) -> str | None:
        """The page of the run."""
        return self.url

    def project_name(self) -> str:
        """The project's name."""
        return self.project

    def join(self, exit_code: int | None = None) -> None:
        """W&B's older word for `finish`."""
        self.finish(exit_code)

    def __getattr__(self, name: str) -> Any:
        if name in FUNCTIONS or name in QUIET:
            return StandIn(f"run.{name}", quiet=name in QUIET)
        raise AttributeError(f"a run of Besom has no {name!r}")
