"""Links lead somewhere, everything is documented, nothing strange is in the documents."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import besom
from besom.cli.main import SECTIONS, cli
from besom.server.app import ENDPOINTS
from besom.server.endpoint import API
from besom.sweep_config.keys import PLACES
from besom.sweep_config.keys import SECTIONS as KEY_SECTIONS

SOURCE = Path(besom.__file__).parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Addresses outside of the repository that a page may name.
OUTSIDE = ("https://semver.org",)
# A registry, this machine, or what belongs to nobody's business.
STRANGE = re.compile(
    r"py[p]i\.org|pythonhoste[d]|np[m]js|/wor[k]/|/roo[t]/|/tmp/|/mnt/|\bTODO\b|\bFIXME\b|site-packages", re.IGNORECASE
)
NOT_OUR_WORDS = re.compile(r"\b(trials?|study|studies|sampler|pruner|scheduler)\b", re.IGNORECASE)


def anchors(text):
    """The anchors that a renderer gives to the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-"))
    return found


def test_links_and_anchors_exist(page):
    for target in LINK.findall(page.prose):
        path, _, anchor = target.partition("#")
        if "://" in target:
            assert target.startswith(OUTSIDE), f"{page.name} leads to {target}"
            continue
        file = (page.path.parent / path).resolve() if path else page.path
        assert file.exists(), f"{page.name} leads to {target}, which is not there"
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), (
                f"{page.name} leads to {target}: no such heading"
            )


def test_every_page_is_reached_from_the_readme(pages, root):
    reached, waiting = set(), [root / "README.md"]
    while waiting:
        file = waiting.pop()
        if file in reached or file.suffix != ".md":
            continue
        reached.add(file)
        targets = LINK.findall(file.read_text(encoding="utf-8"))
        waiting += [(file.parent / target.split("#")[0]).resolve() for target in targets if "://" not in target]
    lost = [page.name for page in pages if page.path not in reached and page.name.startswith("docs/")]
    assert not lost


def test_nothing_strange_is_in_a_page(page):
    assert not STRANGE.findall(page.text), page.name


def test_pages_keep_to_our_words(page):
    # The glossary says what others call it, and the sweep file's pages explain a key of W&B's.
    allowed = {"docs/reference/words.md", "docs/reference/sweep-file.md", "docs/reference/semantics-tests.md"}
    prose = page.prose.replace("`scheduler`", "")
    found = [] if page.name in allowed else NOT_OUR_WORDS.findall(prose)
    assert not found, f"{page.name}: {found}"


@pytest.mark.parametrize("script", ["generate-docs", "generate-reference"])
def test_generated_pages_are_up_to_date(root, script):
    command = [sys.executable, str(root / "scripts" / script), "--check"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- everything is documented


def commands(node=cli, path="besom"):
    context = click.Context(node, info_name=path)
    for name in node.list_commands(context):
        found = node.get_command(context, name)
        yield f"{path} {name}", found
        if isinstance(found, click.Group):
            yield from commands(found, f"{path} {name}")


def test_every_command_and_option_is_documented(root):
    text = (root / "docs/reference/cli.md").read_text(encoding="utf-8")
    parts = {part.partition("\n")[0]: part for part in re.split(r"^#+ ", text, flags=re.MULTILINE)}
    assert sum(map(len, SECTIONS.values())) > 20
    for name, command in commands():
        assert name in parts
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert all(f"`{word}`" in parts[name] for word in option.opts), f"{name}: {option.opts}"


def test_every_sweep_key_is_documented(root):
    text = (root / "docs/reference/sweep-file.md").read_text(encoding="utf-8")
    for section, keys in KEY_SECTIONS.items():
        for key in keys:
            # The keys of a parameter stand with the distributions that take them, where they are built.
            assert f"`{PLACES[section]}{key.name}`" in text or (section == "parameter" and f"`{key.name}`" in text)


def test_every_route_is_documented(root):
    text = (root / "docs/reference/http-api.md").read_text(encoding="utf-8")
    for endpoint in ENDPOINTS:
        assert f"`{endpoint.method} {API}{endpoint.path}`" in text


def test_every_variable_in_the_source_is_documented(root):
    text = (root / "docs/reference/environment.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"\b(?:BESOM|WANDB)_[A-Z_]*[A-Z]\b", text))
    used = {
        name
        for file in SOURCE.rglob("*.py")
        for name in re.findall(r"\b(?:BESOM|WANDB)_[A-Z_]*[A-Z]\b", file.read_text(encoding="utf-8"))
    }
    # `_BESOM_COMPLETE` is click's own; a name that ends in `_AGENT` before a brace is put together from its parts.
    assert not used - documented - {"BESOM_COMPLETE", "WANDB_AGENT"}


def test_every_public_name_is_documented(root):
    text = (root / "docs/reference/python-api.md").read_text(encoding="utf-8")
    errors = (root / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    for name in besom.__all__:
        if not name.startswith("_"):
            assert f"besom.{name}" in text or f"`{name}`" in errors, name


# ---- the house


def test_the_architecture_names_every_package(root):
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = [path.parent.relative_to(SOURCE) for path in SOURCE.rglob("__init__.py")]
    names = {package.parts[0] for package in packages if package.parts} | {"errors.py", "metric.py", "command.py"}
    lost = [name for name in names if f"`{name}`" not in text and f"`{name}/`" not in text]
    assert not lost


def test_the_paths_that_the_architecture_names_exist(root):
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = re.findall(r"`([a-z_]+(?:/[a-z_.]*)+|[a-z_]+\.py)`", text)
    assert len(paths) > 30
    for path in paths:
        assert (SOURCE / path).exists() or (root / path).exists(), path


def test_the_functions_that_the_architecture_names_exist(root):
    text = " ".join((root / "ARCHITECTURE.md").read_text(encoding="utf-8").split())
    pairs = re.findall(r"`([a-z_]+/[a-z_/]+\.py)` `([a-z_]+)`", text)
    assert len(pairs) > 3
    for path, name in pairs:
        assert re.search(rf"\b{name}\b", (SOURCE / path).read_text(encoding="utf-8")), f"{path} has no {name}"


def test_the_readme_names_the_two_commands(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


def test_the_readme_installs_this_version(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"besom-([\d.]+)-py3", text)) == {besom.__version__}


def test_the_changelog_begins_with_this_version(root):
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    top = re.search(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    version = re.search(r'^version = "(.+)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)
    assert top[1] == version[1] == besom.__version__


def test_every_decision_says_context_choice_and_price(root):
    pages = sorted((root / "docs" / "decisions").glob("0*.md"))
    index = (root / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert len(pages) >= 7
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == ["Context", "Choice", "Price"], page.name
        assert text.startswith(f"# {page.name[:4]} "), page.name
        assert f"({page.name})" in index
        assert len(text.splitlines()) <= 60, f"{page.name} is longer than a page"
