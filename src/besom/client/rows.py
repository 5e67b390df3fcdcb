"""The rows of a run on their way from `log` to the spool: their steps, their axes, what the summary keeps of them.

A row of numbers whose names were logged before goes the short way: one look-up by its names, one prepared
``struct.pack``, one ``os.write``. Whatever needs more thought keeps its names out of ``Spool.ready``, so that this
one look-up is the only question the short way asks.
"""

from __future__ import annotations

import time
from _collections_abc import Mapping

from besom.client.definitions import Definition, Definitions
from besom.client.say import warn_once
from besom.client.spool import Spool
from besom.client.summary import SummaryState
from besom.client.values import flatten, jsonable
from besom.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INT64 = 2**63


class Rows:
    """Puts rows into ``spool``. ``step`` is where the next row without one goes; ``resumed`` as in ``config.json``."""

    def __init__(self, spool: Spool, summary: SummaryState, definitions: Definitions, *, resumed: bool) -> None:
        self.spool = spool
        self.step = 0
        # Set when the run has ended: the sentence for whoever still logs.
        self.over = ""
        self._summary = summary
        self._definitions = definitions
        self._resumed = resumed
        self._began = False

    def log(self, data: Mapping[str, Any], step: int | None, commit: bool | None) -> None:
        """Records a row, as `Run.log` says."""
        spool = self.spool
        with spool.lock:
            kind = spool.ready.get(tuple(data)) if data.__class__ is dict else None
            at: int | None
            if kind is None or commit is not None:
                at = self._place(data, step, commit)
            elif step is None:
                # Side by side: Python lets no signal handler in between, which may log too.
                at = self.step
                self.step = at + 1
            elif step.__class__ is int and self.step <= step < _INT64:
                self.step = at = step
            else:
                at = self._place(data, step, commit)
            if at is None:
                return
            packed = spool.put(kind, at, data.values()) if kind is not None else None
            if kind is None or packed is None:
                self._record(at, data)
            else:
                self._summary.packed(kind, packed)

    def define(self, definition: Definition, *, overwrite: bool) -> Definition:
        """Has a definition speak of the rows to come; returns what all definitions of its name say together."""
        with self.spool.lock:
            definition = self._definitions.add(definition, overwrite=overwrite)
            self.spool.note("define", **definition.record())
            self.spool.ready.clear()
        return definition

    def _place(self, data: Mapping[str, Any], step: int | None, commit: bool | None) -> int | None:
        """The step of a row, None if it comes too late or is empty; moves the current step on."""
        if not isinstance(data, Mapping):
            raise UsageError(f"log() takes a dictionary of names and values, not {type(data).__name__}")
        if self.over:
            raise UsageError(self.over)
        if step is None and commit is False:
            at = self.step
        elif step is None:
            at = self.step
            self.step = at + 1
        else:
            at = _whole(step)
            if at < self.step:
                warn_once(
                    f"log(step={at}) was dropped: the run is at step {self.step} already, and steps only grow "
                    "(told once; later ones are dropped without a word)",
                    f"late step of {id(self)}",
                )
                return None
            self.step = at + 1 if commit else at
            if not self._began and at > 0 and self._resumed:
                self.spool.note("resumed", step=at)
        self._began = True
        return at if data else None

    def _record(self, at: int, data: Mapping[str, Any]) -> None:
        """The long way of a row."""
        now = time.time()
        if data.__class__ is dict and not self._definitions and self.spool.flat_row(at, now, data):
            self._summary.logged(data)
            return
        row = flatten(data)
        if self._definitions:
            row = self._definitions.with_axes(row)
        if not row:
            return
        done = self.spool.numbers(at, now, row)
        if done is None:
            row = {key: jsonable(value) for key, value in row.items()}
            if all(value.__class__ in (int, float) for value in row.values()):
                done = self.spool.numbers(at, now, row)
        if done is None:
            self.spool.row(at, now, row)
            self._summary.logged(row)
            return
        kind, packed = done
        if self._definitions.speak_of(kind.keys):
            self._summary.logged(kind.values(packed))
            return
        self._summary.packed(kind, packed)
        if row.keys() == data.keys():
            self.spool.prepare(kind)


def _whole(step: Any) -> int:
    try:
        whole = int(step)
        if whole == step and -_INT64 <= whole < _INT64:
            return whole
    except (TypeError, ValueError, OverflowError):
        pass
    raise UsageError(f"log(step={step!r}): a step is a whole number")
