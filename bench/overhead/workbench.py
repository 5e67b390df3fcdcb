"""What a measure works with: environments, fresh folders, servers, and sizes that `--quick` makes small."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from common.environments import Environments
from common.figures import Sample, interleaved
from common.servers import BesomServer, besom_server, clean_environ
from common.watching import Watched, watched

PROGRAMS = Path(__file__).with_name("programs")
# Which environment a contender's program runs in, where it is not Besom's.
_PEERS = {"wandb": "wandb", "trackio": "trackio", "optuna": "optuna"}


class Workbench:
    """One start of the script: everything lies in one folder, and each sample in a fresh folder below it."""

    def __init__(
        self, folder: Path, besom: Path, *, rounds: int = 3, quick: bool = False, without: Sequence[str] = ()
    ) -> None:
        """``without``: the peers that are left out."""
        self.rounds = 1 if quick else rounds
        self.quick = quick
        self.environments = Environments(folder / "environments", besom)
        self._without = frozenset(without)
        self._work = folder / "work"
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)

    def size(self, whole: int, quick: int) -> int:
        """A size for the whole measurement, or the small one that only shows that the measure works."""
        return quick if self.quick else whole

    @contextlib.contextmanager
    def place(self) -> Iterator[Path]:
        """A fresh folder that is gone afterwards."""
        place = Path(tempfile.mkdtemp(dir=self._work))
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    @contextlib.contextmanager
    def server(self, db: str | None = None) -> Iterator[BesomServer]:
        """A fresh Besom server in a fresh folder."""
        with self.place() as place, besom_server(self.environments.besom(), place, db) as server:
            yield server

    def python(self, contender: str) -> Path:
        """The Python of the contender's environment; its name begins with the library's."""
        peer = _PEERS.get(contender.split()[0])
        return self.environments.peer(peer) if peer else self.environments.besom()

    def program(
        self, contender: str, name: str, *args: object, environ: Mapping[str, str] | None = None, memory: bool = False
    ) -> Watched:
        """Runs one of the programs for a contender: a fresh process, a fresh folder, nothing known from before."""
        with self.place() as place:
            own = clean_environ(
                BESOM_DIR=str(place / "besom"), TRACKIO_DIR=str(place / "trackio"), HF_HOME=str(place / "hub"),
                HOME=str(place), XDG_CACHE_HOME=str(place / "cache"),
            )  # fmt: skip
            command = [self.python(contender), PROGRAMS / name, *map(str, args)]
            return watched(command, {**own, **(environ or {})}, place, memory=memory, timeout_s=600)

    def script(self, name: str, *args: object) -> Sample:
        """What another benchmark of this tree found, run in Besom's environment: its files by name."""
        with self.place() as place:
            script = PROGRAMS.parents[1] / name
            command = [self.environments.besom(), script, *map(str, args), "--out", str(place / "found")]
            watched(command, clean_environ(TMPDIR=str(place)), place, timeout_s=900)
            files = sorted((place / "found").glob("*.json"))
            return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}

    def turns(
        self, contenders: Mapping[str, Callable[[], Sample]], rounds: int | None = None
    ) -> dict[str, list[Sample]]:
        """Samples of all contenders that take part, taken in turns."""
        contenders = {name: take for name, take in contenders.items() if name.split()[0] not in self._without}
        for name in contenders:
            self.python(name)  # an environment is made before the clock runs
        return interleaved(contenders, rounds or self.rounds)


def spent(found: Watched) -> Sample:
    """What a watched process cost, as a sample."""
    return {**found.answer, "wall_s": found.wall_s, "cpu_s": found.cpu_s, "peak_mib": found.peak_mib}
