"""A sequence whose items are made when they are asked for, so that a billion of them need no memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, overload

T_co = TypeVar("T_co", covariant=True)


class LazySequence(Sequence[T_co]):
    """``count`` items, of which number ``index`` is ``item(index)``."""

    def __init__(self, count: int, item: Callable[[int], T_co]) -> None:
        self._indices = range(count)
        self._item = item

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T_co]: ...
    def __getitem__(self, index: int | slice) -> T_co | Sequence[T_co]:
        if isinstance(index, slice):
            return [self._item(each) for each in self._indices[index]]
        return self._item(self._indices[index])
