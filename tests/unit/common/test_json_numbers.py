import json
import math

import pytest

from besom.common.json_numbers import as_number, dumps, to_words


def test_non_finite_numbers_become_words_at_any_depth():
    assert to_words({"a": [math.nan, {"b": (math.inf, -math.inf)}], "c": 1.5}) == {
        "a": ["NaN", {"b": ["Infinity", "-Infinity"]}],
        "c": 1.5,
    }


def test_dumps_is_strict_json():
    assert json.loads(dumps({"x": math.nan}), parse_constant=pytest.fail) == {"x": "NaN"}


def test_words_are_numbers_again():
    assert as_number("Infinity") == math.inf
    assert math.isnan(as_number("NaN"))
    assert as_number(3) == 3.0


@pytest.mark.parametrize("value", [True, "3", "nan", None, [1], {}])
def test_nothing_else_is_a_number(value):
    assert as_number(value) is None
