from __future__ import annotations

import ast
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from besom.command import MACROS
from besom.space import KINDS
from besom.sweep_config.keys import PLACES, SECTIONS

ROOT = Path(__file__).resolve().parents[3]
PAGES: dict[str, Callable[[], str]] = runpy.run_path(str(ROOT / "scripts" / "generate-reference"))["PAGES"]


@pytest.mark.parametrize("page", ["sweep-file.md", "sweep-schema.json"])
def test_the_pages_made_from_the_tables_are_current(page: str) -> None:
    written = (ROOT / "docs" / "reference" / page).read_text()
    assert written == PAGES[page](), "run scripts/generate-reference"


def test_the_page_names_every_key_distribution_and_macro() -> None:
    page = PAGES["sweep-file.md"]()
    keys = [PLACES[section] + key.name for section, table in SECTIONS.items() for key in table]
    assert [name for name in [*keys, *KINDS, *MACROS] if f"| `{name}` |" not in page] == []


def test_the_table_of_rules_has_a_row_for_each_test() -> None:
    page = PAGES["semantics-tests.md"]()
    names = [
        node.name
        for file in sorted((ROOT / "tests" / "semantics").glob("test_*.py"))
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert [name for name in names if page.count(f"::{name}`") != 1] == [], "name the test after its section"


def test_the_table_of_rules_shows_part_and_rule() -> None:
    page = PAGES["semantics-tests.md"]()
    test = "test_s06_grid_decide_the_grid_is_indexed_and_never_built"
    assert f"| 6 | the grid is indexed and never built *(decided)* | `test_s06_grid.py::{test}` |" in page
    assert "| 10.4 | max initial failures replaces five |" in page
