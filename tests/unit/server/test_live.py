from __future__ import annotations

import asyncio

from besom.operations import sweeps
from besom.server import live, news
from besom.server.endpoint import API
from besom.store import events


class Reading:
    """A reader of an event stream on the house's own loop."""

    def __init__(self, house, after, sweep=None):
        self.house = house
        self.frames = live.frames(house.services, after, sweep)
        assert self.next() == b"retry: 2000\n\n"

    def next(self):
        async def one():
            return await asyncio.wait_for(anext(self.frames, None), 30)

        return self.house.call(one)

    def close(self):
        self.house.call(self.frames.aclose)


def newest(house):
    return house.database.read_now(events.last_id)


def test_events_after_a_number_come_in_order(house):
    sweep = house.sweep()
    house.write(sweeps.pause, sweep)
    house.write(sweeps.resume, sweep)

    reading = Reading(house, 0)
    text = reading.next().decode()
    reading.close()

    ids = [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]
    assert ids == list(range(1, newest(house) + 1))
    assert text.startswith("id: 1\nevent: sweep.created\ndata: {")


def test_a_new_event_wakes_the_reader(house):
    sweep = house.sweep()
    reading = Reading(house, newest(house))

    house.write(sweeps.pause, sweep)

    assert b"event: sweep.changed" in reading.next()
    reading.close()


def test_a_reader_of_one_sweep_gets_only_its_events(house):
    mine, other = house.sweep(), house.sweep()
    reading = Reading(house, newest(house), mine)

    house.write(sweeps.pause, other)
    house.write(sweeps.pause, mine)

    text = reading.next().decode()
    assert mine in text
    assert other not in text
    reading.close()


def test_a_silent_line_says_that_it_is_alive(house, monkeypatch):
    monkeypatch.setattr(live, "SILENCE_S", 0.01)
    reading = Reading(house, newest(house))
    assert reading.next() == b": still here\n\n"
    reading.close()


def test_a_stream_ends_when_the_server_closes(house):
    reading = Reading(house, newest(house))
    house.call(house.services.closing.set)
    assert reading.next() is None


def test_a_closed_stream_is_forgotten(house):
    reading = Reading(house, 0)
    assert house.services.news.readers == 1
    reading.close()
    assert house.services.news.readers == 0


def test_the_number_of_streams_is_bounded(house, admin):
    house.services.news.most = 0
    answer = admin.get(f"{API}/events")
    assert answer.status_code == 503


def test_a_last_event_id_that_is_none_is_one_sentence(admin):
    answer = admin.get(f"{API}/events", headers={"last-event-id": "x"})
    assert (answer.status_code, answer.json()["kind"]) == (400, "UsageError")


def test_two_readers_share_one_look_at_the_table(house, monkeypatch):
    sweep = house.sweep()
    readings = [Reading(house, newest(house)) for _ in range(2)]
    house.write(sweeps.pause, sweep)
    first = [reading.next() for reading in readings]
    looks, look = [], events.after
    monkeypatch.setattr(events, "after", lambda *args: looks.append(args) or look(*args))

    house.write(sweeps.resume, sweep)

    assert first[0] == first[1]
    assert [b"sweep.changed" in reading.next() for reading in readings] == [True, True]
    assert len(looks) == 1
    for reading in readings:
        reading.close()


def test_a_reader_behind_what_is_kept_reads_the_table(house, monkeypatch):
    monkeypatch.setattr(news, "MOST_KEPT_BYTES", 1)
    sweep = house.sweep()
    ahead = Reading(house, newest(house))
    begun = newest(house)
    for move in (sweeps.pause, sweeps.resume, sweeps.pause):
        house.write(move, sweep)
        assert b"sweep.changed" in ahead.next()
    behind = Reading(house, begun)

    text = behind.next().decode()

    ids = [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]
    assert ids == list(range(begun + 1, newest(house) + 1))
    ahead.close()
    behind.close()


def test_a_reader_is_given_a_part_at_a_time(house, monkeypatch):
    monkeypatch.setattr(news, "MOST_BYTES_AT_ONCE", 1)
    sweep = house.sweep()
    ahead = Reading(house, newest(house))
    begun = newest(house)
    for move in (sweeps.pause, sweeps.resume, sweeps.pause):
        house.write(move, sweep)
        ahead.next()
    behind = Reading(house, begun)

    parts = [behind.next() for _ in range(3)]

    assert [part.count(b"id: ") for part in parts] == [1, 1, 1]
    ahead.close()
    behind.close()
