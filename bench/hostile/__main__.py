"""Attacks a server of its own and measures it: memory before, at most, after; a good client's waits meanwhile.

    python bench/hostile [--short] [--only NAME …] [--out FOLDER]

Results go to FOLDER as JSON, a Markdown table to stdout. The server is a fresh one in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attacks import ATTACKS
from target import GoodClient, Target


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--short", action="store_true", help="less of each")
    options.add_argument("--only", nargs="*", choices=ATTACKS, default=list(ATTACKS), metavar="NAME")
    options.add_argument("--out", type=Path, help="folder for the results")
    chosen = options.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="besom-hostile-") as folder:
        target = Target(Path(folder))
        try:
            for name in chosen.only:
                results.append(measure(target, name, chosen.short))
                print(f"{name}: {json.dumps(results[-1]['saw'])}", file=sys.stderr)
            faults = target.errors()
        finally:
            target.close()
    print(table(results))
    print(f"\nfaults in the server's log: {len(faults)}")
    print("\n".join(faults[:20]), file=sys.stderr)
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "hostile.json").write_text(json.dumps({"attacks": results, "faults": faults}, indent=1))
    return 1 if faults or any(result["good_failures"] for result in results) else 0


def measure(target: Target, name: str, short: bool) -> dict[str, object]:
    attack, much, less = ATTACKS[name]
    before = target.memory()
    target.forget_peak()
    good = GoodClient(target)
    begun, cpu = time.monotonic(), target.cpu_s()
    with good.at_work():
        saw = attack(target, less if short else much)
    return {
        "attack": name, "seconds": round(time.monotonic() - begun, 1), "server_cpu_s": round(target.cpu_s() - cpu, 1),
        "mib_before": round(before, 1), "mib_most": round(target.memory("VmHWM"), 1),
        "mib_after": round(target.memory(), 1), "good_requests": 2 * len(good.waits_ms),
        "good_p50_ms": round(good.percentile(0.5), 2), "good_p99_ms": round(good.percentile(0.99), 2),
        "good_failures": good.failures, "saw": saw,
    }  # fmt: skip


def table(results: list[dict[str, object]]) -> str:
    lines = [
        "| attack | how much | server MiB before / most / after | good client p50 / p99 ms (failed) | what was seen |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in results:
        saw = dict(each["saw"])  # type: ignore[call-overload]
        much = " ".join(f"{saw.pop(word)} {word}" for word in list(saw)[:1])
        seen = "; ".join(f"{word}: {value}" for word, value in saw.items())
        lines.append(
            f"| {each['attack']} | {much} | {each['mib_before']} / {each['mib_most']} / {each['mib_after']} "
            f"| {each['good_p50_ms']} / {each['good_p99_ms']} ({len(each['good_failures'])}) | {seen} |"  # type: ignore[arg-type]
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
