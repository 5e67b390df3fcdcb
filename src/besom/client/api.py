"""`besom.Api()`: reads sweeps and runs from Python."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from besom.client.connection import Connection, part
from besom.client.finding import find_server
from besom.client.settings import read
from besom.common.ids import split_path
from besom.common.json_numbers import NON_FINITE
from besom.errors import UsageError

PATIENCE_S = 10.0
PAGE = 500


class Stored:
    """What the server's answers about runs and sweeps have in common."""

    def __init__(self, connection: Connection, facts: Mapping[str, Any]) -> None:
        self._connection = connection
        self._facts = dict(facts)

    @property
    def entity(self) -> str:
        """The entity."""
        return str(self._facts["entity"])

    @property
    def project(self) -> str:
        """The project."""
        return str(self._facts["project"])

    @property
    def state(self) -> str:
        """Of a run ``queued, running, finished, stopped, killed, failed, crashed`` or ``preempted``, of a sweep
        ``pending, running, paused, finished`` or ``canceled``.
        """
        return str(self._facts["state"])

    @property
    def url(self) -> str:
        """The page."""
        return str(self._facts["url"])


class StoredRun(Stored):
    """A run as it was when it was asked for; `load(force=True)` asks again."""

    def load(self, force: bool = False) -> dict[str, Any]:
        """The server's answer; with ``force`` a fresh one."""
        if force:
            self._facts = self._connection.call(
                "GET", f"/api/v1/runs/{part(self._facts['uid'])}", patience_s=PATIENCE_S
            )
        return self._facts

    @property
    def id(self) -> str:
        """The id, unique in its project."""
        return str(self._facts["id"])

    @property
    def name(self) -> str:
        """The display name."""
        return str(self._facts["name"])

    @property
    def path(self) -> list[str]:
        """Entity, project and id."""
        return [self.entity, self.project, self.id]

    @property
    def params(self) -> dict[str, Any]:
        """What the sweep chose."""
        return dict(from_words(self._facts["params"]))

    @property
    def config(self) -> dict[str, Any]:
        """Everything the run was configured with."""
        return dict(from_words(self._facts["config"]))

    @property
    def summary(self) -> dict[str, Any]:
        """The summary, as logged."""
        return dict(from_words(self._facts["summary"]))

    summary_metrics = summary

    @property
    def score(self) -> float | None:
        """The run's one number by the rule of its sweep; None without one."""
        score: float | None = from_words(self._facts["score"])
        return score

    @property
    def tags(self) -> list[str]:
        """The tags."""
        return list(self._facts["tags"])

    @property
    def group(self) -> str | None:
        """The group."""
        return _text(self._facts["group"])

    @property
    def job_type(self) -> str | None:
        """The job type."""
        return _text(self._facts["job_type"])

    @property
    def sweep(self) -> str | None:
        """The id of the run's sweep."""
        return _text(self._facts["sweep"])

    @property
    def created_at(self) -> str:
        """When the run was made, ISO 8601 in UTC."""
        return str(self._facts["created"])

    def scan_history(
        self, keys: Sequence[str] | None = None, page_size: int = PAGE, min_step: int | None = None,
        max_step: int | None = None,
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Yields every merged row in order of step, from ``min_step`` to before ``max_step``.

        With ``keys`` only rows that hold all of them, and only these values.
        """
        step: int | None = min_step or 0
        path = f"/api/v1/runs/{part(self._facts['uid'])}/history"
        while step is not None:
            query = {"from_step": step, "limit": page_size}
            page = self._connection.call("GET", path, query=query, patience_s=PATIENCE_S)
            for row in page["rows"]:
                if max_step is not None and row["_step"] >= max_step:
                    return
                if keys is None:
                    yield from_words(row)
                elif all(key in row for key in keys):
                    yield from_words({key: row[key] for key in keys})
            step = page["next_step"]

    def history(
        self, samples: int | None = 500, keys: Sequence[str] | None = None, x_axis: str = "_step", pandas: bool = True
    ) -> Any:
        """At most ``samples`` rows (None: all), evenly taken: a pandas DataFrame, or a list where there is no pandas.

        With ``keys`` only rows that hold all of them, with ``x_axis`` beside them. ``pandas=False`` gives a list of
        dictionaries.
        """
        wanted = None if keys is None else list(dict.fromkeys([x_axis, *keys]))
        rows = list(self.scan_history(wanted))
        if samples is not None and len(rows) > samples:
            last = len(rows) - 1
            rows = [rows[round(i * last / max(samples - 1, 1))] for i in range(samples)]
        if pandas and find_spec("pandas") is not None:
            return import_module("pandas").DataFrame(rows)
        return rows

    def __repr__(self) -> str:
        return f"<Run {'/'.join(self.path)} ({self.state})>"


class Sweep(Stored):
    """A sweep as it was when it was asked for; `load(force=True)` asks again."""

    run_class = StoredRun

    def __init__(self, connection: Connection, entity: str | None, project: str | None, sweep_id: str) -> None:
        super().__init__(connection, {})
        self._where = {"entity": entity, "project": project}
        self.id = sweep_id
        self.load(force=True)

    def load(self, force: bool = False) -> dict[str, Any]:
        """The server's answer; with ``force`` a fresh one."""
        if force:
            self._facts = self._call("", self._where)
        return self._facts

    @property
    def name(self) -> str:
        """The display name; the id where there is none."""
        return str(self._facts["name"] or self.id)

    @property
    def config(self) -> dict[str, Any]:
        """The sweep config."""
        return dict(self._facts["config"])

    @property
    def order(self) -> str | None:
        """How W&B writes "best first": ``+summary_metrics.loss``; None without a metric."""
        metric = self._facts["metric"]
        if metric is None:
            return None
        return f"{'+' if metric['goal'] == 'minimize' else '-'}summary_metrics.{metric['name']}"

    @property
    def expected_run_count(self) -> int | None:
        """How many runs there will be; None without an end."""
        caps = [cap for cap in (self._facts["grid_size"], self._facts["run_cap"]) if cap is not None]
        return min(caps) if caps else None

    @property
    def runs(self) -> list[StoredRun]:
        """All runs, oldest first."""
        return list(
            _pages(self.run_class, self._connection, f"/api/v1/sweeps/{part(self.id)}/runs", {"order": "created"})
        )

    @property
    def best_loss(self) -> float | None:
        """The best score by the sweep's metric; None while there is none."""
        best: float | None = from_words(self.load(force=True)["best_score"])
        return best

    def best_run(self, order: str | None = None) -> StoredRun | None:
        """The best run by the sweep's metric and rule, None while there is none.

        With ``order`` ("+summary_metrics.loss": smallest first, "-summary_metrics.acc": largest first) the first
        by that summary value.
        """
        if order is None:
            found = self._call("/best", {})["run"]
            return None if found is None else self.run_class(self._connection, found)
        key = order.lstrip("+-").removeprefix("summary_metrics.").removesuffix(".value")
        ranked = [run for run in self.runs if isinstance(run.summary.get(key), (int, float))]
        ranked = [run for run in ranked if run.summary[key] == run.summary[key]]
        ranked.sort(key=lambda run: run.summary[key], reverse=order.startswith("-"))
        return ranked[0] if ranked else None

    def enqueue_run(self, config: Mapping[str, Any], display_name: str | None = None) -> StoredRun:
        """Not built yet; raises UsageError."""
        raise UsageError(
            "enqueue_run is not built yet: make a second sweep of the points that you want, or train them with "
            "besom.init(config=…)"
        )

    def agents(self) -> list[dict[str, Any]]:
        """The agents of the sweep, as plain facts (``id, host, state, running, done, failed`` …)."""
        answer = self._connection.call("GET", "/api/v1/agents", query={"sweep": self.id}, patience_s=PATIENCE_S)
        return list(answer["agents"])

    def _call(self, rest: str, query: Mapping[str, Any]) -> dict[str, Any]:
        path = f"/api/v1/sweeps/{part(self.id)}{rest}"
        answer: dict[str, Any] = self._connection.call("GET", path, query=query, patience_s=PATIENCE_S)
        return answer

    def __repr__(self) -> str:
        return f"<Sweep {self.entity}/{self.project}/{self.id} ({self.state})>"


class Api:
    """The server's sweeps and runs, read only. Nothing is asked before the first call.

    ``overrides`` may hold ``entity``, ``project`` (used for paths that lack them) and ``base_url``; ``timeout`` is
    in seconds. Raises NotFound for what is not there, ServerUnreachable when no server answers.
    """

    sweep_class = Sweep
    run_class = StoredRun

    def __init__(self, overrides: Mapping[str, Any] | None = None, timeout: float | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._timeout_s = timeout
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection to the server, found when first asked for."""
        if self._connection is None:
            url = self._overrides.get("base_url")
            found = find_server(_environ_for(str(url))) if url else find_server()
            if self._timeout_s is not None:
                found.timeout_s = self._timeout_s
            self._connection = found
        return self._connection

    def sweep(self, path: str = "") -> Sweep:
        """The sweep ``[ENTITY/][PROJECT/]ID``."""
        entity, project, name = split_path(path, "sweep id")
        return self.sweep_class(self.connection, entity or self._entity(), project or self._project(), name)

    def run(self, path: str = "") -> StoredRun:
        """The run ``[ENTITY/][PROJECT/]ID``."""
        entity, project, name = split_path(path, "run id")
        entity, project = entity or self._entity(), project or self._project()
        # An entity is only understood in front of a project.
        full = "/".join(piece for piece in (entity if project else None, project, name) if piece)
        return self.run_class(self.connection, self._get("/api/v1/runs/find", {"path": full}))

    def runs(
        self, path: str | None = None, filters: Mapping[str, Any] | None = None, order: str = "+created_at"
    ) -> list[StoredRun]:
        """The runs of a project, ``ENTITY/PROJECT`` or ``PROJECT``, oldest first (newest with "-created_at").

        ``filters`` holds wanted values of ``state``, ``sweep``, ``group``, ``job_type``, ``config.NAME`` or
        ``summary_metrics.NAME``.
        """
        entity, project = self._entity(), self._project()
        if path:
            _, owner, project = split_path(path, "project")
            entity = owner or entity
        if not project:
            raise UsageError("runs() needs a project: runs('ENTITY/PROJECT')")
        wanted = {key: filters[key] for key in filters} if filters else {}
        found = _pages(self.run_class, self.connection, "/api/v1/runs", {"entity": entity, "project": project})
        runs = [run for run in found if all(_has(run, key, value) for key, value in wanted.items())]
        runs.sort(key=lambda run: run.created_at)
        return runs[::-1] if order.startswith("-") else runs

    def _entity(self) -> str | None:
        return self._overrides.get("entity") or read("BESOM_ENTITY")

    def _project(self) -> str | None:
        return self._overrides.get("project") or read("BESOM_PROJECT")

    def _get(self, path: str, query: Mapping[str, Any]) -> Any:
        return self.connection.call("GET", path, query=query, patience_s=PATIENCE_S)


def from_words(value: Any) -> Any:
    """The same JSON value with the words for non-finite numbers as numbers again."""
    if isinstance(value, str):
        return NON_FINITE.get(value, value)
    if isinstance(value, dict):
        return {key: from_words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_words(item) for item in value]
    return value


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _pages(kind: type[StoredRun], connection: Connection, path: str, query: Mapping[str, Any]) -> Iterator[StoredRun]:
    after = None
    while True:
        asked = {**query, "limit": PAGE, "after": after}
        page = connection.call("GET", path, query=asked, patience_s=PATIENCE_S)
        for facts in page["runs"]:
            yield kind(connection, facts)
        after = page["next"]
        if after is None:
            return


def _has(run: StoredRun, key: str, value: Any) -> bool:
    area, _, name = key.partition(".")
    if area in ("config", "summary_metrics") and name:
        return bool(getattr(run, area).get(name.removesuffix(".value")) == value)
    if key in ("state", "sweep", "group", "job_type"):
        return bool(getattr(run, key) == value)
    raise UsageError(
        f"runs(filters=…) does not know {key!r}: use state, sweep, group, job_type, config.NAME or summary_metrics.NAME"
    )


def _environ_for(url: str) -> dict[str, str]:
    """The environment for another address: the token in it belongs to the address in it and to no other."""
    own = dict(os.environ)
    if own.get("BESOM_URL") != url:
        own.pop("BESOM_TOKEN", None)
    return {**own, "BESOM_URL": url}
