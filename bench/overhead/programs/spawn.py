"""``spawn.py TIMES SCRIPT``: one Python process after another, as the simplest loop over runs would start them."""

from __future__ import annotations

import subprocess
import sys
import time

from answer import answer


def main(times: int, script: str) -> None:
    begun = time.perf_counter()
    for _ in range(times):
        subprocess.run([sys.executable, script], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    answer(ms_a_run=(time.perf_counter() - begun) * 1000 / times)


main(int(sys.argv[1]), sys.argv[2])
