import base64
import json
import os
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import besom
from besom.client.run import Run
from besom.client.run_folder import RunFolder
from besom.client.values import merge
from besom.common.spool_reader import Note, Reader, Row

ON_PATH = Path(besom.__file__).parent / "client" / "on_path"
PARAMS = {"learning_rate": 0.01, "batch_size": 64}


def read_spool(file):
    return list(Reader().feed(Path(file).read_bytes()))


class AgentFolder:
    """A run folder as an agent makes it, and child processes that train in it."""

    def __init__(self, base, params=PARAMS, **facts):
        self.base = base
        self.folder = RunFolder(base / "runs" / "uid0001")
        self.params = params
        self.folder.write_config(
            {
                "uid": "uid0001", "name": "abcd1234", "display_name": "learning_rate=0.01", "entity": "me",
                "project": "digits", "sweep_id": "sweep123", "attempt": 1, "params": params,
                "url": "http://host/me/digits/runs/abcd1234", "sweep_url": "http://host/me/digits/sweeps/sweep123",
                "metric": None, "resumed": False, **facts,
            }
        )  # fmt: skip

    def environ(self, **more):
        own = {name: value for name, value in os.environ.items() if not name.startswith(("BESOM_", "WANDB_"))}
        return {
            **own, "PYTHONPATH": str(ON_PATH), "BESOM_DIR": str(self.base), "BESOM_RUN_DIR": str(self.folder.path),
            "BESOM_RUN_UID": "uid0001", "BESOM_RUN_ID": "abcd1234", "BESOM_ATTEMPT": "1", "BESOM_ENTITY": "me",
            "BESOM_PROJECT": "digits", "BESOM_SWEEP_ID": "sweep123", "WANDB_SWEEP_ID": "sweep123",
            "WANDB_RUN_ID": "abcd1234", "WANDB_ENTITY": "me", "WANDB_PROJECT": "digits",
            "WANDB_SWEEP_PARAM_PATH": str(self.base / "wandb" / "sweep-sweep123" / "config-abcd1234.yaml"), **more,
        }  # fmt: skip

    def train(self, script, *arguments, environ=None, python=(sys.executable,), code=0):
        file = self.base / "train.py"
        file.write_text(textwrap.dedent(script), encoding="utf-8")
        done = subprocess.run(
            [*python, str(file), *arguments], env={**self.environ(), **(environ or {})}, cwd=self.base,
            capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done

    def records(self, writer="w1", attempt=1):
        return read_spool(self.folder.stream_file(attempt, writer, "history"))

    def rows(self, writer="w1"):
        return [record for record in self.records(writer) if isinstance(record, Row)]

    def note(self, t, writer="w1"):
        found = [record.body for record in self.records(writer) if isinstance(record, Note) and record.t == t]
        return found[-1] if found else None


@pytest.fixture
def agent_folder(tmp_path):
    return AgentFolder(tmp_path)


@pytest.fixture
def make_agent_folder(tmp_path):
    return lambda params=PARAMS, **facts: AgentFolder(tmp_path, params, **facts)


class InProcess:
    """A run in this process, recorded in a folder; without the hooks that `init` puts into a process."""

    def __init__(self, base, params, config, **how):
        self.folder = RunFolder(base / "uid0002")
        self.folder.write_config({"uid": "uid0002", "params": params})
        facts = {"uid": "uid0002", "name": "abcd1234", "params": params, "attempt": how.pop("attempt", 1),
                 "resumed": how.pop("resumed", False)}  # fmt: skip
        writer = self.folder.new_writer(facts["attempt"])
        self.file = self.folder.stream_file(facts["attempt"], writer, "history")
        self.run = Run(facts, merge(config, params), folder=self.folder, writer=writer, watched=True, **how)

    def records(self):
        return read_spool(self.file)

    def rows(self):
        return [(record.step, record.data) for record in self.records() if isinstance(record, Row)]

    def notes(self, t):
        return [record.body for record in self.records() if isinstance(record, Note) and record.t == t]


@pytest.fixture
def make_run(tmp_path):
    def make(params=None, config=None, **how):
        return InProcess(tmp_path, params or {}, config or {}, **how)

    return make


@pytest.fixture
def write_json(tmp_path):
    def write(name, value):
        file = tmp_path / name
        file.write_text(json.dumps(value), encoding="utf-8")
        return file

    return write


class Server:
    """A small real HTTP server for tests of the client alone.

    Answers from ``answers`` (a list per "METHOD path"), else keeps streams, runs and ends as the real one does.
    """

    def __init__(self):
        self.requests = []
        self.introductions = []
        self.server_id = "ours"
        self.answers = {}
        self.streams = {}
        self.runs = {}
        self.ends = {}
        self.stop = None
        self.headers = {"X-Besom-Api": "1", "X-Besom-Version": "0.1.0"}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                server.answer(self, self.rfile.read(length))

            do_GET = do_POST = do_DELETE = do_PATCH = handle_any

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def answer(self, handler, body):
        split = urlsplit(handler.path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        requests = self.introductions if split.path == "/health" else self.requests
        requests.append((handler.command, split.path, query, body, dict(handler.headers)))
        planned = self.answers.get(f"{handler.command} {split.path}")
        status, found = planned.pop(0) if planned else self.own_answer(handler.command, split.path, query, body)
        content = found if isinstance(found, bytes) else json.dumps(found).encode()
        handler.send_response(status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def own_answer(self, method, path, query, body):
        parts = path.split("/")[3:]
        if path == "/health":
            return 200, {"server_id": self.server_id}
        if parts == ["runs"]:
            new = json.loads(body)
            self.runs[new["uid"]] = new
            named = {key: new[key] for key in ("uid", "name", "project")}
            shown = new["display_name"] or new["name"]
            return 200, {**named, "display_name": shown, "entity": "me", "attempt": 1, "url": f"{self.url}/me/x"}
        if parts[-1:] == ["heartbeat"]:
            return 200, {"stop": self.stop}
        if parts[-1:] == ["finish"]:
            self.ends[parts[1]] = json.loads(body)
            for stream, last in self.ends[parts[1]].get("rest", {}).items():
                key = f"runs/{parts[1]}/attempts/{parts[3]}/streams/{stream}"
                self.stream("POST", key, last, base64.b64decode(last["data"]))
            return 200, {"state": "finished", "current": True, "warnings": []}
        if "streams" in parts:
            return self.stream(method, "/".join(parts), query, body)
        return 404, {"kind": "NotFound", "detail": f"there is no {path}"}

    def stream(self, method, key, query, body):
        kept = self.streams.get(key, b"")
        if method == "POST":
            offset = int(query["offset"])
            if offset > len(kept):
                return 409, {"kind": "Refused", "detail": "bytes are missing in front", "offset": len(kept)}
            if offset == len(kept):
                self.streams[key] = kept + body
        return 200, {"offset": len(self.streams.get(key, b"")), "order_waits": self.stop is not None}

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(10)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()
