"""The functions that are searched: public ones, and made ones whose shifts and tables come from ``Random(name)``.

Spaces are written as in a sweep file. Plain Python, no NumPy: the functions cost nothing beside the engines.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Function:
    """``measure`` gives the metric without noise; None: the run crashes.

    ``optimum``: the metric's best value. ``noise``: standard deviation of what is added to the value that engines are
    told. ``runs``: how many runs an engine has.
    """

    parameters: dict[str, Any]
    measure: Callable[[Params], float | None]
    optimum: float
    goal: str = "minimize"
    noise: float = 0.0
    runs: int = 100

    @property
    def config(self) -> dict[str, Any]:
        """The sweep file, without a method."""
        return {"metric": {"name": "y", "goal": self.goal}, "parameters": self.parameters}

    def loss(self, value: float) -> float:
        """Smaller is better."""
        return -value if self.goal == "maximize" else value


def uniform(low: float, high: float) -> dict[str, Any]:
    return {"distribution": "uniform", "min": low, "max": high}


def log_uniform(low: float, high: float) -> dict[str, Any]:
    return {"distribution": "log_uniform_values", "min": low, "max": high}


def log_int(low: int, high: int) -> dict[str, Any]:
    return {"distribution": "q_log_uniform_values", "min": low, "max": high, "q": 1}


def whole(low: int, high: int) -> dict[str, Any]:
    return {"distribution": "int_uniform", "min": low, "max": high}


def one_of(*values: Any) -> dict[str, Any]:
    return {"values": list(values)}


def letters(name: str, count: int) -> list[str]:
    """Values without an order."""
    return [f"{name}-{'abcdefgh'[i]}" for i in range(count)]


def box(count: int, low: float, high: float) -> dict[str, Any]:
    return {f"x{i}": uniform(low, high) for i in range(count)}


def vector(params: Params, count: int) -> list[float]:
    return [params[f"x{i}"] for i in range(count)]


def branin(params: Params) -> float:
    """Dixon & Szegö 1978."""
    x, y = params["x"], params["y"]
    bend = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return float(bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


_HARTMANN_ALPHA = (1.0, 1.2, 3.0, 3.2)
_HARTMANN_A = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
_HARTMANN_P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann6(params: Params) -> float:
    """Dixon & Szegö 1978."""
    x = vector(params, 6)
    return -sum(
        alpha * math.exp(-sum(a * (value - p) ** 2 for a, value, p in zip(row_a, x, row_p, strict=True)))
        for alpha, row_a, row_p in zip(_HARTMANN_ALPHA, _HARTMANN_A, _HARTMANN_P, strict=True)
    )


def _uniforms(name: str, count: int, low: float, high: float) -> list[float]:
    random = Random(name)
    return [random.uniform(low, high) for _ in range(count)]


LEVY_BEST = _uniforms("levy10", 10, -3.5, 3.5)
ACKLEY_BEST = [5 + shift for shift in _uniforms("ackley5", 5, -10, 10)]


def levy10(params: Params) -> float:
    """Levy's function; its best point is at `LEVY_BEST`."""
    w = [1 + (x - best) / 4 for x, best in zip(vector(params, 10), LEVY_BEST, strict=True)]
    middle = sum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
    return math.sin(math.pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)


def ackley5(params: Params) -> float:
    """Ackley's function; its best point is at `ACKLEY_BEST`, off the centre 5 of the space."""
    z = [x - best for x, best in zip(vector(params, 5), ACKLEY_BEST, strict=True)]
    root = math.sqrt(sum(v * v for v in z) / 5)
    waves = sum(math.cos(2 * math.pi * v) for v in z) / 5
    return 20 + math.e - 20 * math.exp(-0.2 * root) - math.exp(waves)


def rosen_mixed(params: Params) -> float:
    """Rosenbrock's valley in six parameters of several kinds."""
    z = (
        math.log10(params["lr"]) + 3,
        (math.log10(params["wd"]) + 5) / 1.5,
        (math.log2(params["width"]) - 6) / 1.5,
        (params["layers"] - 5) / 2,
        (params["dropout"] - 0.45) / 0.225,
        (params["mix"] - 0.5) / 0.25,
    )
    valley = sum(100 * (after - v * v) ** 2 + (1 - v) ** 2 for v, after in itertools.pairwise(z))
    return math.log1p(valley / 10)


# Optimizer → what it costs, its best log10 of the learning rate, its best coefficient.
_OPTIMIZERS = {
    "sgd": (0.35, -1.0, 0.2),
    "momentum": (0.15, -1.5, 0.9),
    "adam": (0.0, -3.0, 0.7),
    "rmsprop": (0.2, -3.3, 0.4),
}
_ACTIVATIONS = {"relu": 0.1, "tanh": 0.4, "gelu": 0.0, "silu": 0.05, "elu": 0.2}


def conditional(params: Params) -> float:
    """A training's score: what is best for two parameters depends on the optimizer; two parameters do nothing."""
    cost, best_lr, best_coefficient = _OPTIMIZERS[params["optimizer"]]
    loss = (
        cost
        + _ACTIVATIONS[params["activation"]]
        + 0.25 * (math.log10(params["lr"]) - best_lr) ** 2
        + 2 * (params["coefficient"] - best_coefficient) ** 2
        + 0.05 * (math.log10(params["wd"]) + 4) ** 2
        + 0.05 * (math.log2(params["batch"]) - 6) ** 2
        + 0.04 * (params["layers"] - 4) ** 2
    )
    return 1 / (1 + loss)


CRASH_ABOVE = 0.91  # a fifth of the space lies above (two million random points)
CRASH_CENTRE = (0.6, 0.4, CRASH_ABOVE - 0.02 - 0.5 * 0.6 + 0.3 * 0.4, 0.3)
_CRASH_OPTIMIZERS = {"sgd": 0.15, "adam": 0.0, "rmsprop": 0.08}


def crash(params: Params) -> float | None:
    """A bowl; wide networks with small batches and large learning rates crash. Its bottom is 0.02 off the edge."""
    u = (
        math.log2(params["width"] / 16) / 6,
        math.log2(params["batch"] / 8) / 6,
        math.log10(params["lr"]) / 5 + 1,
        params["dropout"] / 0.8,
    )
    if 0.5 * u[0] - 0.3 * u[1] + u[2] > CRASH_ABOVE:
        return None
    d = [v - centre for v, centre in zip(u, CRASH_CENTRE, strict=True)]
    bowl = d[0] ** 2 + 0.7 * d[1] ** 2 + 4 * d[2] ** 2 + 0.5 * d[3] ** 2 + d[0] * d[2]
    return bowl + _CRASH_OPTIMIZERS[params["optimizer"]]


_SMALL_NAMES = {"model": 3, "loss": 4, "norm": 5, "pool": 2}
_SMALL_VALUES = [letters(name, count) for name, count in _SMALL_NAMES.items()]


def _small_table() -> dict[tuple[str, ...], float]:
    """For every point the costs of its values, up to 1 each, and up to 0.5 of its own."""
    random = Random("small")
    costs = {value: random.random() for values in _SMALL_VALUES for value in values}
    points = itertools.product(*_SMALL_VALUES)
    return {point: sum(costs[value] for value in point) + 0.5 * random.random() for point in points}


_SMALL = _small_table()


def small(params: Params) -> float:
    """A table of 120 points."""
    return _SMALL[tuple(params[name] for name in _SMALL_NAMES)]


_ACTIVE = sorted(Random("active4of20").sample(range(20), 4))
_ACTIVE_BEST = _uniforms("active4of20: best", 4, 0.2, 0.8)
_ACTIVE_WEIGHTS = _uniforms("active4of20: weights", 4, 1, 4)


def active4of20(params: Params) -> float:
    """Twenty parameters, four of which matter: a bowl with waves."""
    away = [params[f"x{i}"] - best for i, best in zip(_ACTIVE, _ACTIVE_BEST, strict=True)]
    waves = sum(1 - math.cos(6 * math.pi * d) for d in away)
    return sum(weight * d * d for weight, d in zip(_ACTIVE_WEIGHTS, away, strict=True)) + 0.05 * waves


_CATEGORIES = {"model": 8, "optimizer": 6, "augment": 5, "norm": 3, "head": 2}
_CATEGORY_VALUES = [letters(name, count) for name, count in _CATEGORIES.items()]


def _category_table() -> dict[tuple[str, ...], float]:
    """For every combination the costs of its values, up to 1 each, and up to 1 of its first two together."""
    random = Random("categorical")
    costs = {value: random.random() for values in _CATEGORY_VALUES for value in values}
    pairs = {pair: random.random() for pair in itertools.product(*_CATEGORY_VALUES[:2])}
    points = itertools.product(*_CATEGORY_VALUES)
    return {point: sum(costs[value] for value in point) + pairs[point[:2]] for point in points}


_CATEGORICAL = _category_table()
_CATEGORICAL_BEST = _uniforms("categorical: floats", 2, 0.2, 0.8)


def categorical(params: Params) -> float:
    """1,440 combinations without an order, two of them in interaction, and two floats."""
    away = (params["dropout"] - _CATEGORICAL_BEST[0], params["mix"] - _CATEGORICAL_BEST[1])
    return _CATEGORICAL[tuple(params[name] for name in _CATEGORIES)] + 2 * sum(d * d for d in away)


FUNCTIONS = {
    "branin": Function({"x": uniform(-5, 10), "y": uniform(0, 15)}, branin, 0.397887),
    "hartmann6": Function(box(6, 0, 1), hartmann6, -3.32237),
    "hartmann6_noisy": Function(box(6, 0, 1), hartmann6, -3.32237, noise=0.2),
    "levy10": Function(box(10, -10, 10), levy10, 0.0),
    "ackley5": Function(box(5, -20, 30), ackley5, 0.0),
    "rosen_mixed": Function(
        {
            "lr": log_uniform(1e-5, 1e-1),
            "wd": log_uniform(1e-8, 1e-2),
            "width": log_int(8, 1024),
            "layers": whole(1, 9),
            "dropout": uniform(0, 0.9),
            "mix": {"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.05},
        },
        rosen_mixed,
        0.0,
    ),
    "conditional": Function(
        {
            "optimizer": one_of(*_OPTIMIZERS),
            "activation": one_of(*_ACTIVATIONS),
            "lr": log_uniform(1e-5, 1.0),
            "coefficient": uniform(0, 1),
            "wd": log_uniform(1e-7, 1e-1),
            "batch": one_of(16, 32, 64, 128, 256),
            "layers": whole(1, 8),
            "momentum_of_norm": uniform(0, 1),
            "padding": one_of("zeros", "reflect", "circular"),
        },
        conditional,
        1.0,
        goal="maximize",
    ),
    "crash": Function(
        {
            "width": log_int(16, 1024),
            "batch": log_int(8, 512),
            "lr": log_uniform(1e-5, 1.0),
            "dropout": uniform(0, 0.8),
            "optimizer": one_of(*_CRASH_OPTIMIZERS),
        },
        crash,
        1.14785e-6,  # by search: whole widths and batches beside the centre, the best learning rate for each
    ),
    "small": Function(
        {name: one_of(*values) for name, values in zip(_SMALL_NAMES, _SMALL_VALUES, strict=True)},
        small,
        min(_SMALL.values()),
        runs=120,
    ),
    "active4of20": Function(box(20, 0, 1), active4of20, 0.0),
    "categorical": Function(
        {
            **{name: one_of(*values) for name, values in zip(_CATEGORIES, _CATEGORY_VALUES, strict=True)},
            "dropout": uniform(0, 1),
            "mix": uniform(0, 1),
        },
        categorical,
        min(_CATEGORICAL.values()),
    ),
}
