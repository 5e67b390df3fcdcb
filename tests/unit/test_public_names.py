"""The shop window: what `import besom` promises, and what it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import besom
import besom.errors

PROMISED = {
    "init", "log", "config", "summary", "run", "finish", "save", "define_metric", "mark_preempting", "sweep", "agent",
    "suggest", "Api", "Run", "Settings", "__version__",
}  # fmt: skip


def test_the_names_are_those_that_are_promised_and_the_errors():
    errors = {
        name for name, value in vars(besom.errors).items() if isinstance(value, type) and issubclass(value, Exception)
    }
    assert set(besom.__all__) == PROMISED | errors


def test_every_name_is_there():
    for name in besom.__all__:
        found = getattr(besom, name)
        assert found is not None or name == "run"


def test_editors_see_the_same_names():
    tree = ast.parse(Path(besom.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imported = {
        alias.asname or alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    declared = {node.target.id for node in block.body if isinstance(node, ast.AnnAssign)}
    assert imported | declared | {"__version__"} == set(besom.__all__)


def test_there_is_no_run_before_init():
    assert besom.run is None


def test_a_name_that_is_not_there_is_an_attribute_error():
    assert not hasattr(besom, "lgo")
    assert "lgo" not in dir(besom)
    assert set(besom.__all__) <= set(dir(besom))


LOADED = """
import sys
before = set(sys.modules)
import besom
{more}
loaded = {{name for name in set(sys.modules) - before}}
print(*sorted(name for name in loaded if name.partition(".")[0] == "besom"))
print(*sorted(name for name in loaded if name.partition(".")[0] not in {{"besom", *sys.stdlib_module_names}}))
"""


def loaded_by(more=""):
    """Besom's modules and third-party modules that a fresh interpreter holds after ``import besom`` and ``more``."""
    here = f"import sys; sys.path.insert(0, {str(Path(besom.__file__).parents[1])!r})\n"
    done = subprocess.run(
        [sys.executable, "-S", "-c", here + LOADED.format(more=more)],
        capture_output=True, text=True, timeout=60, check=True, env={},
    )  # fmt: skip
    ours, others = done.stdout.splitlines()
    return ours.split(), others.split()


def test_importing_loads_nothing_but_the_window():
    assert loaded_by() == (["besom", "besom.common", "besom.common.version"], [])


def test_logging_a_number_loads_no_third_party_module():
    script = "run = besom.init(mode='disabled')\nbesom.log({'loss': 1.0})\nrun.summary['loss']\nbesom.finish()"
    ours, others = loaded_by(script)
    assert others == []
    assert "besom.client.connection" not in ours


def test_the_public_functions_are_ours_by_name():
    assert {name: getattr(besom, name).__name__ for name in ("init", "log", "finish", "save", "sweep", "Api")} == {
        "init": "init", "log": "log", "finish": "finish", "save": "save", "sweep": "sweep", "Api": "Api",
    }  # fmt: skip
