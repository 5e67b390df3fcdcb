"""Which distribution a parameter has that names none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from besom.space import KINDS, Kind

# Keys that leave open which distribution is meant → those that could be.
_NEEDS_NAME = {
    "q": ("q_uniform", "q_log_uniform_values", "q_normal"),
    "mu": ("normal", "log_normal"),
    "sigma": ("normal", "log_normal"),
    "a": ("beta", "q_beta"),
    "b": ("beta", "q_beta"),
}


def infer_kind(options: Mapping[str, Any]) -> tuple[str | None, str]:
    """The kind and a remark (empty: none), or None and the sentence that says what is missing.

    ``options`` are the parameter's keys; only the types of ``min`` and ``max`` are looked at.
    """
    if "value" in options and "values" in options:
        return None, "`value` and `values` exclude each other: keep `value` for a fixed one, `values` for a list"
    if "value" in options:
        return "constant", ""
    if "values" in options:
        return ("categorical_w_probabilities" if "probabilities" in options else "categorical"), ""
    for key, kinds in _NEEDS_NAME.items():
        if key in options:
            names = " or ".join(f"`{kind}`" for kind in kinds)
            return None, f"`{key}` needs a `distribution`, such as {names}"
    if "min" in options and "max" in options:
        return _between(options["min"], options["max"])
    return None, _half(options)


def kind_that_fits(options: Mapping[str, Any]) -> str | None:
    """The kind that these options have without a name, or the first that has these and no others; None: none."""
    kind, _ = infer_kind(options)
    candidates = [kind] if kind else [each for key in options for each in _NEEDS_NAME.get(key, ())]
    return next((each for each in candidates if _takes(KINDS[each], options)), None)


def _takes(kind: Kind, options: Mapping[str, Any]) -> bool:
    needed = {option.name for option in kind.options if option.required}
    return needed <= options.keys() <= {option.name for option in kind.options}


def _between(low: Any, high: Any) -> tuple[str, str]:
    whole = [isinstance(bound, int) and not isinstance(bound, bool) for bound in (low, high)]
    if all(whole):
        return "int_uniform", ""
    if any(whole) and all(isinstance(bound, (int, float)) and bound % 1 == 0 for bound in (low, high)):
        return "uniform", "read as `uniform`, as one bound has a point: write both without one for whole numbers"
    return "uniform", ""


def _half(options: Mapping[str, Any]) -> str:
    for one, other in (("min", "max"), ("max", "min")):
        if one in options:
            return f"`{other}` is missing beside `{one}`"
    if "probabilities" in options:
        return "`probabilities` need `values` to belong to"
    return "nothing is said about its values: write `value`, `values` or `min` and `max`"
