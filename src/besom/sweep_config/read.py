"""The one way in: whatever a sweep was written as → a SweepConfig."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from besom.errors import SweepConfigError
from besom.sweep_config.config import SweepConfig
from besom.sweep_config.parse import parse
from besom.sweep_config.problems import Findings
from besom.sweep_config.tree import Node
from besom.sweep_config.validate import validate

OVERRIDES = ("name", "program", "project", "entity")


def read_sweep_config(
    source: Any,
    *,
    format: Literal["yaml", "json"] = "yaml",
    file: str = "",
    overrides: Mapping[str, Any] | None = None,
) -> SweepConfig:
    """Reads a sweep config: text in ``format``, or a JSON-like object.

    ``file`` is the name used in messages. ``overrides`` (name, program, project, entity; None: not given) win over
    what is written and stand in the result's ``raw``. Raises SweepConfigError with all problems at once.
    """
    findings = Findings(file)
    root = parse(source, format, findings)
    if root is not None:
        for name in OVERRIDES:
            if overrides and overrides.get(name) is not None:
                root.value[name] = Node(overrides[name])
        config = validate(root, findings)
        if config is not None:
            return config
    raise SweepConfigError([problem.as_dict() for problem in findings.errors()])
