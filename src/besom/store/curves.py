"""One metric's curves of many runs, reduced to what a screen can show: the extremes of every pixel.

The rows that count are those of `store.history`: the last attempt's, with those of earlier attempts in front where it
went on from a checkpoint; of equal steps the last value counts (of several writers one of them). A long run is read
from its coarse level, without its values; there a bucket belongs to the pixel in which it begins, and it is never
wider than half a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Connection, Float, bindparam, case, func, select, union_all

from besom.common.spool_reader import Note
from besom.common.spool_reader import Row as LoggedRow
from besom.engine.folding import to_number
from besom.store import projects
from besom.store.blocks import Block, BlockReader
from besom.store.columns import BUCKET, Floats, Steps, unpack_coarse, unpack_floats, unpack_steps
from besom.store.history import Segment, segments_of
from besom.store.tables import chunk, stream, tail
from besom.wire.runs import Curve, Curves

_STREAMS = select(stream.c.id, stream.c.attempt_id).where(
    stream.c.attempt_id.in_(bindparam("attempts", expanding=True)), stream.c.kind == "history"
)
_HERE: Any = bindparam("streams", expanding=True)
_ENDS = union_all(
    select(func.min(chunk.c.step0), func.max(chunk.c.step1)).where(
        chunk.c.stream_id.in_(_HERE), chunk.c.key_id == bindparam("key")
    ),
    select(func.min(tail.c.step0), func.max(tail.c.step1)).where(tail.c.stream_id.in_(_HERE)),
)
_FIRST, _LAST = bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger)
_CHUNK = (chunk.c.stream_id, chunk.c.offset, chunk.c.form, chunk.c.step0, chunk.c.step1, chunk.c.steps)
# A bucket of the coarse level is narrow enough where its share of the chunk's steps is.
_IS_ROUGH = chunk.c.coarse.is_not(None) & (
    (chunk.c.step1 - chunk.c.step0) * float(BUCKET) <= bindparam("half_a_pixel", type_=Float) * chunk.c.n
)
_CHUNKS = select(
    *_CHUNK, case((_IS_ROUGH, chunk.c.coarse)).label("coarse"), case((~_IS_ROUGH, chunk.c.vals)).label("vals")
).where(
    chunk.c.stream_id.in_(_HERE), chunk.c.key_id == bindparam("key"), chunk.c.step1 >= _FIRST, chunk.c.step0 <= _LAST
)
_WHOLE_CHUNK = select(*_CHUNK, chunk.c.vals).where(
    chunk.c.stream_id == bindparam("stream"), chunk.c.offset == bindparam("at"), chunk.c.key_id == bindparam("key"),
    chunk.c.form == bindparam("as"),
)  # fmt: skip
_TAILS = (
    select(tail.c.stream_id, tail.c.offset, tail.c.step0, tail.c.data, stream.c.kinds)
    .join(stream, stream.c.id == tail.c.stream_id)
    .where(tail.c.stream_id.in_(_HERE), tail.c.step1 >= _FIRST, tail.c.step0 <= _LAST)
)
# Smaller groups of points are reduced by looking at their first, second, … points one after the other.
_FEW = 8


class CurveOf(NamedTuple):
    """A run whose curve is wanted: its id, its name, its last attempt."""

    run_id: int
    name: str
    newest: int


class _Source(NamedTuple):
    """A stream whose rows count: of which run (its place in the answer), and of which segment of its history."""

    place: int
    segment: Segment


class _Part(NamedTuple):
    """Points that lie together: their steps, and one value or two extremes a step."""

    place: int
    order: tuple[int, int, int, int]
    steps: Steps
    low: NDArray[np.float32]
    high: NDArray[np.float32]


def read(
    connection: Connection,
    project_id: int,
    metric: str,
    wanted: Sequence[CurveOf],
    px: int,
    from_step: int | None = None,
    to_step: int | None = None,
) -> Curves:
    """The curves in the order wanted; a run that has not logged the metric has an empty one.

    ``px`` is over how many pixels the steps from the first to the last of all runs (or ``from_step`` to ``to_step``)
    are spread; a curve of no more points than that is given point by point.
    """
    sources = _sources(connection, wanted)
    key_id = projects.known_key_ids(connection, project_id, [metric]).get(metric)
    window = None if key_id is None else _window(connection, sources, key_id, from_step, to_step)
    if key_id is None or window is None:
        return Curves(metric=metric, from_step=None, to_step=None, curves=[_empty(run.name) for run in wanted])
    parts = [*_from_chunks(connection, sources, key_id, window, px), *_from_tails(connection, sources, metric, window)]
    curves = _reduced([run.name for run in wanted], parts, window, px)
    return Curves(metric=metric, from_step=window[0], to_step=window[1], curves=curves)


def _empty(name: str) -> Curve:
    return Curve(run=name, points=0, steps=b"", low=b"", high=b"")


def _sources(connection: Connection, wanted: Sequence[CurveOf]) -> dict[int, _Source]:
    by_attempt: dict[int, _Source] = {}
    counted = segments_of(connection, {run.run_id: run.newest for run in wanted})
    for place, run in enumerate(wanted):
        by_attempt |= {segment.attempt_id: _Source(place, segment) for segment in counted.get(run.run_id, [])}
    found = connection.execute(_STREAMS, {"attempts": list(by_attempt)}).all()
    return {stream_id: by_attempt[attempt_id] for stream_id, attempt_id in found}


def _window(
    connection: Connection, sources: Mapping[int, _Source], key_id: int, from_step: int | None, to_step: int | None
) -> tuple[int, int] | None:
    """The first and the last step that are shown; None where there is nothing."""
    ends: list[Any] = [(from_step, to_step)]
    if from_step is None or to_step is None:
        ends = [
            end for end in connection.execute(_ENDS, {"streams": list(sources), "key": key_id}) if end[0] is not None
        ]
    if not ends:
        return None
    first = min(end[0] for end in ends) if from_step is None else from_step
    last = max(end[1] for end in ends) if to_step is None else to_step
    return (first, last) if first <= last else None


def _from_chunks(
    connection: Connection, sources: Mapping[int, _Source], key_id: int, window: tuple[int, int], px: int
) -> Iterator[_Part]:
    asked = {"streams": list(sources), "key": key_id, "first": window[0], "last": window[1]}
    half_a_pixel = (window[1] - window[0] + 1) / px / 2
    row: Any
    for row in connection.execute(_CHUNKS, {**asked, "half_a_pixel": half_a_pixel}).all():
        source = sources[row.stream_id]
        below = source.segment.below
        if row.coarse is not None and below is not None and row.step1 >= below:
            place = {"stream": row.stream_id, "at": row.offset, "key": key_id, "as": row.form}
            row = connection.execute(_WHOLE_CHUNK, place).one()
        part = _Part(source.place, (row.step0, source.segment.number, row.stream_id, row.offset), *_points(row))
        inside = row.step0 >= window[0] and row.step1 <= window[1] and (below is None or row.step1 < below)
        yield part if inside else _cut(part, source, window)


def _points(row: Any) -> tuple[Steps, NDArray[np.float32], NDArray[np.float32]]:
    steps = unpack_steps(row.steps)
    if row.vals is None:
        low, high = unpack_coarse(row.coarse)
        return steps[::BUCKET], _shown(low), _shown(high)
    # What is no number at a step takes the place of a number there, and is not drawn.
    values = _shown(np.full(len(steps), np.nan) if row.form == "json" else unpack_floats(row.form, row.vals))
    return steps, values, values


def _shown(values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype("<f4", copy=False)


def _cut(part: _Part, source: _Source, window: tuple[int, int]) -> _Part:
    """The points inside the window and below the step at which a later attempt went on."""
    last = window[1] if source.segment.below is None else min(window[1], source.segment.below - 1)
    kept = (part.steps >= window[0]) & (part.steps <= last)
    low = part.low[kept]
    return part._replace(steps=part.steps[kept], low=low, high=low if part.high is part.low else part.high[kept])


def _from_tails(
    connection: Connection, sources: Mapping[int, _Source], metric: str, window: tuple[int, int]
) -> Iterator[_Part]:
    asked = {"streams": list(sources), "first": window[0], "last": window[1]}
    for row in connection.execute(_TAILS, asked):
        source = sources[row.stream_id]
        reader = BlockReader({int(number): tuple(names) for number, names in row.kinds.items()}, started=True)
        order = (row.step0, source.segment.number, row.stream_id, row.offset)
        for steps, logged in _logged(reader, row.data, metric):
            values = _shown(logged)
            yield _cut(_Part(source.place, order, steps, values, values), source, window)


def _logged(reader: BlockReader, data: bytes, metric: str) -> Iterator[tuple[Steps, Floats]]:
    loose: list[tuple[int, float]] = []
    for record in reader.blocks(data):
        if isinstance(record, LoggedRow) and metric in record.data:
            number = to_number(record.data[metric])
            loose.append((record.step, np.nan if number is None else number))
        elif isinstance(record, Block) and metric in record.keys:
            yield from _arrays(loose)
            loose = []
            yield record.steps, record.values[:, record.keys.index(metric)]
        elif isinstance(record, Note):
            continue
    yield from _arrays(loose)


def _arrays(points: Sequence[tuple[int, float]]) -> Iterator[tuple[Steps, Floats]]:
    if points:
        steps, values = zip(*points, strict=True)
        yield np.array(steps, dtype="<i8"), np.array(values, dtype="<f8")


def _reduced(names: Sequence[str], parts: Sequence[_Part], window: tuple[int, int], px: int) -> list[Curve]:
    """All curves in a few moves over all their points, not a few for each."""
    by_place: dict[int, list[_Part]] = {}
    for part in parts:
        if len(part.steps):
            by_place.setdefault(part.place, []).append(part)
    # Runs of a sweep log at the same steps, and `unpack_steps` gives them the same array.
    alike: dict[int, list[_Part]] = {}
    for own in by_place.values():
        if len(own) == 1 and own[0].low is own[0].high:
            alike.setdefault(id(own[0].steps), []).append(own[0])
    found: dict[int, Curve] = {}
    for group in alike.values():
        steps = group[0].steps
        if len(group) > 1 and (steps[1:] > steps[:-1]).all():
            found |= _reduced_alike(names, group, window, px)
    rest = [part for place, own in by_place.items() if place not in found for part in own]
    found |= _reduced_mixed(names, rest, window, px)
    return [found.get(place) or _empty(name) for place, name in enumerate(names)]


def _reduced_alike(
    names: Sequence[str], parts: Sequence[_Part], window: tuple[int, int], px: int
) -> Iterator[tuple[int, Curve]]:
    """Curves of one part each that have the same steps."""
    steps = parts[0].steps
    values = np.stack([part.low for part in parts])
    pixels = _pixels(steps, window, px)
    fresh = np.append(True, pixels[1:] != pixels[:-1])
    starts = np.flatnonzero(fresh) if len(steps) > px else np.arange(len(steps))
    shown = steps[starts].astype("<f8").tobytes()
    lows, highs = _extremes(np.fmin, values, starts), _extremes(np.fmax, values, starts)
    for part, low, high in zip(parts, lows, highs, strict=True):
        yield part.place, Curve(names[part.place], len(steps), shown, low.tobytes(), high.tobytes())


def _reduced_mixed(
    names: Sequence[str], parts: Sequence[_Part], window: tuple[int, int], px: int
) -> Iterator[tuple[int, Curve]]:
    """Curves of any parts."""
    if not parts:
        return
    ordered = sorted(parts, key=lambda part: (part.place, part.order))
    places = np.repeat([part.place for part in ordered], [len(part.steps) for part in ordered])
    steps = np.concatenate([part.steps for part in ordered])
    low = high = np.concatenate([part.low for part in ordered])
    exact = all(part.low is part.high for part in ordered)
    if not exact:
        high = np.concatenate([part.high for part in ordered])
    places, steps, low, high = _merged(places, steps, low, high, exact)
    points = np.bincount(places, minlength=len(names))
    pixels = _pixels(steps, window, px)
    fresh = np.append(True, (places[1:] != places[:-1]) | (pixels[1:] != pixels[:-1]))
    if (points <= px).any():
        fresh |= points[places] <= px
    starts = np.flatnonzero(fresh)
    shown = (steps[starts].astype("<f8"), _extremes(np.fmin, low, starts), _extremes(np.fmax, high, starts))
    edges = np.searchsorted(places[starts], np.arange(len(names) + 1)).tolist()
    for place in {part.place for part in ordered}:
        start, end = edges[place], edges[place + 1]
        columns = (values[start:end].tobytes() for values in shown)
        yield place, Curve(names[place], int(points[place]), *columns)


def _pixels(steps: Steps, window: tuple[int, int], px: int) -> NDArray[np.int64]:
    first, width = window[0], window[1] - window[0] + 1
    if abs(first) + width < 2**62 // px:
        pixels: NDArray[np.int64] = (steps - first) * px // width
        return pixels
    return np.clip((steps.astype("<f8") - first) * (px / width), 0, px - 1).astype(np.int64)


def _extremes(of: np.ufunc, values: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """``of`` over the values (of each row) from each start to the next."""
    ends = np.append(starts[1:], values.shape[-1])
    most = int((ends - starts).max())
    found: NDArray[np.float32]
    if most > _FEW:
        found = of.reduceat(values, starts, axis=-1)
        return found
    found = values[..., starts]
    for ahead in range(1, most):
        found = of(found, values[..., np.minimum(starts + ahead, ends - 1)])
    return found


def _merged(
    places: NDArray[np.int64], steps: Steps, low: NDArray[np.float32], high: NDArray[np.float32], exact: bool
) -> tuple[NDArray[np.int64], Steps, NDArray[np.float32], NDArray[np.float32]]:
    """By run and step; of equal steps the last counts, except in coarse levels, whose buckets are no single rows."""
    if not ((places[1:] == places[:-1]) & (steps[1:] <= steps[:-1])).any():
        return places, steps, low, high
    order = np.lexsort((steps, places))
    places, steps, low, high = places[order], steps[order], low[order], high[order]
    if not exact:
        return places, steps, low, high
    kept = np.append((places[1:] != places[:-1]) | (steps[1:] != steps[:-1]), True)
    return places[kept], steps[kept], low[kept], high[kept]
