from __future__ import annotations

import contextlib
import logging
import socket

import pytest

from besom.errors import UsageError
from besom.server.log import writing_log
from besom.server.serving import bound, clear_up
from besom.server.settings import read_settings


def settings(tmp_path, **options):
    return read_settings({"BESOM_DIR": str(tmp_path)}, **options)


def test_the_port_that_was_asked_for_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with bound(settings(tmp_path, port=port)) as listener:
        assert listener.getsockname() == ("127.0.0.1", port)


def test_a_port_that_is_taken_is_one_sentence(tmp_path):
    with bound(settings(tmp_path, port=0)) as first:
        port = first.getsockname()[1]
        with (
            pytest.raises(UsageError, match=f"port {port} on 127.0.0.1 is taken"),
            bound(settings(tmp_path, port=port)),
        ):
            pass


def test_without_a_wish_the_port_of_the_last_time_is_taken_again(tmp_path):
    with bound(settings(tmp_path / "one")), bound(settings(tmp_path / "two")) as second:
        port = second.getsockname()[1]
    with bound(settings(tmp_path / "two")) as again:
        assert again.getsockname()[1] == port


def test_without_a_wish_two_servers_get_two_ports(tmp_path):
    with bound(settings(tmp_path)) as first, bound(settings(tmp_path)) as second:
        assert first.getsockname()[1] != second.getsockname()[1]


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_one_sentence(tmp_path, host):
    with pytest.raises(UsageError, match="is not an address of this machine"), bound(settings(tmp_path, host=host)):
        pass


def test_the_log_tells_when_and_what_and_ends_with_the_server(tmp_path):
    file = tmp_path / "server.log"
    with writing_log(file, 1_000_000):
        logging.getLogger("besom.server").info("one line")
    logging.getLogger("besom.server").info("another one")

    assert file.read_text().endswith("Z INFO one line\n")


def test_the_log_does_not_outgrow_its_bound(tmp_path):
    with writing_log(tmp_path / "server.log", 2000):
        for number in range(500):
            logging.getLogger("besom.server").warning("line %d", number)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes.keys() == {"server.log", "server.log.1", "server.log.2", "server.log.3"}
    assert max(sizes.values()) <= 2000
    assert "line 499" in (tmp_path / "server.log").read_text()


def test_lines_that_a_full_disk_swallows_are_counted_in_the_log_alone(tmp_path, capfd):
    log = logging.getLogger("besom.server")
    with writing_log(tmp_path / "server.log", 1_000_000):
        (handler,) = logging.getLogger("besom").handlers
        good, full = handler.stream, open("/dev/full", "w")  # noqa: SIM115 - closed below
        handler.stream = full
        for _ in range(3):
            log.warning("lost")
        handler.stream = good
        with contextlib.suppress(OSError):
            full.close()
        log.warning("kept")
    assert capfd.readouterr().err == ""
    text = (tmp_path / "server.log").read_text()
    assert "3 lines could not be written here" in text
    assert text.endswith("WARNING kept\n")


def test_what_a_killed_server_left_half_made_is_removed(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    left = [
        ".backup-0a.db",
        "..backup-0a.db.draft",
        ".besom.db.before-0002-20260101T000000Z.draft-journal",
    ]
    kept = [
        "besom.db",
        "besom.db.before-0002-20260101T000000Z",
        "besom.db.replaced-20260101T000000Z",
        "token",
    ]
    for name in (*left, *kept):
        (data / name).touch()
    clear_up(settings(tmp_path))
    assert sorted(path.name for path in data.iterdir()) == kept
