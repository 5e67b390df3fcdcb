"""Scripts that `import wandb`, run as an agent's children."""

import sys

import pytest

TUTORIAL = """
import wandb

cfg = {"learning_rate": 0.5, "batch_size": 8, "epochs": 3, "opt": {"name": "sgd", "momentum": 0.9}}
run = wandb.init(project="tutorial")
wandb.config.update(cfg)
wandb.log({"used": cfg["learning_rate"] * cfg["batch_size"], "epochs": cfg["epochs"]})
"""


def test_the_tutorials_dictionary_gets_the_sweeps_values(agent_folder):
    done = agent_folder.train(TUTORIAL)
    assert agent_folder.rows()[0].data == {"used": 0.01 * 64, "epochs": 3.0}
    assert done.stderr.count("were written into the dictionary given to config.update()") == 1
    assert "learning_rate=0.01, batch_size=64" in done.stderr
    assert agent_folder.note("reads")["read"] == ["learning_rate", "batch_size"]
    assert "never read" not in done.stderr
    assert "was locked" not in done.stderr


def test_write_back_can_be_turned_off(agent_folder):
    done = agent_folder.train(TUTORIAL, environ={"BESOM_WRITE_BACK": "0"})
    assert agent_folder.rows()[0].data["used"] == 0.5 * 8
    assert "written into" not in done.stderr
    assert "Config item 'learning_rate' was locked by 'sweep' (ignored update)." in done.stderr
    assert 'never read by the script: use run.config["learning_rate"]' in done.stderr


def test_a_dictionary_given_to_init_gets_the_sweeps_values(agent_folder):
    agent_folder.train(
        "import wandb\ncfg = {'learning_rate': 1, 'x': 2}\nwandb.init(config=cfg)\n"
        "assert cfg == {'learning_rate': 0.01, 'x': 2}, cfg\n"
        "assert dict(wandb.config) == {'learning_rate': 0.01, 'x': 2, 'batch_size': 64}\n"
    )


def test_nested_dictionaries_get_the_sweeps_values(make_agent_folder):
    folder = make_agent_folder({"opt": {"lr": 0.1, "deep": {"beta": 0.9}}})
    folder.train(
        "import wandb\nwandb.init()\ncfg = {'opt': {'lr': 5, 'name': 'sgd', 'deep': {'beta': 1}}}\n"
        "wandb.config.update(cfg)\n"
        "assert cfg == {'opt': {'lr': 0.1, 'name': 'sgd', 'deep': {'beta': 0.9}}}, cfg\n"
    )


def test_a_namespace_is_left_alone(agent_folder):
    agent_folder.train(
        "import wandb, argparse\nargs = argparse.Namespace(learning_rate=5)\nwandb.init(config=args)\n"
        "assert args.learning_rate == 5\n"
    )


def test_besoms_own_module_does_not_write_back(agent_folder):
    agent_folder.train(
        "import besom\ncfg = {'learning_rate': 5}\nbesom.init(config=cfg)\nbesom.config.update(cfg)\n"
        "assert cfg == {'learning_rate': 5}\n"
    )


def test_no_write_back_without_a_sweep(make_agent_folder):
    folder = make_agent_folder({})
    folder.train("import wandb\ncfg = {'a': 1}\nwandb.init(config=cfg)\nassert cfg == {'a': 1}\n")


def test_what_besom_does_not_have_accepts_any_call_and_warns_once(agent_folder):
    done = agent_folder.train(
        "import wandb\nrun = wandb.init()\n"
        "for i in range(3):\n"
        "    wandb.watch(object(), log='all'); run.watch(object())\n"
        "    table = wandb.Table(columns=['a']); table.add_data(1)\n"
        "    wandb.log({'image': wandb.Image(i, caption='x'), 'table': table, 'plot': wandb.plot.line(table, 'a', 'b'),"
        " 'loss': i})\n"
        "    artifact = wandb.Artifact('m', type='model')\n"
        "    with artifact.new_file('x') as file: file.write('y')\n"
        "    run.log_artifact(artifact).wait(); wandb.alert(title='t', text='x')\n"
        "    wandb.sklearn.plot_classifier(1, 2)\n"
        "assert isinstance(artifact, wandb.Artifact)\n"
        "class Mine(wandb.Image): pass\n"
        "Mine()\n"
    )
    assert [row.data for row in agent_folder.rows()] == [{"loss": 0.0}, {"loss": 1.0}, {"loss": 2.0}]
    for name in ("wandb.watch", "run.watch", "wandb.Table", "wandb.Image", "wandb.plot.line", "wandb.Artifact"):
        assert done.stderr.count(f"{name} has no effect") == 1, name


def test_login_setup_and_require_are_quiet(agent_folder):
    done = agent_folder.train(
        "import wandb\nassert wandb.login(key='x', relogin=True) is True\nwandb.setup()\nwandb.require('core')\n"
        "assert wandb.run is None\nrun = wandb.init(anonymous='allow')\nassert wandb.run is run\n"
        "run._label(code='x')\nwandb.config.as_dict()\nwandb.finish()\nassert wandb.run is None\n"
    )
    assert "no effect" not in done.stderr


def test_common_submodules_are_there(agent_folder):
    agent_folder.train(
        "import wandb\n"
        "from wandb.errors import CommError, UsageError\n"
        "from wandb.sdk.wandb_run import Run\n"
        "from wandb.apis.public import Api\n"
        "import wandb.util, wandb.data_types\n"
        "assert len(wandb.util.generate_id()) == 8\n"
        "assert wandb.data_types.Image is wandb.Image\n"
        "assert wandb.Api is Api and wandb.CommError is CommError\n"
        "assert isinstance(wandb.init(), (Run, wandb.Run))\n"
        "wandb.finish()\n"
        "try:\n    wandb.log({'a': 1})\nexcept wandb.Error as error:\n    assert 'init()' in str(error)\n"
        "else:\n    raise SystemExit('log() without a run')\n"
    )


@pytest.mark.parametrize(
    "line",
    ["from wandb.keras import WandbCallback", "from wandb.integration.xgboost import WandbCallback",
     "import wandb.made_up", "import wandb; wandb.keras", "import wandb; wandb.made_up"],
)  # fmt: skip
def test_other_names_are_refused_in_a_sentence(agent_folder, line):
    done = agent_folder.train(line, code=1)
    assert "Besom's stand-in for wandb" in done.stderr.splitlines()[-1]


def test_settings_are_accepted(agent_folder):
    done = agent_folder.train(
        "import wandb\nrun = wandb.init(settings=wandb.Settings(run_name='mine', start_method='fork', _x=1))\n"
        "assert run.name == 'mine'\nwandb.config.as_dict()\n"
    )
    assert "does not use _x, start_method" in done.stderr


def test_the_config_may_be_set_before_init(agent_folder):
    agent_folder.train(
        "import wandb\nwandb.config.epochs = 3\nwandb.config.update({'learning_rate': 9})\n"
        "wandb.init(config={'seed': 1})\n"
        "assert dict(wandb.config) == {'epochs': 3, 'learning_rate': 0.01, 'seed': 1, 'batch_size': 64}\n"
    )


def test_a_script_that_strips_wandb_from_its_environment_begins_a_run_of_its_own(agent_folder):
    agent_folder.train(
        "import os, wandb\n"
        "for name in list(os.environ):\n    if name.startswith('WANDB_'): del os.environ[name]\n"
        "run = wandb.init(mode='offline', project='fold-1')\n"
        "assert run.sweep_id is None and run.project == 'fold-1', run\nassert not dict(run.config)\n",
        environ={"BESOM_SWEEP_ID": ""},
    )
    assert agent_folder.folder.streams() == []


def test_what_is_not_there_can_be_joined_to_a_path_that_nobody_can_open(agent_folder):
    done = agent_folder.train(
        "import os, wandb\nwandb.init().config.as_dict()\n"
        "folder = wandb.use_artifact('a/b:latest').download()\n"
        "path = os.path.join(folder, 'model.pt')\nassert folder + '/model.pt' == path\n"
        "print(f'{folder:>10}')\n"
        "try:\n    open(path, 'w')\nexcept OSError as error:\n    assert 'not-in-besom' in str(error)\n"
        "else:\n    raise SystemExit('opened')\n"
    )
    assert done.stderr.count("wandb.use_artifact has no effect") == 1


def test_submodules_are_reached_as_attributes_too(agent_folder):
    agent_folder.train(
        "import wandb\nrun = wandb.init()\nwandb.config.as_dict()\n"
        "assert isinstance(run, wandb.sdk.wandb_run.Run)\n"
        "assert wandb.env.PROJECT == 'WANDB_PROJECT'\n"
        "wandb.sdk.lib.telemetry.context()\n"
    )


def test_a_run_tells_its_settings_and_addresses_under_their_names(agent_folder):
    agent_folder.train(
        "import wandb\nrun = wandb.init()\nwandb.config.as_dict()\n"
        "assert run.settings.run_id == run.id and run.settings.sweep_id == run.sweep_id\n"
        "assert run._settings._offline is None\n"
        "assert run.get_project_url() == run.project_url and run.url.startswith(run.project_url + '/runs/')\n"
        "assert run.starting_step == 0\n"
    )


def test_words_for_arguments_and_bookkeeping_are_quiet(agent_folder):
    done = agent_folder.train(
        "import wandb\nfrom wandb import AlertLevel\nrun = wandb.init()\nwandb.config.as_dict()\n"
        "wandb.alert(title='t', text='x', level=AlertLevel.WARN)\nif wandb.api.api_key is None: wandb.login()\n"
        "wandb.termsetup(wandb.Settings(), None)\n"
    )
    assert done.stderr.count("has no effect") == 1


def test_its_version_is_found_by_programs_that_look_for_the_package(agent_folder):
    agent_folder.train(
        "import importlib.metadata, wandb\nassert importlib.metadata.version('wandb') == wandb.__version__\n",
        python=(sys.executable, "-S"),
    )


def test_of_several_processes_the_first_alone_tells_what_was_written_back(agent_folder):
    done = agent_folder.train(TUTORIAL, environ={"RANK": "1"})
    assert "written into" not in done.stderr
