"""`besom.agent(id, function=train)` from a script and from a notebook, with a real server and a real kernel."""

import json
import os
import time
from queue import Empty

import pytest
from jupyter_client.manager import KernelManager

SCRIPT = """
    import besom, os, sys

    table = {{"factor": 2.0}}

    def train():
        with besom.init() as run:
            print("x is", run.config["x"], "in", os.getpid(), flush=True)
            for step in range(3):
                run.log({{"loss": run.config["x"] * table["factor"] + step}})

    before = dict(os.environ)
    answer = besom.agent(sys.argv[1], function=train{more})
    assert answer is None
    assert dict(os.environ) == before
    print("here is", os.getpid())
"""
WAYS = {
    "process": "",
    "pool": ", isolation='pool'",
    "thread": ", isolation='thread'",
    "positional": "",
}


def call(workshop, sweep, script, code=0, **environ):
    done = workshop.command("script.py", sweep, place=workshop.place(script=script), **environ)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("way", ["process", "pool", "thread"])
@pytest.mark.parametrize("threads", [False, True], ids=["alone", "beside-threads"])
def test_a_function_is_trained_once_for_each_point(workshop, way, threads):
    script = SCRIPT.format(more=WAYS[way])
    if threads:
        script = (
            "\n    import threading\n    threading.Thread(target=threading.Event().wait, daemon=True).start()" + script
        )
    sweep = workshop.sweep(program=None, metric={"name": "loss", "goal": "minimize"})
    said = call(workshop, sweep, script)
    runs = workshop.runs(sweep)
    assert [run["state"] for run in runs] == ["finished"] * 3, said
    assert [run["score"] for run in runs] == [2.0, 4.0, 6.0]
    assert [run["warnings"] for run in runs] == [[]] * 3
    for number, run in enumerate(runs, 1):
        assert workshop.console(run).decode().startswith(f"x is {number} in ")
    pids = {line.rpartition(" ")[2] for line in said.splitlines() if line.startswith("x is")}
    here = said.strip().rpartition(" ")[2]
    assert len(pids) == {"process": 3, "pool": 1, "thread": 1}[way]
    assert (here in pids) == (way == "thread")


def test_the_runs_of_a_pool_use_one_folder_after_another(workshop):
    script = """
        import besom, os, sys
        held = []
        def train():
            place = os.environ["BESOM_RUN_DIR"]
            held.append(os.open(place, os.O_RDONLY))
            with besom.init() as run:
                besom.log({"loss": run.config["x"]})
            print("printed by", run.id)
            print("same folder", os.stat(place).st_ino == os.fstat(held[0]).st_ino)
        besom.agent(sys.argv[1], function=train, isolation="pool")
    """
    sweep = workshop.sweep(program=None, metric={"name": "loss", "goal": "minimize"})
    said = call(workshop, sweep, script)
    runs = workshop.runs(sweep)
    assert [(run["state"], run["score"]) for run in runs] == [("finished", 1.0), ("finished", 2.0), ("finished", 3.0)]
    for run in runs:
        assert workshop.console(run).decode().splitlines() == [f"printed by {run['id']}", "same folder True"], said
    assert workshop.run_folders == []


def test_count_by_position_limits_the_calls(workshop):
    script = """
        import besom, sys
        def train():
            besom.init()
        besom.agent(sys.argv[1], train, None, None, 2)
    """
    sweep = workshop.sweep()
    call(workshop, sweep, script)
    assert len(workshop.runs(sweep)) == 2


@pytest.mark.parametrize("way", ["process", "pool", "thread"])
def test_an_exception_makes_the_run_fail_with_its_traceback_and_the_next_one_works(workshop, way):
    script = """
        import besom, sys
        def train():
            run = besom.init()
            run.log({{"loss": 1.0}})
            if run.config["x"] == 1:
                raise KeyError("learning rate")
        besom.agent(sys.argv[1], function=train{more})
    """
    sweep = workshop.sweep({"x": {"values": [1, 2]}})
    said = call(workshop, sweep, script.format(more=WAYS[way]))
    first, second = workshop.runs(sweep)
    assert (first["state"], second["state"]) == ("failed", "finished")
    assert first["error"].endswith("KeyError: 'learning rate'")
    assert "in train" in first["error"]
    assert "KeyError: 'learning rate'" in said
    assert [row["loss"] for row in workshop.history(first)] == [1.0]


@pytest.mark.parametrize("way", ["process", "pool", "thread"])
def test_afterwards_a_plain_init_is_a_run_of_its_own(workshop, way):
    script = (
        SCRIPT.format(more=WAYS[way])
        + f"""
    run = besom.init(project="plain-{way}")
    assert run.sweep_id is None
    run.log({{"a": 1}})
    run.finish()
    """
    )
    call(workshop, workshop.sweep(), script.replace("{{", "{").replace("}}", "}"))
    (run,) = workshop.server.call("GET", "/api/v1/runs", query={"project": f"plain-{way}"})["runs"]
    assert (run["state"], run["sweep"]) == ("finished", None)


def test_a_run_that_was_open_before_goes_on_afterwards(workshop):
    script = """
        import besom, sys
        def train():
            with besom.init() as run:
                run.log({"loss": 1.0})
        outer = besom.init(project="outer")
        outer.log({"a": 1})
        besom.agent(sys.argv[1], function=train, isolation="thread")
        assert besom.run is outer
        outer.log({"a": 2})
        outer.finish()
    """
    sweep = workshop.sweep()
    call(workshop, sweep, script)
    (outer,) = workshop.server.call("GET", "/api/v1/runs", query={"project": "outer"})["runs"]
    assert [row["a"] for row in workshop.history(outer)] == [1, 2]
    assert [len(workshop.history(run)) for run in workshop.runs(sweep)] == [1, 1, 1]


def test_early_stopping_ends_a_function_in_c_code(workshop):
    script = """
        import besom, sys
        def train():
            run = besom.init()
            run.log({"loss": float(run.config["x"])})
            if run.config["x"] == 2:
                sum(range(10**12))
        besom.agent(sys.argv[1], function=train)
    """
    sweep = workshop.sweep(
        {"x": {"values": [1, 2]}}, metric={"name": "loss", "goal": "minimize"},
        early_terminate={"type": "hyperband", "min_iter": 1},
    )  # fmt: skip
    call(workshop, sweep, script)
    assert [run["state"] for run in workshop.runs(sweep)] == ["finished", "stopped"]


def test_a_function_that_imports_wandb_gets_besoms(workshop):
    script = """
        import besom, sys
        def train():
            import wandb
            with wandb.init(config={"lr": 1.0}) as run:
                wandb.log({"loss": wandb.config.x})
        besom.agent(sys.argv[1], function=train)
    """
    sweep = workshop.sweep()
    call(workshop, sweep, script)
    assert [workshop.history(run)[0]["loss"] for run in workshop.runs(sweep)] == [1, 2, 3]


def test_without_a_function_the_sweeps_program_is_trained(workshop):
    place = workshop.place(
        script="import besom, sys; besom.agent(sys.argv[1])",
        train="import besom; besom.init(); besom.log({'loss': besom.config['x']})",
    )
    sweep = workshop.sweep()
    done = workshop.command("script.py", sweep, place=place)
    assert done.returncode == 0, done.stderr
    assert [workshop.history(run)[0]["loss"] for run in workshop.runs(sweep)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ("besom.agent('nosuch00', function=print)", "NotFound: there is no sweep nosuch00"),
        ("besom.agent(ID, function=print())", "CANNOT"),
        ("besom.agent(ID, function=3)", "UsageError: function=3 cannot be called"),
        ("besom.agent(ID, print, isolation='fork')", "UsageError: isolation='fork'"),
        ("besom.agent('a/b/c/d', print)", "UsageError: 'a/b/c/d' is not a sweep"),
    ],
    ids=["sweep", "called", "not callable", "isolation", "path"],
)
def test_a_mistake_in_the_call_is_one_sentence(workshop, mistake, sentence):
    sweep = workshop.sweep()
    if sentence == "CANNOT":
        sentence = "UsageError: the program 'train.py' was not found"
    place = workshop.place(script=f"import besom\nID = {sweep!r}\n{mistake}\n")
    done = workshop.command("script.py", place=place)
    assert done.returncode == 1
    assert sentence in done.stderr.splitlines()[-1]
    assert workshop.runs(sweep) == []


# ---- a notebook


class Notebook:
    """A real kernel; ``run`` executes a cell and returns what it printed, text and errors."""

    def __init__(self, workshop):
        self.place = workshop.place()
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(self.place), env=workshop.environ)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def begin(self, code):
        return self.client.execute(code)

    def result(self, asked, *, until="", timeout_s=60):
        """Everything the cell printed until it ended, or until the words were printed."""
        text, end = "", time.monotonic() + timeout_s
        while time.monotonic() < end:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                text += content["text"]
            elif kind == "error":
                text += "\n".join(content["traceback"])
            if until and until in text:
                return text
            if kind == "status" and content["execution_state"] == "idle":
                return text
        raise AssertionError(f"the cell did not end: {text}")

    def run(self, code):
        return self.result(self.begin(code))

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture(scope="module")
def notebook(workshop):
    found = Notebook(workshop)
    found.run("import besom, os, json")
    yield found
    found.close()


CELL = """
class Model:
    def __init__(self, x):
        self.x = x

    def loss(self, step):
        return self.x * FACTOR + step

def train():
    with besom.init() as run:
        model = Model(run.config["x"])
        print("cell trains x =", model.x, "é", flush=True)
        for step in range(2):
            besom.log({"loss": model.loss(step)})
"""


@pytest.mark.parametrize("isolation", ["process", "pool", "thread"])
def test_functions_of_cells_are_trained_and_what_they_print_is_in_the_notebook(workshop, notebook, isolation):
    notebook.run(CELL)
    notebook.run("FACTOR = 10.0")
    sweep = workshop.sweep()
    said = notebook.run(f"besom.agent({sweep!r}, function=train, isolation={isolation!r})")
    runs = workshop.runs(sweep)
    assert [run["state"] for run in runs] == ["finished"] * 3, said
    assert [[row["loss"] for row in workshop.history(run)] for run in runs] == [[10, 11], [20, 21], [30, 31]]
    for x in (1, 2, 3):
        assert f"cell trains x = {x} é\n" in said
        assert workshop.console(runs[x - 1]).decode() == f"cell trains x = {x} é\n"
    assert "run 1 of 3" in said


def test_a_changed_cell_is_what_the_next_agent_trains(workshop, notebook):
    notebook.run(CELL + "\nFACTOR = 1.0")
    notebook.run(CELL.replace("self.x * FACTOR", "-self.x * FACTOR"))
    sweep = workshop.sweep({"x": {"value": 5}})
    notebook.run(f"besom.agent({sweep!r}, function=train)")
    assert [row["loss"] for row in workshop.history(workshop.runs(sweep)[0])] == [-5, -4]


def test_an_exception_in_a_cells_function_is_shown_and_the_notebook_lives(workshop, notebook):
    notebook.run("def broken():\n    besom.init()\n    raise ValueError('from a cell')")
    sweep = workshop.sweep({"x": {"value": 1}})
    said = notebook.run(f"besom.agent({sweep!r}, function=broken)")
    assert "ValueError: from a cell" in said
    (run,) = workshop.runs(sweep)
    assert run["state"] == "failed"
    assert run["error"].endswith("ValueError: from a cell")
    assert notebook.run("print(6 * 7)") == "42\n"


def test_interrupting_the_kernel_stops_the_agent_and_the_notebook_lives(workshop, notebook):
    notebook.run("def slow():\n    besom.init()\n    print(f'ready {os.getpid()}', flush=True)\n    sum(range(10**12))")
    sweep = workshop.sweep()
    asked = notebook.begin(f"besom.agent({sweep!r}, function=slow)")
    said = notebook.result(asked, until="ready")
    notebook.manager.interrupt_kernel()
    said += notebook.result(asked)
    assert "Ctrl + C detected. Stopping sweep." in said
    assert [run["state"] for run in workshop.runs(sweep)] == ["killed"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(said.partition("ready ")[2].split()[0]), 0)
    assert notebook.run("print(6 * 7)") == "42\n"


def test_after_an_agent_a_plain_run_works_in_the_notebook(workshop, notebook):
    notebook.run(CELL + "\nFACTOR = 1.0")
    sweep = workshop.sweep({"x": {"value": 1}})
    notebook.run(f"besom.agent({sweep!r}, function=train)")
    notebook.run("run = besom.init(project='by-hand')\nrun.log({'a': 1})\nrun.finish()")
    (run,) = workshop.server.call("GET", "/api/v1/runs", query={"project": "by-hand"})["runs"]
    assert (run["state"], run["sweep"], run["summary"]["a"]) == ("finished", None, 1)


def test_memory_of_a_call_is_given_back(workshop, notebook):
    notebook.run(
        "def greedy():\n    besom.init()\n    block = bytearray(300 * 2**20)\n    print('has', len(block), flush=True)"
    )
    size = "print(json.dumps(int(open('/proc/self/statm').read().split()[1])))"
    before = json.loads(notebook.run(size))
    sweep = workshop.sweep()
    said = notebook.run(f"besom.agent({sweep!r}, function=greedy)")
    assert said.count("has 314572800") == 3
    assert (json.loads(notebook.run(size)) - before) * 4096 < 50 * 2**20
