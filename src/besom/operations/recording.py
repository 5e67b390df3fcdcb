"""Taking in what a run logs: bytes by offset, then values into summary, score and rungs, then early stopping.

All of it in the transaction that stores the bytes. What a superseded attempt still sends is kept in its own stream and
changes nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection

from besom.common.spool_reader import Note, Row
from besom.engine.block_folding import take_block
from besom.engine.folding import Fold
from besom.engine.judging import Verdict
from besom.engine.known_points import params_of
from besom.engine.records import Attempt, Run, Sweep
from besom.engine.remarks import records_lost
from besom.errors import Refused, UsageError
from besom.operations import searchers
from besom.operations.judging import other_folds, watch_over
from besom.space import params_hash
from besom.store import compaction, events, history, observations, runs, streams, summaries, sweeps
from besom.store.blocks import MOST_NAME_BYTES, Block
from besom.store.database import refetchable

# A run's progress is told at most this often.
PROGRESS_S = 1.0
MOST_WARNINGS = 50
HIGHEST_STEP = 2**63 - 1


class Appended(NamedTuple):
    """The next byte that is wanted, whether the attempt's watcher has an order to fetch, and what is known now."""

    next_offset: int
    order_waits: bool
    run: Run
    attempt: Attempt


@refetchable
def append(
    c: Connection, run_uid: str, attempt: int, writer: str, kind: str, offset: int, data: bytes, now: float
) -> Appended:
    """Takes bytes of a stream that begin at ``offset`` and answers the next offset that is wanted.

    Anything but ``offset + len(data)`` tells that not all was stored: the bytes were here before, bytes before them are
    missing, or only a part was taken, of a spoiled spool the good one, of very many new names some. Raises NotFound,
    UsageError for an unknown kind, Refused when the stream was spoiled by an earlier piece.
    """
    _check_kind(kind)
    run, which = runs.get_both(c, run_uid, attempt)
    stream = streams.get_or_make(c, which.id, writer, kind)
    if stream.broken is not None and offset == stream.next_offset:
        raise Refused(f"the stream {writer}/{kind} of run {run.name} is spoiled at byte {offset}: {stream.broken}")
    return _take(c, run, which, stream, writer, kind, offset, data, now)


def append_last(c: Connection, run: Run, attempt: Attempt, path: str, offset: int, data: bytes, now: float) -> Appended:
    """Takes the bytes of a stream ``WRITER/KIND`` that come with the report of the attempt's end.

    As in `append`, but taken whole, and what a spoiled stream brings is passed over: a run can end all the same.
    """
    writer, _, kind = path.rpartition("/")
    _check_kind(kind)
    stream = streams.get_or_make(c, attempt.id, writer, kind)
    return _take(c, run, attempt, stream, writer, kind, offset, data, now, whole=True)


def _check_kind(kind: str) -> None:
    if kind not in streams.KINDS:
        raise UsageError(f"there is no stream of kind {kind!r}: write one of {', '.join(streams.KINDS)}")


def _take(
    c: Connection, run: Run, which: Attempt, stream: streams.Stream, writer: str, kind: str, offset: int, data: bytes,
    now: float, *, whole: bool = False,
) -> Appended:  # fmt: skip
    superseded = which.number != run.attempt
    order_waits = superseded or run.stop_wanted is not None
    if offset != stream.next_offset or stream.broken is not None:
        return Appended(stream.next_offset, order_waits, run, which)
    if kind == "console":
        return Appended(streams.keep_console(c, stream, data), order_waits, run, which)
    piece = streams.read_piece(stream, data, whole=whole)
    tail_rows = streams.keep_piece(c, stream, piece)
    if kind == "history" and superseded:
        which = _place(c, which, piece.records)
    elif kind == "history":
        recording = _Recording(c, run, which, now)
        recording.take(piece.records)
        run, which = recording.run, recording.attempt
        order_waits = order_waits or recording.stopped
    if (name := piece.reader.shortened) is not None:
        run = _warn(
            c, run, f"{name[:40]}… is longer than {MOST_NAME_BYTES} bytes: it is kept, ending with {name[-17:]}"
        )
    if piece.broken is not None:
        run = _warn(c, run, f"what its writer {writer} logged is lost from byte {piece.next_offset} on: {piece.broken}")
    if compaction.is_long(tail_rows, piece.rows(), len(piece.whole)):
        compaction.compact(c, run.project_id, stream.id)
    return Appended(piece.next_offset, order_waits, run, which)


def _place(c: Connection, attempt: Attempt, records: Sequence[Block | Row | Note]) -> Attempt:
    """Where the rows of a superseded attempt stand among those of others: a later attempt may have gone on from it."""
    facts: dict[str, Any] = {}
    if (base := _first_step(attempt, records)) is not None:
        facts["base_step"] = base
    if not attempt.has_rows and any(not isinstance(record, Note) for record in records):
        facts["has_rows"] = True
    runs.change_attempt(c, attempt.id, **_columns(facts))
    return replace(attempt, **facts)


def _columns(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of an attempt as the table has them."""
    return {name: int(value) if isinstance(value, bool) else value for name, value in facts.items()}


def _first_step(attempt: Attempt, records: Sequence[Block | Row | Note]) -> int | None:
    """The step at which an attempt goes on where an earlier one was, when it says so just now."""
    if attempt.number == 1 or attempt.has_rows or attempt.base_step is not None:
        return None
    for record in records:
        if not isinstance(record, Note):
            first = _steps(record)[0]
            return first if first > 0 else None
        if record.t == "resumed":
            step = record.body.get("step")
            return step if isinstance(step, int) and 0 < step < 2**63 else None
    return None


def _warn(c: Connection, run: Run, sentence: str) -> Run:
    return runs.set_warnings(c, run, [*run.warnings, sentence][:MOST_WARNINGS])


def _steps(row: Block | Row) -> list[int]:
    """The first and the largest step."""
    return [int(row.steps[0]), int(row.steps.max())] if isinstance(row, Block) else [row.step]


def go_on_at_the_end(c: Connection, run: Run, attempt: Attempt, now: float) -> Run:
    """An attempt that ended well without a row of its own went on where the one before it had stopped.

    Wherever that was: what the one before has logged may not be here yet.
    """
    if attempt.number == 1 or attempt.has_rows or attempt.base_step is not None:
        return run
    recording = _Recording(c, run, attempt, now)
    recording.go_on(HIGHEST_STEP)
    return recording.run


class _Recording:
    """Records of one piece on their way into what is known of a run.

    ``run`` and ``attempt`` are as they are now; what of them is to be written is gathered, and written once.
    """

    def __init__(self, c: Connection, run: Run, attempt: Attempt, now: float) -> None:
        self.c = c
        self.run = run
        self.attempt = attempt
        self.now = now
        self.sweep: Sweep | None = None if run.sweep_id is None else sweeps.by_id(c, run.sweep_id)
        self.metric = None if self.sweep is None else self.sweep.metric
        self.stopped = False
        self.of_run: dict[str, Any] = {}
        self.of_attempt: dict[str, Any] = {}
        self.watch = watch_over(c, run, self.sweep)

    def take(self, records: Sequence[Block | Row | Note]) -> None:
        rows = [record for record in records if not isinstance(record, Note)]
        self._take_notes([record for record in records if isinstance(record, Note)])
        base = _first_step(self.attempt, records)
        before = [] if base is None else list(self._go_on_from(base))
        if rows and not self.attempt.has_rows:
            self._set_attempt(has_rows=True)
        self._write()
        if rows or before:
            self._fold(before, rows)

    def _set_run(self, **values: Any) -> None:
        self.of_run |= values
        self.run = replace(self.run, **{name: value for name, value in values.items() if name in _OF_RUN})

    def _set_attempt(self, **facts: Any) -> None:
        self.of_attempt |= _columns(facts)
        self.attempt = replace(self.attempt, **facts)

    def _write(self) -> None:
        runs.change(self.c, self.run.id, **self.of_run)
        runs.change_attempt(self.c, self.attempt.id, **self.of_attempt)
        self.of_run, self.of_attempt = {}, {}

    def go_on(self, base: int) -> None:
        """Takes in what earlier attempts have shown below a step."""
        self._fold(list(self._go_on_from(base)), [])

    def _go_on_from(self, base: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
        before = history.segments(self.c, self.run.id, self.attempt.number - 1, below=base)
        # Not always the attempt just before: that one may have died without a row.
        earlier = runs.find_attempt(self.c, self.run.id, before[0].number if before else 0)
        kept = {} if earlier is None else {"summary_set": earlier.summary_set, "defines": earlier.defines}
        self._set_attempt(
            base_step=base,
            summary_set={**kept.get("summary_set", {}), **self.attempt.summary_set},
            defines={**kept.get("defines", {}), **self.attempt.defines},
        )
        self._write()
        return history.values_before(self.c, self.run.id, self.attempt.number, base)

    def _fold(self, before: list[tuple[int, Mapping[str, Any]]], rows: Sequence[Block | Row]) -> None:
        new = {name for row in rows for name in (row.keys if isinstance(row, Block) else row.data)}
        names = sorted(new.union(*(data for _, data in before)))
        loaded = summaries.load(self.c, self.run.project_id, self.run.id, names)
        folds = {**loaded.of, **other_folds(self.c, self.run, self.watch, names)}
        if self.watch is not None:
            self.watch.judging = False
        for step, data in before:
            self._fold_row(folds, step, data)
        if self.watch is not None:
            self.watch.judging = self.run.state == "running"
        for row in rows:
            if isinstance(row, Block):
                self._fold_block(folds, row)
            else:
                self._fold_row(folds, row.step, row.data)
        summaries.save(self.c, self.run.id, loaded)
        if self.metric is not None and self.metric.name in loaded.of:
            self._score(folds[self.metric.name])
        self._judge()
        self._tell(max((max(_steps(row)) for row in rows), default=None))

    def _fold_block(self, folds: Mapping[str, Fold], block: Block) -> None:
        """All keys at once, except those where rules of early stopping look at every row."""
        watched = [] if self.watch is None else [at for at, name in enumerate(block.keys) if name in self.watch.names]
        if self.watch is not None and watched:
            names = [block.keys[at] for at in watched]
            for step, values in zip(block.steps.tolist(), block.values[:, watched].tolist(), strict=True):
                self.watch.take(folds, step, dict(zip(names, values, strict=True)))
        kept = [at for at in range(len(block.keys)) if at not in watched]
        values = block.values[:, kept] if watched else block.values
        take_block([folds[block.keys[at]] for at in kept], block.steps, values)

    def _fold_row(self, folds: Mapping[str, Fold], step: int, data: Mapping[str, Any]) -> None:
        watched = {} if self.watch is None else {name: data[name] for name in self.watch.names if name in data}
        for name, value in data.items():
            if name not in watched:
                folds[name].take(step, value)
        if self.watch is not None and watched:
            self.watch.take(folds, step, watched)

    def _score(self, fold: Fold) -> None:
        if self.metric is None:
            return
        score = fold.score(self.metric)
        if score != self.run.score:
            loss = None if score is None else self.metric.as_loss(score)
            runs.set_score(self.c, self.run.id, score, loss)
            self.run = replace(self.run, score=score)

    def _judge(self) -> None:
        """Keeps what the run has shown at rungs, and orders its end if a rule says so."""
        if self.watch is None or self.sweep is None:
            return
        if self.watch.changed:
            observations.keep(self.c, self.run.id, self.sweep.id, self.watch.changed)
        if self.watch.verdict is not None:
            self._stop(self.sweep, self.watch.verdict)

    def _stop(self, sweep: Sweep, verdict: Verdict) -> None:
        reason = verdict.stop.reason
        self._set_run(stop_wanted="stop", stop_reason=reason)
        self._write()
        self.stopped = True
        events.tell(
            self.c, "run.stop", self.now, sweep=sweep.uid, run=self.run.uid, name=self.run.name,
            reason=reason, rung=verdict.rung, order="stop",
        )  # fmt: skip

    def _tell(self, step: int | None) -> None:
        if runs.told_progress(self.c, self.run.id, self.now, PROGRESS_S):
            sweep = None if self.sweep is None else self.sweep.uid
            events.tell(
                self.c, "run.progress", self.now, sweep=sweep, run=self.run.uid, name=self.run.name,
                attempt=self.attempt.number, step=step, score=self.run.score,
            )  # fmt: skip

    def _take_notes(self, notes: list[Note]) -> None:
        for note in notes:
            handle = _NOTES.get(note.t)
            if handle is not None:
                handle(self, note.body)

    def _note_config(self, body: Mapping[str, Any]) -> None:
        changed = body.get("set")
        if not isinstance(changed, dict):
            return
        config = {**(self.of_run.get("config") or runs.config_of(self.c, self.run.id)), **changed}
        self._set_run(config=config)
        if self.sweep is not None and not self.run.by_sweep and not self.run.params:
            self._place_by_hand(self.sweep, config)

    def _place_by_hand(self, sweep: Sweep, config: Mapping[str, Any]) -> None:
        """A run that a person started within the sweep: its config says at which point it stands."""
        params = params_of(searchers.living(self.c, sweep).config.space, config)
        if params is None:
            return
        digest = params_hash(params) if sweep.size is not None else None
        taken = digest is not None and sweeps.is_tried(self.c, sweep.id, digest)
        self._set_run(params=params, params_hash=None if taken else digest)

    def _note_summary(self, body: Mapping[str, Any]) -> None:
        values, deleted = body.get("set"), body.get("delete")
        by_hand = summaries.with_hand_set(
            self.attempt.summary_set,
            values if isinstance(values, dict) else {},
            deleted if isinstance(deleted, list) else [],
        )
        self._set_attempt(summary_set=by_hand)

    def _note_define(self, body: Mapping[str, Any]) -> None:
        name = body.get("name")
        if isinstance(name, str):
            rules = {rule: value for rule, value in body.items() if rule not in ("t", "name")}
            self._set_attempt(defines={**self.attempt.defines, name: rules})

    def _note_about(self, body: Mapping[str, Any]) -> None:
        """What the script says of its run to a server that knows the run already."""
        columns = {"display_name": "display_name", "group": "group_name", "job_type": "job_type", "notes": "notes"}
        values: dict[str, Any] = {
            column: str(body[word]) for word, column in columns.items() if body.get(word) is not None
        }
        if isinstance(body.get("tags"), list):
            values["tags"] = [str(tag) for tag in body["tags"]]
        self._set_run(**values)

    def _note_reads(self, body: Mapping[str, Any]) -> None:
        read = body.get("read")
        if isinstance(read, list):
            self._set_run(reads=sorted({*(self.run.reads or ()), *(str(name) for name in read)}))

    def _note_preempting(self, body: Mapping[str, Any]) -> None:
        self._set_attempt(preempting=True)

    def _note_text(self, body: Mapping[str, Any]) -> None:
        self.run = _warn(self.c, self.run, str(body.get("text", "")))

    def _note_exit(self, body: Mapping[str, Any]) -> None:
        code, error = body.get("code"), body.get("error")
        self._set_attempt(
            script_exit=code if isinstance(code, int) and abs(code) < 2**31 else int(code is not None),
            script_error=None if error is None else str(error),
        )
        lost = body.get("lost")
        if type(lost) is int and 0 < lost < 2**63:
            self.run = _warn(self.c, self.run, records_lost(lost))


_OF_RUN = frozenset(Run.__struct_fields__)
# What each record of the spool does; records of a later program that are not here do nothing.
_NOTES = {
    "config": _Recording._note_config,
    "summary": _Recording._note_summary,
    "define": _Recording._note_define,
    "about": _Recording._note_about,
    "reads": _Recording._note_reads,
    "preempting": _Recording._note_preempting,
    "note": _Recording._note_text,
    "exit": _Recording._note_exit,
}
