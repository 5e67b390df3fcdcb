"""The kinds of rows that are logged: three numbers, and what makes loggers leave their fast path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


def numbers() -> Callable[[int], Row]:
    return lambda i: {"loss": 1.0 / (i + 1), "accuracy": i * 1e-5, "lr": 0.001}


def changing_keys() -> Callable[[int], Row]:
    """Every tenth row has other names, as a training with validation does; two names are new each thousand rows."""

    def row(i: int) -> Row:
        if i % 10 == 9:
            return {"val_loss": 1.0 / (i + 1), f"class_{i // 1000}/f1": 0.5, "epoch": i // 10}
        return {"loss": 1.0 / (i + 1), "accuracy": i * 1e-5, "lr": 0.001}

    return row


def strings() -> Callable[[int], Row]:
    return lambda i: {"loss": 1.0 / (i + 1), "phase": "train", "note": f"step {i}"}


def tensors() -> Callable[[int], Row]:
    """0-d arrays, as `loss` is in most trainings."""
    import numpy

    values = [numpy.array(1.0 / (i + 1), dtype=numpy.float32) for i in range(1000)]
    return lambda i: {"loss": values[i % 1000], "accuracy": values[-1 - i % 1000], "lr": numpy.float64(0.001)}


def nan() -> Callable[[int], Row]:
    return lambda i: {"loss": float("nan"), "accuracy": float("inf"), "lr": 0.001}


ROWS = {"numbers": numbers, "changing keys": changing_keys, "strings": strings, "0-d tensors": tensors, "NaN": nan}
