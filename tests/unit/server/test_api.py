from __future__ import annotations

import base64
import json
import struct

import pytest

from besom.common.spool_format import HEADER, MAX_POST_BYTES
from besom.server import endpoint
from besom.server.endpoint import API, MAX_BODY_BYTES
from besom.store import status


def kind(number, *keys):
    return note({"t": "kind", "kind": number, "keys": list(keys)})


def note(record):
    text = json.dumps(record).encode()
    return struct.pack("<HI", 0, len(text)) + text


def row(number, step, *values):
    return struct.pack(f"<Hqd{len(values)}d", number, step, 1000.0 + step, *values)


@pytest.fixture
def run(house):
    return house.hand_out(house.sweep())


def stream(run, name="history"):
    return f"{API}/runs/{run.uid}/attempts/{run.attempt}/streams/main/{name}"


# ---- sweeps


def test_a_sweep_is_made_once_however_often_it_is_asked_for(admin):
    body = {
        "request_id": "same",
        "project": "digits",
        "text": "method: grid\nprogram: t.py\nparameters: {a: {values: [1]}}",
    }

    first, second = (admin.post(f"{API}/sweeps", json=body).json() for _ in range(2))

    assert first["id"] == second["id"]
    assert first["url"] == f"http://127.0.0.1:8766/{first['entity']}/digits/sweeps/{first['id']}"
    assert len(admin.get(f"{API}/sweeps").json()["sweeps"]) == 1


def test_a_bad_sweep_file_brings_all_problems_with_their_places(admin):
    text = "methd: grid\nparameters:\n  a: {valeus: [1]}\n"
    answer = admin.post(f"{API}/sweeps", json={"request_id": "x", "project": "p", "text": text, "file": "s.yaml"})

    assert answer.status_code == 422
    body = answer.json()
    assert body["kind"] == "SweepConfigError"
    assert {problem["line"] for problem in body["problems"]} >= {1, 3}
    assert all(problem["file"] == "s.yaml" for problem in body["problems"])


def test_check_tells_what_a_config_means_and_makes_nothing(admin):
    config = {"method": "grid", "program": "t.py", "metric": {"name": "loss"}, "parameters": {"a": {"values": [1, 2]}}}
    answer = admin.post(f"{API}/sweeps/check", json={"config": config})

    assert answer.status_code == 200, answer.text
    assert answer.json()["grid_size"] == 2
    assert admin.get(f"{API}/sweeps").json() == {"sweeps": []}


def test_a_sweep_is_steered(house, admin):
    sweep = f"{API}/sweeps/{house.sweep()}"

    assert admin.post(f"{sweep}/pause").json()["state"] == "paused"
    assert admin.post(f"{sweep}/resume").json()["state"] in ("pending", "running")
    assert admin.patch(sweep, json={"name": "new", "run_cap": 2}).json()["run_cap"] == 2
    assert admin.post(f"{sweep}/cancel").json()["state"] == "canceled"
    assert admin.post(f"{sweep}/pause").status_code == 409
    assert admin.delete(sweep).status_code == 200
    assert admin.get(sweep).status_code == 404


@pytest.mark.parametrize("query", [{"entity": "somebody"}, {"project": "other"}])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_sweep_of_another_project_is_not_found(house, admin, query, method):
    sweep = house.sweep()
    assert admin.request(method, f"{API}/sweeps/{sweep}", params=query).status_code == 404
    assert admin.request(method, f"{API}/sweeps/{sweep}", params={"entity": "anna"}).status_code == 200


def test_the_next_run_is_shown_and_not_taken(house, admin):
    sweep = house.sweep()
    for _ in range(2):
        answer = admin.get(f"{API}/sweeps/{sweep}/next").json()
        assert (answer["kind"], answer["params"]) == ("run", {"lr": 0.1})
    assert sum(admin.get(f"{API}/sweeps/{sweep}").json()["runs"].values()) == 0


def test_before_the_first_score_there_is_no_best_run(house, admin):
    assert admin.get(f"{API}/sweeps/{house.sweep()}/best").json() == {"run": None}


# ---- runs


def test_bytes_of_a_stream_are_taken_once(admin, run):
    body = HEADER + kind(1, "loss") + row(1, 0, 0.5)
    for _ in range(2):
        answer = admin.post(stream(run), params={"offset": 0}, content=body)
        assert (answer.status_code, answer.json()["offset"]) == (200, len(body))
    assert admin.get(stream(run)).json()["offset"] == len(body)
    assert len(admin.get(f"{API}/runs/{run.uid}/history").json()["rows"]) == 1


def test_a_gap_in_a_stream_tells_where_to_go_on(admin, run):
    admin.post(stream(run), params={"offset": 0}, content=HEADER)

    answer = admin.post(stream(run), params={"offset": 100}, content=b"x")

    assert answer.status_code == 409
    assert (answer.json()["kind"], answer.json()["offset"]) == ("Refused", len(HEADER))


def test_more_than_a_stream_takes_at_once_is_refused(admin, run):
    answer = admin.post(stream(run), params={"offset": 0}, content=b"x" * (MAX_POST_BYTES + 1))
    assert answer.status_code == 413
    assert admin.get(stream(run)).json()["offset"] == 0


def test_numbers_that_are_not_finite_are_words(admin, run):
    body = HEADER + kind(1, "loss", "top") + row(1, 0, float("nan"), float("inf"))
    admin.post(stream(run), params={"offset": 0}, content=body)

    (shown,) = admin.get(f"{API}/runs/{run.uid}/history").json()["rows"]

    assert (shown["loss"], shown["top"]) == ("NaN", "Infinity")


def test_the_console_comes_back_as_a_file_that_no_browser_shows(admin, run):
    printed = b"<script>alert(1)</script>\n\xff"
    admin.post(stream(run, "console"), params={"offset": 0}, content=printed)

    answer = admin.get(f"{API}/runs/{run.uid}/console", params={"offset": 9})

    assert answer.content == printed[9:]
    assert answer.headers["x-besom-next-offset"] == str(len(printed))
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"


def test_an_unknown_kind_of_stream_is_not_found(admin, run):
    assert admin.get(stream(run, "video")).status_code == 404


@pytest.mark.parametrize("number", ["0x1", "-1", "one", "9" * 30])
def test_what_is_no_attempt_is_not_found(admin, run, number):
    assert admin.post(f"{API}/runs/{run.uid}/attempts/{number}/heartbeat").status_code == 404


def test_a_finished_run_is_the_best_and_has_its_attempts(house, admin):
    sweep = house.sweep()
    run = house.hand_out(sweep)
    body = HEADER + kind(1, "loss") + row(1, 0, 0.5)
    admin.post(stream(run), params={"offset": 0}, content=body)
    finished = admin.post(f"{API}/runs/{run.uid}/attempts/1/finish", json={"exit_code": 0}).json()

    assert (finished["state"], finished["current"]) == ("finished", True)
    best = admin.get(f"{API}/sweeps/{sweep}/best").json()["run"]
    assert (best["uid"], best["score"], best["params"]) == (run.uid, 0.5, {"lr": 0.1})
    found = admin.get(f"{API}/runs/find", params={"path": f"anna/digits/{run.name}"}).json()
    assert [attempt["number"] for attempt in found["attempts"]] == [1]
    page = admin.get(f"{API}/sweeps/{sweep}/runs", params={"order": "score", "limit": "5"}).json()
    assert page["runs"][0]["id"] == run.name
    assert admin.get(f"{API}/runs/{run.uid}/history").json()["rows"][0]["loss"] == 0.5


def test_a_run_of_its_own_is_started_with_a_page_address(admin):
    body = {"uid": "n" * 16, "project": "my project", "name": "first"}
    started = admin.post(f"{API}/runs", json=body).json()
    entity = admin.get(f"{API}/me").json()["entity"]
    assert started["url"] == f"http://127.0.0.1:8766/{entity}/my%20project/runs/first"
    assert admin.post(f"{API}/runs/{started['uid']}/attempts/1/heartbeat").json() == {"stop": None}


@pytest.mark.parametrize("query", [{"attempt": 2**63}, {"attempt": 10**30, "limit": 5}])
def test_numbers_that_no_database_holds_are_a_sentence(admin, run, query):
    answer = admin.get(f"{API}/runs/{run.uid}/console", params=query)
    assert (answer.status_code, answer.json()["detail"]) == (400, "a number in the request is larger than can be kept")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tokens", {"name": "x", "expires_s": 1e308}),
        ("/agents", {"uid": "a" * 16, "sweep_id": "SWEEP", "host": "h", "pid": 2**63}),
    ],
)
def test_numbers_in_a_body_that_no_database_holds_are_a_sentence(house, admin, path, body):
    if "sweep_id" in body:
        body = {**body, "sweep_id": house.sweep()}
    answer = admin.post(API + path, json=body)
    assert (answer.status_code, answer.json()["kind"]) == (400, "UsageError")
    assert admin.get(f"{API}/server").status_code == 200


def test_a_full_disk_is_a_sentence_that_asks_for_patience(house, admin):
    def fill(connection, now):
        connection.exec_driver_sql("PRAGMA max_page_count=1")

    house.write(fill)
    config = {
        "method": "grid",
        "program": "x.py",
        "parameters": {"x": {"values": ["y" * 1000 + str(i) for i in range(900)]}},
    }
    answer = admin.post(f"{API}/sweeps", json={"request_id": "r" * 16, "config": config})
    assert (answer.status_code, answer.json()["kind"]) == (503, "DataFolderError")
    assert "database or disk is full" in answer.json()["detail"]
    assert admin.get(f"{API}/sweeps").json() == {"sweeps": []}


# ---- agents


def test_an_agent_works_from_its_introduction_to_its_end(house, admin):
    sweep = house.sweep()
    known = admin.post(f"{API}/agents", json={"uid": "a1", "sweep_id": sweep, "host": "gpu1"}).json()
    assert known["sweep_id"] == sweep

    ask = {"request_id": "ask-1"}
    first, again = (admin.post(f"{API}/agents/a1/claim", json=ask).json() for _ in range(2))
    assert (first["kind"], first["uid"]) == ("run", again["uid"])
    beat = admin.post(f"{API}/agents/a1/heartbeat", json={"runs": [{"uid": first["uid"], "attempt": 1}]}).json()
    assert beat["orders"] == []
    (shown,) = admin.get(f"{API}/agents", params={"sweep": sweep}).json()["agents"]
    assert shown["running"] == [first["name"]]
    assert admin.post(f"{API}/agents/a1/off", json={"now": False}).status_code == 200
    assert admin.post(f"{API}/agents/a1/end", json={"reason": "done"}).status_code == 200


# ---- what every route does


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "is not what this address takes"),
        (b'{"name": 1}', "`$.name`"),
        (b'{"name": "x", "scoop": 1}', "scoop"),
        (b"[" * 100_000, "is not what this address takes"),
        (b'{"name": "\xff"}', "is not what this address takes"),
        (b"", "name"),
    ],
)
def test_a_body_that_does_not_fit_is_one_sentence(admin, body, words):
    answer = admin.post(f"{API}/tokens", content=body)
    assert answer.status_code == 400
    assert answer.json()["kind"] == "UsageError"
    assert words in answer.json()["detail"]


def test_a_body_that_is_too_large_is_refused(admin):
    answer = admin.post(f"{API}/tokens", content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("query", ["limit=ten", "order=size", "limits=3", "limit=1&limit=2"])
def test_a_query_that_does_not_fit_is_one_sentence(house, admin, query):
    answer = admin.get(f"{API}/sweeps/{house.sweep()}/runs?{query}")
    assert (answer.status_code, answer.json()["kind"]) == (400, "UsageError")


def test_an_unknown_address_is_a_problem_body(admin):
    answer = admin.get(f"{API}/nothing")
    assert (answer.status_code, answer.json()["kind"]) == (404, "NotFound")
    assert admin.request("PUT", f"{API}/sweeps").status_code == 405


def test_a_fault_of_the_servers_own_leaves_one_sentence_and_its_traceback_in_the_log(admin, monkeypatch, caplog):
    def broken(connection, now):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(status, "counts", broken)
    answer = admin.get(f"{API}/server")

    assert (answer.status_code, answer.json()["kind"]) == (500, "ServerError")
    assert "secret detail" not in answer.text
    assert "server.log" in answer.json()["detail"]
    assert "secret detail" in caplog.text


def test_a_database_that_is_full_of_work_asks_to_come_again(house, admin, monkeypatch):
    monkeypatch.setattr("besom.store.database.MOST_WAITING_BYTES", -1)
    answer = admin.post(f"{API}/sweeps/{'x' * 8}/pause")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


# ---- the server itself


def test_status_tells_where_and_what(house, admin):
    house.sweep()
    told = admin.get(f"{API}/server").json()
    assert (told["data"], told["sweeps"], told["projects"]) == (str(house.settings.data), 1, 1)
    assert told["db"] == house.settings.db_url


def test_a_backup_is_a_database_with_everything_in_it(house, admin, tmp_path):
    import contextlib
    import sqlite3

    sweep = house.sweep()
    copy = tmp_path / "copy.db"
    copy.write_bytes(admin.get(f"{API}/server/backup").content)

    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT uid FROM sweep").fetchall() == [(sweep,)]
    assert not list(house.settings.data.glob(".backup*"))


def test_tokens_are_listed_without_their_secrets(house, admin):
    made = admin.post(f"{API}/tokens", json={"name": "gpu1", "expires_s": 60}).json()
    assert made["scope"] == "agent"
    listed = admin.get(f"{API}/tokens")
    assert [row["name"] for row in listed.json()] == ["local", "gpu1"]
    assert made["token"] not in listed.text


@pytest.mark.parametrize("body", [{"name": " "}, {"name": "x", "scope": "run"}, {"name": "x", "expires_s": -1}])
def test_tokens_that_cannot_be_are_one_sentence(admin, body):
    assert admin.post(f"{API}/tokens", json=body).status_code == 400


def test_the_openapi_document_has_every_endpoint(admin):
    from besom.server.app import ENDPOINTS

    document = admin.get(f"{API}/openapi.json").json()

    entries = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert entries == {(endpoint.method.lower(), API + endpoint.path) for endpoint in ENDPOINTS}
    for methods in document["paths"].values():
        for entry in methods.values():
            assert entry["summary"]


def test_the_openapi_document_tells_answers_that_are_not_json(admin):
    paths = admin.get(f"{API}/openapi.json").json()["paths"]
    kinds = {
        path: list(paths[API + path]["get"]["responses"]["200"]["content"])
        for path in ("/events", "/server/backup", "/runs/{uid}/console")
    }
    assert kinds == {
        "/events": ["text/event-stream"],
        "/server/backup": ["application/vnd.sqlite3"],
        "/runs/{uid}/console": ["application/octet-stream"],
    }


def test_every_reference_of_the_openapi_document_leads_somewhere(admin):
    document = admin.get(f"{API}/openapi.json")
    schemas = document.json()["components"]["schemas"]
    references = [piece.partition('"')[0] for piece in document.text.split('"$ref":"#/components/schemas/')[1:]]
    assert references
    assert set(references) <= set(schemas)


SHORT = {"method": "grid", "parameters": {"x": {"values": [1]}}}


def test_the_bodies_in_memory_are_counted_and_bounded(house, admin, monkeypatch):
    assert admin.post(f"{API}/sweeps/check", json={"config": SHORT}).status_code == 200
    assert admin.post(f"{API}/agents", content=b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    assert house.services.body_bytes == 0

    monkeypatch.setattr(endpoint, "MAX_ALL_BODIES", 10)
    answer = admin.post(f"{API}/sweeps/check", json={"config": SHORT})

    assert (answer.status_code, answer.json()["kind"]) == (503, "ServerBusy")
    assert house.services.body_bytes == 0


def test_a_refusal_does_not_repeat_all_that_it_refuses(admin):
    answer = admin.get(f"{API}/sweeps/{'x' * 5000}")
    assert answer.status_code == 404
    assert len(answer.json()["detail"]) < 1100


def test_one_request_brings_the_last_rows_the_end_and_the_next_run(admin, run):
    data = HEADER + kind(1, "loss") + row(1, 0, 0.5)
    body = {
        "exit_code": 0,
        "offsets": {"main/history": len(data)},
        "rest": {"main/history": {"offset": 0, "data": base64.b64encode(data).decode()}},
        "next": {"request_id": "following"},
    }
    answer = admin.post(f"{API}/runs/{run.uid}/attempts/1/finish", json=body).json()
    assert (answer["state"], answer["score"], answer["best_run"]) == ("finished", 0.5, run.name)
    assert (answer["next"]["kind"], answer["next"]["number"]) == ("run", 2)
    assert answer["next"]["url"].startswith("http://127.0.0.1:8766/anna/digits/runs/")


def test_curves_come_as_packed_numbers(admin, house, run):
    data = HEADER + kind(1, "loss") + b"".join(row(1, step, 1.0 / (1 + step)) for step in range(20))
    admin.post(f"{stream(run)}?offset=0", content=data)
    sweep = admin.get(f"{API}/runs/{run.uid}").json()["sweep"]
    answer = admin.get(f"{API}/sweeps/{sweep}/curves?metric=loss&px=10&runs={run.name}").json()
    (curve,) = answer["curves"]
    low = struct.unpack("<10f", base64.b64decode(curve["low"]))
    assert (answer["from_step"], answer["to_step"], curve["run"], curve["points"]) == (0, 19, run.name, 20)
    assert struct.unpack("<10d", base64.b64decode(curve["steps"])) == tuple(range(0, 20, 2))
    assert low[0] == 0.5
    assert admin.get(f"{API}/sweeps/{sweep}/curves?runs=nobody").status_code == 404
