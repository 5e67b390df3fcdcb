import pytest

from besom.common.wording import duration, error_line, score_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (-1.0, "0.0 s"),
        (0.04, "0.0 s"),
        (3.21, "3.2 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (125.0, "2 min 05 s"),
        (12_000.0, "3 h 20 min"),
        (360_000.0, "4 d 4 h"),
    ],
)
def test_lengths_of_time_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1000"),
        (0.43211, "0.4321"),
        (1234.0, "1234"),
        (1e-7, "1.000e-07"),
        ("NaN", "NaN"),
        (3, "3"),
        (None, "–"),
    ],
)
def test_scores_line_up(value, text):
    assert score_text(value) == text


TRACE = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n    1 / 0\n'


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, ""),
        (" \n", ""),
        ("one\nmore\n", "more"),
        (TRACE + "ValueError: no\n", "ValueError: no"),
        (TRACE + "RuntimeError: size mismatch:\n\tconv1\nconv2\n", "RuntimeError: size mismatch:"),
        (TRACE + "ValueError: \nno\n", "ValueError: no"),
        (TRACE + "ValueError: old\n\nDuring handling …:\n\n" + TRACE + "KeyError: 'new'\n", "KeyError: 'new'"),
        ("  " + TRACE.replace("\n  ", "\n    ") + "  ValueError: within\nbye", "ValueError: within"),
        (TRACE, "1 / 0"),
    ],
)
def test_an_error_in_one_line_is_the_exception_with_the_first_line_of_its_message(error, line):
    assert error_line(error) == line
