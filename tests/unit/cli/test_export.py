from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from besom.cli.export import HISTORY_COLUMNS, RUN_COLUMNS, RUN_KEYS, csv_rows, exported, flat_run
from besom.cli.streaming import csv_pieces, json_list


def _run(name: str, **more: Any) -> dict[str, Any]:
    run = dict.fromkeys(RUN_KEYS) | {"id": name, "name": name, "state": "finished", "attempt": 1}
    run |= {"params": {"lr": 0.1}, "config": {"lr": 0.1, "opt": {"name": "adam"}}, "summary": {"loss": 0.5}}
    return {**run, "uid": "u", "url": "http://x", "history": None, **more}


def _read(*runs: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_pieces(map(flat_run, runs), RUN_COLUMNS)))))


def test_a_run_has_exactly_the_keys_of_the_export():
    assert list(json.loads("".join(exported(_run("a"), None)))) == list(RUN_KEYS)


def test_with_history_the_rows_come_last():
    rows = [{"_step": 0, "loss": 1.0}, {"_step": 1, "loss": "NaN"}]
    assert list(json.loads("".join(exported(_run("a"), rows))).items())[-1] == ("history", rows)
    assert json.loads("".join(exported(_run("a"), [])))["history"] == []


def test_a_json_list_of_any_length_reads_back():
    for count in range(3):
        text = "".join(json_list(exported(_run(str(at)), [{"_step": at}]) for at in range(count)))
        assert [run["id"] for run in json.loads(text)] == [str(at) for at in range(count)]


def test_csv_columns_are_flat():
    (row,) = _read(_run("a"))
    assert row["params.lr"] == "0.1"
    assert row["config.opt.name"] == "adam"
    assert row["summary.loss"] == "0.5"
    assert row["stop_reason"] == ""
    assert "params" not in row


def test_csv_without_runs_still_has_its_header():
    assert "".join(csv_pieces([], RUN_COLUMNS)).startswith("id,name,state,attempt,score,")


def test_every_runs_columns_are_there():
    first, second = _read(_run("a"), _run("b", summary={"acc": "NaN"}))
    assert (first["summary.acc"], second["summary.acc"]) == ("", "nan")


def test_history_csv_has_a_row_a_step():
    rows = csv_rows(_run("a"), [{"_step": 0, "loss": 2.0}, {"_step": 1, "loss": "Infinity"}])
    first, second = csv.DictReader(io.StringIO("".join(csv_pieces(rows, HISTORY_COLUMNS))))
    assert (first["id"], first["params.lr"], first["_step"], first["loss"]) == ("a", "0.1", "0", "2.0")
    assert math.isinf(float(second["loss"]))
