"""What a training process is told: its variables, its parameter files, its command line.

The child's environment is the agent's own and what this table adds:

====================== ==============================================================================================
BESOM_URL, _TOKEN      our server, and a token that reaches no further than this run
BESOM_RUN_DIR          the run folder: `config.json`, spools, the stop flag
BESOM_RUN_UID, _RUN_ID the run's inner name and the one that users see; with BESOM_ATTEMPT, the attempt's number
BESOM_SWEEP_ID         with BESOM_ENTITY, BESOM_PROJECT: where the run belongs
BESOM_AGENT            the agent that started it
BESOM_OUTER_RANKS      rank variables that are the agent's, not the child's
WANDB_SWEEP_ID …       the same under W&B's names: WANDB_RUN_ID, WANDB_ENTITY, WANDB_PROJECT
WANDB_SWEEP_PARAM_PATH the parameter file `$WANDB_DIR/wandb/sweep-<SWEEP_ID>/config-<RUN_ID>.yaml`
WANDB_DIR              where that file lies: the agent's folder, if unset (both for programs only, not for functions)
WANDB_BASE_URL         our server, with WANDB_API_KEY ours too: no child reaches another host
WANDB_ERROR_REPORTING  false
PYTHONPATH             Besom's own `wandb` in front (not with `--wandb real`, which sets WANDB_MODE=offline)
BESOM_WANDB_TOLD       1 from an agent's second run on: that our `wandb` stands in has been said
PATH                   Besom's own interpreter last, so that there is a `python` where the system has only `python3`
PYTHONUNBUFFERED       1 unless set: what is printed is seen when it is printed
====================== ==============================================================================================
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from besom.agents.yaml_text import parameter_file
from besom.client import run_folder
from besom.client.settings import outer_ranks
from besom.command import Unexpanded, expand

WandbModule = Literal["ours", "real"]
ON_PATH = Path(run_folder.__file__).parent / "on_path"
# W&B's background process of the agent's own session, credentials of other servers, and what only our server needs.
_KEPT_FROM_CHILDREN = (
    "WANDB_SERVICE", "WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_CREDENTIALS_FILE", "BESOM_DB",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of an attempt before it starts. ``first``: the agent has started none before it.

    ``writer``: whose spool lies ready in the folder, for the process that calls the function; None: it makes its own.
    """

    uid: str
    name: str
    attempt: int
    params: Mapping[str, Any]
    token: str
    sweep_id: str
    entity: str
    project: str
    agent: str
    server_url: str
    folder: Path
    first: bool = True
    writer: str | None = None


@dataclass(frozen=True, slots=True)
class ParameterFiles:
    """Where the run's params were written."""

    wandb_dir: Path
    yaml: Path
    json: Path


def child_environment(
    own: Mapping[str, str], run: RunFacts, files: ParameterFiles | None, *, wandb: WandbModule = "ours"
) -> dict[str, str]:
    """The variables of a run's process; ``own`` are the agent's. ``files``: none for a call of a function."""
    child = {name: value for name, value in own.items() if name not in _KEPT_FROM_CHILDREN}
    child.setdefault("PYTHONUNBUFFERED", "1")
    child["PATH"] = search_path(own)
    for name, value in (
        ("SWEEP_ID", run.sweep_id), ("RUN_ID", run.name), ("ENTITY", run.entity), ("PROJECT", run.project),
    ):  # fmt: skip
        child[f"BESOM_{name}"] = child[f"WANDB_{name}"] = value
    child.update(
        BESOM_URL=run.server_url,
        BESOM_TOKEN=run.token,
        BESOM_RUN_DIR=str(run.folder),
        BESOM_RUN_UID=run.uid,
        BESOM_ATTEMPT=str(run.attempt),
        BESOM_AGENT=run.agent,
        BESOM_OUTER_RANKS=outer_ranks(own),
        WANDB_BASE_URL=run.server_url,
        WANDB_API_KEY=run.token,
        WANDB_ERROR_REPORTING="false",
    )
    if files is None:
        child.pop("WANDB_SWEEP_PARAM_PATH", None)
    else:
        child.update(WANDB_SWEEP_PARAM_PATH=str(files.yaml), WANDB_DIR=str(files.wandb_dir))
    if not run.first:
        child["BESOM_WANDB_TOLD"] = "1"
    if wandb == "ours":
        child["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ON_PATH), own.get("PYTHONPATH"))))
    else:
        child["WANDB_MODE"] = "offline"
    return child


def search_path(own: Mapping[str, str]) -> str:
    """The agent's own PATH with the folder of this interpreter behind it."""
    folders = own.get("PATH", os.defpath).split(os.pathsep)
    here = os.path.dirname(sys.executable)
    return os.pathsep.join(folders if here in folders else [*folders, here])


def parameter_folder(own: Mapping[str, str], cwd: Path, sweep_id: str) -> Path:
    """Where W&B's scripts look for a sweep's parameter files."""
    return cwd / (own.get("WANDB_DIR") or "") / "wandb" / f"sweep-{sweep_id}"


def write_parameter_files(own: Mapping[str, str], cwd: Path, run: RunFacts) -> ParameterFiles:
    """Writes the run's params where W&B's scripts look for them; where that is read-only, into the run folder."""
    try:
        return _write(parameter_folder(own, cwd, run.sweep_id), run)
    except OSError:
        return _write(parameter_folder({}, run.folder, run.sweep_id), run)


def _write(folder: Path, run: RunFacts) -> ParameterFiles:
    if not folder.parent.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # The folder lies in the user's repository: what the agent makes is nothing to commit.
        (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    folder.mkdir(exist_ok=True)
    files = ParameterFiles(folder.parent.parent, folder / f"config-{run.name}.yaml", folder / f"config-{run.name}.json")
    files.yaml.write_text(parameter_file(run.params), encoding="utf-8")
    files.json.write_text(json.dumps(run.params), encoding="utf-8")
    return files


def shown_argv(
    words: Sequence[Any] | None, program: str | None, params: Mapping[str, Any], json_file: Path
) -> list[str]:
    """The command line as it may be shown and stored: what stands in variables may be secret and stays unexpanded."""
    return expand(words, program=program, params=params, environ=Unexpanded(), json_file=str(json_file))
