"""Which of the sweep's values a script took, seen from real training processes."""

import sys

import pytest

INIT = "import besom\nrun = besom.init()\n"


def outcome(folder, script, *arguments, **how):
    """The values that count as taken, and whether the script was told of others."""
    done = folder.train(script, *arguments, **how)
    return folder.note("reads")["read"], "never read" in done.stderr


def test_a_script_that_reads_nothing_is_told_which_values(agent_folder):
    done = agent_folder.train(INIT + "besom.log({'loss': 1})\n")
    assert agent_folder.note("reads") == {"t": "reads", "read": []}
    assert "`learning_rate` and `batch_size` were set by the sweep but never read by the script" in done.stderr
    assert 'run.config["learning_rate"]' in done.stderr


def test_only_the_values_that_were_not_read_are_told(agent_folder):
    done = agent_folder.train(INIT + "lr = besom.config.learning_rate\n")
    assert agent_folder.note("reads")["read"] == ["learning_rate"]
    assert "`batch_size` was set by the sweep but never read" in done.stderr


def test_looking_at_the_config_is_not_reading_it(agent_folder):
    assert outcome(agent_folder, INIT + "print(besom.config)\n") == ([], True)


ALL = ["learning_rate", "batch_size"]


@pytest.mark.parametrize(
    "script",
    [
        "cfg = dict(besom.config)",
        "def train(**options): pass\ntrain(**besom.config)",
        "cfg = vars(run.config)",
        "cfg = run.config.as_dict()",
        "for name in besom.config: pass",
        "from argparse import Namespace\nargs = Namespace(**besom.config)\ncfg = vars(args)",
        "lr, n = besom.config['learning_rate'], besom.config.get('batch_size')",
        "from besom import config\nlr, n = config.learning_rate, config.batch_size",
    ],
)
def test_no_false_alarm_for_a_script_that_reads(agent_folder, script):
    assert outcome(agent_folder, INIT + script) == (ALL, False)


PARSER = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, default=0.5)
parser.add_argument("--batch-size", "--batch_size", type=int, default=8)
"""
FLAGS = ("--learning_rate=0.01", "--batch_size=64")


def test_argparse_after_the_import_counts(agent_folder):
    assert outcome(agent_folder, "import besom\n" + PARSER + "args = parser.parse_args()\nbesom.init()", *FLAGS) == (
        ALL,
        False,
    )


def test_argparse_before_the_import_counts(agent_folder):
    script = PARSER + "args = vars(parser.parse_args())\n" + INIT
    script = script.replace("vars(parser.parse_args())", "parser.parse_args()\ncfg = vars(args)")
    assert outcome(agent_folder, script, *FLAGS) == (ALL, False)


def test_argparse_inside_a_function_that_is_over_counts(agent_folder):
    script = "def main():\n    args = parser.parse_args()\n    import besom\n    besom.init()\nmain()\n"
    assert outcome(agent_folder, PARSER + script, *FLAGS) == (ALL, False)


def test_argparse_with_separate_words_counts(agent_folder):
    words = ("--learning_rate", "0.01", "--batch_size", "64")
    assert outcome(agent_folder, "import besom\n" + PARSER + "parser.parse_args()\nbesom.init()", *words) == (
        ALL,
        False,
    )


def test_a_parser_that_was_given_other_values_does_not_count(agent_folder):
    script = "import besom\n" + PARSER + "parser.parse_args()\nbesom.init()"
    assert outcome(agent_folder, script) == ([], True)


def test_flags_that_the_parser_left_over_do_not_count(agent_folder):
    script = (
        "import argparse, besom\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--learning-rate', dest='learning_rate', default=9)\n"
        "parser.parse_known_args()\nbesom.init()"
    )
    assert outcome(agent_folder, script, *FLAGS) == ([], True)


def test_a_json_argument_counts(agent_folder):
    script = (
        "import argparse, besom, json\nparser = argparse.ArgumentParser()\nparser.add_argument('config')\n"
        "cfg = json.loads(parser.parse_args().config)\nbesom.init()"
    )
    assert outcome(agent_folder, script, '{"batch_size": 64, "learning_rate": 0.01}') == (ALL, False)


# Each library as its own documentation shows it; besom is imported by the function that trains.
TRAIN = """
def train(learning_rate, batch_size):
    import besom
    with besom.init():
        besom.log({"loss": learning_rate * batch_size})
    assert (learning_rate, batch_size) == (0.01, 64)
"""
COMMAND_LINES = {
    "click": """
import click
@click.command()
@click.option("--learning_rate", type=float)
@click.option("--batch_size", type=int)
def main(learning_rate, batch_size):
    train(learning_rate, batch_size)
main()
""",
    "typer": """
import typer
from typer import Option
def main(learning_rate: float = Option(0.5, "--learning_rate"), batch_size: int = Option(8, "--batch_size")):
    train(learning_rate, batch_size)
typer.run(main)
""",
    "fire": "import fire\nfire.Fire(train)\n",
    "absl": """
from absl import app, flags
flags.DEFINE_float("learning_rate", 0.5, "")
flags.DEFINE_integer("batch_size", 8, "")
def main(argv):
    train(flags.FLAGS.learning_rate, flags.FLAGS.batch_size)
app.run(main)
""",
    "jsonargparse": """
from jsonargparse import CLI
def main(learning_rate: float = 0.5, batch_size: int = 8):
    train(learning_rate, batch_size)
CLI(main)
""",
}


@pytest.mark.parametrize("library", COMMAND_LINES)
def test_no_false_alarm_for_a_library_that_takes_the_command_line(agent_folder, library):
    assert outcome(agent_folder, TRAIN + COMMAND_LINES[library], *FLAGS) == (ALL, False)


def test_no_false_alarm_for_optparse(agent_folder):
    script = """
from optparse import OptionParser
parser = OptionParser()
parser.add_option("--learning_rate", type=float)
parser.add_option("--batch_size", type=int)
options, _ = parser.parse_args()
train(options.learning_rate, options.batch_size)
"""
    assert outcome(agent_folder, TRAIN + script, *FLAGS) == (ALL, False)


def test_no_false_alarm_for_omegaconf(agent_folder):
    script = """
from omegaconf import OmegaConf
cfg = OmegaConf.from_cli()
train(cfg.learning_rate, cfg.batch_size)
"""
    assert outcome(agent_folder, TRAIN + script, "learning_rate=0.01", "batch_size=64") == (ALL, False)


def test_no_false_alarm_under_hydra(agent_folder):
    (agent_folder.base / "config.yaml").write_text("learning_rate: 0.5\nbatch_size: 8\n")
    script = """
import hydra
@hydra.main(version_base=None, config_path=".", config_name="config")
def main(cfg):
    train(cfg.learning_rate, cfg.batch_size)
main()
"""
    assert outcome(agent_folder, TRAIN + script, "learning_rate=0.01", "batch_size=64") == (ALL, False)


def test_constants_that_nobody_reads_are_not_told(make_agent_folder):
    told = make_agent_folder({"epochs": 5, "lr": 0.1}, swept=["lr"]).train(INIT).stderr
    assert "`lr` was set by the sweep but never read" in told
    assert "epochs" not in told


def test_a_sweep_of_constants_alone_is_not_told(make_agent_folder):
    folder = make_agent_folder({"epochs": 5}, swept=[])
    assert "never read" not in folder.train(INIT).stderr


def test_a_script_that_takes_sys_argv_by_hand_is_believed(agent_folder):
    script = "import sys\ncfg = dict(word[2:].split('=') for word in sys.argv[1:])\n"
    assert outcome(agent_folder, script + INIT, *FLAGS) == (ALL, False)


def test_opening_the_parameter_file_counts(agent_folder):
    folder = agent_folder.base / "wandb" / "sweep-sweep123"
    folder.mkdir(parents=True)
    (folder / "config-abcd1234.yaml").write_text("wandb_version: 1\n")
    script = INIT + "import os\ntext = open(os.environ['WANDB_SWEEP_PARAM_PATH']).read()\n"
    assert outcome(agent_folder, script) == (ALL, False)


def test_a_failed_script_is_not_told(agent_folder):
    done = agent_folder.train(INIT + "raise ValueError('bad')\n", code=1)
    assert "never read" not in done.stderr
    assert agent_folder.note("reads") is None


def test_without_a_sweep_nothing_is_watched():
    import argparse

    assert argparse.ArgumentParser.parse_known_args.__module__ == "argparse"


@pytest.mark.skipif(sys.platform == "win32", reason="fork")
def test_a_pool_of_forked_workers_may_do_the_reading(agent_folder):
    script = (
        INIT + "import multiprocessing\n"
        "def train(_):\n    return besom.config.learning_rate * besom.config.batch_size\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool:\n    pool.map(train, [1])\n"
    )
    assert outcome(agent_folder, script) == (ALL, False)
