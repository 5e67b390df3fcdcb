import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besom.common.spool_format import HEADER, MAGIC, MAX_JSON_BYTES, SpoolError, json_record, row_struct
from besom.common.spool_reader import Note, Reader, Row


def kind(number, *keys):
    return json_record({"t": "kind", "kind": number, "keys": list(keys)})


def row(number, step, time, *values):
    return row_struct(len(values)).pack(number, step, time, *values)


def read(*pieces):
    reader = Reader()
    return [record for piece in pieces for record in reader.feed(piece)]


def test_a_row_comes_back_with_its_names():
    stream = HEADER + kind(1, "loss", "acc") + row(1, 7, 12.5, 0.25, 0.5)
    assert read(stream) == [Row(7, 12.5, {"loss": 0.25, "acc": 0.5})]


def test_non_finite_values_survive_in_fast_rows():
    [found] = read(HEADER + kind(1, "a", "b", "c") + row(1, 0, 0.0, math.nan, math.inf, -math.inf))
    assert math.isnan(found.data["a"])
    assert (found.data["b"], found.data["c"]) == (math.inf, -math.inf)


def test_json_rows_carry_words_for_non_finite_numbers():
    record = json_record({"t": "row", "step": 1, "time": 2.0, "data": {"loss": math.nan, "name": "é"}})
    assert read(HEADER + record) == [Row(1, 2.0, {"loss": "NaN", "name": "é"})]


def test_other_records_come_as_notes():
    assert read(HEADER + json_record({"t": "exit", "code": 0, "error": None})) == [
        Note("exit", {"t": "exit", "code": 0, "error": None})
    ]


@given(st.lists(st.integers(min_value=1, max_value=200), max_size=30), st.randoms())
def test_any_cut_of_the_stream_gives_the_same_records(cuts, random):
    stream = HEADER + kind(1, "x") + b"".join(
        row(1, step, float(step), random.random()) if step % 3 else json_record({"t": "note", "text": "ü" * step})
        for step in range(20)
    )  # fmt: skip
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(stream[at : at + cut])
        at += cut
    pieces.append(stream[at:])
    assert read(*pieces) == read(stream)


@given(st.integers(min_value=0, max_value=400))
def test_a_reader_rebuilt_from_kinds_and_rest_goes_on_where_it_was(cut):
    stream = HEADER + kind(1, "x") + b"".join(row(1, step, 0.0, float(step)) for step in range(12))
    first = Reader()
    found = list(first.feed(stream[:cut]))
    second = Reader(first.kinds, first.rest, started=first.started)
    found += second.feed(stream[cut:])
    assert found == read(stream)


@pytest.mark.parametrize(
    ("stream", "sentence"),
    [
        (b"not a spool at all", "does not start as a spool"),
        (MAGIC + b"\x09", "has version 9"),
        (HEADER + row(3, 0, 0.0, 1.0), "comes before its names"),
        (HEADER + struct.pack("<HI", 0, 4) + b"nope", "is not JSON"),
        (HEADER + struct.pack("<HI", 0, MAX_JSON_BYTES + 1), "claims"),
        (HEADER + json_record({"no": "type"}), "lacks its type"),
        (HEADER + json_record({"t": "kind", "kind": 0, "keys": []}), "lacks its number"),
        (HEADER + json_record({"t": "row", "step": "1", "time": 0, "data": {}}), "lacks its step"),
        (HEADER + json_record({"t": "row", "step": 2**70, "time": 0, "data": {}}), "64 bits"),
    ],
)
def test_what_cannot_be_a_spool_is_refused_with_a_sentence(stream, sentence):
    with pytest.raises(SpoolError, match=sentence):
        read(stream)


def test_deep_json_is_refused_not_crashed_on():
    deep = b'{"t":"row","data":' + b"[" * 100_000
    with pytest.raises(SpoolError):
        read(HEADER + struct.pack("<HI", 0, len(deep)) + deep)


def test_records_before_a_bad_one_are_kept():
    reader = Reader()
    found = []
    with pytest.raises(SpoolError):
        found.extend(reader.feed(HEADER + kind(1, "x") + row(1, 0, 0.0, 1.0) + row(9, 0, 0.0, 1.0)))
    assert found == [Row(0, 0.0, {"x": 1.0})]


def test_a_record_too_large_is_refused_before_it_is_written():
    with pytest.raises(SpoolError, match="larger than"):
        json_record({"t": "note", "text": "x" * (MAX_JSON_BYTES + 1)})


def test_json_records_are_strict_json():
    body = json_record({"t": "config", "set": {"x": math.inf}})[6:]
    assert json.loads(body, parse_constant=pytest.fail) == {"t": "config", "set": {"x": "Infinity"}}
