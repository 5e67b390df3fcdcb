from __future__ import annotations

import csv
import io
import math
from typing import Any

from besom.cli.export import RUN_KEYS, exported, runs_csv


def _run(name: str, **more: Any) -> dict[str, Any]:
    run = dict.fromkeys(RUN_KEYS) | {"id": name, "name": name, "state": "finished", "attempt": 1}
    run |= {"params": {"lr": 0.1}, "config": {"lr": 0.1, "opt": {"name": "adam"}}, "summary": {"loss": 0.5}}
    return {**run, "uid": "u", "url": "http://x", "history": None, **more}


def _read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_run_has_exactly_the_keys_of_the_export():
    assert list(exported(_run("a"), history=False)) == list(RUN_KEYS)


def test_with_history_the_rows_come_last():
    rows = [{"_step": 0, "loss": 1.0}]
    assert list(exported(_run("a", history=rows), history=True).items())[-1] == ("history", rows)
    assert exported(_run("a"), history=True)["history"] == []


def test_csv_columns_are_flat():
    (row,) = _read(runs_csv([_run("a")], history=False))
    assert row["params.lr"] == "0.1"
    assert row["config.opt.name"] == "adam"
    assert row["summary.loss"] == "0.5"
    assert row["stop_reason"] == ""
    assert "params" not in row


def test_csv_without_runs_still_has_its_header():
    assert runs_csv([], history=False).startswith("id,name,state,attempt,score,")


def test_every_runs_columns_are_there():
    first, second = _read(runs_csv([_run("a"), _run("b", summary={"acc": "NaN"})], history=False))
    assert (first["summary.acc"], second["summary.acc"]) == ("", "nan")


def test_history_csv_has_a_row_a_step():
    run = _run("a", history=[{"_step": 0, "loss": 2.0}, {"_step": 1, "loss": "Infinity"}])
    first, second = _read(runs_csv([run], history=True))
    assert (first["id"], first["params.lr"], first["_step"], first["loss"]) == ("a", "0.1", "0", "2.0")
    assert math.isinf(float(second["loss"]))
