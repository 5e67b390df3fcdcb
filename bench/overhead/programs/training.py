"""``training.py LIBRARY CALLS``: a whole training that only logs; its watcher measures it from outside."""

from __future__ import annotations

import sys

from libraries import LIBRARIES
from rows import ROWS


def main(library: str, calls: int) -> None:
    log, end = LIBRARIES[library]()
    row = ROWS["numbers"]()
    for i in range(calls):
        log(row(i))
    end()


main(sys.argv[1], int(sys.argv[2]))
