"""The rules of the house that no linter knows."""

import ast
import re
from pathlib import Path

import besom

SOURCE = Path(besom.__file__).parent
PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py") if "on_path" not in path.parts)
PUBLIC_OBJECTS = {
    "init", "log", "config", "summary", "run", "sweep", "agent", "finish", "save", "define_metric", "controller",
    "suggest",
}  # fmt: skip
FORBIDDEN_WORDS = re.compile(r"\b(trial|trials|study|sampler|pruner|scheduler)\b", re.IGNORECASE)


def sources():
    return sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)


def test_no_module_replaces_a_public_object():
    names = {path.stem for path in SOURCE.iterdir()}
    assert not names & PUBLIC_OBJECTS


def test_every_room_says_what_it_is_for():
    for package in PACKAGES:
        doc = ast.get_docstring(ast.parse((package / "__init__.py").read_text()))
        assert doc, f"{package} has no docstring"
        if package != SOURCE:
            assert len(doc.splitlines()) >= 3, f"{package}: what it is for, what enters, what leaves"


def test_source_keeps_to_the_glossary():
    allowed = {"keys.py"}  # the sweep file's own key `scheduler` is explained there
    found = [
        f"{path.relative_to(SOURCE)}:{number}: {line.strip()}"
        for path in sources()
        if path.name not in allowed
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if FORBIDDEN_WORDS.search(line)
    ]
    assert not found, "\n".join(found)


def test_nothing_inside_imports_the_shop_window():
    for path in sources():
        if path.name == "__main__.py" or "on_path" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert all(alias.name != "besom" for alias in node.names), path
            if isinstance(node, ast.ImportFrom):
                assert node.module != "besom", path
