"""What the documents show is true: commands print what stands there, Python runs, sweep files are valid."""

import json
import re
import shlex

import click
import pytest

from besom.cli.main import cli
from besom.sweep_config import read_sweep_config

LANGUAGES = {"console", "python", "yaml", "json", "sh", "text"}
# What a piece of a sweep file is completed with, so that it can be read as one.
COMPLETION = {
    "method": "method: random\n",
    "parameters": "parameters: {lr: {min: 0.001, max: 0.1}}\n",
    "metric": "metric: {name: loss}\n",
}


def test_every_block_has_a_language_that_is_checked(page):
    unknown = [block for block in page.blocks() if block.language not in LANGUAGES]
    assert not unknown, f"{page.name}: {[(block.line, block.language) for block in unknown]}"


def test_commands_print_what_the_page_shows(session_page, place):
    files = {}
    for block in session_page.blocks("console", "python", "yaml"):
        if block.file_name is not None:
            (place.folder / block.file_name).write_text(block.text, encoding="utf-8")
            files[block.file_name] = block
        elif block.language == "python":
            place.python(block, session_page)
        elif block.language == "console":
            place.console(block, session_page)
    used = "".join(block.text for block in session_page.blocks("console", "python", "yaml"))
    idle = [name for name in files if used.count(name) < 2]
    assert not idle, f"{session_page.name} shows {idle} and never uses it"


def test_sweep_files_are_valid(page):
    for block in page.blocks("yaml"):
        text = block.text
        keys = set(re.findall(r"^(\w+):", text, re.MULTILINE))
        if "early_terminate" not in keys:
            keys.add("metric")
        text += "".join(line for key, line in COMPLETION.items() if key not in keys)
        config = read_sweep_config(text, file=f"{page.name}:{block.line}")
        assert config.method


def test_json_is_json(page):
    for block in page.blocks("json"):
        json.loads(block.text)


def test_commands_to_copy_exist_with_their_options(page):
    for block in page.blocks("sh", "console"):
        for command in besom_commands(block.text):
            check_command(command, f"{page.name}:{block.line}")


def test_commands_in_sentences_exist(page):
    for command in re.findall(r"`(besom [^`]+)`", page.prose):
        check_command(command, page.name, whole=False)


def test_extras_to_install_exist(page, root):
    _, _, section = (root / "pyproject.toml").read_text().partition("[project.optional-dependencies]\n")
    extras = re.findall(r"^(\w+) =", section.partition("\n[")[0], re.MULTILINE)
    for names in re.findall(r"(?:besom|\.)\[([a-z,]+)\]", page.text):
        assert set(names.split(",")) <= set(extras), page.name


def besom_commands(text):
    """The command lines of `besom` in a block of shell."""
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        line = re.sub(r"\s+#.*$|^#.*$", "", line.removeprefix("$ "))
        for piece in re.split(r"\||&&|;|\$\(|&\s|&$", line):
            found = re.match(r"\s*(?:[A-Z_]+=\S+\s+)*besom(\s.*|$)", piece)
            if found:
                yield "besom" + found[1].split(")")[0]


def check_command(command, where, whole=True):
    """The command and its options exist; with ``whole`` its arguments are complete."""
    words = shlex.split(re.split(r" \d?[<>]", command)[0])[1:]
    node, context = cli, click.Context(cli, info_name="besom")
    while words and isinstance(node, click.Group):
        if words[0].startswith(("-", "[")) or words[0] in ("…", "COMMAND"):
            break
        found = node.get_command(context, words[0])
        if found is None:
            is_argument = node is not cli and node.invoke_without_command
            assert is_argument, f"{where}: `{command}`: there is no command {words[0]!r}"
            break
        node, context = found, click.Context(found, info_name=words.pop(0), parent=context)
    options = {name: option for option in node.params for name in (*option.opts, *option.secondary_opts)}
    for word in words:
        if word.startswith("-") and word not in ("-", "--help", "-h"):
            name = word.split("=")[0]
            assert name in options, f"{where}: `{command}`: {node.name} has no option {name}"
    if whole and not isinstance(node, click.Group) and "--help" not in words and "…" not in words:
        arguments = [param for param in node.params if isinstance(param, click.Argument)]
        if arguments and arguments[0].required:
            assert any(not word.startswith("-") for word in words), f"{where}: `{command}` lacks its argument"


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["a  1.5 s"], ["a 0.3 s"]),
        (["sweep k3v9x2ab", "again k3v9x2ab"], ["sweep aaaaaaaa", "again aaaaaaaa"]),
        (["…", "last"], ["one", "two", "last"]),
        (["loss 0.25", "…"], ["loss 1e-05", "more"]),
    ],
)
def test_comparing_passes_over_what_varies(names, shown, printed):
    assert names.compare(shown, printed) is None


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["6 of 6 runs"], ["5 of 6 runs"]),
        (["sweep k3v9x2ab", "again k3v9x2ab"], ["sweep aaaaaaaa", "again bbbbbbbb"]),
        (["one"], ["one", "two"]),
        (["one", "two"], ["one"]),
        (["a word"], ["another word"]),
    ],
)
def test_comparing_sees_what_differs(names, shown, printed):
    assert names.compare(shown, printed) is not None
