from __future__ import annotations

import pytest

from besom.common.version import go_together, numbers


@pytest.mark.parametrize(
    ("text", "expected"), [("1.4.2", (1, 4, 2)), ("1.4", (1, 4, 0)), ("1.4.2rc1", (1, 4, 2)), ("x", (0, 0, 0))]
)
def test_versions_are_three_numbers(text, expected):
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("0.1.0", "0.1.9", True), ("0.1.0", "0.2.0", True), ("0.3.0", "0.1.0", False), ("1.0.0", "0.9.0", False)],
)
def test_one_minor_version_apart_goes_together(one, other, expected):
    assert go_together(one, other) is expected
    assert go_together(other, one) is expected
