"""HTML that cannot be written unescaped: text is text, and only `element` makes tags."""

from __future__ import annotations

import html
from collections.abc import Iterable

_VOID = frozenset(["br", "hr", "input", "link", "meta"])


class Markup(str):
    """Finished HTML. Everything that is not of this type is escaped when it gets into an element."""

    __slots__ = ()


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """``<tag attributes>children</tag>``.

    ``cls`` stands for ``class``, a final underscore is dropped, other underscores become hyphens. An attribute that
    is None or False is left out, True stands alone. None as a child is nothing; lists are their items.
    """
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Iterable[object]) -> Markup:
    """Children one after another, each escaped unless it is HTML already."""
    return Markup("".join(map(_child, children)))


def _child(child: object) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return str(child)
    if isinstance(child, (list, tuple)):
        return join(child)
    return html.escape(_clean(str(child)))


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = "class" if name == "cls" else name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(_clean(str(value)))}"'


def _clean(text: str) -> str:
    # What UTF-8 or HTML cannot hold: lone surrogates and control characters other than tab and line breaks.
    if text.isprintable():
        return text
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(char if char >= " " or char in "\t\n\r" else "�" for char in text)
