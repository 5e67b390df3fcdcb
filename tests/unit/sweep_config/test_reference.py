from __future__ import annotations

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
    assert "| args no boolean flags writes true as a flag and leaves false out |" in page
