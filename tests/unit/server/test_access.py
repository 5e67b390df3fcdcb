from __future__ import annotations

import time

import pytest
from starlette.routing import Route

from besom.server import auth, gate, ui
from besom.server.app import ENDPOINTS, register_local_token
from besom.server.auth import Access
from besom.server.endpoint import API

ORIGIN = "http://127.0.0.1:8766"
OPEN_ROUTES = {"/health", "/login"}
PARTS = {"uid": "r" * 16, "agent": "a" * 16, "number": "1", "writer": "main", "kind": "history", "id": "k3v9x2ab",
         "entity": "anna", "project": "digits", "name": "x"}  # fmt: skip


def filled(path, **parts):
    return path.format(**{**PARTS, **parts})


def every_route(app):
    for route in app.routes:
        assert isinstance(route, Route), f"{route} needs a test of its own"
        for method in sorted(route.methods):
            yield method, route.path


def test_every_route_but_the_open_ones_needs_proof(house, anybody):
    for method, path in every_route(house.app):
        answer = anybody.request(method, filled(path))
        if path in OPEN_ROUTES:
            assert answer.headers["content-type"].startswith(("text/", "application/json")), (method, path)
        elif path.startswith(API) or method not in ("GET", "HEAD"):
            assert answer.status_code == 401, (method, path)
        else:
            assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login"), (method, path)


def test_every_route_refuses_a_wrong_token(house):
    client = house.client("x" * 48)
    for method, path in every_route(house.app):
        if path not in OPEN_ROUTES:
            assert client.request(method, filled(path)).status_code in (303, 401, 429), (method, path)


def test_every_route_refuses_a_foreign_host(house):
    client = house.client(house.services.keys.token, host="evil.example:8766")
    for method, path in every_route(house.app):
        assert client.request(method, filled(path)).status_code == 403, (method, path)


def test_files_of_the_page_need_no_proof_and_nothing_beside_them_is_open(anybody):
    assert {*OPEN_ROUTES, *(f"/assets/{name}" for name in ui.ASSETS)} == gate.OPEN
    for path in (
        "/assets/",
        "/assets/x",
        "/assets/x/sweeps/k3v9x2ab",
        "/assets/plain.css/runs/x",
        "/login/x",
        "/healthy",
    ):
        assert anybody.get(path).status_code == 303, path
    for name in ui.ASSETS:
        assert anybody.get(f"/assets/{name}").status_code == 200


def test_what_does_not_exist_needs_proof_too(anybody):
    assert anybody.get("/api/v1/nothing").status_code == 401
    assert anybody.get("/graphql").status_code == 303
    assert anybody.post("/anything").status_code == 401


def test_a_host_header_must_be_there_once(house):
    client = house.client(house.services.keys.token)
    answer = client.get("/health", headers=[("host", "127.0.0.1"), ("host", "evil.example")])
    assert answer.status_code == 403


REACH = {
    Access.ANYBODY: {"admin", "agent", "read"},
    Access.ADMIN: {"admin"},
    Access.CHANGE: {"admin", "agent"},
    Access.READ: {"admin", "agent", "read"},
    Access.START_RUN: {"admin", "agent"},
    Access.OWN_RUN: {"admin", "agent"},
    Access.READ_RUN: {"admin", "agent", "read"},
    Access.FIND_RUN: {"admin", "agent", "read"},
    Access.READ_SWEEP: {"admin", "agent", "read"},
}


@pytest.mark.parametrize("scope", ["agent", "read"])
def test_every_endpoint_refuses_scopes_that_do_not_reach_it(house, scope):
    client = house.client(house.token(scope))
    for endpoint in ENDPOINTS:
        answer_kept = scope in REACH[endpoint.access]
        if answer_kept and endpoint.path == "/events":
            continue  # an endless answer; test_live has it
        answer = client.request(endpoint.method, API + filled(endpoint.path))
        refused = answer.status_code == 403
        assert refused is not answer_kept, (endpoint, answer.text)


@pytest.fixture
def handed_out(house):
    """(own sweep, own run, another run of the same sweep, another sweep)."""
    own, other = house.sweep(), house.sweep()
    return own, house.hand_out(own), house.hand_out(own), other


def test_a_runs_token_reaches_its_own_run_and_no_other(house, handed_out):
    _, own, other, _ = handed_out
    client = house.client(own.token)
    for endpoint in ENDPOINTS:
        if endpoint.access in (Access.OWN_RUN, Access.READ_RUN):
            path = API + endpoint.path
            theirs = client.request(endpoint.method, filled(path, uid=other.uid), content=b"{}")
            assert theirs.status_code == 403, endpoint
            mine = client.request(endpoint.method, filled(path, uid=own.uid), content=b"{}")
            assert mine.status_code in (200, 400), (endpoint, mine.text)


def test_a_runs_token_finds_its_own_run_by_name_and_no_other(house, handed_out):
    _, own, other, _ = handed_out
    client = house.client(own.token)
    assert client.get(f"{API}/runs/find", params={"path": own.name}).json()["uid"] == own.uid
    assert client.get(f"{API}/runs/find", params={"path": other.name}).status_code == 403


def test_a_runs_token_ends_its_run_and_asks_for_no_other(house, handed_out):
    _, own, _, _ = handed_out
    client, path = house.client(own.token), f"{API}/runs/{own.uid}/attempts/1/finish"
    asked = client.post(path, json={"exit_code": 0, "next": {"request_id": "more"}})
    assert (asked.status_code, asked.json()["kind"]) == (403, "Forbidden")
    assert client.post(path, json={"exit_code": 0}).json()["next"] is None


def test_a_runs_token_changes_nothing_else(house, handed_out):
    own_sweep, own, _, _ = handed_out
    client = house.client(own.token)
    for endpoint in ENDPOINTS:
        if endpoint.access in (Access.CHANGE, Access.READ, Access.ADMIN):
            answer = client.request(endpoint.method, API + filled(endpoint.path, uid=own.uid, id=own_sweep))
            assert answer.status_code == 403, endpoint


def test_a_runs_token_reads_its_own_sweep_and_no_other(house, handed_out):
    own_sweep, own, _, other_sweep = handed_out
    client = house.client(own.token)
    assert client.get(f"{API}/sweeps/{own_sweep}").status_code == 200
    assert client.get(f"{API}/sweeps/{own_sweep}/runs").status_code == 200
    assert client.get(f"{API}/sweeps/{other_sweep}").status_code == 403


def test_a_runs_token_starts_its_own_run_and_no_other(house, handed_out):
    _, own, other, _ = handed_out
    client = house.client(own.token)
    assert client.post(f"{API}/runs", json={"uid": own.uid, "project": "digits"}).status_code == 200
    assert client.post(f"{API}/runs", json={"uid": other.uid, "project": "digits"}).status_code == 403
    assert client.post(f"{API}/runs", json={"uid": "n" * 16, "project": "digits"}).status_code == 403


def test_a_runs_token_opens_no_page(house, handed_out):
    _, own, _, _ = handed_out
    assert house.client(own.token).get("/").status_code == 403
    assert house.client(own.token).post(f"{API}/login-codes").status_code == 403
    assert house.client().post("/login", data={"token": own.token}).status_code == 403


def test_a_revoked_token_is_refused_at_once(house, admin):
    made = admin.post(f"{API}/tokens", json={"name": "gpu1"}).json()
    client = house.client(made["token"])
    assert client.get(f"{API}/me").json()["token_name"] == "gpu1"

    assert admin.delete(f"{API}/tokens/{made['id']}").status_code == 200

    assert client.get(f"{API}/me").status_code == 401


def test_an_expired_token_is_refused(house):
    now = time.time()
    token = house.token("read", expires_s=50.0)
    house.services.now = lambda: now + 49.0
    assert house.client(token).get(f"{API}/me").status_code == 200
    house.services.now = lambda: now + 51.0
    house.services.forget_proofs()
    assert house.client(token).get(f"{API}/me").status_code == 401


def test_a_local_token_that_was_revoked_is_replaced_at_the_next_start(house, admin):
    before = house.services.keys.token
    (row,) = admin.get(f"{API}/tokens").json()
    admin.delete(f"{API}/tokens/{row['id']}")

    house.call(register_local_token, house.services)

    assert house.client(before).get(f"{API}/me").status_code == 401
    assert house.client(house.services.keys.token).get(f"{API}/me").status_code == 200


# ---- browsers


def sign_in(house, token=None):
    client = house.client()
    answer = client.post("/login", data={"token": token or house.services.keys.token}, headers={"origin": ORIGIN})
    assert answer.status_code == 303
    return client, answer


def test_a_token_in_the_form_makes_a_strict_cookie_named_after_the_server(house):
    _, answer = sign_in(house)
    cookie = answer.headers["set-cookie"]

    assert cookie.startswith(f"besom-{house.services.keys.server_id}=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert house.services.keys.token not in cookie


def test_a_cookie_opens_pages_and_api(house):
    client, _ = sign_in(house)
    assert client.get("/").status_code == 200
    assert client.get(f"{API}/me").json()["scope"] == "admin"


def test_a_cookie_reaches_no_further_than_its_token(house):
    client, _ = sign_in(house, house.token("read"))
    assert client.get(f"{API}/tokens").status_code == 403


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1:8766"]
)
def test_a_change_by_cookie_needs_our_own_origin(house, origin):
    client, _ = sign_in(house)
    headers = {} if origin is None else {"origin": origin}
    assert client.post(f"{API}/tokens", json={"name": "x"}, headers=headers).status_code == 403
    assert client.post(f"{API}/tokens", json={"name": "x"}, headers={"origin": ORIGIN}).status_code == 200


def test_a_change_by_token_needs_no_origin(admin):
    assert admin.post(f"{API}/tokens", json={"name": "x"}).status_code == 200


def test_a_cookie_ends_with_its_token(house, admin):
    made = admin.post(f"{API}/tokens", json={"name": "laptop", "scope": "read"}).json()
    client, _ = sign_in(house, made["token"])
    assert client.get("/").status_code == 200

    admin.delete(f"{API}/tokens/{made['id']}")

    assert client.get("/").status_code == 303


def test_a_cookie_ends_by_itself(house):
    client, _ = sign_in(house)
    now = time.time()
    house.services.now = lambda: now + auth.COOKIE_LASTS_S + 1
    assert client.get("/").status_code == 303


def test_the_form_of_another_page_signs_nobody_in(house, anybody):
    answer = anybody.post(
        "/login", data={"token": house.services.keys.token}, headers={"origin": "http://evil.example"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_wrong_token_in_the_form_is_one_sentence(anybody):
    answer = anybody.post("/login", data={"token": "guess"}, headers={"origin": ORIGIN})
    assert answer.status_code == 401
    assert "not a token of this server" in answer.text
    assert "guess" not in answer.text


def test_too_many_wrong_tokens_have_to_wait_and_a_right_one_does_not(house, anybody):
    for _ in range(30):
        assert anybody.get(f"{API}/me", headers={"authorization": "Bearer wrong"}).status_code == 401

    late = anybody.get(f"{API}/me", headers={"authorization": "Bearer wrong"})

    assert late.status_code == 429
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert anybody.post("/login", data={"token": "wrong"}).status_code == 429
    assert house.client(house.services.keys.token).get(f"{API}/me").status_code == 200


def login_link(client, path="/"):
    url = client.post(f"{API}/login-codes", params={"path": path}).json()["url"]
    assert url.startswith(f"{ORIGIN}/login?code=")
    return url.removeprefix(ORIGIN)


def test_a_login_link_signs_in_once_and_leads_on(house, admin, anybody):
    link = login_link(admin, "/anna/digits")

    answer = anybody.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/anna/digits")
    assert anybody.get("/").status_code == 200

    again = house.client().get(link)
    assert again.status_code == 401
    assert "used already" in again.text
    assert "set-cookie" not in again.headers


def test_a_login_link_leads_nowhere_else(admin, anybody):
    assert anybody.get(login_link(admin, "//evil.example")).headers["location"] == "/"


def test_the_login_page_leads_nowhere_else(house):
    answer = house.client().post(
        "/login", data={"token": house.services.keys.token, "next": "https://evil.example"}, headers={"origin": ORIGIN}
    )
    assert answer.headers["location"] == "/"


def test_who_is_signed_in_already_is_led_on(house):
    client, _ = sign_in(house)
    assert client.get("/login?next=/anna/digits").headers["location"] == "/anna/digits"


def test_a_link_on_another_site_is_asked_for_again_by_our_own_page(anybody):
    answer = anybody.get("/login?next=/anna/digits", headers={"sec-fetch-site": "cross-site"})
    assert 'content="0; url=/login?next=/anna/digits"' in answer.text


# ---- headers


@pytest.mark.parametrize(
    "path", ["/", "/login", "/health", "/api/v1/me", "/api/v1/nothing", "/assets/plain.css", "/a/b/c/d"]
)
def test_every_answer_keeps_browsers_strict(admin, path):
    headers = admin.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert headers["x-besom-api"] == "1"
    assert headers["x-besom-version"]


def test_refusals_are_strict_too(anybody):
    answer = anybody.get(f"{API}/me")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_form_is_sent_with_an_origin(anybody):
    # With `no-referrer` browsers send forms with the origin "null".
    assert anybody.get("/login").headers["referrer-policy"] == "same-origin"


def test_nothing_is_kept_by_caches(admin):
    assert admin.get("/").headers["cache-control"] == "no-store"
    assert admin.get(f"{API}/me").headers["cache-control"] == "no-store"


def test_health_tells_no_more_than_that_a_server_is_here(anybody):
    assert set(anybody.get("/health").json()) == {"name", "version", "api", "server_id"}
