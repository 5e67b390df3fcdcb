from __future__ import annotations

import re

import pytest

from besom.operations import recording, runs
from besom.server.endpoint import API
from besom.wire.runs import FinishRun


@pytest.fixture
def page(house):
    """Pages as a signed-in browser gets them."""
    browser = house.client()
    browser.post("/login", data={"token": house.services.keys.token})

    def get(path):
        answer = browser.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return answer.text

    return get


def test_no_page_has_scripts_or_styles_inside(house, page):
    run = house.hand_out(house.sweep())
    for path in ("/", "/anna/digits", f"/anna/digits/runs/{run.name}"):
        html = page(path)
        assert not re.search(r"<script|<style|style=|onclick|javascript:", html)


def test_an_empty_server_tells_how_to_begin(page):
    assert "besom run sweep.yaml" in page("/")


def test_projects_lead_to_sweeps_and_sweeps_to_runs(house, page):
    sweep = house.sweep(name="first try")
    run = house.hand_out(sweep)

    assert 'href="/anna/digits"' in page("/")
    assert f'href="/anna/digits/sweeps/{sweep}"' in page("/anna/digits")
    assert "first try" in page("/anna/digits")
    assert f'href="/anna/digits/runs/{run.name}"' in page(f"/anna/digits/sweeps/{sweep}")


def test_a_running_sweep_updates_itself_and_tells_how_to_start_more(house, page):
    sweep = house.sweep()
    house.hand_out(sweep)
    html = page(f"/anna/digits/sweeps/{sweep}")
    assert '<meta http-equiv="refresh" content="5">' in html
    assert f"besom agent anna/digits/{sweep}" in html
    assert "1 running" in html


def test_a_finished_sweep_shows_why_it_ended_and_its_best_run(house, admin, page):
    sweep = house.sweep(parameters={"lr": {"values": [0.1]}})
    run = house.hand_out(sweep)
    admin.post(f"{API}/runs/{run.uid}/attempts/1/finish", json={"exit_code": 0})
    html = page(f"/anna/digits/sweeps/{sweep}")
    reason = admin.get(f"{API}/sweeps/{sweep}").json()["ended_reason"]
    assert reason
    assert reason in html
    assert "refresh" not in html
    assert "besom agent" not in html


def test_a_run_shows_state_values_and_the_end_of_its_console(house, page):
    run = house.hand_out(house.sweep())
    printed = b"\x1b[31m<b>loss</b>\x1b[0m \xff\n" + "数\n".encode()
    house.write(recording.append, run.uid, 1, "main", "console", 0, printed)
    report = FinishRun(exit_code=1, error="RuntimeError: <script>alert(1)</script>")
    house.write(runs.finish, run.uid, 1, report)

    html = page(f"/anna/digits/runs/{run.name}")

    assert "failed" in html
    assert "RuntimeError: &lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;b&gt;loss&lt;/b&gt; �\n数" in html
    assert '<td><span class="number">0.1</span></td>' in html
    assert "<h2>Attempts</h2>" in html


NASTY = '"><script>alert(1)</script>'


def test_whatever_people_write_is_text(house, admin, page):
    parameters = {"lr": {"values": [NASTY, "y"]}}
    sweep = house.sweep(name=NASTY, description=NASTY, project="a & <b>", parameters=parameters)
    run = house.hand_out(sweep)
    for path in (
        "/",
        "/anna/a%20&%20%3Cb%3E",
        f"/anna/a%20&%20%3Cb%3E/sweeps/{sweep}",
        f"/anna/a%20&%20%3Cb%3E/runs/{run.name}",
    ):
        html = page(path)
        assert "<script" not in html
        assert "<b>" not in html


def test_runs_outside_sweeps_stand_on_the_projects_page(admin, page):
    admin.post(f"{API}/runs", json={"uid": "n" * 16, "project": "loose", "entity": "anna", "name": "alone"})
    assert 'href="/anna/loose/runs/alone"' in page("/anna/loose")


@pytest.mark.parametrize("path", ["/anna/none", "/anna/none/sweeps/k3v9x2ab", "/anna/none/runs/x", "/a/b/c/d/e"])
def test_what_is_not_there_is_a_page_that_says_so(admin, path):
    answer = admin.get(path)
    assert answer.status_code == 404
    assert "<h1>Not found</h1>" in answer.text


def test_a_sweep_has_one_address(house, admin):
    sweep = house.sweep()
    answer = admin.get(f"/anna/other/sweeps/{sweep}")
    assert answer.status_code == 404


@pytest.mark.parametrize(("name", "kind"), [("plain.css", "text/css"), ("icon.svg", "image/svg+xml")])
def test_the_pages_files_need_no_proof(anybody, name, kind):
    answer = anybody.get(f"/assets/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    again = anybody.get(f"/assets/{name}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["keys.json", "..%2f..%2fkeys.py", "%2e%2e%2fapp.py", "../app.py"])
def test_no_other_file_is_given_out(anybody, name):
    assert anybody.get(f"/assets/{name}").status_code in (303, 404)


def test_a_page_shows_only_the_beginning_of_a_very_long_sweep_file(house, page):
    values = list(range(100_000))
    sweep = house.sweep(parameters={"x": {"values": values}})
    html = page(f"/anna/digits/sweeps/{sweep}")
    assert len(html) < 60_000
    assert f"besom show {sweep} --json" in html


def test_a_long_sweep_is_shown_some_runs_at_a_time(house, page, monkeypatch):
    monkeypatch.setattr("besom.server.ui.MOST_RUNS", 2)
    sweep = house.sweep()
    names = [house.hand_out(sweep).name for _ in range(3)]
    path = f"/anna/digits/sweeps/{sweep}"
    first = page(path)
    (following,) = re.findall(r'href="(\?after=[^"]+)" rel="next">Next runs', first)
    second = page(path + following)
    assert [[name in html for name in names] for html in (first, second)] == [[True, True, False], [False, False, True]]
    assert ('href="?">First runs' in first, 'href="?">First runs' in second) == (False, True)
    assert "Next runs" not in second


def test_runs_outside_sweeps_are_found_behind_any_number_of_others(house, admin, page, monkeypatch):
    monkeypatch.setattr("besom.server.ui.MOST_RUNS", 2)
    sweep = house.sweep()
    for _ in range(3):
        house.hand_out(sweep)
    admin.post(f"{API}/runs", json={"uid": "alone", "entity": "anna", "project": "digits", "name": "solo"})
    assert "solo" in page("/anna/digits")
