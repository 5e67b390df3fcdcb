"""Many processes that begin at the same moment and take runs for the same time; forked after the imports."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

# One process's loop until the given moment: the points that it took, how long each ask took (s), its errors.
Loop = Callable[[float], tuple[list[Any], list[float], list[str]]]


def take_together(make_loop: Callable[[], Loop], processes: int, seconds: float) -> dict[str, Any]:
    """Runs the loops for ``seconds`` and adds up: rate, ask p99, errors, points taken twice, fairness."""
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(processes), context.Queue()
    begun = [
        context.Process(target=_one, args=(make_loop, barrier, results, seconds)) for _ in range(processes)
    ]  # fmt: skip
    for process in begun:
        process.start()
    found = [results.get(timeout=seconds + 120) for _ in begun]
    for process in begun:
        process.join(60)
    if broken := [error for error in found if isinstance(error, Exception)]:
        raise next((error for error in broken if not isinstance(error, threading.BrokenBarrierError)), broken[0])
    return _added(found, seconds)


def _one(make_loop: Callable[[], Loop], barrier: Any, results: Any, seconds: float) -> None:
    try:
        loop = make_loop()
        barrier.wait(90)
        begun = time.monotonic()
        points, asks, errors = loop(begun + seconds)
        results.put((points, asks, errors, time.monotonic() - begun))
    except Exception as error:
        barrier.abort()
        results.put(error)


def _added(found: Sequence[tuple[list[Any], list[float], list[str], float]], seconds: float) -> dict[str, Any]:
    counts = [len(points) for points, _, _, _ in found]
    asks = sorted(ask for _, some, _, _ in found for ask in some)
    errors = [error for _, _, some, _ in found for error in some]
    times = Counter(point for points, _, _, _ in found for point in points)
    rate = sum(len(points) / took for points, _, _, took in found)
    return {
        "rate": rate,
        "ask_p50_ms": asks[len(asks) // 2] * 1000 if asks else None,
        "ask_p99_ms": asks[len(asks) * 99 // 100] * 1000 if asks else None,
        "runs": sum(counts),
        "errors": len(errors),
        "first_error": errors[0] if errors else None,
        "repeats": sum(n - 1 for n in times.values()),
        "least_over_most": min(counts) / max(counts) if max(counts) else 0.0,
    }
