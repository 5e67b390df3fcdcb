from __future__ import annotations

import signal

import pytest

from besom.cli.local_agents import LineReader, LocalAgents, shares, visible


def _feed(*pieces: bytes) -> list[tuple[str, bool]]:
    reader = LineReader()
    found = [line for piece in pieces for line in reader.feed(piece)]
    return found + list(reader.feed(b"", last=True))


def test_lines_are_whole_wherever_the_pieces_break():
    assert _feed(b"one\ntw", b"o\nthree") == [("one", True), ("two", True), ("three", True)]


def test_characters_are_whole_wherever_the_pieces_break():
    assert _feed(b"\xe2\x98", b"\x83\n") == [("☃", True)]


def test_bytes_that_are_no_text_are_shown_all_the_same():
    assert _feed(b"a\xffb\n") == [("a\ufffdb", True)]


def test_a_progress_bar_is_unfinished_until_its_line_ends():
    assert _feed(b"\r10 %", b"\r20 %", b"\r30 %\ndone\n") == [
        ("10 %", False), ("20 %", False), ("30 %", True), ("done", True),
    ]  # fmt: skip


def test_the_same_state_of_a_bar_is_told_once():
    assert _feed(b"\r10 %", b"", b"") == [("10 %", False), ("10 %", True)]


@pytest.mark.parametrize(("line", "seen"), [("a", "a"), ("a\rb", "b"), ("a\rb\r", "b"), ("", ""), ("\r", "")])
def test_what_a_terminal_shows_of_a_line(line, seen):
    assert visible(line) == seen


@pytest.mark.parametrize(
    ("count", "agents", "expected"),
    [(None, 2, [None, None]), (5, 2, [3, 2]), (4, 2, [2, 2]), (1, 3, [1]), (3, 3, [1, 1, 1])],
)
def test_a_count_is_shared_among_the_agents(count, agents, expected):
    assert shares(count, agents) == expected


def test_a_ctrl_c_during_an_agents_start_is_no_traceback(tmp_path, monkeypatch):
    monkeypatch.setenv("BESOM_DIR", str(tmp_path))
    agents = LocalAgents("k3v9x2ab", [None])
    agents.send(signal.SIGINT)
    said = []
    while agents.working:
        said += [line.text for line in agents.lines(1.0)]
    assert agents.close() == [9]
    assert [line for line in said if "no Besom server runs here" in line] == said
