"""What Besom does not have yet: accepts any call, records nothing, and says so once by name."""

from __future__ import annotations

import os
from collections.abc import Iterator

from besom.client.say import warn_once
from besom.client.values import Unrecorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MEDIA = (
    "Artifact", "Audio", "Bokeh", "BoundingBoxes2D", "Classes", "EvalTable", "Graph", "Histogram", "Html", "Image",
    "ImageMask", "JoinedTable", "Molecule", "Object3D", "Plotly", "Table", "Video",
)  # fmt: skip
FUNCTIONS = (
    "alert", "attach", "box3d", "finish_artifact", "gym", "link_artifact", "link_model", "log_artifact", "log_code",
    "log_model", "pin_config_keys", "plot", "plot_table", "plots", "profiler", "restore", "sklearn", "trigger",
    "unwatch", "upsert_artifact", "use_artifact", "use_model", "visualize", "viz", "watch", "write_logs",
)  # fmt: skip
# A script should not hear of those that only serve W&B's own bookkeeping, or are words for arguments.
QUIET = (
    "AlertLevel", "ArtifactTTL", "_attach", "_label", "api", "display", "ensure_configured", "patched", "require",
    "sagemaker_auth", "setup", "status", "teardown", "termsetup", "to_html",
)  # fmt: skip
# A path below which nothing can be read or made: a script that opens a file which Besom does not have fails there.
NOWHERE = f"{os.devnull}/not-in-besom"


class Nothing(Unrecorded):
    """What a call of a stand-in returns: any attribute, call, item or loop of it is nothing again."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Nothing."""
        return Nothing()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def __getitem__(self, key: Any) -> Any:
        return Nothing()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __fspath__(self) -> str:
        return NOWHERE

    def __add__(self, more: Any) -> str:
        return f"{NOWHERE}{more}"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def __repr__(self) -> str:
        return "<not in Besom>"


class StandIn(Nothing):
    """A function, or a module of functions, that Besom does not have; the first call says so."""

    def __init__(self, name: str, *, quiet: bool = False) -> None:
        self._name = name
        self._quiet = quiet

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Nothing, told once by name."""
        if not self._quiet:
            tell(self._name)
        return Nothing()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(f"{self._name}.{name}", quiet=self._quiet)

    def __repr__(self) -> str:
        return f"<{self._name}: not in Besom>"


class Media(Nothing):
    """Base of classes whose objects are accepted and not recorded; making one says so."""

    def __init__(self, *args: Any, **options: Any) -> None:
        tell(f"wandb.{type(self).__name__}")


def media(name: str) -> type[Media]:
    """The class of that name, so that `isinstance` and subclasses work."""
    return type(name, (Media,), {"__doc__": f"wandb.{name}: accepted, not recorded.", "__module__": "wandb"})


def tell(name: str) -> None:
    """Says once that ``name`` has no effect."""
    warn_once(f"{name} has no effect: Besom does not have it yet; the run goes on without it", name)
