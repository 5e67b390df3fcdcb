from __future__ import annotations

import pytest

from besom.space.lazy_sequence import LazySequence

SQUARES = LazySequence(10**12, lambda index: index * index)


def test_it_is_as_long_as_it_was_told() -> None:
    assert len(SQUARES) == 10**12


def test_an_item_is_made_when_asked_for() -> None:
    assert SQUARES[10**11] == 10**22


def test_a_negative_index_counts_from_the_end() -> None:
    assert SQUARES[-1] == (10**12 - 1) ** 2


def test_a_slice_is_a_list_of_items() -> None:
    assert SQUARES[2:5] == [4, 9, 16]


def test_it_ends() -> None:
    assert list(LazySequence(3, str)) == ["0", "1", "2"]
    with pytest.raises(IndexError):
        LazySequence(3, str)[3]
