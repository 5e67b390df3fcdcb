import json
import os
import sys

import pytest

from besom.client.finding import find_server, forget_login, store_login, stored_login
from besom.common.discovery import TOKEN_FILE, Discovery, boot_id, host_name, process_started, write_discovery
from besom.common.places import config_folder, data_folder, write_private
from besom.common.version import VERSION
from besom.errors import ServerUnreachable


@pytest.fixture
def environ(tmp_path):
    return {"BESOM_DIR": str(tmp_path), "PATH": os.environ["PATH"]}


def discover(environ, **change):
    facts = {
        "url": "http://127.0.0.1:4242", "pid": os.getpid(), "pid_started": process_started(os.getpid()),
        "host": host_name(), "boot_id": boot_id(), "server_id": "s", "version": VERSION, "api": 1, **change,
    }  # fmt: skip
    write_discovery(data_folder(environ), Discovery(**facts))
    write_private(data_folder(environ) / TOKEN_FILE, "localtoken\n")


def found(environ, **how):
    connection = find_server(environ, say=lambda line: None, **how)
    return connection.url, connection.token


def test_the_variable_wins(environ):
    discover(environ)
    store_login("http://other:1", "logintoken", environ)
    assert found({**environ, "BESOM_URL": "http://host:9", "BESOM_TOKEN": "t"}) == ("http://host:9", "t")


def test_a_known_token_goes_with_the_variable(environ):
    store_login("http://host:9", "logintoken", environ)
    discover(environ)
    assert found({**environ, "BESOM_URL": "http://host:9/"}) == ("http://host:9", "logintoken")
    assert found({**environ, "BESOM_URL": "http://127.0.0.1:4242"}) == ("http://127.0.0.1:4242", "localtoken")
    assert found({**environ, "BESOM_URL": "http://unknown:1"}) == ("http://unknown:1", None)


def test_the_stored_login_comes_before_the_own_server(environ):
    discover(environ)
    store_login("http://host:9", "logintoken", environ)
    assert found(environ) == ("http://host:9", "logintoken")
    forget_login(environ)
    assert found(environ) == ("http://127.0.0.1:4242", "localtoken")


def test_logins_are_private_and_tokens_are_kept_apart(environ):
    store_login("http://a:1", "ta", environ)
    file = store_login("http://b:1", "tb", environ)
    assert file.stat().st_mode & 0o777 == 0o600
    assert stored_login(environ) == ("http://b:1", "tb")
    store_login("http://a:1", None, environ)
    assert stored_login(environ) == ("http://a:1", "ta")


@pytest.mark.parametrize("text", ["", "[]", '{"current": 5}'])
def test_a_broken_login_file_is_as_none(environ, text):
    write_private(config_folder(environ) / "login.json", text)
    assert stored_login(environ) is None


def test_a_running_server_is_found_by_its_file(environ):
    discover(environ)
    assert found(environ, start=False) == ("http://127.0.0.1:4242", "localtoken")


@pytest.mark.parametrize("change", [{"pid_started": "1"}, {"boot_id": "before"}], ids=["pid", "boot"])
def test_a_stale_file_is_no_server(environ, change):
    discover(environ, **change)
    with pytest.raises(ServerUnreachable, match="start one with `besom server start`"):
        find_server(environ, start=False)


def test_nothing_is_no_server(environ):
    with pytest.raises(ServerUnreachable, match="no Besom server runs here"):
        find_server(environ, start=False)


def test_a_loopback_server_on_another_host_is_told_and_nothing_is_started(environ):
    discover(environ, host="login1")
    with pytest.raises(ServerUnreachable, match=r"runs on login1, bound to loopback.*--host.*besom login --host"):
        find_server(environ)


def test_an_open_server_on_another_host_is_used(environ):
    discover(environ, host="login1", url="http://login1:4242")
    assert found(environ) == ("http://login1:4242", "localtoken")


def starter(tmp_path, script):
    """An interpreter that, asked to run Besom's command line, runs ``script`` instead."""
    file = tmp_path / "python"
    file.write_text(f"#!{sys.executable}\n{script}")
    file.chmod(0o700)
    return str(file)


def test_a_server_that_does_not_start_is_a_sentence_with_the_reason(environ, tmp_path, monkeypatch):
    failing = "import sys; print('port 80 is taken', file=sys.stderr); sys.exit(3)"
    monkeypatch.setattr(sys, "executable", starter(tmp_path, failing))
    said = []
    with pytest.raises(ServerUnreachable, match="could not be started: port 80 is taken"):
        find_server(environ, say=said.append)
    assert said == ["besom: starting the server of this machine"]


def test_a_started_server_is_found(environ, tmp_path, monkeypatch):
    facts = {
        "url": "http://127.0.0.1:77", "pid": 1, "pid_started": "1", "host": host_name(), "boot_id": "b",
        "server_id": "s", "version": VERSION, "api": 1,
    }  # fmt: skip
    script = (
        "import os, sys, pathlib\nassert sys.argv[1:] == ['-m', 'besom', 'server', 'start']\n"
        "data = pathlib.Path(os.environ['BESOM_DIR']) / 'data'\ndata.mkdir()\n"
        f"(data / 'server.json').write_text({json.dumps(facts)!r})\n"
    )
    monkeypatch.setattr(sys, "executable", starter(tmp_path, script))
    assert found(environ) == ("http://127.0.0.1:77", None)


def test_an_older_server_of_ours_is_started_anew(environ, tmp_path, monkeypatch):
    discover(environ, version="0.0.1", background=True)
    monkeypatch.setattr(sys, "executable", starter(tmp_path, "import sys; sys.exit('asked')"))
    with pytest.raises(ServerUnreachable, match="asked"):
        find_server(environ, say=lambda line: None)
    assert found(environ, start=False)[0] == "http://127.0.0.1:4242"


@pytest.mark.parametrize("text", ["{", "[]", "\xff", '{"current": 5}', '{"current": "http://a:1", "tokens": []}'])
def test_logins_that_cannot_be_read_are_told_before_another_server_is_taken(environ, text):
    discover(environ)
    file = config_folder(environ) / "login.json"
    write_private(file, text)
    said = []
    assert find_server(environ, say=said.append).url == "http://127.0.0.1:4242"
    (line,) = said
    assert str(file) in line
    assert "besom login" in line
