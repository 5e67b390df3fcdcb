from __future__ import annotations

import pytest

from besom.server.markup import Markup, element


def test_text_is_escaped():
    assert element("p", "<script>", "a & b") == "<p>&lt;script&gt;a &amp; b</p>"


def test_attributes_are_escaped():
    assert element("a", "x", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;">x</a>'


def test_elements_in_elements_stay():
    assert element("ul", [element("li", "a"), element("li", "b")], None) == "<ul><li>a</li><li>b</li></ul>"


def test_attribute_names_are_those_of_html():
    made = element("input", cls="a", for_="b", http_equiv="c", required=True, hidden=False, title=None)
    assert made == '<input class="a" for="b" http-equiv="c" required>'


@pytest.mark.parametrize("text", ["\x00", "\x1b[31m", "\ud800"])
def test_what_html_cannot_hold_is_replaced(text):
    made = element("p", text)
    assert isinstance(made, Markup)
    made.encode("utf-8")
    assert text[0] not in made


def test_line_breaks_and_unicode_stay():
    assert element("pre", "a\n\tä 数") == "<pre>a\n\tä 数</pre>"
