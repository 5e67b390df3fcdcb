"""The benchmark of searches: an engine at the end of two pipes, searches that are kept, tables, the functions."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "bench" / "search"


def bench(*args: str) -> str:
    command = [sys.executable, str(PLACE), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_search_is_taken_once_and_shown_again(tmp_path: Path) -> None:
    once = (
        "--out", str(tmp_path), "--besom", sys.executable, "--only", "regret", "--engines", "besom-tpe",
        "--functions", "crash", "--seeds", "3-4",
    )  # fmt: skip
    first = bench(*once)
    (third, fourth) = lines(tmp_path / "results" / "search-besom-tpe.jsonl")
    assert (third["engine"], third["function"], third["seed"], third["parallel"]) == ("besom-tpe", "crash", 3, 1)
    assert fourth["seed"] == 4
    assert len(third["values"]) == 100
    assert None in third["values"]
    assert third["values"] != fourth["values"]
    assert third["distinct"] == 100
    assert "| Besom `tpe` | 0 to 2 |" in first
    before = (tmp_path / "results" / "search-besom-tpe.jsonl").stat().st_mtime_ns
    assert bench(*once) == first
    assert (tmp_path / "results" / "search-besom-tpe.jsonl").stat().st_mtime_ns == before


def test_eight_at_a_time_use_up_a_small_space(tmp_path: Path) -> None:
    bench(
        "--out", str(tmp_path), "--besom", sys.executable, "--only", "regret", "--engines", "besom-random",
        "--functions", "small", "--seeds", "3", "--parallel", "8",
    )  # fmt: skip
    (line,) = lines(tmp_path / "results" / "search-besom-random.jsonl")
    assert (line["parallel"], line["distinct"], len(line["values"])) == (8, 120, 120)


def test_tables_go_between_the_marks_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- search figures -->\nold\n<!-- end of search figures -->\nafter\n", encoding="utf-8")
    bench("--out", str(tmp_path), "--table", "--page", str(page))
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- search figures -->\n\nNothing is searched yet.\n")
    assert text.endswith("<!-- end of search figures -->\nafter\n")
    assert "old" not in text


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark's own modules, out of sight again afterwards."""
    import importlib

    monkeypatch.syspath_prepend(str(PLACE))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(PLACE) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_the_best_points_are_best(modules: Any) -> None:
    functions, draw = modules("functions"), modules("reference").draw
    best_points = {
        "branin": {"x": math.pi, "y": 2.275},
        "hartmann6": {f"x{i}": x for i, x in enumerate((0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573))},
        "levy10": {f"x{i}": best for i, best in enumerate(functions.LEVY_BEST)},
        "ackley5": {f"x{i}": best for i, best in enumerate(functions.ACKLEY_BEST)},
        "rosen_mixed": {"lr": 1e-2, "wd": 10**-3.5, "width": 181, "layers": 7, "dropout": 0.675, "mix": 0.75},
        "conditional": {
            "optimizer": "adam", "activation": "gelu", "lr": 1e-3, "coefficient": 0.7, "wd": 1e-4, "batch": 64,
            "layers": 4,
        },
        "crash": {"width": 194, "batch": 42, "lr": 10 ** (5 * (0.71 - 1)), "dropout": 0.24, "optimizer": "adam"},
    }  # fmt: skip
    for name, params in best_points.items():
        function = functions.FUNCTIONS[name]
        assert function.measure(params) == pytest.approx(function.optimum, abs=2e-6), name
    for name, function in functions.FUNCTIONS.items():
        random = Random(name)
        values = [function.measure(draw(function.parameters, random)) for _ in range(2000)]
        losses = [function.loss(value) for value in values if value is not None]
        assert min(losses) >= function.loss(function.optimum) - 1e-6, name
        assert len(losses) == 2000 or (name == "crash" and 0.15 < 1 - len(losses) / 2000 < 0.25)


def test_a_ratio_has_an_interval_and_shared_seeds_only(modules: Any) -> None:
    regret = modules("regret")
    ours = {"a": {1: 0.1, 2: 0.2, 3: 0.001}, "b": {1: 0.3}, "c": {1: 0.5}}
    theirs = {"a": {1: 0.2, 2: 0.4}, "b": {1: 0.3}}
    found = regret.ratio(ours, theirs)
    assert found.value == pytest.approx(math.sqrt(0.5))
    assert (found.low, found.high) == pytest.approx((0.5, 1.0))
    assert (found.functions, found.searches) == (2, 3)
    assert regret.ratio(ours, {"d": {1: 0.1}}) is None
    both = {"us": {"a": {1: 0.1}, "b": {1: 0.2}}, "them": {"a": {1: 0.3}, "b": {1: 0.2}}}
    assert regret.mean_ranks(both) == {"us": 1.25, "them": 1.75}


def test_with_noise_the_run_that_looked_best_is_judged(modules: Any) -> None:
    regret, reference = modules("regret"), modules("reference").reference_loss("hartmann6_noisy")
    line = {"function": "hartmann6_noisy", "values": [-1.0, -3.0], "told": [-1.5, -1.2]}
    best = -3.32237
    assert regret.normalised_regret(line, 2) == pytest.approx((-1.0 - best) / (reference - best))
    crashed = {"function": "crash", "values": [None, None, 0.5]}
    assert regret.normalised_regret(crashed, 2) == regret.NOTHING_YET
    assert regret.normalised_regret(crashed, 3) < regret.NOTHING_YET
