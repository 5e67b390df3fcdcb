import os
import sys
from pathlib import Path

import pytest

from besom.agents.environment import RunFacts
from besom.agents.exit_codes import ExitCode
from besom.agents.program import ProgramStarter, missing
from besom.agents.starting import CannotStart


def check(folder, program="train.py", command=None, environ=None):
    starter = ProgramStarter(environ or dict(os.environ), folder)
    return starter.check({"program": program, "command": command})


def test_a_program_that_is_there_can_start(tmp_path):
    (tmp_path / "train.py").touch()
    assert check(tmp_path) is None


def test_a_missing_program_is_one_sentence_with_file_and_folder(tmp_path):
    ending = check(tmp_path)
    assert ending.code == ExitCode.CANNOT_START
    assert ending.reason == f"the program 'train.py' was not found in {tmp_path}"
    assert "No run was taken" in ending.advice


@pytest.mark.parametrize(
    "command",
    [
        ["${env}", "${interpreter}", "-m", "${program}", "${args}"],
        ["${env}", "sh", "-c", "true", "${program}"],
    ],
    ids=["module", "elsewhere"],
)
def test_what_is_no_file_of_this_folder_is_left_to_the_command(tmp_path, command):
    assert check(tmp_path, program="package.train", command=command) is None


def test_a_command_whose_first_word_is_missing_cannot_start(tmp_path):
    ending = check(tmp_path, program=None, command=["no-such-program", "${args}"])
    assert ending.code == ExitCode.CANNOT_START
    assert ending.reason == "the program 'no-such-program' was not found in the folders of PATH"


def test_a_script_without_the_right_to_be_executed_is_told_so(tmp_path):
    (tmp_path / "train.sh").touch(mode=0o644)
    ending = check(tmp_path, program="./train.sh", command=["${program}", "${args}"])
    assert "cannot be executed: chmod +x it" in ending.reason


def test_an_unset_variable_is_told_before_a_run_is_taken(tmp_path):
    ending = check(tmp_path, program=None, command=["echo", "${envvar:NOWHERE_SET}"], environ={"PATH": "/bin:/usr/bin"})
    assert ending.code == ExitCode.CANNOT_START
    assert "NOWHERE_SET is not set" in ending.reason


def test_env_looks_for_its_program_in_path():
    assert missing(["/usr/bin/env", "no-such-program"], os.environ, Path.cwd()) is not None
    assert missing(["/usr/bin/env", "A=1", "no-such-program"], os.environ, Path.cwd()) is None
    assert missing(["/usr/bin/env", "sh"], os.environ, Path.cwd()) is None


def test_the_command_is_shown_as_a_shell_takes_it(tmp_path):
    starter = ProgramStarter(dict(os.environ), tmp_path)
    starter.check({"program": "train.py", "command": ["python", "${program}", "${envvar:HOME}", "${args}"]})
    shown = starter.describe("k3v9x2ab", {"note": "two words", "lr": 1e-05})
    assert shown == "python train.py ${envvar:HOME} '--note=two words' --lr=1e-05"


def test_a_long_value_is_shown_cut(tmp_path):
    starter = ProgramStarter(dict(os.environ), tmp_path)
    starter.check({"program": "train.py", "command": None})
    shown = starter.describe("k3v9x2ab", {"note": "x" * 1_000_000, "lr": 1e-05})
    assert len(shown) < 300
    assert shown.endswith(f"'--note={'x' * 192}…' --lr=1e-05")


def test_a_value_too_long_for_a_command_line_is_told_with_what_to_do_instead(tmp_path, guard):
    starter = ProgramStarter(dict(os.environ), tmp_path)
    starter.check({"program": None, "command": ["true", "${args}"]})
    params = {"lr": 0.1, "note": "x" * 4_000_000}
    run = RunFacts("u", "r", 1, params, "t", "s", "e", "p", "a", "http://127.0.0.1:1", tmp_path)
    with pytest.raises(CannotStart) as told:
        starter.start(run, tmp_path / "console.log", guard, print)
    said = str(told.value)
    assert said.startswith("'true' cannot be started: a value is too long for a command line (--note=xxxx")
    assert "has 4000007 characters" in said
    assert "read it from besom.config, or pass all values as the file ${args_json_file}" in said


def other_python(folder):
    (folder / "python").touch()
    (folder / "python").chmod(0o755)
    return {"PATH": str(folder)}


def advice(environ, folder, words, command=None):
    starter = ProgramStarter(environ, folder)
    starter.check({"program": "train.py", "command": command})
    return starter.advice(words)


NO_MODULE = ["Traceback (most recent call last):", "ModuleNotFoundError: No module named 'torch'"]


def test_a_missing_module_of_another_python_says_which_python_it_was(tmp_path):
    said = advice(other_python(tmp_path), tmp_path, NO_MODULE)
    assert f"runs use {tmp_path / 'python'}, the first python on PATH; Besom runs in {sys.prefix}" in said


@pytest.mark.parametrize("words", [[], ["ValueError: no"]])
def test_another_failure_has_nothing_to_do_with_which_python_it_was(tmp_path, words):
    assert advice(other_python(tmp_path), tmp_path, words) == ""


def test_a_missing_module_of_besoms_own_python_is_clear_enough(tmp_path):
    assert advice({"PATH": os.path.dirname(sys.executable)}, tmp_path, NO_MODULE) == ""


def test_a_command_with_an_interpreter_of_its_own_is_not_blamed_on_path(tmp_path):
    command = ["/opt/python3", "${program}"]
    assert advice(other_python(tmp_path), tmp_path, NO_MODULE, command) == ""
