"""``claims_optuna.py STORAGE PROCESSES SECONDS [URL]``: ask, suggest, tell, by many processes on one study."""

from __future__ import annotations

import sys
import time
from typing import Any

import optuna
from answer import answer
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from together import Loop, take_together


def storage(kind: str, url: str) -> Any:
    """The storage as each process opens it; SQLite with a patient lock, else its users see errors at once."""
    if kind == "journal":
        return JournalStorage(JournalFileBackend("journal.log"))
    if kind == "sqlite":
        return RDBStorage("sqlite:///study.db", engine_kwargs={"connect_args": {"timeout": 60}})
    return RDBStorage(url.replace("postgresql://", "postgresql+psycopg://"), engine_kwargs={"pool_size": 1})


def main(kind: str, processes: int, seconds: float, url: str) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    optuna.create_study(storage=storage(kind, url), study_name="bench")

    def make_loop() -> Loop:
        study = optuna.load_study(
            study_name="bench", storage=storage(kind, url), sampler=optuna.samplers.RandomSampler()
        )
        return lambda end: loop(study, end)

    answer(**take_together(make_loop, processes, seconds))


def loop(study: Any, end: float) -> tuple[list[Any], list[float], list[str]]:
    points: list[Any] = []
    asks: list[float] = []
    errors: list[str] = []
    while (begun := time.monotonic()) < end:
        try:
            trial = study.ask()
            value = sum(trial.suggest_float(name, 0.0, 1.0) for name in "abc")
            asks.append(time.monotonic() - begun)
            study.tell(trial, value)
            points.append(trial.number)
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}"[:300])
    return points, asks, errors


main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else "")
