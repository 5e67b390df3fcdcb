"""Config values from files: ``config-defaults.yaml``, the files of ``BESOM_CONFIG_PATHS``, ``init(config="x.yaml")``.

W&B's form wraps each value, ``lr: {value: 0.1, desc: …}``, and names its version; a plain mapping works as well.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from besom.client.settings import read
from besom.errors import UsageError

DEFAULTS_FILE = "config-defaults.yaml"
# As in sweep files: 1e-3 is a number, 1:30 is text.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)|0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)


def values_of_files(environ: Mapping[str, str] = os.environ, folder: Path | None = None) -> dict[str, Any]:
    """The values of ``config-defaults.yaml`` in ``folder`` (default: the working folder) and of the listed files."""
    found: dict[str, Any] = {}
    defaults = (folder or Path.cwd()) / DEFAULTS_FILE
    if defaults.is_file():
        found.update(read_config_file(defaults))
    for path in (read("BESOM_CONFIG_PATHS", environ) or "").split(","):
        if path.strip():
            found.update(read_config_file(path.strip()))
    return found


def read_config_file(path: Any) -> dict[str, Any]:
    """The values in a YAML or JSON file; raises UsageError when there is no such file or it holds no mapping."""
    file = Path(os.fsdecode(path))
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the config file {file} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    loaded = _parse(text, file)
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise UsageError(f"the config file {file} must hold names and values, not {type(loaded).__name__}")
    version = loaded.pop("wandb_version", 1)
    if version != 1:
        raise UsageError(f"the config file {file} says wandb_version {version}: only 1 is known")
    return {str(key): _unwrapped(value) for key, value in loaded.items()}


def _unwrapped(value: Any) -> Any:
    wrapped = isinstance(value, dict) and "value" in value and set(value) <= {"value", "desc"}
    return value["value"] if wrapped else value


def _parse(text: str, file: Path) -> Any:
    if file.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(f"the config file {file} is not JSON: {error}") from None
    try:
        import yaml
    except ImportError:
        raise UsageError(f"reading {file} needs PyYAML in this Python: install it, or write the file as JSON") from None

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith((":int", ":float"))]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(f"(?:{_FLOAT.pattern})$"), list("-+.0123456789"))
    Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(f"(?:{_INT.pattern})$"), list("-+0123456789"))
    try:
        # The loader is SafeLoader with other rules for numbers.
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise UsageError(f"the config file {file} is not YAML: {' '.join(str(error).split())}") from None
