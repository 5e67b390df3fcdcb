from __future__ import annotations

import math

import pytest

from besom.space import BadOption, Option

NUMBER = Option("min", "number", "smallest value")
INTEGER = Option("n", "integer", "a count", 3)
LIST = Option("values", "list", "what to choose from")


def test_an_option_without_default_is_required() -> None:
    assert NUMBER.required
    assert not INTEGER.required


def test_none_can_be_a_default() -> None:
    assert not Option("value", "anything", "any", None).required


def test_a_number_stays_int_or_float() -> None:
    assert (repr(NUMBER.read(1)), repr(NUMBER.read(1.0))) == ("1", "1.0")


def test_a_whole_float_is_read_as_an_integer() -> None:
    assert repr(INTEGER.read(3.0)) == "3"


def test_a_list_becomes_a_tuple() -> None:
    assert LIST.read([1, 2]) == (1, 2)


def test_anything_is_left_as_it_is() -> None:
    value = {"a": [1]}
    assert Option("value", "anything", "any").read(value) is value


@pytest.mark.parametrize("value", [True, None, "x", [1], math.nan, math.inf, 1e301, 10**400])
def test_what_is_no_usable_number_is_refused_by_the_name_of_the_option(value: object) -> None:
    with pytest.raises(BadOption, match="`min` must be a number") as caught:
        NUMBER.read(value)
    assert caught.value.option == "min"


def test_a_quoted_number_is_told_to_lose_its_quotes() -> None:
    with pytest.raises(BadOption, match=r"not '1e-3': write it without quotes"):
        NUMBER.read("1e-3")


@pytest.mark.parametrize("value", [1.5, True, "3"])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(BadOption, match="`n` must be a"):
        INTEGER.read(value)


@pytest.mark.parametrize("value", [[], 3, "abc", {"a": 1}, None])
def test_what_is_no_filled_list_is_refused(value: object) -> None:
    with pytest.raises(BadOption, match="`values` must be a list with at least one item"):
        LIST.read(value)


def test_a_long_value_is_cut_in_the_sentence() -> None:
    with pytest.raises(BadOption) as caught:
        NUMBER.read("x" * 1000)
    assert len(str(caught.value)) < 100
