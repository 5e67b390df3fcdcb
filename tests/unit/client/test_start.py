"""`init` in real processes: the four ways to a run, and how each ends."""

import json
import signal
import socket
import subprocess
import sys

import msgspec
import pytest

from besom.common.places import runs_folder
from besom.common.spool_reader import Note, Reader, Row
from besom.wire.runs import FinishRun, NewRun

OF_AGENTS = (
    "BESOM_RUN_DIR", "BESOM_RUN_UID", "BESOM_RUN_ID", "WANDB_RUN_ID", "BESOM_SWEEP_ID", "WANDB_SWEEP_ID",
    "BESOM_ENTITY", "WANDB_ENTITY", "BESOM_PROJECT", "WANDB_PROJECT",
)  # fmt: skip
NO_AGENT = dict.fromkeys(OF_AGENTS, "")


def away():
    """The address of a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def alone(agent_folder, server):
    environ = {**NO_AGENT, "BESOM_URL": server.url, "BESOM_TOKEN": "t"}

    def train(script, *arguments, code=0, **more):
        return agent_folder.train(script, *arguments, environ={**environ, **more}, code=code)

    return train


def kept(agent_folder):
    """The run folders that are left on disk, without the agent's own."""
    parent = runs_folder({"BESOM_DIR": str(agent_folder.base)})
    places = [*parent.iterdir()] if parent.exists() else []
    places += (
        [*(agent_folder.base / "state" / "runs").iterdir()] if (agent_folder.base / "state" / "runs").exists() else []
    )
    return sorted({place for place in places if place.name != "uid0001"})


def shipped(server):
    (stream,) = [content for key, content in server.streams.items() if key.endswith("history")]
    return list(Reader().feed(stream))


# ---- without an agent


def test_a_run_alone_introduces_itself_and_sends_everything(agent_folder, server, alone):
    done = alone(
        "import besom\n"
        "with besom.init(project='digits', name='mine', config={'lr': 0.1}, tags=['a'], group='g') as run:\n"
        "    for i in range(50): run.log({'loss': i})\n"
    )
    (new_run,) = server.runs.values()
    request = msgspec.convert(new_run, NewRun)
    assert (request.project, request.display_name, request.tags, request.group) == ("digits", "mine", ["a"], "g")
    assert [record.step for record in shipped(server) if isinstance(record, Row)] == list(range(50))
    (end,) = server.ends.values()
    assert msgspec.convert(end, FinishRun).exit_code == 0
    assert end["offsets"] == {"w1/history": len(next(iter(server.streams.values())))}
    assert f"besom: run mine: {server.url}/me/x" in done.stderr
    assert f"besom: run mine finished: {server.url}/me/x" in done.stderr


def test_what_the_server_confirmed_is_not_kept_on_disk(agent_folder, server, alone):
    alone("import besom\nbesom.init()\nbesom.log({'loss': 1})\n")
    assert kept(agent_folder) == []


def test_the_project_has_a_name_without_being_asked(agent_folder, server, alone):
    alone("import besom\nbesom.init()\n")
    assert next(iter(server.runs.values()))["project"] == agent_folder.base.name


@pytest.mark.parametrize(
    ("ending", "code", "error"),
    [
        ("", 0, None),
        ("raise ValueError('bad luck')", 1, "ValueError: bad luck"),
        ("import sys; sys.exit(3)", 3, None),
        ("import sys; sys.exit('no data')", 1, "no data"),
        ("besom.finish(exit_code=5)", 5, None),
    ],
)
def test_the_end_of_the_process_is_the_end_of_the_run(server, alone, ending, code, error):
    alone(f"import besom\nbesom.init()\n{ending}\n", code=0 if "finish" in ending else code)
    (end,) = server.ends.values()
    assert (end["exit_code"], end["error"]) == (code, error)
    assert shipped(server)[-1] == Note("exit", {"t": "exit", "code": code, "error": error})


def test_ctrl_c_in_the_script_is_an_interrupt(server, alone):
    alone("import besom, os, signal\nbesom.init()\nos.kill(os.getpid(), signal.SIGINT)\n", code=-signal.SIGINT)
    (end,) = server.ends.values()
    assert (end["exit_code"], end["stopped_by"]) == (130, "interrupt")


def test_a_server_that_is_away_stops_nothing(agent_folder, alone):
    done = alone(
        "import besom\nbesom.init(config={'lr': 1})\nfor i in range(10): besom.log({'loss': i})\n",
        BESOM_URL=away(), BESOM_FINISH_TIMEOUT="0.2",
    )  # fmt: skip
    assert done.stderr.count("no Besom server answers") == 1
    assert "besom sync" in done.stderr
    (folder,) = kept(agent_folder)
    records = list(Reader().feed((folder / "1-w1" / "history.bin").read_bytes()))
    assert [record.step for record in records if isinstance(record, Row)] == list(range(10))
    assert json.loads((folder / "end-1.json").read_text())["exit_code"] == 0


def test_a_server_that_comes_back_gets_everything(agent_folder, server, alone):
    server.answers["POST /api/v1/runs"] = [(503, {})]
    alone("import besom\nbesom.init()\nbesom.log({'loss': 1})\n")
    assert [record.data for record in shipped(server) if isinstance(record, Row)] == [{"loss": 1.0}]
    assert len(server.ends) == 1


def test_ctrl_c_ends_the_wait_for_a_lost_server(agent_folder):
    script = "import besom\nbesom.init()\nprint('trained', flush=True)\nbesom.finish()\nprint('on')\n"
    (agent_folder.base / "train.py").write_text(script)
    environ = {**agent_folder.environ(), **NO_AGENT, "BESOM_URL": away(), "BESOM_FINISH_TIMEOUT": "600"}
    child = subprocess.Popen(
        [sys.executable, "train.py"], env=environ, cwd=agent_folder.base, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout.readline() == "trained\n"
    end_file = kept(agent_folder)[0] / "end-1.json"
    while not end_file.exists():
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert out == "on\n", err
    assert "besom sync" in err


def test_a_refused_run_is_an_error_at_once(agent_folder, server, alone):
    server.answers["POST /api/v1/runs"] = [(409, {"kind": "Refused", "detail": "the name is taken"})]
    done = alone("import besom\nbesom.init(id='taken')\n", code=1)
    assert done.stderr.splitlines()[-1] == "besom.errors.Refused: the name is taken"
    assert kept(agent_folder) == []


def test_a_stop_from_the_server_interrupts_the_script(server, alone):
    server.stop = "step 9: worse than the rest"
    done = alone(
        "import besom, time\nrun = besom.init()\nrun.log({'loss': 1})\n"
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print(run.stop_reason)\n    raise\n",
        code=-signal.SIGINT,
    )
    (end,) = server.ends.values()
    assert end["stopped_by"] == "stop"
    assert done.stdout == "step 9: worse than the rest\n"


def test_an_offline_run_asks_no_server(agent_folder, server, alone):
    done = alone("import besom\nrun = besom.init(mode='offline')\nbesom.log({'loss': 1})\nassert run.offline\n")
    assert server.requests == []
    assert "besom sync" in done.stderr
    (folder,) = kept(agent_folder)
    assert (folder / "end-1.json").exists()


@pytest.mark.parametrize("word", ["offline", "dryrun"])
def test_the_mode_may_come_from_the_environment(agent_folder, server, alone, word):
    alone("import besom\nbesom.init()\n", WANDB_MODE=word)
    assert server.requests == []
    assert len(kept(agent_folder)) == 1


def test_a_disabled_run_records_nothing(agent_folder, server, alone):
    alone(
        "import besom\nrun = besom.init(mode='disabled', config={'lr': 1})\nbesom.log({'loss': 2})\n"
        "assert run.summary['loss'] == 2 and run.config.lr == 1 and run.disabled and run.step == 1\n"
    )
    assert server.requests == []
    assert kept(agent_folder) == []


@pytest.mark.parametrize("variable", ["RANK", "LOCAL_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK"])
def test_only_the_first_process_of_a_training_records(agent_folder, server, alone, variable):
    alone("import besom\nbesom.init()\nbesom.log({'loss': 1})\n", **{variable: "1"})
    assert server.requests == []
    assert kept(agent_folder) == []


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("besom.init(mode='fast')", "the modes are online, offline and disabled"),
        ("besom.init(id='a/b')", "cannot be used"),
        ("besom.init(project='a/b')", "project name"),
        ("besom.init(config=5)", "a config cannot be made of int"),
        ("besom.init(config='nowhere.yaml')", "nowhere.yaml cannot be read"),
        ("besom.init(config={'a': 1}, config_include_keys=['a'], config_exclude_keys=['b'])", "not both"),
        ("besom.log({'a': 1})", r"call init() before log()"),
        ("besom.summary['a']", r"call init() before summary"),
    ],
)
def test_mistakes_are_told_in_a_sentence(alone, call, sentence):
    done = alone(f"import besom\n{call}\n", code=1)
    assert sentence in done.stderr.splitlines()[-1]


def test_a_run_by_hand_may_join_a_sweep(server, alone):
    alone("import besom\nbesom.init()\n", WANDB_SWEEP_ID="sweep123")
    assert next(iter(server.runs.values()))["sweep_id"] == "sweep123"


def test_an_active_run_is_returned_and_a_new_one_needs_reinit(server, alone):
    alone(
        "import besom\nfirst = besom.init(config={'a': 1})\nassert besom.init(config={'b': 2}) is first\n"
        "assert dict(first.config) == {'a': 1, 'b': 2}\n"
        "second = besom.init(reinit=True)\nassert second is not first and besom.run is second\n"
        "second.finish()\nassert besom.run is None\n"
    )
    assert len(server.runs) == len(server.ends) == 2


def test_after_finish_a_plain_run_may_begin(agent_folder, server):
    script = "import besom\nbesom.init()\nbesom.config.as_dict()\nbesom.finish()\nbesom.init()\nbesom.log({'b': 1})\n"
    agent_folder.train(script)
    assert [row.data for row in agent_folder.rows("w2")] == [{"b": 1.0}]


# ---- under an agent


def test_under_an_agent_nothing_but_the_spool_is_written(agent_folder):
    agent_folder.train(
        "import besom\nrun = besom.init()\nrun.log({'loss': run.config.learning_rate})\nrun.config.batch_size\n"
    )
    assert sorted(path.name for path in agent_folder.folder.path.iterdir()) == ["1-w1", "config.json"]


def test_a_child_whose_run_folder_is_out_of_reach_ships_by_itself(agent_folder, server):
    known = json.dumps({"params": {"learning_rate": 0.5}})
    server.answers["GET /api/v1/runs/uid0001"] = [(200, json.loads(known))]
    agent_folder.train(
        "import besom\nrun = besom.init()\nbesom.log({'loss': run.config.learning_rate})\n"
        "assert run.id == 'abcd1234'\n",
        environ={
            "BESOM_RUN_DIR": "/nowhere/uid0001",
            "BESOM_URL": server.url,
            "BESOM_TOKEN": "t",
            "BESOM_ATTEMPT": "3",
        },
    )
    assert [record.data for record in shipped(server) if isinstance(record, Row)] == [{"loss": 0.5}]
    (key,) = server.streams
    assert key.startswith("runs/uid0001/attempts/3/streams/")
    assert not key.endswith("/w1/history")
    # The agent watches the process: it introduces and ends the run.
    assert server.runs == server.ends == {}


def test_a_later_rank_under_an_agent_reads_the_config_and_writes_nothing(agent_folder):
    agent_folder.train(
        "import besom\nrun = besom.init()\nassert run.config.learning_rate == 0.01\nrun.log({'loss': 1})\n",
        environ={"RANK": "1"},
    )
    assert agent_folder.folder.streams() == []


def test_two_programs_of_one_attempt_write_files_of_their_own(agent_folder):
    for value in (1, 2):
        agent_folder.train(f"import besom\nbesom.init()\nbesom.config.as_dict()\nbesom.log({{'v': {value}}})\n")
    assert [row.data for writer in ("w1", "w2") for row in agent_folder.rows(writer)] == [{"v": 1.0}, {"v": 2.0}]


def test_the_uncaught_exception_is_in_the_spool_with_the_first_line_of_its_message(agent_folder):
    agent_folder.train("import besom\nbesom.init()\nraise RuntimeError('CUDA out of memory\\nTried')\n", code=1)
    assert agent_folder.note("exit") == {"t": "exit", "code": 1, "error": "RuntimeError: CUDA out of memory"}


def test_silence_is_kept_when_asked_for(agent_folder):
    done = agent_folder.train("import besom\nbesom.init(project='x')\n", environ={"WANDB_SILENT": "true"})
    assert done.stderr == ""


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize(
    ("ending", "code", "error"), [("", 0, None), ("raise ValueError('bad')", 1, "ValueError: bad")]
)
def test_a_run_begun_in_a_worker_process_ends_with_it(agent_folder, method, ending, code, error):
    agent_folder.train(
        f"import multiprocessing, besom\n"
        f"def work():\n    run = besom.init()\n    run.config.as_dict()\n    run.log({{'a': 1}})\n    {ending}\n"
        f"if __name__ == '__main__':\n"
        f"    process = multiprocessing.get_context('{method}').Process(target=work)\n"
        f"    process.start(); process.join(); assert process.exitcode == {code}\n"
    )
    assert [row.data for row in agent_folder.rows()] == [{"a": 1.0}]
    assert agent_folder.note("exit") == {"t": "exit", "code": code, "error": error}


def test_a_forked_child_may_begin_a_run_of_its_own(agent_folder):
    agent_folder.train(
        "import besom, os\nbesom.init()\nbesom.log({'a': 1})\nchild = os.fork()\n"
        "if child == 0:\n    run = besom.init()\n    run.log({'b': 2})\n    raise SystemExit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\nbesom.log({'a': 2})\nbesom.config.as_dict()\n"
    )
    assert [row.data for row in agent_folder.rows("w1")] == [{"a": 1.0}, {"a": 2.0}]
    assert [row.data for row in agent_folder.rows("w2")] == [{"b": 2.0}]
    assert agent_folder.note("exit", "w2")["code"] == 0
