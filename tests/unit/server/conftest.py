from __future__ import annotations

import contextlib
import shutil
import time

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from besom.operations import agents, claims, sweeps, tokens
from besom.server.app import create_app
from besom.server.settings import Settings
from besom.store.database import Database
from besom.wire.agents import Claim, NewAgent
from besom.wire.sweeps import NewSweep

# A test that locks the database waits no longer than this for the answer.
WAIT_S = 0.2
ORIGIN = "http://127.0.0.1:8766"
SWEEP = {
    "method": "grid",
    "program": "train.py",
    "project": "digits",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}},
}


class Client:
    """Requests to the app, one after another; keeps cookies as a browser does and follows no redirect."""

    def __init__(self, house, headers):
        self._house = house
        transport = httpx.ASGITransport(house.app, client=("127.0.0.1", 50_000))
        self._http = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    def request(self, method, path, **more):
        async def ask():
            return await self._http.request(method, path, **more)

        return self._house.call(ask)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def patch(self, path, **more):
        return self.request("PATCH", path, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)


class House:
    """A server in this process: its app on an event loop of its own, and what tests put into it."""

    def __init__(self, data, portal, empty):
        data.mkdir()
        shutil.copy(empty, data / "besom.db")
        self.settings = Settings(data=data)
        self.call = portal.call
        self.database = Database.open(self.settings.db_url, wait_s=WAIT_S)
        self.app = create_app(self.settings, self.database)
        self.services = self.app.state.services

    def write(self, change, *args, **kwargs):
        return self.database.write_now(change, *args, now=time.time(), **kwargs)

    def token(self, scope, **more):
        return self.write(tokens.create, f"for {scope}", scope, entity="anna", **more).token

    def sweep(self, **changes):
        request = NewSweep(request_id=f"request-{time.monotonic_ns()}", config={**SWEEP, **changes})
        return self.write(sweeps.create, request, entity="anna")

    def hand_out(self, sweep_id):
        """A run of the sweep in the hands of a fresh agent."""
        agent = f"agent{time.monotonic_ns()}"
        self.write(agents.register, NewAgent(uid=agent, sweep_id=sweep_id, host="gpu1"), "anna")
        return self.write(claims.claim, agent, Claim(request_id=f"ask-{agent}"))

    def client(self, token=None, **headers):
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return Client(self, headers)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A database file with its tables, made once."""
    file = tmp_path_factory.mktemp("empty") / "besom.db"
    Database.open(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def house(tmp_path, empty_database):
    with start_blocking_portal() as portal:
        made = House(tmp_path / "data", portal, empty_database)
        lifespan = made.app.router.lifespan_context(made.app)
        with contextlib.closing(made.database), portal.wrap_async_context_manager(lifespan):
            yield made


@pytest.fixture
def admin(house):
    """A client with the local token."""
    return house.client(house.services.keys.token)


@pytest.fixture
def anybody(house):
    """A client without any proof."""
    return house.client()
