"""The environment variables of training code and agents: one table, which the docs print."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Variable:
    """One variable. ``twin`` is W&B's name, read where ours is absent; ``by_agent``: set for each child."""

    __slots__ = ("by_agent", "default", "help", "name", "twin")

    def __init__(self, name: str, help: str, twin: str = "", default: str = "", by_agent: bool = False) -> None:
        self.name = name
        self.help = help
        self.twin = twin
        self.default = default
        self.by_agent = by_agent


VARIABLES: tuple[Variable, ...] = (
    Variable("BESOM_URL", "address of the server, http://HOST:PORT", by_agent=True),
    Variable("BESOM_TOKEN", "token shown to the server at BESOM_URL", by_agent=True),
    Variable("BESOM_DIR", "one folder for data, credentials and run folders, instead of the XDG folders"),
    Variable(
        "BESOM_MODE",
        "online: record and send; offline: record on disk, send later with `besom sync`; disabled: record nothing",
        twin="WANDB_MODE",
        default="online",
    ),
    Variable("BESOM_ENTITY", "entity of new runs and sweeps", twin="WANDB_ENTITY", by_agent=True),
    Variable("BESOM_PROJECT", "project of new runs and sweeps", twin="WANDB_PROJECT", by_agent=True),
    Variable("BESOM_RUN_ID", "id of the run", twin="WANDB_RUN_ID", by_agent=True),
    Variable("BESOM_NAME", "display name of the run", twin="WANDB_NAME"),
    Variable("BESOM_NOTES", "notes of the run", twin="WANDB_NOTES"),
    Variable("BESOM_TAGS", "tags of the run, with commas between them", twin="WANDB_TAGS"),
    Variable("BESOM_RUN_GROUP", "group of the run", twin="WANDB_RUN_GROUP"),
    Variable("BESOM_JOB_TYPE", "job type of the run", twin="WANDB_JOB_TYPE"),
    Variable(
        "BESOM_SWEEP_ID",
        "sweep of the run; set by hand, it attaches an ordinary run to that sweep",
        twin="WANDB_SWEEP_ID",
        by_agent=True,
    ),
    Variable("BESOM_CONFIG_PATHS", "YAML files of config values, with commas between them", twin="WANDB_CONFIG_PATHS"),
    Variable("BESOM_SILENT", "true: Besom prints nothing from a training script", twin="WANDB_SILENT", default="false"),
    Variable(
        "BESOM_FINISH_TIMEOUT",
        "seconds that the end of a run waits for the server before the rest is left to `besom sync`",
        default="60",
    ),
    Variable(
        "BESOM_WRITE_BACK",
        "0: `wandb.config.update(d)` and `wandb.init(config=d)` do not write the sweep's values into `d`",
        default="1",
    ),
    Variable("BESOM_RUN_DIR", "run folder of the run", by_agent=True),
    Variable("BESOM_RUN_UID", "inner name of the run, the same for all its attempts", by_agent=True),
    Variable("BESOM_ATTEMPT", "number of the attempt, from 1", by_agent=True),
    Variable("BESOM_AGENT", "agent that started the process", by_agent=True),
    Variable(
        "BESOM_OUTER_RANKS",
        "rank variables that the agent had itself; equal ones say nothing about the rank of its child",
        by_agent=True,
    ),
    Variable("BESOM_WANDB_TOLD", "1: the user has been told that Besom's module stands in for `wandb`", by_agent=True),
    Variable("WANDB_SWEEP_PARAM_PATH", "YAML file with the run's params, W&B's form", by_agent=True),
    Variable("WANDB_DIR", "folder of the parameter files (the agent's working folder)", by_agent=True),
    Variable("WANDB_BASE_URL", "address of the server, for W&B's own client", by_agent=True),
    Variable("WANDB_ERROR_REPORTING", "false: W&B's own client reports to nobody", by_agent=True),
)

_BY_NAME = {variable.name: variable for variable in VARIABLES}
_TRUE = frozenset({"1", "true", "yes", "on"})
# The first that is set tells the rank; LOCAL_RANK alone only where a launcher sets nothing better.
RANK_VARIABLES = ("RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID", "LOCAL_RANK")


def read(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The value of one of VARIABLES: ours, else W&B's, else its default; None where there is none."""
    variable = _BY_NAME[name]
    value = environ.get(name) or (environ.get(variable.twin) if variable.twin else None)
    return value or variable.default or None


def finish_timeout_s(environ: Mapping[str, str] = os.environ) -> float:
    """BESOM_FINISH_TIMEOUT in seconds, 60 where it is no number: nothing may stop the end of a training."""
    try:
        return max(0.0, float(read("BESOM_FINISH_TIMEOUT", environ) or 60))
    except ValueError:
        return 60.0


def is_on(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """True if the variable says 1, true, yes or on."""
    return (read(name, environ) or "").strip().lower() in _TRUE


def rank(environ: Mapping[str, str] = os.environ) -> int:
    """This process's rank in its distributed training; 0 where there is none."""
    outer = set((environ.get("BESOM_OUTER_RANKS") or "").split(","))
    for name in RANK_VARIABLES:
        value = environ.get(name, "").strip()
        if value.isdigit() and f"{name}={value}" not in outer:
            return int(value)
    return 0


def outer_ranks(environ: Mapping[str, str] = os.environ) -> str:
    """What an agent puts into BESOM_OUTER_RANKS: its own rank, which its children inherit and must not obey."""
    return ",".join(f"{name}={environ[name].strip()}" for name in RANK_VARIABLES if environ.get(name, "").strip())


# W&B's name of a setting → our argument of `init`.
_OPTIONS = {
    "entity": "entity",
    "project": "project",
    "mode": "mode",
    "run_id": "id",
    "run_name": "name",
    "run_notes": "notes",
    "run_tags": "tags",
    "run_group": "group",
    "run_job_type": "job_type",
    "allow_val_change": "allow_val_change",
    "reinit": "reinit",
    "sweep_id": "sweep_id",
}


class Settings:
    """Options of a run as one object, for ``init(settings=…)``; arguments of `init` win over it.

    Takes ``entity, project, mode, run_id, run_name, run_notes, run_tags, run_group, run_job_type, allow_val_change,
    reinit, sweep_id``. Other names are accepted for the sake of W&B's scripts and have no effect.
    """

    def __init__(self, **options: Any) -> None:
        self.options = {_OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS}
        self.ignored = sorted(name for name in options if name not in _OPTIONS)

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.options.items())})"
