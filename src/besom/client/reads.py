"""Which of the sweep's values a script took: by reading the config, by its command line, or from the parameter file.

A script that never takes a value trains with its own default, while every table shows the sweep's. So the values
that nobody took are told at the end of the run. Everything here works under a sweep only.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

# Each of these takes the command line in its own way; where one is loaded, every value counts as taken.
COMMAND_LINE_MODULES = (
    "click", "absl.app", "absl.flags", "fire", "hydra", "typer", "jsonargparse", "docopt", "tyro", "plac", "cyclopts",
    "omegaconf", "optparse", "sacred",
)  # fmt: skip


class Parsed:
    """What one argparse parser made of a command line: the options' names by destination, values, words, left-overs."""

    def __init__(
        self,
        names: Mapping[str, frozenset[str]],
        values: Mapping[str, Any],
        words: Sequence[str],
        extras: Sequence[str],
    ) -> None:
        self.names = names
        self.values = values
        self.words = words
        self.extras = extras


_parsed: list[Parsed] = []
_opened: set[str] = set()
_watching = False
_wrapped = False
# What was parsed before the watch began can only be found as living namespaces.
_began_late = False
# Those found at the first look; what is parsed after it is seen by the watch. None: not looked yet.
_early: list[Parsed] | None = None


def watch(environ: Mapping[str, str] = os.environ) -> None:
    """Begins to look at argparse and at the opening of the parameter file, once a process."""
    global _watching, _began_late
    if not _wrapped and "argparse" in sys.modules:
        _began_late = True
        _wrap_argparse()
    if _watching:
        return
    _watching = True
    parameter_file = environ.get("WANDB_SWEEP_PARAM_PATH", "")
    stem = os.path.basename(parameter_file).rsplit(".", 1)[0]
    sys.addaudithook(_watcher((f"{stem}.yaml", f"{stem}.json") if parameter_file else ()))


def _wrap_argparse() -> None:
    global _wrapped
    if _wrapped:
        return
    # Before the import, which the watcher sees too.
    _wrapped = True
    import argparse
    import contextlib

    original = argparse.ArgumentParser.parse_known_args

    def parse_known_args(self: Any, args: Any = None, namespace: Any = None) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        found, extras = original(self, words, namespace)
        with contextlib.suppress(TypeError, AttributeError):
            names = {action.dest: frozenset(action.option_strings) for action in self._actions}
            _parsed.append(Parsed(names, dict(vars(found)), [str(word) for word in words], list(extras)))
        return found, extras

    parse_known_args.__doc__ = original.__doc__
    argparse.ArgumentParser.parse_known_args = parse_known_args  # type: ignore[method-assign]


def _watcher(names: tuple[str, ...]) -> Callable[[str, tuple[Any, ...]], None]:
    """Sees who opens files of these names, and who imports argparse: most scripts need not pay for loading it."""

    def hook(event: str, details: tuple[Any, ...]) -> None:
        if event == "open":
            if details[0].__class__ is str and details[0].endswith(names):
                _opened.add(details[0])
        elif event == "import" and details[0] == "argparse":
            _wrap_argparse()

    return hook


class Reads:
    """Remembers which of ``params`` were taken. Through the file ``shared`` forked children tell their parent."""

    def __init__(self, params: Mapping[str, Any], shared: str | None = None) -> None:
        self.params = dict(params)
        self._taken: set[str] = set()
        self._shared = shared
        self._pid = os.getpid()
        # Python forgets the program's file before it runs what is left for the exit.
        self._program = getattr(sys.modules.get("__main__"), "__file__", None)
        for parsed in look_early():
            self._note_received(parsed)

    def note(self, key: str) -> None:
        """The script took this value."""
        if key not in self._taken and key in self.params:
            self._taken.add(key)
            if self._shared is not None and os.getpid() != self._pid:
                self._tell_parent(key)

    def note_all(self) -> None:
        """The script took every value."""
        for key in self.params:
            self.note(key)

    def taken(self) -> list[str]:
        """The names of values that were read, parsed or received in any way that can be seen, in the sweep's order."""
        self._hear_children()
        if self._left():
            self._look_elsewhere()
        return [key for key in self.params if key in self._taken]

    def _left(self) -> list[str]:
        return [key for key in self.params if key not in self._taken]

    def _look_elsewhere(self) -> None:
        if _opened or any(name in sys.modules for name in COMMAND_LINE_MODULES):
            self.note_all()
            return
        for parsed in [*_living_namespaces(), *_parsed]:
            self._note_received(parsed)
        if not _parsed and _names(self._program, "argv"):
            self.note_all()

    def _note_received(self, parsed: Parsed) -> None:
        for key in self._left():
            if _received(key, self.params[key], parsed):
                self.note(key)

    def _tell_parent(self, key: str) -> None:
        import contextlib

        with contextlib.suppress(OSError):
            descriptor = os.open(str(self._shared), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, f"{key}\n".encode("utf-8", "surrogatepass"))
            finally:
                os.close(descriptor)

    def _hear_children(self) -> None:
        if self._shared is None:
            return
        try:
            with open(str(self._shared), encoding="utf-8", errors="surrogatepass") as lines:
                told = lines.read().splitlines()
        except OSError:
            return
        for key in told:
            self.note(key)


def look_early() -> list[Parsed]:
    """What argparse made before the watch began and is alive at the first look, which takes milliseconds.

    A process that forks others for many runs looks before it forks.
    """
    global _early
    if _early is None:
        _early = list(_living_namespaces())
    return _early


def _living_namespaces() -> Iterable[Parsed]:
    """What argparse made before the watch began, as far as it is alive."""
    kind = getattr(sys.modules.get("argparse"), "Namespace", None)
    if kind is not None and _began_late:
        for thing in gc.get_objects():
            if type(thing) is kind:
                values = dict(vars(thing))
                yield Parsed({name: frozenset() for name in values}, values, sys.argv[1:], ())


def _received(key: str, value: Any, parsed: Parsed) -> bool:
    """True if the parser knows the key and got the sweep's value, or a JSON object on the command line has it."""
    for word in parsed.words:
        if word.startswith("{") and f'"{key}"' in word and word not in parsed.extras:
            return True
    for dest in _destinations(key, parsed.names):
        if dest in parsed.values and _same(parsed.values[dest], value):
            return True
        if _given(key, parsed.words) and not _given(key, parsed.extras):
            return True
    return False


def _destinations(key: str, names: Mapping[str, Iterable[str]]) -> list[str]:
    wanted = _plain(key)
    return [
        dest for dest, options in names.items() if wanted == _plain(dest) or any(wanted == _plain(o) for o in options)
    ]


def _plain(name: str) -> str:
    return name.lstrip("-").replace("-", "_")


def _given(key: str, words: Sequence[str]) -> bool:
    wanted = _plain(key)
    return any(_plain(word.split("=", 1)[0]) == wanted for word in words if word.startswith("-") or "=" in word)


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, (bool, int, float, str, type(None))):
        return bool(value == other) or str(value) == str(other)
    return str(value) == str(other)


def _names(program: Any, word: str) -> bool:
    """True if the text of the main program has the word: then it may take its command line by hand."""
    if not isinstance(program, str):
        return False
    try:
        with open(program, encoding="utf-8", errors="replace") as text:
            return word in text.read()
    except OSError:
        return False
