"""Values of scripts as JSON knows them, without importing NumPy, PyTorch or whatever made them."""

from __future__ import annotations

from _collections_abc import Mapping, Sequence, Set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Deeper than any config; what refers to itself ends here instead of never.
MAX_DEPTH = 64
_INT64 = 2**63


class Unrecorded:
    """Base of values that `log` and `config` accept and leave out, because Besom does not keep their kind yet."""


def jsonable(value: Any, depth: int = 0) -> Any:
    """The JSON-like value that ``value`` stands for: arrays and tensors as lists, scalars as numbers, else text.

    Non-finite floats stay floats. Integers beyond 64 bits become text, so that no digit is lost.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if type(value) is int:
        return value if -_INT64 <= value < _INT64 else str(value)
    if type(value) is float:
        return value
    if depth >= MAX_DEPTH:
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): jsonable(item, depth + 1) for key, item in value.items() if not isinstance(item, Unrecorded)}
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Sequence):
        return [jsonable(item, depth + 1) for item in value]
    if isinstance(value, Set):
        return sorted((jsonable(item, depth + 1) for item in value), key=str)
    return _other(value, depth)


def _other(value: Any, depth: int) -> Any:
    """Objects: arrays by ``tolist``, numbers by ``__index__`` or ``__float__``, records by their fields, else text."""
    if isinstance(value, type):
        return value.__qualname__
    if callable(getattr(value, "numpy", None)) and not callable(getattr(value, "tolist", None)):
        value = value.numpy()
    if callable(getattr(value, "tolist", None)):
        return jsonable(value.tolist(), depth + 1)
    if callable(getattr(value, "__index__", None)):
        return jsonable(int(value), depth + 1)
    if callable(getattr(value, "__float__", None)):
        return float(value)
    fields = _fields(value)
    if fields is not None:
        return jsonable(fields, depth + 1)
    if callable(value) and hasattr(value, "__qualname__"):
        return value.__qualname__
    return str(value)


def _fields(value: Any) -> dict[str, Any] | None:
    kind = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in kind.__dataclass_fields__ if hasattr(value, name)}
    if kind.__name__ == "Namespace" and hasattr(value, "__dict__"):
        return dict(vars(value))
    return None


def flatten(data: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries with dotted keys, ``{"val": {"loss": 1}}`` → ``{"val.loss": 1}``; unrecorded values left out.

    Values other than dictionaries stay as they are.
    """
    flat: dict[str, Any] = {}
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{name}."))
        elif not isinstance(value, Unrecorded):
            flat[name] = value
    return flat


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid deeply over ``base``: dict into dict, every other type replaces."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
