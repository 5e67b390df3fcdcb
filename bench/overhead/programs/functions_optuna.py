"""``functions_optuna.py STORAGE RUNS PROCESSES``: trivial objectives optimized by processes on one study."""

from __future__ import annotations

import multiprocessing
import sys
import time
from typing import Any

import optuna
from answer import answer
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend


def storage(kind: str) -> Any:
    if kind == "journal":
        return JournalStorage(JournalFileBackend("journal.log"))
    return RDBStorage("sqlite:///study.db", engine_kwargs={"connect_args": {"timeout": 60}})


def objective(trial: optuna.Trial) -> float:
    return trial.suggest_float("x", 0.0, 1.0)


def optimize(kind: str, runs: int, barrier: Any, times: Any) -> None:
    study = optuna.load_study(study_name="bench", storage=storage(kind), sampler=optuna.samplers.RandomSampler())
    barrier.wait(60)
    begun = time.monotonic()
    study.optimize(objective, n_trials=runs)
    times.put((begun, time.monotonic()))


def main(kind: str, runs: int, processes: int) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    optuna.create_study(storage=storage(kind), study_name="bench")
    context = multiprocessing.get_context("fork")
    barrier, times = context.Barrier(processes), context.Queue()
    begun = [
        context.Process(target=optimize, args=(kind, runs // processes, barrier, times)) for _ in range(processes)
    ]  # fmt: skip
    for process in begun:
        process.start()
    found = [times.get(timeout=120) for _ in begun]
    for process in begun:
        process.join(60)
    wall = max(end for _, end in found) - min(start for start, _ in found)
    trials = optuna.load_study(study_name="bench", storage=storage(kind)).trials
    answer(ms_a_run=wall * 1000 / len(trials), runs=len(trials))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
