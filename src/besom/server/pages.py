"""The plain pages, without scripts: from answers of `wire` to HTML. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from besom.command import flatten
from besom.common.json_numbers import dumps
from besom.common.version import VERSION
from besom.common.wording import NONE
from besom.server import wording
from besom.server.markup import Markup, element, join
from besom.wire.runs import AttemptAnswer, RunAnswer, RunsPage
from besom.wire.sweeps import SweepAnswer

REFRESH_S = 5
LIVE = frozenset(["pending", "running", "paused", "queued", "preempted"])
MOST_COLUMNS = 12
# Of a sweep file.
MOST_CONFIG_TEXT = 20_000


class Runs(NamedTuple):
    """Some runs of a long list, and where in it they begin (None: at its start)."""

    page: RunsPage
    after: str | None = None


def address(*parts: str) -> str:
    """A path on this server, every part quoted."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def document(title: str, *content: object, crumbs: Iterable[tuple[str, str]] = (), refresh: bool = False) -> str:
    """A whole page."""
    trail = [[element("span", "/", cls="sep"), element("a", text, href=path)] for text, path in crumbs]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="refresh", content=REFRESH_S) if refresh else None,
        element("title", f"{title} · Besom"),
        element("link", rel="icon", href="/assets/icon.svg", type="image/svg+xml"),
        element("link", rel="stylesheet", href=f"/assets/plain.css?v={VERSION}"),
    )
    body = element(
        "body",
        element("header", element("nav", element("a", "Besom", href="/", cls="logo"), trail)),
        element("main", *content),
        element("footer", f"Besom {VERSION}", " · updates itself every 5 s" if refresh else None),
    )
    return "<!doctype html>\n" + element("html", head, body, lang="en")


def problem(title: str, sentence: str) -> str:
    """A page that says what is wrong."""
    return document(
        title,
        element(
            "section",
            element("h1", title),
            element("p", sentence),
            element("p", element("a", "All projects", href="/")),
            cls="card narrow",
        ),
    )


def projects(sweeps: Sequence[SweepAnswer], entity: str) -> str:
    """Every project with what it holds."""
    found: dict[tuple[str, str], list[SweepAnswer]] = {}
    for sweep in sweeps:
        found.setdefault((sweep.entity, sweep.project), []).append(sweep)
    if not found:
        return document("Projects", element("h1", "Projects"), _welcome(entity))
    rows = [
        [
            element("a", f"{of}/{name}" if of != entity else name, href=address(of, name)),
            _number(len(those)),
            _number(sum(sweep.state == "running" for sweep in those)),
            _number(sum(wording.ended(sweep.runs) + sweep.runs.running for sweep in those)),
            wording.moment(max(sweep.updated for sweep in those)),
        ]
        for (of, name), those in found.items()
    ]
    table = _table(["Project", "Sweeps", "Running", "Runs", "Last change"], rows)
    refresh = any(sweep.state == "running" for sweep in sweeps)
    return document("Projects", element("h1", "Projects"), table, refresh=refresh)


def project(entity: str, name: str, sweeps: Sequence[SweepAnswer], loose: Runs, now: float) -> str:
    """A project's sweeps, and the runs that belong to none."""
    rows = [
        [
            element("a", sweep.name or sweep.id, href=address(entity, name, "sweeps", sweep.id)),
            _state(sweep.state),
            sweep.method,
            _progress(sweep),
            _score(sweep.best_score, sweep),
            wording.moment(sweep.created),
        ]
        for sweep in sweeps
    ]
    content: list[object] = [element("h1", name)]
    if rows:
        content.append(_table(["Sweep", "State", "Method", "Runs", "Best", "Created"], rows))
    runs = loose.page.runs
    if runs:
        content += [element("h2", "Runs outside sweeps"), _runs_table(runs, None, now, swept=False), _more(loose)]
    if not rows and not runs:
        content.append(_welcome(entity))
    refresh = any(sweep.state == "running" for sweep in sweeps) or any(run.state == "running" for run in runs)
    return document(name, *content, crumbs=[(entity, "/"), (name, address(entity, name))], refresh=refresh)


def sweep(found: SweepAnswer, best: RunAnswer | None, shown: Runs, now: float) -> str:
    """A sweep: how far it is, its best run, its runs (best first, some at a time), how to start more."""
    runs = shown.page.runs
    path = f"{found.entity}/{found.project}/{found.id}"
    metric = None
    if found.metric is not None:
        last = ", the last value counts" if found.metric.mode == "last" else ""
        metric = f"{found.metric.name}, {found.metric.goal}d{last}"
    facts = [
        ("Method", found.method),
        ("Metric", metric),
        ("Runs", wording.states_text(found.runs)),
        ("Agents", str(found.agents)),
        ("Created", wording.moment(found.created)),
        ("Ended", wording.moment(found.ended) if found.ended else None),
    ]
    total = _total(found)
    content = [
        element("div", element("h1", found.name or found.id), _state(found.state), cls="title"),
        element("p", found.description, cls="lead") if found.description else None,
        element("p", found.ended_reason, cls="reason") if found.ended_reason else None,
        element("div", _bar(wording.ended(found.runs), total), element("span", _progress(found)), cls="progress"),
        _facts(facts),
        _notes(found.notes),
        _best(best, found) if best else None,
        element("h2", "Runs"),
        _runs_table(runs, found, now) if runs else element("p", "No run yet. An agent asks for the first one:"),
        _more(shown),
        _start_more(found, path),
        element("details", element("summary", "Sweep file"), element("pre", _config_text(found))),
    ]
    crumbs = [(found.entity, "/"), (found.project, address(found.entity, found.project)),
              (found.id, address(found.entity, found.project, "sweeps", found.id))]  # fmt: skip
    return document(found.name or found.id, *content, crumbs=crumbs, refresh=found.state in LIVE or _any_live(found))


def _config_text(found: SweepAnswer) -> str:
    text = found.config_text or dumps(found.config)
    if len(text) <= MOST_CONFIG_TEXT:
        return text
    return f"{text[:MOST_CONFIG_TEXT]}…\n\n({len(text):,} characters; `besom show {found.id} --json` has them all)"


def run(found: RunAnswer, console: bytes, now: float) -> str:
    """A run: its state, attempts, values, remarks, and the end of what it printed."""
    path = f"{found.entity}/{found.project}/{found.id}"
    text = wording.last_lines(console)
    own = {key: value for key, value in found.config.items() if key not in found.params or found.params[key] != value}
    facts = [
        ("Sweep", element("a", found.sweep, href=address(found.entity, found.project, "sweeps", found.sweep))
         if found.sweep else None),
        ("Score", wording.value_text(found.score) if found.score is not None else None),
        ("Group", found.group),
        ("Tags", ", ".join(found.tags) or None),
        ("Host", found.host),
        ("Started", wording.moment(found.started) if found.started else None),
        ("Runtime", wording.runtime(found, now)),
    ]  # fmt: skip
    content = [
        element("div", element("h1", found.name), _state(found.state), cls="title"),
        element("p", element("code", found.id), cls="lead") if found.id != found.name else None,
        element("p", _stop_text(found), cls="reason") if found.stop_reason else None,
        element("pre", found.error, cls="problem") if found.error else None,
        _notes(found.warnings),
        _facts(facts),
        element(
            "div",
            _values("Parameters", found.params) if found.params else None,
            _values("Summary", found.summary),
            _values("Config", own) if own or not found.params else None,
            cls="columns",
        ),
        _attempts(found.attempts or []),
        element("h2", "Console"),
        element("pre", text, cls="console") if text else element("p", "Nothing was printed."),
        element("p", "All of it: ", element("code", f"besom logs {path}"), cls="quiet"),
    ]
    crumbs = [(found.entity, "/"), (found.project, address(found.entity, found.project))]
    if found.sweep:
        crumbs.append((found.sweep, address(found.entity, found.project, "sweeps", found.sweep)))
    crumbs.append((found.id, address(found.entity, found.project, "runs", found.id)))
    return document(found.name, *content, crumbs=crumbs, refresh=found.state in LIVE)


# ---- parts


def _any_live(sweep: SweepAnswer) -> bool:
    return bool(sweep.runs.running or sweep.runs.queued)


def _total(sweep: SweepAnswer) -> int | None:
    limits = [limit for limit in (sweep.grid_size, sweep.run_cap) if limit is not None]
    return min(limits) if limits else None


def _progress(sweep: SweepAnswer) -> str:
    ended, total = wording.ended(sweep.runs), _total(sweep)
    return f"{ended} ended" if total is None else f"{ended} of {total}"


def _bar(value: int, total: int | None) -> Markup | None:
    return element("progress", value=value, max=max(total, 1)) if total is not None else None


def _state(state: str) -> Markup:
    return element("span", state, cls=f"state {state}")


def _score(score: Any, sweep: SweepAnswer | None, *, so_far: bool = False) -> Markup:
    title = sweep.metric.name if sweep is not None and sweep.metric is not None else None
    late = element("span", " so far", cls="quiet") if so_far and score is not None else None
    return element("span", wording.value_text(score), late, cls="number", title=title)


def _number(value: Any) -> Markup:
    return element("span", wording.value_text(value), cls="number")


def _cell(value: Any) -> object:
    return _number(value) if wording.is_number(value) else wording.value_text(value)


def _facts(facts: Sequence[tuple[str, object]]) -> Markup:
    shown = [element("div", element("dt", name), element("dd", value)) for name, value in facts if value is not None]
    return element("dl", shown, cls="facts")


def _notes(notes: Sequence[str]) -> Markup | None:
    return element("ul", [element("li", note) for note in notes], cls="notes") if notes else None


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]], cls: str | None = None) -> Markup:
    head = element("thead", element("tr", [element("th", name, scope="col") for name in heads]))
    body = element("tbody", [element("tr", [element("td", value) for value in row]) for row in rows])
    return element("div", element("table", head, body, cls=cls), cls="scroll")


def _values(title: str, values: Mapping[str, Any]) -> Markup:
    rows = [
        element("tr", element("th", name, scope="row"), element("td", _cell(value))) for name, value in flatten(values)
    ]
    table = element("div", element("table", element("tbody", rows), cls="values"), cls="scroll")
    return element("section", element("h2", title), table if rows else element("p", "None yet.", cls="quiet"))


def _best(best: RunAnswer, sweep: SweepAnswer) -> Markup:
    name = sweep.metric.name if sweep.metric else "score"
    so_far = " so far" if best.state == "running" else ""
    params = [element("div", element("dt", key), element("dd", _cell(value))) for key, value in flatten(best.params)]
    return element(
        "section",
        element(
            "p", element("span", f"Best run{so_far}: ", cls="quiet"),
            element("a", best.name, href=address(best.entity, best.project, "runs", best.id)),
        ),
        element(
            "p", element("span", wording.value_text(best.score), cls="score"), " ", element("span", name, cls="quiet"),
        ),
        element("dl", params, cls="facts"),
        cls="card",
    )  # fmt: skip


def _runs_table(runs: Sequence[RunAnswer], sweep: SweepAnswer | None, now: float, *, swept: bool = True) -> Markup:
    flat = [dict(flatten(run.params)) for run in runs]
    # A name that has one value everywhere tells nothing in a table; the run's page has it.
    names = [
        name
        for name in dict.fromkeys(name for params in flat for name in params)
        if len(runs) == 1 or len({dumps(params.get(name)) for params in flat}) > 1
    ][:MOST_COLUMNS]
    metric = sweep.metric.name if sweep is not None and sweep.metric is not None else "Score"
    remarks = any(wording.why_ended(run) for run in runs)
    heads = ["Run", "State", *([metric] if swept else []), *names, "Runtime", *(["Why it ended"] if remarks else [])]
    rows = [
        [
            element("a", run.id, href=address(run.entity, run.project, "runs", run.id)),
            _state(run.state),
            *([_score(run.score, sweep, so_far=run.state == "running")] if swept else []),
            *(_cell(params.get(name)) for name in names),
            _number(wording.runtime(run, now)),
            *([wording.why_ended(run)] if remarks else []),
        ]
        for run, params in zip(runs, flat, strict=True)
    ]
    return _table(heads, rows, cls="runs reasons" if remarks else "runs")


def _more(runs: Runs) -> Markup | None:
    """Ways to the other runs of a list that is longer than a page."""
    first = element("a", "First runs", href="?") if runs.after is not None else None
    others = element("a", "Next runs", href=f"?after={quote(runs.page.next)}", rel="next") if runs.page.next else None
    return element("p", first, " ", others, cls="more") if first or others else None


def _stop_text(run: RunAnswer) -> str:
    return f"done before it was stopped: {run.stop_reason}" if run.state == "finished" else str(run.stop_reason)


def _attempts(attempts: Sequence[AttemptAnswer]) -> Markup | None:
    if not attempts:
        return None
    rows = [
        [
            _number(attempt.number),
            _state(attempt.state),
            attempt.host or NONE,
            wording.moment(attempt.started),
            wording.moment(attempt.ended),
            _exit(attempt),
        ]
        for attempt in attempts
    ]
    table = _table(["Attempt", "State", "Host", "Started", "Ended", "Exit"], rows)
    return join([element("h2", "Attempts"), table])


def _exit(attempt: AttemptAnswer) -> str:
    if attempt.signal is not None:
        return f"signal {attempt.signal}"
    return wording.value_text(attempt.exit_code)


def _start_more(sweep: SweepAnswer, path: str) -> Markup | None:
    if sweep.state in ("finished", "canceled"):
        return None
    return element(
        "section",
        element("h2", "Start an agent"),
        element("pre", f"besom agent {path}"),
        element(
            "p", "Each agent trains one run at a time; start one on every machine or GPU that should help.", cls="quiet"
        ),
    )


def _welcome(entity: str) -> Markup:
    return element(
        "section",
        element("p", "No sweep yet. In the folder of your script:"),
        element("pre", "besom run sweep.yaml"),
        element("p", "Its runs appear here, under ", element("code", entity), ".", cls="quiet"),
        cls="card",
    )
