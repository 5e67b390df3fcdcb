import json
import math
import subprocess
import sys

import pytest

from besom.common.json_text import decode, encode

VALUES = [
    None, True, False, 0, -7, 2**70, 0.1, -1e300, 5e-324, 1e22, "", "é😀", "\ud800", '"\\/\b\n\x00\x7f\u2028',
    [], {}, [[], {}, [None, [1.5]]], (1, 2), {"": {"a b": ["x", {"é": False}]}},
]  # fmt: skip
WITHOUT_C = """
import sys
sys.modules["_json"] = None
from besom.common.json_text import decode, encode
print(encode(decode(sys.argv[1])))
"""


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_a_value_is_written_as_the_standard_library_writes_it(value):
    assert encode(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_what_the_standard_library_wrote_is_read(value):
    assert decode(json.dumps(value, indent=1)) == json.loads(json.dumps(value))


@pytest.mark.parametrize("text", ["", " ", "{", "[1,", '{"a": 1} 2', "nope", '"a\nb"'])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match=r"JSON|Expecting|Invalid|Extra|control"):
        decode(text)


def test_the_words_of_non_finite_numbers_are_read():
    assert decode("[Infinity, -Infinity]") == [math.inf, -math.inf]
    assert math.isnan(decode("NaN"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_non_finite_number_is_not_written(value):
    with pytest.raises(ValueError, match="Out of range"):
        encode([value])


def test_what_is_no_json_value_is_not_written():
    with pytest.raises(TypeError, match="is no JSON value"):
        encode([object()])


def test_a_python_without_the_c_halves_writes_the_same():
    text = '{"a":[1,2.5,"é",null,true],"b":{}}'
    done = subprocess.run([sys.executable, "-c", WITHOUT_C, text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == text
