from __future__ import annotations

import json
from pathlib import Path

import pytest

from besom.common.discovery import host_name
from besom.errors import Refused, UsageError
from besom.server.settings import Settings, mask_db, read_settings


def test_without_options_it_listens_on_loopback_with_sqlite_in_the_data_folder(tmp_path):
    settings = read_settings({"BESOM_DIR": str(tmp_path)})

    assert (settings.host, settings.port) == ("127.0.0.1", None)
    assert settings.db_url == f"sqlite:///{tmp_path}/data/besom.db"
    assert settings.db_file == tmp_path / "data" / "besom.db"


@pytest.mark.parametrize(
    "header",
    ["127.0.0.1:8766", "localhost:1", "LocalHost", "[::1]:8766", "localhost.", "sweeps.example.org:443"],
)
def test_its_own_names_are_known_with_any_port(header):
    settings = read_settings({}, allowed_hosts=("Sweeps.Example.org",))
    assert settings.knows_host(header)


@pytest.mark.parametrize(
    "header",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost:80@evil.example", "localhost/x", "", "evil.example:8766",
        "localhost,evil.example", "192.168.1.7:8766", "[::1", "localhost:port", "[::1].evil.example",
    ],
)  # fmt: skip
def test_other_names_are_not_known(header):
    assert not read_settings({}).knows_host(header)


def test_on_all_addresses_the_machines_name_and_numbers_are_known_and_other_names_are_not():
    settings = read_settings({}, host="0.0.0.0")

    assert settings.knows_host(f"{host_name()}:8766")
    assert settings.knows_host("192.168.1.7:8766")
    assert not settings.knows_host("evil.example:8766")


def test_the_bind_address_is_known():
    assert read_settings({}, host="10.1.2.3").knows_host("10.1.2.3:8766")


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "http://127.0.0.1:9000"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:9000"),
        ({"host": "::1"}, "http://[::1]:9000"),
        ({"host": "[::1]"}, "http://[::1]:9000"),
        ({"host": "10.1.2.3"}, "http://10.1.2.3:9000"),
    ],
)
def test_url_is_one_that_reaches_it_from_this_machine(options, url):
    assert read_settings({}, **options).url(9000) == url


def test_a_password_on_the_command_line_is_refused():
    with pytest.raises(UsageError, match="BESOM_DB"):
        read_settings({}, db="postgresql://me:secret@db/besom")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://me@db/besom", "postgresql+psycopg://me@db/besom"),
        ("postgresql://me@db/besom", "postgresql+psycopg://me@db/besom"),
        ("sqlite:////var/besom.db", "sqlite:////var/besom.db"),
        ("/var/besom.db", "sqlite:////var/besom.db"),
    ],
)
def test_databases_are_named_as_people_write_them(given, used):
    assert read_settings({}, db=given).db_url == used


def test_the_environment_names_the_database_password_included():
    settings = read_settings({"BESOM_DB": "postgresql://me:secret@db/besom"})
    assert settings.db_url == "postgresql+psycopg://me:secret@db/besom"
    assert settings.db_file is None


def test_another_kind_of_database_is_one_sentence():
    with pytest.raises(UsageError, match="sqlite:///FILE or postgresql://"):
        read_settings({}, db="mysql://db/besom")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:se:cr@et@db:5432/x", "postgresql://me:***@db:5432/x"),
        ("postgresql://me@db/x?password=secret&sslmode=require", "postgresql://me@db/x?password=***&sslmode=require"),
        ("sqlite:////home/me/besom.db", "sqlite:////home/me/besom.db"),
    ],
)
def test_passwords_are_masked(url, shown):
    assert mask_db(url) == shown


@pytest.mark.parametrize(
    "options",
    [
        {"port": 70000},
        {"tls_cert": "cert.pem"},
        {"tls_cert": "no.pem", "tls_key": "no.key"},
        {"allowed_hosts": ("a/b",)},
        {"lease_s": 1.0},
        {"lease_s": float("nan")},
    ],
)
def test_what_cannot_be_is_one_sentence(options):
    with pytest.raises(UsageError):
        read_settings({}, **options)


def test_settings_survive_the_way_to_a_background_process():
    settings = Settings(
        data=Path("/data"), host="::1", port=9, db="sqlite:////x.db", allowed_hosts=("a", "b"),
        tls_cert=Path("/c.pem"), tls_key=Path("/k.pem"), background=True, lease_s=300.0,
    )  # fmt: skip
    assert Settings.from_json(settings.to_json()) == settings


def test_a_restarted_server_is_like_the_one_before_where_nothing_else_is_asked_for(tmp_path):
    (tmp_path / "cert.pem").touch()
    (tmp_path / "key.pem").touch()
    before = read_settings(
        {}, data=tmp_path, host="0.0.0.0", port=9000, allowed_hosts=("a.example",), lease_s=30.0,
        tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem", db=str(tmp_path / "other.db"),
    )  # fmt: skip
    wishes = json.loads(json.dumps(before.wishes))
    assert read_settings({}, data=tmp_path).like(wishes) == before
    assert read_settings({}, data=tmp_path, lease_s=20.0).like(wishes).lease_s == 20.0


def test_a_restart_that_lacks_the_database_s_password_is_refused(tmp_path):
    wishes = read_settings({"BESOM_DB": "postgresql://ada:sesame@db/besom"}).wishes
    assert "sesame" not in str(wishes)
    with pytest.raises(Refused, match="its password is needed: put the address into BESOM_DB"):
        read_settings({}, data=tmp_path).like(wishes)
    again = read_settings({"BESOM_DB": "postgresql://ada:sesame@db/besom"}, data=tmp_path)
    assert again.like(wishes) == again


def test_bounds_are_read_from_the_environment():
    found = read_settings({"BESOM_DB_WAIT": "2.5", "BESOM_EVENTS_KEPT": "5000", "BESOM_LOG_BYTES": " 9999 "})
    assert (found.db_wait_s, found.events_kept, found.log_bytes) == (2.5, 5000, 9999)


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "0"])
def test_a_bound_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match=r"BESOM_DB_WAIT is '.*': give a number, 0.1 or more"):
        read_settings({"BESOM_DB_WAIT": text})
