"""The `early_terminate` of a sweep file: its rules, each tried out with the options that it was given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from besom.errors import SweepConfigError
from besom.metric import Metric
from besom.stopping import make_stoppers
from besom.sweep_config.parse import read_tree
from besom.sweep_config.problems import Findings
from besom.sweep_config.sections import Fields, read_section
from besom.sweep_config.tree import Node, shown


def read_rules(sections: Iterable[Fields], metric: Metric | None, findings: Findings) -> tuple[Mapping[str, Any], ...]:
    """The options of each rule, ``type`` included; what is wrong with them becomes findings."""
    rules = []
    for section in sections:
        if "type" in section.values:
            _leave_out_min_iter(section, findings)
            if "nan" in section.values:
                section.values["nan"] = section.values["nan"].values
            rules.append(section.values)
            # Where a metric is missing, that is a problem of its own.
            _try_rule(section, metric or Metric("metric"), findings)
    return tuple(rules)


def _leave_out_min_iter(section: Fields, findings: Findings) -> None:
    """W&B's rule: with all three given, ``max_iter`` and ``s`` decide."""
    if {"min_iter", "max_iter", "s"} <= section.values.keys():
        del section.values["min_iter"]
        place = section.nodes["min_iter"].place_of_key
        findings.note("`max_iter` and `s` make the rungs, so `min_iter` is not used", f"{section.path}min_iter", place)


def _try_rule(section: Fields, metric: Metric, findings: Findings) -> None:
    given = {key for key, node in section.nodes.items() if node.value is not None}
    if given != section.values.keys() | ({"min_iter"} & given):
        return  # a key was wrong, and has been told
    try:
        make_stoppers([section.values], metric)
    except ValueError as error:
        named = re.findall(r"`(\w+)[`:]", str(error))
        option = next((name for name in named if name in section.nodes), "type")
        findings.error(str(error), section.path + option, section.nodes[option])


def read_early_terminate(
    source: Any, *, metric: Metric, format: Literal["yaml", "json"] = "yaml", file: str = ""
) -> tuple[Mapping[str, Any], ...]:
    """The rules of a text or object that is a rule, a list of rules, or a sweep config that has such.

    Raises SweepConfigError with all problems; a sweep config without rules is one.
    """
    findings = Findings(file)
    root = read_tree(source, format, findings)
    rules: tuple[Mapping[str, Any], ...] = ()
    if root is not None and (node := _rules_in(root, findings)) is not None:
        rules = read_rules(_sections(node, findings), metric, findings)
    if findings.any_error:
        raise SweepConfigError([problem.as_dict() for problem in findings.errors()])
    return rules


def _rules_in(root: Node, findings: Findings) -> Node | None:
    """The part of the file that has the rules: all of it, or what stands below `early_terminate`."""
    node = root.value.get("early_terminate", root) if isinstance(root.value, dict) else root
    if node is root and isinstance(root.value, dict) and {"method", "parameters"} & root.value.keys():
        findings.error("the sweep has no `early_terminate`: write a rule, such as `type: hyperband`", at=(1, 1))
    elif isinstance(node.value, (dict, list)) and node.value:
        return node
    else:
        findings.error(f"a rule is a mapping with a `type`, or a list of them, not {shown(node)}", at=node)
    return None


def _sections(node: Node, findings: Findings) -> list[Fields]:
    if isinstance(node.value, dict):
        return [read_section(node, "early_terminate", "", findings)]
    found = []
    for index, item in enumerate(node.value):
        if isinstance(item.value, dict):
            found.append(read_section(item, "early_terminate", f"[{index}].", findings))
        else:
            findings.error(f"a rule is a mapping with a `type`, not {shown(item)}", f"[{index}]", item)
    return found
