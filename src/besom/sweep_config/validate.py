"""The tree of a sweep config → a SweepConfig, or all problems at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from besom.common.ids import check_entity_name, check_project_name
from besom.errors import UsageError
from besom.metric import Metric
from besom.space import SearchSpace
from besom.sweep_config.command_section import as_list, read_command
from besom.sweep_config.config import Retry, SweepConfig
from besom.sweep_config.early_terminate_section import read_rules
from besom.sweep_config.parameters_section import read_parameters
from besom.sweep_config.problems import Findings
from besom.sweep_config.sections import Fields, read_section
from besom.sweep_config.tree import Node, plain

# Methods that cannot do without results.
_LOOKS_AT_RESULTS = ("bayes", "tpe", "cmaes")


def validate(root: Node, findings: Findings) -> SweepConfig | None:
    """The config; None when findings hold an error."""
    _mend_command(root, findings)
    fields = read_section(root, "sweep", "", findings)
    method = fields.values.get("method")
    metric = _metric(fields.values.get("metric"))
    space = _space(fields, method, findings)
    stopping = read_rules(fields.values.get("early_terminate", ()), metric, findings)
    _check_metric_is_there(fields, findings)
    command = _command(fields, findings)
    _check_names(fields, findings)
    _note_what_has_no_effect(fields, method, findings)
    if findings.any_error or space is None or method is None:
        return None
    values = fields.values
    return SweepConfig(
        raw=plain(root),
        method=method,
        space=space,
        metric=metric,
        early_terminate=stopping,
        program=values.get("program"),
        command=command,
        name=values.get("name"),
        description=values.get("description", ""),
        entity=values.get("entity"),
        project=values.get("project"),
        seed=values.get("seed"),
        order=values.get("order", "sequential"),
        allow_repeats=values.get("allow_repeats", False),
        run_cap=values.get("run_cap"),
        time_cap_s=values.get("time_cap"),
        compute_cap_s=values.get("compute_cap"),
        plateau_runs=values["plateau"].values.get("runs") if "plateau" in values else None,
        retry=Retry(**values["retry"].values) if "retry" in values else Retry(),
        prior_runs=tuple(values.get("prior_runs", ())),
        notes=findings.notes(),
    )


def _mend_command(root: Node, findings: Findings) -> None:
    """Says what list a command should be that is one line of text."""
    node = root.value.get("command")
    if node is not None and isinstance(node.value, str):
        findings.error(f"a command is a list of words: write `command: {as_list(node.value)}`", "command", node)
        node.value = []


def _metric(section: Fields | None) -> Metric | None:
    return Metric(**section.values) if section and "name" in section.values else None


def _space(fields: Fields, method: str | None, findings: Findings) -> SearchSpace | None:
    node = fields.values.get("parameters")
    return read_parameters(node, method, findings) if node is not None else None


def _check_metric_is_there(fields: Fields, findings: Findings) -> None:
    if "metric" in fields.nodes and fields.nodes["metric"].value is not None:
        return
    hint = "add `metric: {name: val_loss, goal: minimize}`"
    method = fields.nodes.get("method")
    if method is not None and method.value in _LOOKS_AT_RESULTS:
        findings.error(f"`{method.value}` needs a `metric` to look at: {hint}", "method", method)
    for key in ("early_terminate", "plateau"):
        node = fields.nodes.get(key)
        if node is not None and node.value:
            findings.error(f"`{key}` needs a `metric` to judge by: {hint}", key, node.place_of_key)


def _command(fields: Fields, findings: Findings) -> tuple[Any, ...] | None:
    if "command" not in fields.values:
        return None
    node = fields.nodes["command"]
    command = read_command(node, findings)
    if not command and not findings.any_error:
        findings.error("the command is empty: list its words, or leave the key out for W&B's default", "command", node)
    return command


def _check_names(fields: Fields, findings: Findings) -> None:
    checks: dict[str, Callable[[str], str]] = {"project": check_project_name, "entity": check_entity_name}
    for key, check in checks.items():
        if key in fields.values:
            try:
                check(fields.values[key])
            except UsageError as error:
                findings.error(str(error), key, fields.nodes[key])


def _note_what_has_no_effect(fields: Fields, method: str | None, findings: Findings) -> None:
    effects = {"order": ({"grid"}, "a grid"), "allow_repeats": ({"random", "sobol", "bayes", "tpe"}, "draws")}
    for key, (wanted, shown) in effects.items():
        if key in fields.values and method is not None and method not in wanted:
            place = fields.nodes[key].place_of_key
            findings.note(f"`{key}` is about {shown} and changes nothing for `{method}`", key, place)
