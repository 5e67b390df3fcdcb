from __future__ import annotations

import itertools

import pytest

from besom.errors import Forbidden
from besom.server import auth
from besom.server.auth import Access, Failures, Identity, LoginCodes, require

KEY = "ab" * 32


def identity(scope, run_uid=None, sweep_uid=None):
    return Identity("name", "hash", scope, "anna", run_uid, sweep_uid)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


REACH = {
    Access.ANYBODY: {"admin", "agent", "run", "read"},
    Access.ADMIN: {"admin"},
    Access.CHANGE: {"admin", "agent"},
    Access.READ: {"admin", "agent", "read"},
    Access.START_RUN: {"admin", "agent", "run"},
    Access.OWN_RUN: {"admin", "agent"},
    Access.READ_RUN: {"admin", "agent", "read"},
    Access.FIND_RUN: {"admin", "agent", "run", "read"},
    Access.READ_SWEEP: {"admin", "agent", "read"},
}


@pytest.mark.parametrize(("access", "scope"), [*itertools.product(Access, ["admin", "agent", "run", "read"])])
def test_scopes_reach_as_far_as_the_table_says(access, scope):
    if scope in REACH[access]:
        require(identity(scope), access)
    else:
        with pytest.raises(Forbidden):
            require(identity(scope), access)


@pytest.mark.parametrize("access", [Access.OWN_RUN, Access.READ_RUN])
def test_a_runs_token_reaches_its_own_run_only(access):
    require(identity("run", "mine"), access, run_uid="mine")
    with pytest.raises(Forbidden, match="its own run"):
        require(identity("run", "mine"), access, run_uid="other")


def test_a_runs_token_may_read_its_own_sweep_only():
    require(identity("run", "mine", "sweep"), Access.READ_SWEEP, sweep_uid="sweep")
    with pytest.raises(Forbidden):
        require(identity("run", "mine", "sweep"), Access.READ_SWEEP, sweep_uid="other")


def test_the_token_of_a_run_without_a_sweep_reads_no_sweep():
    with pytest.raises(Forbidden):
        require(identity("run", "mine"), Access.READ_SWEEP, sweep_uid=None)


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer", None), ("", None), (None, None)],
)
def test_bearer_tokens_are_read(header, token):
    assert auth.bearer(header) == token


def test_a_cookie_is_found_beside_those_of_other_programs():
    assert auth.read_cookie('other={"a": 1; b}; besom-x=1.2.3; more=4', "besom-x") == "1.2.3"
    assert auth.read_cookie("besom-y=1", "besom-x") is None


def test_a_signed_cookie_opens_until_it_expires():
    cookie = auth.sign_cookie(KEY, "hash", 100)
    assert auth.open_cookie(KEY, cookie, 99.9) == "hash"
    assert auth.open_cookie(KEY, cookie, 100.0) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda cookie: cookie.replace("hash", "hasi"),
        lambda cookie: cookie.replace(".100.", ".900."),
        lambda cookie: cookie[:-1] + ("0" if cookie[-1] != "0" else "1"),
        lambda cookie: cookie.rpartition(".")[0],
        lambda cookie: "..",
        lambda cookie: "ü.1.ü",
        lambda cookie: "hash." + "9" * 400 + ".x",
    ],
    ids=["token", "time", "signature", "unsigned", "empty", "letters", "large"],
)
def test_a_changed_cookie_does_not_open(change):
    assert auth.open_cookie(KEY, change(auth.sign_cookie(KEY, "hash", 100)), 0.0) is None


def test_a_cookie_of_another_server_does_not_open():
    assert auth.open_cookie("cd" * 32, auth.sign_cookie(KEY, "hash", 100), 0.0) is None


def test_a_login_code_works_once():
    codes = LoginCodes(Clock())
    code = codes.make(identity("admin"), "/x")

    assert codes.use(code) == (identity("admin"), "/x")
    assert codes.use(code) is None


def test_a_login_code_works_for_a_minute():
    clock = Clock()
    codes = LoginCodes(clock)
    first, second = codes.make(identity("admin"), "/"), codes.make(identity("admin"), "/")

    clock.now += 59.9
    assert codes.use(first) is not None
    clock.now += 0.2
    assert codes.use(second) is None


def test_an_invented_login_code_does_not_work():
    assert LoginCodes(Clock()).use("guess") is None


def test_the_number_of_waiting_codes_is_bounded():
    codes = LoginCodes(Clock())
    first = codes.make(identity("admin"), "/")
    for _ in range(auth.MAX_CODES):
        last = codes.make(identity("admin"), "/")

    assert codes.use(first) is None
    assert codes.use(last) is not None


def test_too_many_failures_have_to_wait_for_the_rest_of_the_minute():
    clock = Clock()
    failures = Failures(limit=2, window_s=60.0, clock=clock)

    assert failures.add("a") is None
    assert failures.add("a") is None
    clock.now += 20
    assert failures.add("a") == 40.0
    assert failures.add("b") is None


def test_failures_are_forgotten_after_a_minute():
    clock = Clock()
    failures = Failures(limit=1, window_s=60.0, clock=clock)
    failures.add("a")
    clock.now += 61

    assert failures.add("a") is None


@pytest.mark.parametrize("path", ["/", "/anna/digits/sweeps/k3v9x2ab", "/a?b=c", "/%2F%2Fevil"])
def test_paths_of_this_server_are_followed(path):
    assert auth.safe_path(path) == path


@pytest.mark.parametrize("path", [None, "", "//evil.example", "/\\evil", "https://evil", "evil", "/a\r\nb", "/\t/evil"])
def test_paths_that_could_lead_elsewhere_are_not(path):
    assert auth.safe_path(path) == "/"
