from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest

from besom.cli.main import COMMANDS, cli, main


def _load(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def test_help_lists_every_command(capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert all(re.search(rf"^  {name} ", printed, re.MULTILINE) for name in COMMANDS)


def test_help_imports_no_room_of_ours_but_the_command_line():
    code = (
        "import sys; from besom.cli.main import main; main(['--help']);"
        "print(sorted(name for name in sys.modules if name.startswith(('besom.', 'rich', 'numpy', 'msgspec', 'yaml'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert set(re.findall(r"'([^']+)'", loaded)) <= {
        "besom.cli", "besom.cli.main", "besom.cli.errors", "besom.common", "besom.common.version",
        "besom.common.places", "besom.errors",
    }  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_its_help_has_an_example(name, capsys):
    assert main([name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"besom {name}" in printed.split("\n", 2)[2]


def test_an_unknown_command_is_answered_with_the_nearest(capsys):
    assert main(["swep"]) == 2
    assert "did you mean `besom sweep`?" in capsys.readouterr().err


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert re.fullmatch(r"besom \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_prints_the_shells_script(shell, capsys):
    assert main(["completion", shell]) == 0
    assert "_BESOM_COMPLETE" in capsys.readouterr().out


def test_completion_of_an_unknown_shell_names_those_that_have_one(capsys):
    assert main(["completion", "tcsh"]) == 2
    assert "zsh" in capsys.readouterr().err
