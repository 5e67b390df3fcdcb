from __future__ import annotations

import os
import re
import stat

import pytest

from besom.common.discovery import TOKEN_FILE
from besom.errors import DataFolderError
from besom.server import keys


@pytest.fixture
def wide_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_the_first_start_makes_them_and_later_ones_find_them(tmp_path):
    made = keys.load_or_make(tmp_path / "data")
    assert keys.load_or_make(tmp_path / "data") == made


def test_the_local_token_is_long_and_of_plain_letters(tmp_path):
    assert re.fullmatch(r"[a-z0-9]{40,}", keys.load_or_make(tmp_path).token)


def test_no_other_user_may_read_them(tmp_path, wide_umask):
    data = tmp_path / "data"
    keys.load_or_make(data)

    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for name in (TOKEN_FILE, keys.FILE):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600


def test_a_token_file_that_was_opened_to_others_is_closed_again(tmp_path):
    keys.load_or_make(tmp_path)
    (tmp_path / TOKEN_FILE).chmod(0o644)

    keys.load_or_make(tmp_path)

    assert stat.S_IMODE((tmp_path / TOKEN_FILE).stat().st_mode) == 0o600


def test_secrets_are_not_in_the_repr(tmp_path):
    made = keys.load_or_make(tmp_path)
    assert made.token not in repr(made)
    assert made.cookie_key not in repr(made)


def test_a_broken_file_is_one_sentence(tmp_path):
    keys.load_or_make(tmp_path)
    (tmp_path / keys.FILE).write_text("{")

    with pytest.raises(DataFolderError, match="move it away"):
        keys.load_or_make(tmp_path)


@pytest.mark.parametrize(
    ("login", "entity"),
    [("anna", "anna"), ("DOMAIN\\anna", "DOMAIN-anna"), ("a/b", "a-b"), ("", "user"), ("..", "user"), ("api", "api-1")],
)
def test_login_names_become_entities(login, entity):
    assert keys.entity_name(login) == entity
