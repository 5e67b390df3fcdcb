"""The engines: where each is installed, at which versions, and the program that speaks for it."""

from __future__ import annotations

from dataclasses import dataclass

_TORCH = ("torch==2.13.0", "numpy==2.4.6", "scipy==1.17.1")


@dataclass(frozen=True)
class Engine:
    """One contender.

    ``environment``: engines of one name share one; "besom" is this tree. ``program``: a file in `programs`, started
    with ``method``.
    """

    title: str
    environment: str
    packages: tuple[str, ...]
    program: str
    method: str = ""


def _besom(method: str) -> Engine:
    return Engine(f"Besom `{method}`", "besom", (), "ask_besom.py", method)


ENGINES = {
    "besom-bayes": _besom("bayes"),
    "besom-tpe": _besom("tpe"),
    "besom-sobol": _besom("sobol"),
    "besom-random": _besom("random"),
    "sweeps": Engine(
        "W&B sweeps 0.3.0, bayes", "sweeps", ("sweeps==0.3.0", "numpy==1.26.4", "scipy==1.13.1"), "ask_sweeps.py"
    ),
    "optuna-tpe": Engine("Optuna 5.0.0 TPESampler", "optuna", ("optuna==5.0.0", *_TORCH), "ask_optuna.py", "tpe"),
    "optuna-gp": Engine("Optuna 5.0.0 GPSampler", "optuna", ("optuna==5.0.0", *_TORCH), "ask_optuna.py", "gp"),
    "hebo": Engine("HEBO 0.3.6", "hebo", ("HEBO==0.3.6", "torch==2.13.0"), "ask_hebo.py"),
    "ax": Engine("Ax 1.3.1", "ax", ("ax-platform==1.3.1", "torch==2.13.0"), "ask_ax.py"),
    "vizier": Engine("Google Vizier 0.1.24", "vizier", ("google-vizier[jax]==0.1.24",), "ask_vizier.py"),
    "openbox": Engine("OpenBox 0.9.0", "openbox", ("openbox==0.9.0",), "ask_openbox.py"),
}
