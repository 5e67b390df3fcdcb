"""One user's Besom as other programs meet it: commands, raw requests, files. The test starts and ends the server."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
from urllib.parse import urlsplit

from besom.common.discovery import is_alive, read_discovery, read_token

PATIENCE_S = 60


class Machine:
    """One user's Besom on this machine, in folders of the test."""

    def __init__(self, home):
        self.data = home / "data"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BESOM_", "WANDB_"))}
        self.environ = {**kept, "BESOM_DIR": str(home)}

    def command(self, *args):
        return [sys.executable, "-m", "besom", *args]

    def besom(self, *args, **more):
        options = {"env": self.environ, "capture_output": True, "text": True, "timeout": PATIENCE_S, **more}
        return subprocess.run(self.command(*args), check=False, **options)

    def start(self, *options):
        done = self.besom("server", "start", *options)
        assert done.returncode == 0, done.stderr
        return self.found()

    def found(self):
        found = read_discovery(self.data)
        assert found is not None
        assert is_alive(found)
        return found

    @contextlib.contextmanager
    def running(self, *args):
        """A command (or ``-c`` and a program) that runs while the test goes on, and not a moment longer."""
        command = [sys.executable, *args] if args[0] == "-c" else self.command(*args)
        with subprocess.Popen(
            command, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def request(self, method, path, body=None, **headers):
        """An open connection and its answer, with the local token; close the connection."""
        where = urlsplit(self.found().url)
        line = http.client.HTTPConnection(where.hostname, where.port, timeout=PATIENCE_S)
        line.request(method, path, body, headers={"Authorization": f"Bearer {read_token(self.data)}", **headers})
        return line, line.getresponse()

    def call(self, method, path):
        line, answer = self.request(method, path)
        with contextlib.closing(line):
            return answer.status, answer.read()
