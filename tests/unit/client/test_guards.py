"""What a training script pays for its log, in terms that do not depend on the machine."""

import os
import statistics
import struct
import sys
import time

import pytest

# Modules that were there before ours are the interpreter's own affair (virtual environments add some).
ALIEN = """
import sys
before = set(sys.modules)
import {module} as front
run = front.init(config={{"own": 1}})
front.define_metric("loss", summary="min")
for i in range(3):
    front.log({{"loss": i, "text": "x"}})
    front.log({{"loss": i}})
front.summary["best"] = 1
front.finish()
names = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(names - sys.stdlib_module_names - {{"besom", "wandb"}}), "end")
"""
# What a run of a sweep may load of the standard library: each of these is there in a moment. `typing`, `re` (with
# `json`, `pathlib`, `contextlib` …) and `argparse` take milliseconds of every run, and most of a short one.
CHEAP = {"__future__", "_json", "_struct", "atexit", "errno", "gc", "itertools", "math", "struct", "time"}
LOADED = """
import sys
before = set(sys.modules)
import besom
with besom.init() as run:
    besom.log({"loss": len(run.config)})
    besom.log({"loss": 0.5, "text": "x"})
print(*sorted(name for name in set(sys.modules) - before if name.partition(".")[0] != "besom"), "end")
"""
MEMORY = """
import resource, besom
run = besom.init()
def log(n):
    for i in range(n):
        run.log({"loss": 0.5, "acc": i, "lr": 0.125})
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
log(10_000)
first = peak()
log(90_000)
run.finish()
print(first, peak())
"""
ROUND = 200
ROUNDS = 60


@pytest.fixture(params=["agent", "alone"])
def train(request, agent_folder):
    """Trains a script under an agent, or with a sender of its own and a server."""
    if request.param == "agent":
        return agent_folder.train
    server = request.getfixturevalue("server")
    without = dict.fromkeys(
        ("BESOM_RUN_DIR", "BESOM_RUN_UID", "BESOM_RUN_ID", "WANDB_RUN_ID", "BESOM_SWEEP_ID", "WANDB_SWEEP_ID",
         "BESOM_ENTITY", "WANDB_ENTITY", "BESOM_PROJECT", "WANDB_PROJECT"), "",
    )  # fmt: skip
    return lambda script: agent_folder.train(
        script, environ={**without, "BESOM_URL": server.url, "BESOM_TOKEN": "t", "WANDB_SWEEP_PARAM_PATH": ""}
    )


@pytest.mark.parametrize("module", ["besom", "wandb"])
def test_a_training_script_loads_nothing_but_the_standard_library(train, module):
    assert train(ALIEN.format(module=module)).stdout.split() == ["end"]


def test_a_run_of_a_sweep_loads_only_what_is_cheap(agent_folder):
    *loaded, end = agent_folder.train(LOADED).stdout.split()
    assert end == "end"
    assert set(loaded) <= CHEAP


def test_memory_does_not_grow_with_the_number_of_calls(train):
    after_ten_thousand, after_hundred_thousand = map(int, train(MEMORY).stdout.split())
    unit = 1 if sys.platform == "darwin" else 1024
    assert (after_hundred_thousand - after_ten_thousand) * unit <= 2**20


def test_a_call_costs_at_most_three_times_the_bare_write(make_run, tmp_path):
    run, pack = make_run().run, struct.Struct("<Hqdddd").pack
    descriptor = os.open(tmp_path / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def bare(i):
        os.write(descriptor, pack(1, i, 0.0, 0.5, 0.25, 0.125))

    def log(i):
        run.log({"loss": 0.5, "acc": 0.25, "lr": 0.125})

    def p50(call):
        times = []
        for i in range(ROUND):
            begin = time.perf_counter_ns()
            call(i)
            times.append(time.perf_counter_ns() - begin)
        return statistics.median(times)

    # Whatever else the machine does only adds: the best of many rounds, taken in turn, is the cost itself.
    best_log = best_bare = float("inf")
    for _ in range(ROUNDS):
        best_bare, best_log = min(best_bare, p50(bare)), min(best_log, p50(log))
    os.close(descriptor)
    assert best_log <= 3 * best_bare, f"log() {best_log} ns, struct.pack and os.write {best_bare} ns"
