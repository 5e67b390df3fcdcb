"""The real `wandb` package beside Besom's module of that name, with a key of the cloud in the environment.

`scripts/setup` puts the package into a folder of its own, so that no other test sees it.
"""

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

PACKAGE = Path(sys.prefix) / "real-wandb"
KEY = "a" * 40
SCRIPT = """
    import os
    import wandb
    assert os.environ.get("WANDB_API_KEY") != "{key}"
    print("besom's" if "besom" in wandb.__version__ else "the real one")
    with wandb.init(project="tests", config={{"epochs": 1}}) as run:
        for step in range(3):
            run.log({{"loss": 1.0 / (step + 1)}})
    print("trained with x =", run.config["x"])
"""


@pytest.fixture
def doorkeeper():
    """A proxy that lets nobody out and remembers who knocked."""
    knocked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    knocked.append(caller.recv(4096))

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", knocked
        server.shutdown(socket.SHUT_RDWR)


def train(workshop, proxy, *options):
    place = workshop.place(train=SCRIPT.format(key=KEY))
    sweep = workshop.sweep({"x": {"value": 7}})
    ways_out = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy"), proxy)
    done = workshop.besom(
        "agent", sweep, *options, place=place, PYTHONPATH=str(PACKAGE), WANDB_API_KEY=KEY,
        WANDB_BASE_URL="https://api.wandb.ai", NO_PROXY="127.0.0.1,localhost", **ways_out,
    )  # fmt: skip
    (run,) = workshop.runs(sweep)
    return done, run, place


def test_the_package_is_there():
    assert (PACKAGE / "wandb" / "__init__.py").is_file(), "scripts/setup installs it"


def test_besoms_module_takes_its_place_and_says_so(workshop, doorkeeper):
    proxy, knocked = doorkeeper
    done, run, _ = train(workshop, proxy)
    assert "besom's\n" in done.stdout
    assert "trained with x = 7\n" in done.stdout
    assert done.stdout.count("stands in for wandb in this process") == 1  # the child said it
    assert [row["loss"] for row in workshop.history(run)] == [1.0, 0.5, 1 / 3]
    assert knocked == []


def test_the_real_one_runs_offline_when_asked_for(workshop, doorkeeper):
    proxy, knocked = doorkeeper
    done, run, place = train(workshop, proxy, "--wandb", "real")
    assert "the real one\n" in done.stdout
    assert run["state"] == "finished"
    assert list(place.glob("wandb/offline-run-*")), sorted(os.listdir(place))
    assert knocked == []


def test_the_doorkeeper_would_see_a_call(workshop, doorkeeper):
    proxy, knocked = doorkeeper
    place = workshop.place(call="import urllib.request\nurllib.request.urlopen('http://api.wandb.ai', timeout=5)")
    workshop.command("call.py", place=place, http_proxy=proxy)
    assert knocked
