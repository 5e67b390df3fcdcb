"""``import wandb.something``: the few submodules that scripts touch, and a clear sentence for the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import besom.errors as errors
from besom.client.as_wandb.stand_ins import MEDIA, StandIn
from besom.common.ids import new_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Their classes log metrics for the script: a silent stand-in would lose the very numbers that a sweep needs.
LOGGERS = (
    "catboost", "fastai", "integration", "jupyter", "keras", "lightgbm", "sb3", "tensorboard", "tensorflow", "xgboost",
)  # fmt: skip
ERRORS: dict[str, type[Exception]] = {
    "Error": errors.BesomError,
    "CommError": errors.ServerUnreachable,
    "UsageError": errors.UsageError,
    "AuthenticationError": errors.Unauthorized,
    "UnsupportedError": errors.UsageError,
    "WaitTimeoutError": errors.ServerUnreachable,
}


def _of_module(*names: str) -> Callable[[], dict[str, Any]]:
    def contents() -> dict[str, Any]:
        wandb = import_module("besom.client.as_wandb.module")
        return {name: getattr(wandb, name) for name in names}

    return contents


def _generate_id(length: int = 8) -> str:
    """A fresh run id."""
    return new_id(length)


_VARIABLES = (
    "API_KEY", "BASE_URL", "CONFIG_PATHS", "DIR", "ENTITY", "JOB_TYPE", "MODE", "NAME", "NOTES", "PROJECT", "RESUME",
    "RUN_GROUP", "RUN_ID", "SILENT", "SWEEP_ID", "TAGS",
)  # fmt: skip


_CONTENTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "env": lambda: {name: f"WANDB_{name}" for name in _VARIABLES},
    "errors": lambda: dict(ERRORS),
    "errors.errors": lambda: dict(ERRORS),
    "util": lambda: {"generate_id": _generate_id},
    "sdk": _of_module("Run", "Settings", "Config", "init", "login", "finish"),
    "sdk.wandb_run": _of_module("Run"),
    "wandb_run": _of_module("Run"),
    "sdk.wandb_config": _of_module("Config"),
    "sdk.wandb_settings": _of_module("Settings"),
    "sdk.lib": lambda: {"RunDisabled": type("RunDisabled", (), {"__doc__": "No run of Besom is one."})},
    "sdk.lib.runid": lambda: {"generate_id": _generate_id},
    "data_types": _of_module(*MEDIA),
    "sdk.data_types": _of_module(*MEDIA),
    "apis": _of_module("Api"),
    "apis.public": _of_module("Api"),
    "plot": dict,
    "sklearn": dict,
    "sdk.artifacts": _of_module("Artifact"),
    "sdk.artifacts.artifact": _of_module("Artifact"),
}


class Submodules(MetaPathFinder, Loader):
    """Finds and makes the submodules of the module ``wandb``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a submodule we have; raises ModuleNotFoundError with the reason for any other of `wandb`."""
        package, _, inner = fullname.partition(".")
        if package != "wandb" or not inner:
            return None
        if inner not in _CONTENTS:
            raise ModuleNotFoundError(missing(fullname), name=fullname)
        return ModuleSpec(fullname, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        """Fills the module; further names of it are stand-ins."""
        name = module.__name__
        module.__dict__.update(_CONTENTS[name.partition(".")[2]]())
        module.__dict__["__getattr__"] = lambda attribute: _further(name, attribute)


def install() -> None:
    """Puts the finder behind all others, once a process."""
    if not any(isinstance(finder, Submodules) for finder in sys.meta_path):
        sys.meta_path.append(Submodules())


def submodule(name: str) -> ModuleType | None:
    """The submodule ``wandb.name`` if there is one; ``name`` may be dotted."""
    return import_module(f"wandb.{name}") if name in _CONTENTS else None


def missing(fullname: str) -> str:
    """Why there is no such module, and what to do."""
    return (
        f"{fullname} is not in Besom's stand-in for wandb: log with wandb.log({{...}}) from a callback of your own, "
        "or start the agent with --wandb real"
    )


def _further(module: str, attribute: str) -> Any:
    if attribute.startswith("__"):
        raise AttributeError(attribute)
    inner = submodule(f"{module.partition('.')[2]}.{attribute}")
    return inner if inner is not None else StandIn(f"{module}.{attribute}")
