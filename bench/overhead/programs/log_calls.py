"""``log_calls.py LIBRARY ROWS CALLS``: how long the training waits in each call of `log`, in a tight loop."""

from __future__ import annotations

import gc
import sys
import time

from answer import answer
from libraries import LIBRARIES
from rows import ROWS

WARM_UP = 200


def main(library: str, kind: str, calls: int) -> None:
    log, end = LIBRARIES[library]()
    row = ROWS[kind]()
    for i in range(WARM_UP):
        log(row(i))
    rows = [row(i) for i in range(WARM_UP, WARM_UP + calls)]
    spent = [0] * calls
    now = time.perf_counter_ns
    gc.collect()
    for i, given in enumerate(rows):
        begun = now()
        log(given)
        spent[i] = now() - begun
    end()
    spent.sort()
    answer(
        p50_us=spent[calls // 2] / 1000,
        p99_us=spent[calls * 99 // 100] / 1000,
        mean_us=sum(spent) / calls / 1000,
        rows=WARM_UP + calls,
    )


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
