import json

import msgspec
import numpy
import pytest

from besom.client.sweeps import create_sweep, sweep, sweep_source
from besom.errors import SweepConfigError, UsageError
from besom.wire.sweeps import NewSweep

CONFIG = {"method": "grid", "parameters": {"lr": {"values": (0.1, numpy.float64(0.2))}}}


@pytest.fixture
def asked(server, monkeypatch, tmp_path):
    for name in ("BESOM_ENTITY", "WANDB_ENTITY", "BESOM_PROJECT", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BESOM_DIR", str(tmp_path))
    monkeypatch.setenv("BESOM_URL", server.url)
    server.answers["POST /api/v1/sweeps"] = [(200, {"id": "sweep123", "url": "http://x/s", "notes": ["lr: a note"]})]
    return lambda: msgspec.convert(json.loads(server.requests[-1][3]), NewSweep)


def test_a_dictionary_becomes_the_request_that_the_server_takes(asked, capsys):
    assert sweep(CONFIG, project="digits", entity="me", prior_runs=["a"]) == "sweep123"
    request = asked()
    assert request.config == {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}
    assert (request.project, request.entity, request.prior_runs) == ("digits", "me", ["a"])
    said = capsys.readouterr()
    assert said.out == "Create sweep with ID: sweep123\nSweep URL: http://x/s\n"
    assert "lr: a note" in said.err


def test_without_a_project_the_folder_is_proposed(asked, tmp_path, monkeypatch):
    create_sweep(CONFIG)
    assert asked().project is None
    assert asked().default_project


def test_the_environment_names_entity_and_project(asked, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "fromenv")
    create_sweep(CONFIG)
    assert asked().project == "fromenv"


def test_a_function_is_called_for_its_config(asked):
    create_sweep(lambda: CONFIG)
    assert asked().config["method"] == "grid"


@pytest.mark.parametrize(("name", "kind"), [("s.yaml", "yaml"), ("s.yml", "yaml"), ("s.json", "json")])
def test_a_file_is_sent_as_it_is(tmp_path, name, kind):
    file = tmp_path / name
    file.write_text("method: grid")
    assert sweep_source(file) == {"text": "method: grid", "file": str(file), "format": kind}
    assert sweep_source(str(file))["text"] == "method: grid"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [("nowhere.yaml", "Couldn't open sweep file: nowhere.yaml"), (5, "takes a dictionary"), (list, "takes")],
)
def test_what_is_no_sweep_is_a_sentence(source, sentence):
    with pytest.raises(UsageError, match=sentence):
        sweep_source(source)


def test_problems_are_raised_whole(server, asked):
    problems = [{"sentence": "first", "key": "method"}, {"sentence": "second"}]
    refusal = (422, {"kind": "SweepConfigError", "detail": "2 problems", "problems": problems})
    server.answers["POST /api/v1/sweeps"] = [refusal]
    with pytest.raises(SweepConfigError, match=r"method: first\nsecond"):
        sweep(CONFIG)
