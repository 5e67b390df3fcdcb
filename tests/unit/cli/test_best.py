from __future__ import annotations

import ast
import shlex

import pytest

from besom.cli.best import args_text, python_text

PARAMS = {"batch_size": 32, "flag": True, "list": [1, "a"], "lr": 1e-05, "name": "hello world", "none": None}


def test_flags_are_ready_for_a_shell():
    assert shlex.split(args_text(PARAMS)) == [
        "--batch_size=32", "--flag=True", "--list=[1, 'a']", "--lr=1e-05", "--name=hello world", "--none=None",
    ]  # fmt: skip


@pytest.mark.parametrize("params", [PARAMS, {}, {"opt": {"lr": 0.1}}, {f"name_{i}": i for i in range(40)}])
def test_python_is_a_dict_literal(params):
    assert ast.literal_eval(python_text(params)) == params
