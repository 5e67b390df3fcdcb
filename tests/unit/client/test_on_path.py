"""The doorways: `import besom` and `import wandb` in an interpreter where nothing is installed."""

import sys

import pytest

BARE = (sys.executable, "-S")


def test_besom_is_importable_with_nothing_installed(agent_folder):
    done = agent_folder.train(
        "import besom, sys\nrun = besom.init()\nbesom.log({'loss': run.config.learning_rate})\n"
        "run.config.batch_size\nprint(besom.__file__)\n",
        python=BARE,
    )
    assert done.stdout.strip().endswith("besom/__init__.py")
    assert "on_path" not in done.stdout
    assert [row.data for row in agent_folder.rows()] == [{"loss": 0.01}]


def test_the_doorway_makes_nothing_else_importable(agent_folder):
    agent_folder.train("import besom, sys\nassert not any('site-packages' in p for p in sys.path)\n", python=BARE)


def test_submodules_and_errors_are_importable_through_the_doorway(agent_folder):
    agent_folder.train(
        "from besom.errors import UsageError\nimport besom\nassert besom.UsageError is UsageError\n", python=BARE
    )


def test_a_run_under_an_agent_loads_no_http_and_starts_no_thread(agent_folder):
    agent_folder.train(
        "import besom, sys, threading\nrun = besom.init()\nfor i in range(20): besom.log({'loss': i})\n"
        "run.config.as_dict()\nbesom.finish()\n"
        "heavy = {'http.client', 'socket', 'ssl', 'subprocess', 'asyncio', 'msgspec', 'numpy', 'yaml'}\n"
        "loaded = heavy & set(sys.modules)\n"
        "assert not loaded, loaded\n"
        "assert threading.active_count() == 1\n",
        python=BARE,
    )
    assert len(agent_folder.rows()) == 20


def test_wandb_is_besoms_module_and_says_so_once(agent_folder):
    done = agent_folder.train(
        "import wandb\nwandb.init()\nwandb.log({'loss': 1})\nwandb.finish()\nwandb.init()\n"
        "print(wandb.__version__, wandb.__file__)\n",
        python=BARE,
    )
    assert "+besom" in done.stdout
    assert done.stderr.count("stands in for wandb") == 1


def test_importing_wandb_loads_no_http(agent_folder):
    agent_folder.train(
        "import wandb, sys\nwandb.init()\nwandb.config.as_dict()\n"
        "assert not {'http.client', 'socket', 'numpy'} & set(sys.modules)\n",
        python=BARE,
    )


def test_besoms_module_comes_before_an_installed_wandb(agent_folder):
    other = agent_folder.base / "site"
    (other / "wandb").mkdir(parents=True)
    (other / "wandb" / "__init__.py").write_text("raise SystemExit('the real one')\n")
    path = f"{agent_folder.environ()['PYTHONPATH']}:{other}"
    agent_folder.train("import wandb\nassert wandb.__version__.endswith('besom')\n", environ={"PYTHONPATH": path})


def test_a_folder_named_wandb_beside_the_script_is_not_in_the_way(agent_folder):
    (agent_folder.base / "wandb" / "sweep-x").mkdir(parents=True)
    agent_folder.train("import wandb\nwandb.init()\nwandb.config.as_dict()\n")


@pytest.mark.parametrize("module", ["besom", "wandb"])
def test_the_doorway_is_as_quick_to_forget_as_to_open(agent_folder, module):
    agent_folder.train(f"import {module}\ndel {module}\nimport {module}\n{module}.init\n")


@pytest.mark.parametrize("module", ["besom", "wandb"])
def test_an_older_python_is_told_what_is_needed(agent_folder, module):
    done = agent_folder.train(f"import sys\nsys.version_info = (3, 8, 18)\nimport {module}\n", code=1, python=BARE)
    assert done.stderr.splitlines()[-1].endswith("needs Python 3.10 or newer, and the training runs in 3.8")
