from __future__ import annotations

import logging
import socket

import pytest

from besom.errors import UsageError
from besom.server.log import last_line, writing_log
from besom.server.serving import bound
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
    with writing_log(file):
        logging.getLogger("besom.server").info("one line")
    logging.getLogger("besom.server").info("another one")

    assert last_line(file).endswith("Z INFO one line")


def test_a_log_that_is_not_there_has_no_last_line(tmp_path):
    assert last_line(tmp_path / "none") == ""
