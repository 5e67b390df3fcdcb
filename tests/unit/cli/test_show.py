from __future__ import annotations

from typing import Any

from besom.cli.show import reasons

INFO: dict[str, Any] = {
    "source": "initial", "success_probability": None, "predicted_value": None, "predicted_value_std_dev": None,
    "expected_improvement": None, "best": None, "seen": [], "others_seen": 0, "warnings": [],
}  # fmt: skip


def test_a_first_point_says_that_it_is_one() -> None:
    assert reasons(INFO, "k3v9x2ab") == (
        "These params were suggested as one of the sweep's first points, which spread over the space, knowing "
        "of 0 runs."
    )


def test_a_models_choice_is_told_with_its_numbers() -> None:
    info = {
        **INFO, "source": "model", "success_probability": 0.875, "predicted_value": 0.25,
        "predicted_value_std_dev": 0.03125, "expected_improvement": 0.0125, "best": "abcd1234",
        "seen": [[0, 9], [12, 12]], "others_seen": 2, "warnings": ["1 of the runs was left out"],
    }  # fmt: skip
    assert reasons(info, "k3v9x2ab") == (
        "These params were suggested by the model of the sweep's results, knowing of 13 runs. It expected 0.2500 ± "
        "0.03125 here. The expected improvement over the best was 0.01250. The run should end well with a probability "
        "of 88%. Allowing for noise it took run abcd1234 for the best of sweep k3v9x2ab. Warning: 1 of the runs was "
        "left out."
    )
