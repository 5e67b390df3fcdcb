"""Whatever a sweep config was written as → a tree that remembers line and column of every key and value."""

from __future__ import annotations

import math
from typing import Any, Literal

from besom.sweep_config.json_text import read_json
from besom.sweep_config.objects import read_object
from besom.sweep_config.problems import Findings
from besom.sweep_config.tree import Node, SyntaxProblem, scalars, shown
from besom.sweep_config.yaml_text import read_yaml


def parse(source: Any, format: Literal["yaml", "json"], findings: Findings) -> Node | None:
    """The tree of a text or object, a mapping at its top; None if there is none, and then findings say why."""
    root = read_tree(source, format, findings)
    if root is None:
        return None
    if not isinstance(root.value, dict):
        findings.error(f"a sweep config is a mapping of keys such as `method: random`, not {_noun(root)}", at=root)
        return None
    return root


def read_tree(source: Any, format: Literal["yaml", "json"], findings: Findings) -> Node | None:
    """The tree of a text or object, whatever is at its top; None if there is none, and then findings say why."""
    try:
        root = _read(source, format, findings)
    except SyntaxProblem as problem:
        findings.error(problem.sentence, at=(problem.line, problem.column))
        return None
    if root is None or root.value is None:
        findings.error("the file is empty" if isinstance(source, str) else "the sweep config is empty")
        return None
    for key, node in scalars(root):
        sentence = _unfit(node.value)
        if sentence:
            findings.error(sentence, key, node)
    return root


def _read(source: Any, format: Literal["yaml", "json"], findings: Findings) -> Node | None:
    if not isinstance(source, str):
        return read_object(source, findings)
    if _lone_surrogate(source):
        raise SyntaxProblem("the text is not valid Unicode: save the file as UTF-8")
    source = source.removeprefix("\ufeff")
    return read_json(source, findings) if format == "json" else read_yaml(source, findings)


def _unfit(value: Any) -> str | None:
    """Why a scalar cannot be stored, sent and handed to a run; None if it can."""
    if isinstance(value, float) and not math.isfinite(value):
        return (
            "not a finite number: a config is kept as JSON, which has none; "
            'write a number up to 1.7e308, or text such as "inf"'
        )
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return "a whole number of more than 64 bits: write it as text, in quotes"
    if isinstance(value, str) and "\0" in value:
        return "text with a zero byte, which no command line can carry: leave the zero byte out"
    if isinstance(value, str) and _lone_surrogate(value):
        return "text that is not valid Unicode (half of a surrogate pair): leave that character out"
    return None


def _lone_surrogate(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _noun(node: Node) -> str:
    return shown(node) if isinstance(node.value, list) else f"the single value {shown(node)}"
