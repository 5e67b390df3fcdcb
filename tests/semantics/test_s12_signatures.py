"""Section 12.1: the signatures that sweep users rely on."""

import inspect

import pytest

import besom
from besom.client.as_wandb import module as wandb
from besom.client.as_wandb import stored
from besom.client.run import Run


def parameters(function):
    found = list(inspect.signature(function).parameters.values())
    return [(p.name, p.default) for p in found if p.name != "self" and p.kind is not p.VAR_KEYWORD]


INIT = [
    "entity", "project", "dir", "id", "name", "notes", "tags", "config", "config_exclude_keys", "config_include_keys",
    "allow_val_change", "group", "job_type", "mode", "force", "reinit", "resume", "resume_from", "fork_from",
    "save_code", "tensorboard", "sync_tensorboard", "monitor_gym", "settings",
]  # fmt: skip


@pytest.mark.parametrize("front", [besom, wandb], ids=["besom", "wandb"])
def test_s12_1_init(front):
    assert parameters(front.init) == [(name, None) for name in INIT]


def test_s12_1_sweep():
    assert parameters(besom.sweep)[1:] == [("entity", None), ("project", None), ("prior_runs", None)]
    assert parameters(besom.sweep)[0][0] == "sweep"


def test_s12_1_agent():
    found = dict(parameters(besom.agent))
    assert list(found)[:5] == ["sweep_id", "function", "entity", "project", "count"]
    for name in ("function", "entity", "project", "count", "max_consecutive_failed_runs"):
        assert found[name] is None


@pytest.mark.parametrize("log", [besom.log, Run.log, wandb.log], ids=["besom", "run", "wandb"])
def test_s12_1_log(log):
    assert parameters(log)[1:3] == [("step", None), ("commit", None)]
    assert parameters(log)[0][0] == "data"


@pytest.mark.parametrize("finish", [besom.finish, Run.finish], ids=["besom", "run"])
def test_s12_1_finish(finish):
    assert parameters(finish)[0] == ("exit_code", None)


@pytest.mark.parametrize("define_metric", [besom.define_metric, Run.define_metric], ids=["besom", "run"])
def test_s12_1_define_metric(define_metric):
    names = ["step_metric", "step_sync", "hidden", "summary", "goal", "overwrite"]
    assert parameters(define_metric)[1:] == [(name, None) for name in names]


@pytest.mark.parametrize("save", [besom.save, Run.save], ids=["besom", "run"])
def test_s12_1_save(save):
    assert parameters(save) == [("glob_str", None), ("base_path", None), ("policy", "live"), ("glob", True)]


def test_s12_1_a_run_has_what_scripts_ask_of_it():
    for name in ("id", "name", "project", "entity", "url", "sweep_id", "sweep_url", "step", "dir", "mark_preempting"):
        assert hasattr(Run, name), name
    run = Run({"name": "run1", "display_name": "shown"}, {"a": 1})
    assert (run.id, run.name, run.config.a, run.step, dict(run.summary)) == ("run1", "shown", 1, 0, {})


@pytest.mark.parametrize("front", [besom.Api, stored.Api], ids=["besom", "wandb"])
def test_s12_1_api_reads_a_sweep(front):
    for name in (
        "state",
        "config",
        "runs",
        "best_run",
        "best_loss",
        "expected_run_count",
        "name",
        "url",
        "order",
        "agents",
    ):
        assert hasattr(front.sweep_class, name), name
    assert parameters(front.sweep_class.best_run) == [("order", None)]


def test_s12_1_init_is_a_context_manager():
    assert hasattr(Run, "__enter__")
    assert hasattr(Run, "__exit__")
