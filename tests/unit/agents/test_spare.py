import json

import pytest

from besom.agents.leftovers import remove
from besom.agents.notes import Note
from besom.agents.spare import WRITER, Spare
from besom.client.run_folder import RunFolder, this_process


def note_in(folder):
    return Note(folder, 1, this_process(), "agent1", "server1")


class Place:
    """The folder of a run that is over, a spare that keeps it, and what it gives away to be deleted."""

    def __init__(self, runs):
        self.old, self.new = RunFolder(runs / "old"), RunFolder(runs / "new")
        note = note_in(self.old)
        note.add(end={"exit_code": 0}, told=True)
        note.close()
        self.old.write_config({"uid": "old", "params": {"a name of some length": 1}}, durable=False)
        self.spool = self.old.history_file(1, self.old.new_writer(1))
        self.write(self.spool, "rows of the old run")
        self.discarded = []
        self.spare = Spare(self.discard)

    def discard(self, folder, attempt, *, keep_log):
        self.discarded.append((folder.uid, folder.stop_reason(), folder.agents()[attempt]["told"], keep_log))
        remove(folder, attempt, keep_log=keep_log)

    def become(self, attempt=1):
        note = self.spare.become(self.new, attempt, note_in)
        if note is not None:
            note.close()
        return note

    @staticmethod
    def write(file, text):
        with open(file, "w", encoding="utf-8") as content:
            content.write(text)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def names(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def test_the_next_run_gets_the_folder_with_an_empty_spool_and_an_untold_note(place):
    assert place.spare.keep(place.old, place.spool)
    assert place.become()
    assert names(place.old.path.parent) == ["new/1-w1/history.bin", "new/agent-1.json", "new/config.json"]
    assert (place.new.path / "1-w1" / "history.bin").read_bytes() == b""
    assert (place.new.agents()[1]["told"], place.new.agents()[1]["end"]) == (False, None)


def test_a_config_that_is_written_over_a_longer_one_holds_nothing_of_it(place):
    place.old.rewrite_config({"uid": "new"})
    assert place.old.config() == {"uid": "new"}
    assert json.loads((place.old.path / "config.json").read_bytes()) == {"uid": "new"}


def test_what_the_old_run_printed_is_gone(place):
    (place.old.path / "1-0").mkdir()
    (place.old.path / "1-0" / "console.log").write_text("printed")
    assert place.spare.keep(place.old, place.spool)
    assert place.become()
    assert [stream.kind for stream in place.new.streams()] == ["history"]


@pytest.mark.parametrize("closed", [None, "/somewhere/else/1-w1/history.bin"])
def test_a_spool_that_its_process_has_not_closed_is_not_used_again(place, closed):
    assert not place.spare.keep(place.old, closed)
    assert place.become() is None


@pytest.mark.parametrize("stray", ["1-w2/history.bin", f"1-{WRITER}/reads", "files/model.pt", "stop", "1-0/more"])
def test_a_folder_with_something_else_in_it_is_given_away_under_its_own_name(place, stray):
    file = place.old.path / stray
    file.parent.mkdir(exist_ok=True)
    file.write_text('{"reason": "it is over"}')
    assert place.spare.keep(place.old, place.spool)
    assert place.become() is None
    assert [uid for uid, _, _, _ in place.discarded] == ["old"]
    assert not place.new.path.exists()


def test_another_attempt_of_a_run_gets_no_spare_folder(place):
    assert place.spare.keep(place.old, place.spool)
    assert place.become(attempt=2) is None
    assert place.discarded == [("old", None, True, False)]


def test_a_folder_that_somebody_has_deleted_is_not_used(place):
    assert place.spare.keep(place.old, place.spool)
    place.discard(place.old, 1, keep_log=False)
    place.spare = Spare(lambda folder, attempt, *, keep_log: None)
    place.spare.keep(place.old, place.spool)
    assert place.become() is None
    assert not place.new.path.exists()


def test_who_dies_before_the_name_has_changed_leaves_nothing_of_the_old_run_but_its_name(place):
    (place.new.path / "in the way").mkdir(parents=True)
    assert place.spare.keep(place.old, place.spool)
    assert place.become() is None
    assert place.discarded == [("old", None, False, False)]


def test_what_is_kept_at_the_end_is_given_away(place):
    assert place.spare.keep(place.old, place.spool)
    place.spare.close()
    place.spare.close()
    assert [uid for uid, _, _, _ in place.discarded] == ["old"]
