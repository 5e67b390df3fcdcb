import argparse
import enum
import math
from dataclasses import dataclass
from pathlib import Path

import numpy
import pytest

from besom.client.values import MAX_DEPTH, Unrecorded, flatten, jsonable, merge


class Colour(enum.IntEnum):
    RED = 3


@dataclass
class Options:
    lr: float = 0.1
    layers: tuple = (1, 2)


class Scalar:
    """As a tensor without elements of its own: only a number."""

    def __float__(self):
        return 2.5


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1, 1),
        (0.1, 0.1),
        ("text", "text"),
        ((1, (2, 3)), [1, [2, 3]]),
        ({"a": {1: "b"}}, {"a": {"1": "b"}}),
        ({3, 1, 2}, [1, 2, 3]),
        (b"caf\xc3\xa9\xff", "café\\xff"),
        (numpy.float64(0.5), 0.5),
        (numpy.int8(7), 7),
        (numpy.bool_(True), True),
        (numpy.arange(3), [0, 1, 2]),
        (numpy.array([[1.5]]), [[1.5]]),
        (Path("/data"), "/data"),
        (Colour.RED, 3),
        (Options(), {"lr": 0.1, "layers": [1, 2]}),
        (argparse.Namespace(lr=1), {"lr": 1}),
        (Scalar(), 2.5),
        (len, "len"),
        (dict, "dict"),
        (2**64, str(2**64)),
    ],
)
def test_values_become_json(value, expected):
    found = jsonable(value)
    assert found == expected
    assert type(found) is type(expected)


def test_non_finite_floats_stay_floats():
    assert math.isnan(jsonable(numpy.float32("nan")))
    assert jsonable(float("inf")) == math.inf


def test_what_holds_itself_ends():
    value = []
    value.append(value)
    found = jsonable(value)
    for _ in range(MAX_DEPTH):
        (found,) = found
    assert isinstance(found, str)


def test_nested_dictionaries_get_dotted_names():
    assert flatten({"val": {"loss": 1, "top": {"k": 2}}, "lr": 3}) == {"val.loss": 1, "val.top.k": 2, "lr": 3}


def test_unrecorded_values_are_left_out():
    assert flatten({"a": Unrecorded(), "b": 1}) == {"b": 1}
    assert jsonable({"a": Unrecorded()}) == {}


def test_merge_goes_dict_into_dict_and_replaces_everything_else():
    base = {"opt": {"lr": 1, "momentum": 2}, "layers": [1, 2], "x": 1}
    over = {"opt": {"lr": 9}, "layers": [3], "x": {"y": 1}}
    assert merge(base, over) == {"opt": {"lr": 9, "momentum": 2}, "layers": [3], "x": {"y": 1}}
    assert base["opt"]["lr"] == 1
