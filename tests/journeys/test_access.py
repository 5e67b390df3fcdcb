"""Nobody but the user reads or starts anything: real requests to a real server, and the commands that let people in."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
import subprocess
from urllib.parse import urlsplit

import pytest
from machine import PATIENCE_S, Machine

from besom.common.discovery import read_token


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    made = Machine(tmp_path_factory.mktemp("machine"))
    made.start("--allowed-host", "sweeps.example.org")
    yield made
    made.besom("server", "stop")


@pytest.fixture
def port(machine):
    return urlsplit(machine.found().url).port


def talk(port, text):
    """Bytes to the server and its whole answer, as any program could send them."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as line:
        line.sendall(text.encode())
        answer = b""
        while piece := line.recv(65536):
            answer += piece
    return answer.decode()


def status_of(answer):
    return int(answer.split(" ", 2)[1])


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/me", "/api/v1/sweeps", "/api/v1/events", "/api/v1/server/backup", "/anna/digits/runs/x"]
)
def test_reading_on_the_same_machine_needs_proof(port, path):
    answer = talk(port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")
    assert status_of(answer) in (303, 401)
    assert "sweeps" not in answer.partition("\r\n\r\n")[2]


@pytest.mark.parametrize("path", ["/", "/health", "/login", "/api/v1/me", "/assets/plain.css"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example@127.0.0.1", ""])
def test_a_stolen_host_header_reads_nothing_even_with_proof(machine, port, path, host):
    token = read_token(machine.data)
    answer = talk(
        port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    assert status_of(answer) in (400, 403)


def test_a_request_without_a_host_reads_nothing(machine, port):
    answer = talk(port, f"GET /api/v1/me HTTP/1.0\r\nAuthorization: Bearer {read_token(machine.data)}\r\n\r\n")
    assert status_of(answer) in (400, 403)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "sweeps.example.org"])
def test_its_own_names_are_answered(machine, port, host):
    token = read_token(machine.data)
    answer = talk(
        port,
        f"GET /api/v1/me HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
    )
    assert status_of(answer) == 200
    assert f'"url":"http://{host}:{port}"' in answer


def test_a_page_of_another_origin_cannot_send_the_form_or_change_anything(machine, port):
    token = read_token(machine.data)
    form = f"token={token}"
    for origin in ("http://evil.example", "null", f"http://localhost:{port + 1}"):
        answer = talk(
            port,
            f"POST /login HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: {origin}\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}",
        )
        assert status_of(answer) == 403
        assert "set-cookie" not in answer.lower()


def test_a_login_link_signs_a_browser_in_once_and_its_cookie_changes_things_from_our_page_only(machine, port):
    opened = machine.besom("open", "--print")
    assert opened.returncode == 0, opened.stderr
    path = opened.stdout.strip().removeprefix(machine.found().url)
    ask = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"

    first, second = talk(port, ask), talk(port, ask)

    assert status_of(first) == 303
    assert status_of(second) == 401
    (cookie,) = [line for line in first.split("\r\n") if line.lower().startswith("set-cookie: ")]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    pair = cookie.partition(": ")[2].partition(";")[0]
    own = f"Origin: http://127.0.0.1:{port}\r\n"
    for origin, status in (("", 403), ("Origin: http://evil.example\r\n", 403), (own, 200)):
        answer = talk(
            port,
            f"POST /api/v1/login-codes HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {pair}\r\n{origin}"
            "Content-Length: 0\r\nConnection: close\r\n\r\n",
        )
        assert status_of(answer) == status


def test_a_token_is_made_used_and_revoked(machine, tmp_path):
    made = machine.besom("token", "create", "gpu1", "--expires", "1d", "--json")
    assert made.returncode == 0, made.stderr
    row = json.loads(made.stdout)
    other = Machine(tmp_path)

    stored = other.besom("login", "--host", machine.found().url, input=row["token"] + "\n")
    assert stored.returncode == 0, stored.stderr
    assert f"at {machine.found().url}" in stored.stderr
    (file,) = tmp_path.rglob("login.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(other.besom("status", "--json").stdout)
    assert (told["url"], told["scope"]) == (machine.found().url, "agent")
    assert other.besom("token", "ls").returncode != 0

    listed = json.loads(machine.besom("token", "ls", "--json").stdout)
    assert ("gpu1", False) in [(found["name"], found["revoked"]) for found in listed]
    assert row["token"] not in json.dumps(listed)
    assert machine.besom("token", "revoke", str(row["id"])).returncode == 0

    refused = other.besom("status")
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr


def test_a_wrong_token_is_one_sentence_and_is_not_stored(machine, tmp_path):
    other = Machine(tmp_path)
    done = other.besom("login", "--host", machine.found().url, input="wrong\n")

    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("login.json"))


def test_a_token_that_would_expire_at_once_is_one_sentence(machine):
    done = machine.besom("token", "create", "x", "--expires", "0d")
    assert done.returncode == 2
    assert "write 30d, 12h, 45m or 90s" in done.stderr


def test_without_a_token_login_asks_for_one(machine, tmp_path):
    done = Machine(tmp_path).besom("login", "--host", machine.found().url, input="")
    assert done.returncode == 2
    assert "no token was given" in done.stderr


def test_login_alone_uses_this_machines_own_server_and_tells_who_and_where(machine):
    done = machine.besom("login")
    assert done.returncode == 0
    assert done.stderr.startswith("besom: logged in as ")
    assert machine.found().url in done.stderr


def test_a_file_of_logins_that_cannot_be_read_is_told_and_this_machines_own_server_used(machine, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "data").symlink_to(machine.data)
    (tmp_path / "config" / "login.json").write_text("{")
    done = Machine(tmp_path).besom("status")
    assert done.returncode == 0
    assert machine.found().url in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"besom: {tmp_path / 'config' / 'login.json'} cannot be read (")


def test_status_without_a_server_is_one_sentence(tmp_path):
    done = Machine(tmp_path).besom("status")
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1


def test_the_token_file_is_the_users_alone(machine):
    assert stat.S_IMODE((machine.data / "token").stat().st_mode) == 0o600
    assert stat.S_IMODE(machine.data.stat().st_mode) & 0o077 == 0


def test_nothing_in_the_data_folder_is_another_users_to_read(machine):
    files = [machine.data, *machine.data.rglob("*")]
    assert len(files) > 4
    assert [file for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077] == []


def test_the_token_is_in_no_process_list_log_or_address(machine):
    token = read_token(machine.data)
    link = machine.besom("open", "--print").stdout
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    logs = [file.read_text(errors="replace") for file in machine.data.glob("*.log")]
    assert "besom.server" in commands
    assert logs
    for text in (link, commands, *logs):
        assert token not in text


def test_a_login_link_works_once_and_leaves_the_next_asker_outside(machine, port):
    path = urlsplit(machine.besom("open", "--print").stdout.strip())
    ask = f"GET {path.path}?{path.query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    first, second = talk(port, ask), talk(port, ask)
    assert (status_of(first), status_of(second)) == (303, 401)
    assert "set-cookie" in first.lower()
    assert "set-cookie" not in second.lower()


ODD = (
    "//api/v1/sweeps", "/api/v1//sweeps", "/%2e%2e/api/v1/sweeps", "/login/../api/v1/sweeps", "/login%2f..%2fapi",
    "/assets/%2e%2e/keys.json", "/assets/plain.css%00", "/health;x", "/HEALTH", "http://127.0.0.1/api/v1/me", "*",
)  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ODD)
def test_no_odd_way_of_writing_a_path_leads_past_the_door(port, path, method):
    answer = talk(
        port, f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    assert status_of(answer) in (303, 401)


def test_a_tls_server_is_reached_by_who_trusts_its_certificate(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip
    secure = Machine(tmp_path)
    try:
        found = secure.start("--tls-cert", str(certificate), "--tls-key", str(key))
        assert found.url.startswith("https://127.0.0.1:")
        refused = secure.besom("status")
        assert refused.returncode == 1
        assert "set SSL_CERT_FILE to the server's certificate" in refused.stderr
        trusting = {**secure.environ, "SSL_CERT_FILE": str(certificate)}
        told = json.loads(secure.besom("status", "--json", env=trusting).stdout)
        assert told["url"] == found.url
    finally:
        secure.besom("server", "stop")


def test_a_sweeps_page_opens_signed_in(machine):
    body = {"method": "grid", "program": "t.py", "parameters": {"a": {"values": [1]}}}
    line, answer = machine.request(
        "POST", "/api/v1/sweeps", json.dumps({"request_id": "page", "project": "p", "config": body})
    )
    with contextlib.closing(line):
        sweep = json.loads(answer.read())

    link = machine.besom("open", "--print", sweep["id"]).stdout.strip()

    line, answer = machine.request("GET", link.removeprefix(machine.found().url))
    with contextlib.closing(line):
        assert answer.getheader("Location") == urlsplit(sweep["url"]).path
