"""The version of this program, in one place and without reading package metadata, and which versions go together."""

from __future__ import annotations

VERSION = "0.1.0"


# What was asked before: each request of each client brings its version.
_known: dict[str, tuple[int, int, int]] = {}
_MOST_KNOWN = 64


def numbers(text: str) -> tuple[int, int, int]:
    """``1.4.2rc1`` → (1, 4, 2); what is no number counts as 0."""
    if text in _known:
        return _known[text]
    found = []
    for part in ([*text.split("."), "0", "0"])[:3]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        found.append(int(digits or 0))
    answer = found[0], found[1], found[2]
    if len(_known) < _MOST_KNOWN:
        _known[text] = answer
    return answer


def go_together(one: str, other: str) -> bool:
    """True if two versions are at most one minor version apart."""
    (major, minor, _), (other_major, other_minor, _) = numbers(one), numbers(other)
    return major == other_major and abs(minor - other_minor) <= 1
