"""The run as W&B's scripts hold it."""

from __future__ import annotations

from collections.abc import Mapping

from besom.client.as_wandb.stand_ins import FUNCTIONS, QUIET, StandIn
from besom.client.as_wandb.write_back import WandbConfig
from besom.client.current import LiveConfig
from besom.client.run import Run
from besom.client.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class LiveWandbConfig(WandbConfig, LiveConfig):
    """``wandb.config``: the current run's config; before `init` it holds what is set, for the run to come."""

    __slots__ = ()


class KnownSettings(Settings):
    """The settings of a run, to be read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.__dict__.update(options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class WandbRun(Run):
    """A `Run` with W&B's further methods, which have no effect and say so once."""

    config_class = WandbConfig

    def log(
        self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, sync: bool | None = None
    ) -> None:
        """Records a row of values: see `Run.log`. ``sync`` is accepted and changes nothing."""
        self._rows.log(data, step, commit)

    def get_url(self) -> str | None:
        """The page of the run."""
        return self.url

    def get_sweep_url(self) -> str | None:
        """The page of the sweep."""
        return self.sweep_url

    @property
    def project_url(self) -> str | None:
        """The page of the project."""
        return self.url.rpartition("/runs/")[0] if self.url else None

    def get_project_url(self) -> str | None:
        """The page of the project."""
        return self.project_url

    @property
    def starting_step(self) -> int:
        """Where W&B would count on in a resumed run; ours counts by the steps that the script names."""
        return 0

    @property
    def settings(self) -> Any:
        """What the run was begun with, under W&B's names; any other name of theirs is None."""
        return KnownSettings(
            entity=self.entity, project=self.project, mode=self._mode, run_id=self.id, run_name=self.name,
            run_notes=self.notes, run_tags=self.tags, run_group=self.group, run_job_type=self.job_type,
            sweep_id=self.sweep_id,
        )  # fmt: skip

    @property
    def _settings(self) -> Any:
        return self.settings

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
