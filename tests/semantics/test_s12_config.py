"""Section 12.2: what wins in a run's config inside a sweep."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import besom
from besom.client.run_folder import RunFolder

ON_PATH = Path(besom.__file__).parent / "client" / "on_path"


@pytest.fixture
def in_sweep(tmp_path):
    """Runs a script as the child of an agent whose sweep chose ``params``; fails unless the script's checks hold."""

    def run(params, script, **environ):
        folder = RunFolder(tmp_path / "runs" / "uid1")
        folder.write_config({"uid": "uid1", "name": "run1", "entity": "me", "project": "digits", "sweep_id": "sweep123",
                             "attempt": 1, "params": params, "url": "", "sweep_url": "", "resumed": False})  # fmt: skip
        own = {name: value for name, value in os.environ.items() if not name.startswith(("BESOM_", "WANDB_"))}
        own |= {"PYTHONPATH": str(ON_PATH), "BESOM_RUN_DIR": str(folder.path), "BESOM_RUN_UID": "uid1",
                "BESOM_RUN_ID": "run1", "WANDB_RUN_ID": "run1", "BESOM_ATTEMPT": "1", "BESOM_ENTITY": "me",
                "BESOM_PROJECT": "digits", "BESOM_SWEEP_ID": "sweep123"}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", "import besom\n" + textwrap.dedent(script)], env={**own, **environ}, cwd=tmp_path,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr

    return run


def test_s12_2_1_files_then_paths_then_init(in_sweep, tmp_path):
    (tmp_path / "config-defaults.yaml").write_text("wandb_version: 1\na: {value: 1}\nb: {value: 1}\nc: {value: 1}\n")
    (tmp_path / "more.yaml").write_text("b: 2\nc: 2\n")
    in_sweep(
        {}, "besom.init(config={'c': 3})\nassert dict(besom.config) == {'a': 1, 'b': 2, 'c': 3}, besom.config",
        WANDB_CONFIG_PATHS="more.yaml",
    )  # fmt: skip


@pytest.mark.parametrize(
    "config", ["{'a': 1}", "__import__('argparse').Namespace(a=1)", "'c.yaml'"], ids=["dict", "namespace", "file"]
)
def test_s12_2_1_init_takes_a_config_in_each_form(in_sweep, tmp_path, config):
    (tmp_path / "c.yaml").write_text("a: 1\n")
    in_sweep({}, f"assert besom.init(config={config}).config.a == 1")


def test_s12_2_2_the_sweep_lies_over_everything(in_sweep):
    in_sweep(
        {"lr": 0.1},
        "run = besom.init(config={'lr': 9, 'epochs': 3})\nassert dict(run.config) == {'lr': 0.1, 'epochs': 3}",
    )


def test_s12_2_2_dict_goes_into_dict_and_other_types_replace(in_sweep):
    in_sweep(
        {"opt": {"lr": 0.1, "deep": {"b": 2}}, "layers": [8], "kind": {"a": 1}},
        "run = besom.init(config={'opt': {'lr': 9, 'name': 'sgd', 'deep': {'c': 3}}, 'layers': [1, 2], 'kind': 'x'})\n"
        "assert run.config['opt'] == {'lr': 0.1, 'name': 'sgd', 'deep': {'b': 2, 'c': 3}}\n"
        "assert run.config['layers'] == [8] and run.config['kind'] == {'a': 1}",
    )


@pytest.mark.parametrize(
    "change",
    ["c.lr = 5", "c['lr'] = 5", "c.update({'lr': 5})", "c.update({'lr': 5}, allow_val_change=True)", "c.update(lr=5)"],
)
def test_s12_2_3_a_locked_key_stays_with_a_warning(in_sweep, change):
    said = in_sweep({"lr": 0.1}, f"c = besom.init().config\n{change}\nassert c.lr == 0.1")
    assert "besom: WARNING Config item 'lr' was locked by 'sweep' (ignored update)." in said


def test_s12_2_3_constants_of_the_sweep_are_locked_too(in_sweep):
    said = in_sweep({"epochs": 5}, "c = besom.init().config\nc.epochs = 1\nassert c.epochs == 5")
    assert "Config item 'epochs' was locked by 'sweep'" in said


def test_s12_2_3_the_lock_is_on_the_top_level_key(in_sweep):
    said = in_sweep(
        {"opt": {"lr": 0.1}}, "c = besom.init().config\nc.update({'opt': {'name': 'sgd'}})\nassert c.opt == {'lr': 0.1}"
    )
    assert "Config item 'opt' was locked by 'sweep'" in said


def test_s12_2_3_other_keys_of_the_same_update_are_applied(in_sweep):
    in_sweep({"lr": 0.1}, "c = besom.init().config\nc.update({'lr': 5, 'new': 1})\nassert c.new == 1 and c.lr == 0.1")


def test_s12_2_4_another_value_needs_allow_val_change(in_sweep):
    in_sweep(
        {},
        """
        c = besom.init(config={'a': 1}).config
        try:
            c.a = 2
        except besom.ConfigError as error:
            assert 'Attempted to change value of key "a" from 1 to 2' in str(error)
        else:
            raise SystemExit('changed')
        c.update({'a': 2}, allow_val_change=True)
        assert c.a == 2
        c.setdefaults({'a': 9, 'b': 3})
        assert (c.a, c.b) == (2, 3)
        """,
    )


def test_s12_2_4_init_may_allow_changes(in_sweep):
    in_sweep({}, "c = besom.init(config={'a': 1}, allow_val_change=True).config\nc.a = 2\nassert c.a == 2")


def test_s12_2_5_project_entity_and_id_are_ignored_with_a_sentence(in_sweep):
    said = in_sweep(
        {"lr": 1},
        "run = besom.init(project='x', entity='y', id='z')\n"
        "assert (run.project, run.entity, run.id) == ('digits', 'me', 'run1')\nrun.config.lr",
    )
    for word in ("project 'x'", "entity 'y'", "run_id 'z'"):
        assert f"besom: WARNING Ignoring {word} when running a sweep." in said


def test_s12_2_5_the_sweeps_own_project_is_no_news(in_sweep):
    assert "Ignoring" not in in_sweep({}, "besom.init(project='digits', entity='me')")


def test_s12_2_5_name_group_tags_job_type_and_notes_are_honoured(in_sweep):
    in_sweep(
        {},
        "run = besom.init(name='n', group='g', tags=['t'], job_type='j', notes='o')\n"
        "assert (run.name, run.group, run.tags, run.job_type, run.notes) == ('n', 'g', ('t',), 'j', 'o')",
    )


def test_s12_2_access_in_every_form(in_sweep):
    in_sweep(
        {"opt": {"lr": 0.1}, "n": 3},
        """
        config = besom.init(config={'--dashed-': 1, '_hidden': 2}).config
        assert config['n'] == config.n == config.get('n') == 3
        assert 'n' in config and config.get('absent') is None
        assert config['opt']['lr'] == 0.1
        assert set(config.keys()) == {'opt', 'n', 'dashed'}
        assert dict(config.items()) == dict(config) == config.as_dict() == {'dashed': 1, 'n': 3, 'opt': {'lr': 0.1}}
        assert not hasattr(config, 'absent')
        """,
    )


def test_s12_2_config_keys_may_be_left_out(in_sweep):
    in_sweep(
        {"lr": 1},
        "c = besom.init(config={'a': 1, 'b': 2}, config_exclude_keys=['a']).config\n"
        "assert dict(c) == {'b': 2, 'lr': 1}",
    )
    in_sweep(
        {"lr": 1},
        "c = besom.init(config={'a': 1, 'b': 2}, config_include_keys=['a']).config\n"
        "assert dict(c) == {'a': 1, 'lr': 1}",
    )


def test_s12_2_nan_in_a_config_survives(in_sweep):
    in_sweep({}, "import math\nc = besom.init(config={'x': float('nan')}).config\nassert math.isnan(c.x)")
