"""Section 7: random."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from besom.search import Observation, Searcher, make_searcher
from besom.space import Parameter, SearchSpace, make_distribution, params_hash

UNIFORM = ("uniform", {"min": 0, "max": 1})


def ints(size: int) -> tuple[str, dict[str, Any]]:
    return "int_uniform", {"min": 1, "max": size}


def random(seed: int = 0, allow_repeats: bool = False, **parameters: tuple[str, dict[str, Any]]) -> Searcher:
    space = SearchSpace(
        [Parameter((name,), make_distribution(kind, options)) for name, (kind, options) in parameters.items()]
    )
    return make_searcher("random", space, seed=seed, allow_repeats=allow_repeats)


def draws(searcher: Searcher, count: int) -> list[Any]:
    return [searcher.ask(number, []) for number in range(count)]


def test_s07_random_parameters_are_drawn_independently() -> None:
    drawn = draws(random(a=UNIFORM, b=UNIFORM), 2000)
    a, b = (np.array([params[name] for params in drawn]) for name in "ab")
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.06
    assert abs(np.corrcoef(a[:-1], a[1:])[0, 1]) < 0.06
    assert [np.mean(a < level) for level in (0.25, 0.5, 0.75)] == pytest.approx([0.25, 0.5, 0.75], abs=0.03)


def test_s07_random_history_is_not_read() -> None:
    informed = random(a=UNIFORM)
    for number, params in enumerate(draws(informed, 5)):
        informed.tell(Observation(number=number, params=params, loss=0.0, state="finished"))
    assert draws(informed, 10) == draws(random(a=UNIFORM), 10)


def test_s07_random_never_ends_with_an_infinite_parameter() -> None:
    assert random(a=ints(2), b=UNIFORM).size() is None
    assert random(a=ints(2), b=UNIFORM).ask(10**6, []) is not None


def test_s07_random_decide_a_finite_space_is_drawn_without_repeats_to_its_end() -> None:
    searcher = random(a=ints(3), b=ints(2), c=ints(2))
    assert searcher.size() == 12
    assert len({params_hash(params) for params in draws(searcher, 12)}) == 12
    assert searcher.ask(12, []) is None


def test_s07_random_decide_allow_repeats_opts_out() -> None:
    searcher = random(allow_repeats=True, a=ints(3), b=ints(2), c=ints(2))
    assert searcher.size() is None
    assert len({params_hash(params) for params in draws(searcher, 12)}) < 12
    assert None not in draws(searcher, 100)


def test_s07_random_decide_weights_hold_without_repeats() -> None:
    first = Counter(
        random(seed=seed, a=("categorical", {"values": ["x", "x", "y"]}), b=ints(4)).ask(0, [])["a"]  # type: ignore[index]
        for seed in range(1500)
    )
    assert first["x"] / 1500 == pytest.approx(2 / 3, abs=0.04)


def test_s07_random_decide_values_that_cannot_be_drawn_are_not_waited_for() -> None:
    never = ("categorical_w_probabilities", {"values": ["x", "y", "z"], "probabilities": [0.5, 0.0, 0.5]})
    assert sorted(params["a"] for params in draws(random(a=never), 2)) == ["x", "z"]
    assert random(a=never).size() == 2


@pytest.mark.parametrize("parameters", [{"a": UNIFORM}, {"a": ints(1000)}], ids=["infinite", "finite"])
def test_s07_random_decide_draw_k_of_seed_s_is_the_same_after_a_restart(parameters: Any) -> None:
    whole = draws(random(seed=3, **parameters), 20)
    assert [random(seed=3, **parameters).ask(number, []) for number in range(20)] == whole
