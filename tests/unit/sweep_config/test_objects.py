from __future__ import annotations

from collections import OrderedDict, UserDict
from typing import Any

import numpy as np
import pytest

from besom.sweep_config.objects import read_object
from besom.sweep_config.problems import Findings
from besom.sweep_config.tree import SyntaxProblem, plain


class Keyed:
    """Dict-like without being a Mapping, as some config libraries' objects are."""

    def keys(self) -> list[str]:
        return ["a", "b"]

    def __getitem__(self, name: str) -> Any:
        return {"a": 1, "b": [2]}[name]


def read(value: Any) -> Any:
    findings = Findings()
    root = read_object(value, findings)
    assert not findings.any_error, findings.errors()
    return plain(root)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ((1, 2), [1, 2]), (range(3), [0, 1, 2]), (OrderedDict(a=1), {"a": 1}), (UserDict(a=1), {"a": 1}),
        (Keyed(), {"a": 1, "b": [2]}), (np.float64(0.5), 0.5), (np.int32(3), 3), (np.bool_(True), True),
        (np.array([[1, 2]]), [[1, 2]]), (np.str_("x"), "x"),
    ],
)  # fmt: skip
def test_values_become_what_json_would_make_of_them(value: Any, meant: Any) -> None:
    assert (read(value), type(read(value))) == (meant, type(meant))


def test_keys_are_written_as_json_writes_them() -> None:
    assert read({2: "a", None: "b", False: "c", 0.5: "d"}) == {"2": "a", "null": "b", "false": "c", "0.5": "d"}


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", lambda: 1, 1j])
def test_other_objects_are_problems_at_their_key(value: Any) -> None:
    findings = Findings()
    read_object({"parameters": {"x": {"values": [1, value]}}}, findings)
    (problem,) = findings.errors()
    assert (problem.key, problem.line) == ("parameters.x.values[1]", None)
    assert f"a {type(value).__name__} object is no part of a sweep config" in problem.sentence


def test_keys_that_are_no_text_are_problems() -> None:
    findings = Findings()
    read_object({"parameters": {(1, 2): 3}}, findings)
    assert findings.errors()[0].sentence == "the key (1, 2) is not text"


def test_an_object_that_contains_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    with pytest.raises(SyntaxProblem, match="contains itself"):
        read_object(endless, Findings())
