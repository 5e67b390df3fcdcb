from __future__ import annotations

import pytest

from besom.cli.logs import tail


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        (b"a\nb\nc\n", 2, b"b\nc\n"),
        (b"a\nb\nc", 2, b"b\nc"),
        (b"a\n", 5, b"a\n"),
        (b"", 3, b""),
        (b"10 %\r20 %\r30 %\ndone\n", 1, b"done\n"),
        (b"x\n10 %\r20 %", 1, b"10 %\r20 %"),
    ],
)
def test_the_last_lines_are_counted_by_their_line_feeds(text, count, expected):
    assert tail(text, count) == expected
