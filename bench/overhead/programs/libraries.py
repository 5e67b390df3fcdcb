"""The loggers that are compared, each with the three steps of a training: begin, log, end. Imported when begun."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Mapping
from typing import Any

Log = Callable[[Mapping[str, Any]], Any]


def besom() -> tuple[Log, Callable[[], Any]]:
    import besom

    besom.init(project="bench")
    return besom.log, besom.finish


def besom_offline() -> tuple[Log, Callable[[], Any]]:
    import besom

    besom.init(project="bench", mode="offline")
    return besom.log, besom.finish


def wandb() -> tuple[Log, Callable[[], Any]]:
    import wandb

    run = wandb.init(project="bench", mode="offline", dir=os.getcwd())
    return run.log, run.finish


def trackio() -> tuple[Log, Callable[[], Any]]:
    import trackio

    trackio.init(project="bench")
    return trackio.log, trackio.finish


def jsonl() -> tuple[Log, Callable[[], Any]]:
    """What people write by hand: a line of JSON a step, flushed so that it can be followed."""
    file = open("metrics.jsonl", "w", encoding="utf-8")  # noqa: SIM115 - open as long as the training

    def log(row: Mapping[str, Any]) -> None:
        file.write(json.dumps(row) + "\n")
        file.flush()

    return log, file.close


def bare() -> tuple[Log, Callable[[], Any]]:
    """The floor: pack three numbers, write them."""
    descriptor = os.open("metrics.bin", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    pack = struct.Struct("<Hqddd").pack

    def log(row: Mapping[str, Any]) -> None:
        os.write(descriptor, pack(1, 1, *row.values()))

    return log, lambda: os.close(descriptor)


LIBRARIES = {
    "besom": besom,
    "besom offline": besom_offline,
    "wandb": wandb,
    "trackio": trackio,
    "jsonl": jsonl,
    "bare": bare,
}
