import pytest

from besom.common.ids import (
    ALPHABET,
    RESERVED_ENTITIES,
    check_entity_name,
    check_project_name,
    check_run_name,
    new_id,
    split_path,
)
from besom.errors import UsageError


def test_new_ids_have_the_alphabet_and_length_and_differ():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(name) == 8 and set(name) <= set(ALPHABET) for name in ids)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("abc", (None, None, "abc")),
        ("p/abc", (None, "p", "abc")),
        ("e/p/abc", ("e", "p", "abc")),
        ("/e/p/abc/", ("e", "p", "abc")),
    ],
)
def test_paths_are_read_from_the_right(path, parts):
    assert split_path(path, "sweep") == parts


@pytest.mark.parametrize("path", ["", "/", "a//b", "a/b/c/d"])
def test_other_paths_are_refused_with_the_forms_that_work(path):
    with pytest.raises(UsageError, match="ENTITY/PROJECT/ID"):
        split_path(path, "sweep")


@pytest.mark.parametrize("name", ["a/b", "a:b", "a#b", "a?b", "a%b", "x" * 129, "", "..", "a\nb", "it's", "a\\b"])
def test_run_names_that_break_addresses_are_refused(name):
    with pytest.raises(UsageError):
        check_run_name(name)


@pytest.mark.parametrize("name", ["abc", "my run", "naïve.1", "x" * 128])
def test_ordinary_run_names_pass(name):
    assert check_run_name(name) == name


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", "", "a%2f"])
def test_project_names_that_break_paths_are_refused(name):
    with pytest.raises(UsageError):
        check_project_name(name)


@pytest.mark.parametrize("name", sorted(RESERVED_ENTITIES))
def test_addresses_of_the_server_are_no_entities(name):
    with pytest.raises(UsageError, match="address of the server"):
        check_entity_name(name)
