import math

import pytest
from msgspec import Struct

from besom.errors import UsageError
from besom.wire.encoding import decode, encode, iso
from besom.wire.sweeps import EditSweep


class Point(Struct):
    x: float
    more: dict[str, float] = {}


def test_non_finite_numbers_travel_as_words():
    assert encode(Point(math.nan, {"a": math.inf})) == b'{"x":"NaN","more":{"a":"Infinity"}}'


def test_an_empty_body_is_an_empty_request():
    assert decode(b"", EditSweep) == EditSweep()


@pytest.mark.parametrize("body", [b"{", b'{"run_cap": "x"}', b'{"unknown": 1}', b"[" * 100_000])
def test_a_bad_body_is_one_sentence(body):
    with pytest.raises(UsageError, match="not what this address takes"):
        decode(body, EditSweep)


def test_times_are_utc_with_milliseconds():
    assert iso(0.0625) == "1970-01-01T00:00:00.062Z"
    assert iso(None) is None
