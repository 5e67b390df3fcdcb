from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from besom.space import identity, params_hash

json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0, -0.0),
        (10**22, 1e22),
        ([1, 2.0], (1.0, 2)),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1.0}),
        (math.nan, float("nan")),
    ],
)
def test_these_are_the_same_value(one: object, other: object) -> None:
    assert identity(one) == identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (True, "true"),
        (1, "1"),
        (None, "null"),
        (None, False),
        (0.1, 0.1 + 2**-54),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (math.nan, "NaN"),
        ([1, 2], [2, 1]),
        ([[1], 2], [1, [2]]),
        (["a,b"], ["a", "b"]),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, [["a", 1]]),
        (2**53, 2**53 + 1),
    ],
)
def test_these_are_different_values(one: object, other: object) -> None:
    assert identity(one) != identity(other)


@given(json_like)
@settings(deadline=None)
def test_a_value_is_itself_whatever_the_order_of_its_keys(value: object) -> None:
    def turned(item: object) -> object:
        if isinstance(item, dict):
            return {key: turned(item[key]) for key in reversed(list(item))}
        return [turned(each) for each in item] if isinstance(item, list) else item

    assert identity(turned(value)) == identity(value)


def test_what_json_has_no_word_for_is_refused_by_type() -> None:
    with pytest.raises(TypeError, match="set"):
        identity({1, 2})


def test_params_hash_is_32_hexadecimal_digits() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", params_hash({"lr": 0.1}))


def test_params_hash_is_the_same_in_every_release() -> None:
    # Stored with every run: another value here would hand out old points again.
    assert params_hash({"lr": 0.1, "n": 2}) == params_hash({"n": 2.0, "lr": 0.1}) == HASH_OF_LR_AND_N


def test_params_hash_tells_nested_params_from_dotted_names() -> None:
    assert params_hash({"a": {"b": 1}}) != params_hash({"a.b": 1})


HASH_OF_LR_AND_N = "1a4b14029c1cda450b5f49afd5fd8b3f"
