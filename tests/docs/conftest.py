"""What the tests of documents share: the pages, their blocks of code, and a place where a page's commands are run.

``console`` blocks run and their output is compared; ``python`` blocks run; ``sh`` blocks are read, not run: what they
name must exist. A block whose first line is ``# NAME.py`` or ``# NAME.yaml`` is that file, for the blocks after it.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code: its language, its text, the line where it stands."""

    language: str
    text: str
    line: int

    @property
    def file_name(self):
        """The file that the block is, named by its first line (`# train.py`); None for a piece of something."""
        found = re.match(r"# (\S+\.(?:py|yaml|json))\n", self.text)
        return found[1] if found else None


@dataclass(frozen=True)
class Page:
    """A document of the repository."""

    path: Path

    @property
    def name(self):
        return str(self.path.relative_to(ROOT))

    @property
    def text(self):
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self):
        """The text without blocks of code."""
        return FENCE.sub("", self.text)

    def blocks(self, *languages):
        text = self.text
        found = [Block(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(text)]
        return [block for block in found if not languages or block.language in languages]


PAGES = [
    Page(path)
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
]


def pytest_generate_tests(metafunc):
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", PAGES, ids=[page.name for page in PAGES])
    if "session_page" in metafunc.fixturenames:
        # The examples have journeys of their own.
        run = [page for page in PAGES if not page.name.startswith("examples/") and page.blocks("console", "python")]
        metafunc.parametrize("session_page", run, ids=[page.name for page in run])


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def pages():
    return PAGES


@pytest.fixture
def place(tmp_path):
    """A reader's machine: a home with a copy of examples/digits, nothing of Besom's yet; its server ends with it."""
    place = Place(tmp_path)
    yield place
    place.close()


@pytest.fixture
def names():
    return Names()


class Place:
    """Runs what a page shows, in `/home/ada/digits` as the reader sees it, and compares what comes out."""

    def __init__(self, top):
        self.top = top
        self.home = top / "home" / "ada"
        self.folder = self.home / "digits"
        self.folder.mkdir(parents=True)
        for file in (ROOT / "examples" / "digits").iterdir():
            if file.is_file():
                (self.folder / file.name).write_bytes(file.read_bytes())
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BESOM_", "WANDB_", "XDG_", "PYTEST_", "COV_"))
        }
        folders = [str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]
        self.environ = {
            **kept,
            "HOME": str(self.home),
            "PATH": os.pathsep.join(folders),
            "LOGNAME": "ada",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
        }
        self.names = Names()
        self._bash = None

    def console(self, block, page):
        """Runs the commands of a block in the page's shell, one by one, and compares the output of each."""
        commands = parse_console(block.text)
        assert commands, f"{page.name}:{block.line}: a console block begins with `$ command`"
        for command, expected in commands:
            output = self.shell(self.names.real(command), f"{page.name}:{block.line}: $ {command}")
            problem = self.names.compare(expected, output.replace(str(self.top), "").splitlines())
            assert problem is None, f"{page.name}:{block.line}: $ {command}\n{problem}\n--- it printed:\n{output}"

    def shell(self, command, where):
        """What the command prints in the page's shell, where background jobs and variables live on."""
        if self._bash is None:
            self._bash = subprocess.Popen(
                ["bash"], cwd=self.folder, env=self.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, start_new_session=True,
            )  # fmt: skip
        late = threading.Timer(TIMEOUT_S, self._kill)
        late.start()
        try:
            # The next command finds this one's exit code in $?.
            self._bash.stdin.write(f"{{ {command}\n}} < /dev/null\ncode=$?; echo {MARK}; (exit $code)\n")
            self._bash.stdin.flush()
            lines = []
            while (line := self._bash.stdout.readline()) != f"{MARK}\n":
                assert line, f"{where} did not end in {TIMEOUT_S} s; it printed:\n{''.join(lines)}"
                lines.append(line)
        finally:
            late.cancel()
        return "".join(lines)

    def _kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._bash.pid, signal.SIGKILL)

    def python(self, block, page):
        """Runs a block of Python as a script."""
        file = self.folder / f"block_{block.line}.py"
        file.write_text(self.names.real(block.text), encoding="utf-8")
        code, said = self.run([sys.executable, file.name])
        assert code == 0, f"{page.name}:{block.line} ended with exit code {code}:\n{said}"

    def run(self, argv):
        """Exit code and output of a program on the reader's machine."""
        done = subprocess.run(
            argv, cwd=self.folder, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def close(self):
        """Ends the page's shell with what it left in the background, and the page's server."""
        if self._bash is not None:
            self._kill()
            self._bash.communicate()
        self.run([sys.executable, "-m", "besom", "server", "stop"])


TIMEOUT_S = 60
MARK = "next-command-of-the-page"


def parse_console(text):
    """``(command, expected lines)`` of a block: `$ ` begins a command, `> ` goes on with it, the rest is output."""
    commands = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif line.startswith("> ") and commands and not commands[-1][1]:
            commands[-1] = (f"{commands[-1][0]}\n{line[2:]}", [])
        elif commands:
            commands[-1][1].append(line)
    return commands


# What differs from one run of a page to the next → what may stand in its place. The first that fits is taken.
VARYING = [
    (r"login\?code=\S+", r"login\?code=\S+"),
    (r"\b[a-z0-9]{40,}\b", r"[a-z0-9]{40,}"),
    (r"\b\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?", r"\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?"),
    (r"\bjust now\b|\b\d+ (?:s|min|h) ago\b", r"(?:just now|\d+ (?:s|min|h) ago)"),
    (r"\b[\d.]+ (?:s|min \d\d s|h \d\d min)(?= |,|$)", r"[\d.]+ (?:s|min \d\d s|h \d\d min)"),
    (r"\bprocess \d+", r"process \d+"),
    (r"^\[\d\] ", r"\[\d\] "),
    (r"\bstep \d+: .* of \d+ runs$", r"step \d+: \S+.* is (?:above|below) \S+, the best \w+(?: percent)? of \d+ runs"),
    (r"\blaptop\b", r"\S+"),
    (r"-?\d+\.\d+(?:e-?\d+)?|\b\d+e-\d+", r"-?\d+(?:\.\d+)?(?:e-?\d+)?"),
    (r"─+", r"─+"),
]
# `besom run` tells how far it is once a second, between any two lines of its agents.
PROGRESS = re.compile(r"besom: \d+ (?:of \d+ )?runs?\b.* (?:left|so far|after .*)")
# What is another in each run, but the same all through it: ids (a page shows only such with a digit) and the port.
IDS = r"\b(?=[a-z]*\d)[a-z0-9]{8}\b|(?<=127\.0\.0\.1:)\d+"
TOKEN = re.compile("|".join(f"(?P<v{i}>{shown})" for i, (shown, _) in enumerate(VARYING)) + f"|(?P<id>{IDS})| +")


class Names:
    """The ids and the port that a page shows, and what they have become in this run."""

    def __init__(self):
        self.became = {}

    def real(self, text):
        """The text with this run's ids in place of the page's."""
        return re.sub(IDS, lambda found: self.became.get(found[0], found[0]), text)

    def compare(self, expected, actual):
        """None if the output is what the page shows, else a sentence.

        A line `…` stands for any lines, and ` …` at a line's end for the rest of it.
        """
        at, skipping = 0, False
        lines = [line.rstrip() for line in actual if not PROGRESS.fullmatch(line.rstrip())]
        while lines and not lines[-1]:
            lines.pop()
        for line in expected:
            if line.strip() == "…":
                skipping = True
                continue
            found = next((i for i in range(at, len(lines)) if self._fits(line, lines[i])), None)
            if found is None or (found > at and not skipping):
                there = lines[at] if at < len(lines) else "nothing more"
                return f"the page shows  {line}\nthe program has {there}"
            self._learn(line, lines[found])
            at, skipping = found + 1, False
        if at < len(lines) and not skipping:
            return f"the page lacks  {lines[at]}"
        return None

    def _pattern(self, line):
        parts, at, groups = [], 0, []
        line, cut = line.removesuffix(" …"), line.endswith(" …")
        for found in TOKEN.finditer(line):
            parts.append(re.escape(line[at : found.start()]))
            at = found.end()
            if found.lastgroup is None:
                parts.append(" +")
            elif found.lastgroup == "id":
                known = self.became.get(found[0])
                parts.append(re.escape(known) if known else r"(\d+)" if found[0].isdigit() else "([a-z0-9]{8})")
                groups += [] if known else [found[0]]
            else:
                parts.append(VARYING[int(found.lastgroup[1:])][1])
        parts.append(re.escape(line[at:]))
        return re.compile("".join(parts) + (" .*" if cut else "")), groups

    def _fits(self, line, actual):
        return self._pattern(line.rstrip())[0].fullmatch(actual) is not None

    def _learn(self, line, actual):
        pattern, groups = self._pattern(line.rstrip())
        found = pattern.fullmatch(actual)
        assert found is not None
        self.became.update(zip(groups, found.groups(), strict=True))
