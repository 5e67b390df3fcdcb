"""Starts a sweep's program for each run."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from besom.agents.environment import (
    RunFacts,
    WandbModule,
    child_environment,
    search_path,
    shown_argv,
    write_parameter_files,
)
from besom.agents.exit_codes import Ending, ExitCode
from besom.agents.guard import Guard
from besom.agents.process import Process, Surroundings, start_program
from besom.agents.sentences import command_text, too_long
from besom.agents.starting import CannotStart
from besom.command import DEFAULT_COMMAND, expand
from besom.errors import UsageError

_ENV = "/usr/bin/env"


class ProgramStarter:
    """Starts the program in ``folder`` with the variables of ``own`` and those of the run."""

    function = False

    def __init__(self, own: Mapping[str, str], folder: Path, *, wandb: WandbModule = "ours") -> None:
        self._own = own
        self._folder = folder
        self._wandb = wandb
        self._command: Sequence[Any] | None = None
        self._program: str | None = None

    def check(self, sweep: Mapping[str, Any]) -> Ending | None:
        """Keeps the sweep's command; an ending if its program is not here."""
        self._command, self._program = sweep["command"], sweep["program"]
        try:
            environ = {**self._own, "PATH": search_path(self._own)}
            argv = self._argv({}, environ, Path("params.json"))
        except UsageError as error:
            return Ending(ExitCode.CANNOT_START, str(error))
        sentence = missing(argv, environ, self._folder) or self._missing_program()
        if sentence is None:
            return None
        advice = "No run was taken. Start the agent in the folder of the program, or correct `program` or `command`."
        return Ending(ExitCode.CANNOT_START, sentence, advice)

    def describe(self, name: str, params: Mapping[str, Any]) -> str:
        """The command, ``${envvar:…}`` unexpanded."""
        return command_text(shown_argv(self._command, self._program, params, Path(f"config-{name}.json")))

    def start(self, run: RunFacts, log: Path, guard: Guard, on_trouble: Callable[[str], None]) -> Process:
        """Starts the run; raises CannotStart."""
        files = write_parameter_files(self._own, self._folder, run)
        environ = child_environment(self._own, run, files, wandb=self._wandb)
        try:
            argv = self._argv(run.params, environ, files.json)
        except UsageError as error:
            raise CannotStart(str(error)) from None
        if sentence := missing(argv, environ, self._folder) or self._missing_program():
            raise CannotStart(sentence)
        try:
            return start_program(argv, Surroundings(environ, self._folder, log, guard, on_trouble))
        except OSError as error:
            if error.errno == errno.E2BIG:
                raise CannotStart(too_long(argv)) from None
            raise CannotStart(f"{argv[0]!r} cannot be started in {self._folder}: {error.strerror}") from None
        except ValueError as error:
            raise CannotStart(f"the command line cannot be passed to a program: {error}") from None

    def advice(self, words: Sequence[str]) -> str:
        """Which Python it was, where a module was missing there and it is another one than Besom's."""
        if not words or not words[-1].startswith("ModuleNotFoundError"):
            return ""
        argv = shown_argv(self._command, self._program, {}, Path("params.json"))
        found = shutil.which("python", path=search_path(self._own))
        if "python" not in argv or found is None or os.path.dirname(found) == os.path.dirname(sys.executable):
            return ""
        return (
            f"runs use {found}, the first python on PATH; Besom runs in {sys.prefix}: install the module there, or "
            "activate the environment that has it and start the agent again"
        )

    def close(self) -> None:
        """Nothing is kept warm."""

    def _argv(self, params: Mapping[str, Any], environ: Mapping[str, str], json_file: Path) -> list[str]:
        return expand(self._command, program=self._program, params=params, environ=environ, json_file=str(json_file))

    def _missing_program(self) -> str | None:
        # Only where the interpreter takes the program as a file of this machine: behind `-m` it is a module, behind
        # `docker run` a path somewhere else.
        words = [str(word) for word in (DEFAULT_COMMAND if self._command is None else self._command)]
        if self._program is None or "${program}" not in words:
            return None
        before = words[words.index("${program}") - 1] if words[0] != "${program}" else ""
        if before != "${interpreter}" and not os.path.basename(before).startswith("python"):
            return None
        if (self._folder / self._program).exists():
            return None
        return f"the program {self._program!r} was not found in {self._folder}"


def missing(argv: Sequence[str], environ: Mapping[str, str], folder: Path) -> str | None:
    """A sentence if what the command line starts is not there or cannot be executed; None if it can."""
    names = [argv[0]]
    if argv[0] == _ENV and len(argv) > 1 and not argv[1].startswith("-") and "=" not in argv[1]:
        names.append(argv[1])
    for name in names:
        if os.path.dirname(name):
            file = folder / name
            if not file.exists():
                return f"the program {name!r} was not found in {folder}"
            if file.is_dir() or not os.access(file, os.X_OK):
                return (
                    f"the program {name!r} in {folder} cannot be executed: chmod +x it, or put ${{interpreter}} first"
                )
        elif shutil.which(name, path=environ.get("PATH", os.defpath)) is None:
            return f"the program {name!r} was not found in the folders of PATH"
    return None
