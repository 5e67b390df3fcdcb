"""``import_cost.py MODULE TIMES``: the import's time over a bare Python's, in turns; and what else it loads."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from statistics import median

from answer import answer

LOADED = """
import json, sys, sysconfig
before = set(sys.modules)
import MODULE
MODULE.init, MODULE.log
places = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items() if name not in before}
tops = {name.partition(".")[0] for name, file in files.items() if file.startswith(places)}
print(json.dumps(sorted(tops - {"MODULE"})))
"""


def took_ms(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdin=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1000


def main(module: str, times: int) -> None:
    loaded = subprocess.check_output([sys.executable, "-c", LOADED.replace("MODULE", module)], text=True)
    pairs = [(took_ms(f"import {module}; {module}.init"), took_ms("pass")) for _ in range(times)]
    over_ms = median(ours for ours, _ in pairs) - median(bare for _, bare in pairs)
    answer(over_ms=over_ms, bare_ms=median(bare for _, bare in pairs), third_party=json.loads(loaded.splitlines()[-1]))


main(sys.argv[1], int(sys.argv[2]))
