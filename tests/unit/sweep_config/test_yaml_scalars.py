from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from besom.sweep_config.yaml_scalars import as_number, is_new_number, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("1E5", 1e5), ("-2e+3", -2000.0), (".5", 0.5), ("5.", 5.0), ("+1.5", 1.5), ("1_000.5", 1000.5),
        ("1.0e-3", 0.001), ("10_000", 10000), ("0", 0), ("-0", 0), ("+7", 7), ("010", 8), ("0x1F", 31), ("0b101", 5),
        ("", None), ("~", None), ("NULL", None), ("true", True), ("Off", False), ("NO", False), ("-.inf", -math.inf),
    ],
)  # fmt: skip
def test_words_that_are_no_text(text: str, value: Any) -> None:
    assert (resolve(text), type(resolve(text))) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "1:30",
        "190:20:30.15",
        "2001-12-14",
        "08",
        "0o17",
        "1e",
        "e5",
        ".",
        "-",
        "+",
        "--1",
        "1.2.3",
        "1e5x",
        "0x",
        "=",
        "<<",
    ],
)
def test_words_that_are_text(text: str) -> None:
    assert resolve(text) == text


def test_not_a_number_is_read() -> None:
    assert math.isnan(resolve(".NaN"))


def test_a_number_of_too_many_digits_is_an_infinity() -> None:
    assert (resolve("9" * 5000), resolve("-" + "9" * 5000), resolve("1e999")) == (math.inf, -math.inf, math.inf)


def test_text_is_no_number() -> None:
    assert as_number("adam") is None


@pytest.mark.parametrize(
    ("text", "new"), [("1e-3", True), ("1e5", True), ("1.5e5", True), ("1.5e+5", False), ("1.5", False)]
)
def test_what_yaml_1_1_takes_for_text_is_known(text: str, new: bool) -> None:
    assert is_new_number(text) is new
    assert isinstance(yaml.safe_load(text), str) is new


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_that_python_writes_is_read_back(value: float) -> None:
    assert resolve(repr(value)) == value


@given(st.integers(min_value=-(10**40), max_value=10**40))
def test_every_int_that_python_writes_is_read_back(value: int) -> None:
    assert resolve(str(value)) == value
