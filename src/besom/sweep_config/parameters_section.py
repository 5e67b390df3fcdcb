"""The `parameters` of a sweep file → a search space, nested groups included."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from besom.space import KINDS, BadOption, Parameter, SearchSpace, check_options, make_distribution
from besom.sweep_config.inference import infer_kind, kind_that_fits
from besom.sweep_config.keys import PARAMETER_NAME, key_of
from besom.sweep_config.problems import Findings, nearest_word
from besom.sweep_config.sections import unknown_key
from besom.sweep_config.tree import Node, plain, shown

_NAME = re.compile(PARAMETER_NAME)
# What other tools call the same law.
_ALSO_KINDS = {
    "loguniform": "log_uniform_values", "qloguniform": "q_log_uniform_values", "choice": "categorical",
    "discrete": "categorical", "randint": "int_uniform", "integer": "int_uniform", "int": "int_uniform",
    "float": "uniform", "quniform": "q_uniform", "gaussian": "normal", "lognormal": "log_normal", "fixed": "constant",
}  # fmt: skip


def read_parameters(node: Node, method: str | None, findings: Findings) -> SearchSpace | None:
    """The space; None when something is wrong with it. ``method`` decides whether all must fit on a grid."""
    reader = _Reader(findings, on_grid=method == "grid")
    reader.group(node, (), "parameters")
    try:
        return SearchSpace(reader.parameters)
    except ValueError as error:
        findings.error(str(error), "parameters", node.place_of_key)
        return None


@dataclass(slots=True)
class _Reader:
    findings: Findings
    on_grid: bool
    parameters: list[Parameter] = field(default_factory=list)
    _names: dict[str, Node] = field(default_factory=dict)

    def group(self, node: Node, above: tuple[str, ...], key: str) -> None:
        """All parameters of a mapping ``NAME: …``."""
        if not node.value:
            self.findings.error("no parameter is listed: add one, such as `lr: {values: [0.01, 0.001]}`", key, node)
            return
        for name, child in node.value.items():
            where = f"{key}.{name}"
            if _NAME.fullmatch(name):
                self._parameter(child, (*above, name), where)
            else:
                self.findings.error(_bad_name(name), where, child.place_of_key)

    def _parameter(self, node: Node, path: tuple[str, ...], key: str) -> None:
        if not isinstance(node.value, dict):
            self._bare(node, path, key)
            return
        known = self._known_keys(node, key)
        if known is None:
            return
        if "parameters" in known:
            self._nested(known, path, key)
            return
        kind = self._kind(node, known, key)
        if kind is not None:
            known.pop("distribution", None)
            self._add(kind, known, node, path, key)

    def _bare(self, node: Node, path: tuple[str, ...], key: str) -> None:
        """``lr: 0.1`` and ``lr: [0.1, 0.2]``."""
        if node.value is None or node.value == []:
            instead = "write `value: …` for a fixed value or `values: […]` for a list to choose from"
            self.findings.error(f"`{path[-1]}` is empty: {instead}", key, node.place_of_key)
            return
        option = "values" if isinstance(node.value, list) else "value"
        seen = "[…]" if option == "values" else shown(node)
        self.findings.note(f"read as `{path[-1]}: {{{option}: {seen}}}`", key, node)
        self._add("categorical" if option == "values" else "constant", {option: node}, node, path, key)

    def _known_keys(self, node: Node, key: str) -> dict[str, Node] | None:
        """The keys that a parameter can have; None when it is no parameter at all."""
        unknown = [name for name in node.value if key_of("parameter", name) is None]
        if unknown and len(unknown) == len(node.value) and all(isinstance(node.value[n].value, dict) for n in unknown):
            name = key.rpartition(".")[2]
            self.findings.error(
                f"a group of parameters is marked by `parameters`: write `{name}: {{parameters: {{{unknown[0]}: …}}}}`",
                key, node.place_of_key,
            )  # fmt: skip
            return None
        for name in unknown:
            child = node.value[name]
            self.findings.error(unknown_key("parameter", name, child), f"{key}.{name}", child.place_of_key)
        known = {name: child for name, child in node.value.items() if name not in unknown}
        for name in list(known):
            row = key_of("parameter", name)
            if row is not None and row.not_built:
                place = known.pop(name).place_of_key
                self.findings.error(f"`{name}` is not built yet: {row.not_built}", f"{key}.{name}", place)
        if not known and not unknown:
            self.findings.error("nothing is said about it: write `value`, `values` or `min` and `max`", key,
                                node.place_of_key)  # fmt: skip
        return known or None

    def _nested(self, known: dict[str, Node], path: tuple[str, ...], key: str) -> None:
        group = known.pop("parameters")
        for name, child in known.items():
            self.findings.error(
                f"a group holds only `parameters`: move `{name}` out of it", f"{key}.{name}", child.place_of_key
            )
        if isinstance(group.value, dict):
            self.group(group, path, f"{key}.parameters")
        else:
            self.findings.error(f"{shown(group)} is not a mapping of parameters", f"{key}.parameters", group)

    def _kind(self, node: Node, known: dict[str, Node], key: str) -> str | None:
        named = known.get("distribution")
        if named is None:
            kind, sentence = infer_kind({name: child.value for name, child in known.items()})
            if kind is None:
                self.findings.error(sentence, key, node.place_of_key)
            elif sentence:
                self.findings.note(sentence, key, node.place_of_key)
            return kind
        if isinstance(named.value, str) and named.value in KINDS:
            return str(named.value)
        nearest = nearest_word(named.value, KINDS, also=_ALSO_KINDS) if isinstance(named.value, str) else None
        hint = f"did you mean `{nearest}`?" if nearest else "`besom check --explain distribution` lists all"
        self.findings.error(f"there is no distribution {shown(named)}: {hint}", f"{key}.distribution", named)
        return None

    def _add(self, kind: str, known: dict[str, Node], node: Node, path: tuple[str, ...], key: str) -> None:
        options = {name: plain(child) for name, child in known.items()}
        problems = check_options(kind, options)
        for problem in problems:
            self._option_problem(problem, kind, options, known, node, key)
        if problems:
            return
        distribution = make_distribution(kind, options)
        instead = KINDS[kind].replaced_by
        if instead:
            low, _, high = distribution.bounds_text().partition(",")[0].partition(" … ")
            new = f"distribution: {instead}, min: {low}, max: {high}"
            self.findings.note(f"`{kind}` is an old name: the same is `{new}`", key, node.place_of_key)
        if self.on_grid and distribution.grid_values() is None:
            self.findings.error(_not_on_grid(kind), key, node.place_of_key)
        self._clash(Parameter(path, distribution), node, key)

    def _clash(self, parameter: Parameter, node: Node, key: str) -> None:
        other = self._names.setdefault(parameter.name, node)
        if other is node:
            self.parameters.append(parameter)
            return
        line = other.place_of_key[0]
        where = f" in line {line}" if line else ""
        self.findings.error(
            f"the dotted name `{parameter.name}` and the nested one{where} are the same name: rename one of them",
            key, node.place_of_key,
        )  # fmt: skip

    def _option_problem(
        self, problem: BadOption, kind: str, options: dict[str, Any], known: dict[str, Node], node: Node, key: str
    ) -> None:
        sentence = str(problem)
        if KINDS[kind].option(problem.option) is None:
            fitting = kind_that_fits(options)
            if fitting is not None:
                sentence += f"; for these keys write `distribution: {fitting}`"
        culprit = known.get(problem.option)
        where = f"{key}.{problem.option}" if culprit else key
        self.findings.error(sentence, where, culprit or node.place_of_key)


def _bad_name(name: str) -> str:
    return f"`{name}` cannot be a name: begin it with a letter or `_`, and go on with letters, digits, `_`, `.`, `-`"


def _not_on_grid(kind: str) -> str:
    if kind == "categorical_w_probabilities":
        return "a grid runs every value once: leave `probabilities` out, or write `method: random`"
    return (
        f"`{kind}` has no end of values for a grid: list them (`values: […]`), give it steps "
        "(`distribution: q_uniform` with `q`), or write `method: random`"
    )
