"""The application: every route of the server, readable from top to bottom."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from besom.common.spool_format import MAX_POST_BYTES
from besom.common.version import VERSION
from besom.operations import tokens as token_operations
from besom.server import keys, live, ui
from besom.server.api import agents, runs, server, streams, sweeps, tokens
from besom.server.auth import Access
from besom.server.endpoint import API, Endpoint, describe
from besom.server.errors import http_error, problem_response
from besom.server.gate import Gate
from besom.server.housekeeper import Housekeeper
from besom.server.services import Services
from besom.server.settings import Settings
from besom.store.database import Database
from besom.store.tidying import LOCAL_TOKEN_NAME
from besom.sweep_config import MAX_FILE_BYTES
from besom.wire.server import TokenRow

# A sweep file may hold long lists of values, and as JSON each of its lines is a little longer.
MAX_SWEEP_BYTES = 2 * MAX_FILE_BYTES

_STREAM = "/runs/{uid}/attempts/{number}/streams/{writer}/{kind}"

ENDPOINTS: tuple[Endpoint, ...] = (
    # what a training run asks for all the time
    Endpoint("POST", _STREAM, streams.append, Access.OWN_RUN, MAX_POST_BYTES, "application/octet-stream"),
    Endpoint("GET", _STREAM, streams.offset, Access.READ_RUN),
    Endpoint("POST", "/runs/{uid}/attempts/{number}/heartbeat", runs.heartbeat, Access.OWN_RUN),
    Endpoint("POST", "/runs/{uid}/attempts/{number}/finish", runs.finish, Access.OWN_RUN),
    Endpoint("POST", "/agents/{agent}/heartbeat", agents.heartbeat, Access.CHANGE),
    Endpoint("POST", "/agents/{agent}/claim", agents.claim, Access.CHANGE),
    Endpoint("POST", "/agents/{agent}/off", agents.off, Access.CHANGE),
    Endpoint("POST", "/agents/{agent}/end", agents.end, Access.CHANGE),
    Endpoint("POST", "/agents", agents.register, Access.CHANGE),
    Endpoint("GET", "/agents", agents.ls, Access.READ),
    # runs
    Endpoint("GET", "/runs", runs.ls, Access.READ, large=True),
    Endpoint("POST", "/runs", runs.start, Access.START_RUN),
    Endpoint("GET", "/runs/find", runs.find, Access.FIND_RUN),
    Endpoint("GET", "/runs/{uid}", runs.get, Access.READ_RUN, large=True),
    Endpoint("DELETE", "/runs/{uid}", runs.delete, Access.CHANGE),
    Endpoint("POST", "/runs/{uid}/rerun", runs.rerun, Access.CHANGE),
    Endpoint("POST", "/runs/{uid}/kill", runs.kill, Access.CHANGE),
    Endpoint("GET", "/runs/{uid}/history", runs.history, Access.READ_RUN, large=True),
    Endpoint("GET", "/runs/{uid}/console", streams.console, Access.READ_RUN, gives="application/octet-stream"),
    # sweeps
    Endpoint("GET", "/sweeps", sweeps.ls, Access.READ, large=True),
    Endpoint("POST", "/sweeps", sweeps.create, Access.CHANGE, MAX_SWEEP_BYTES, large=True),
    Endpoint("POST", "/sweeps/check", sweeps.check, Access.READ, MAX_SWEEP_BYTES),
    Endpoint("GET", "/sweeps/{id}", sweeps.get, Access.READ_SWEEP, large=True),
    Endpoint("PATCH", "/sweeps/{id}", sweeps.edit, Access.CHANGE),
    Endpoint("DELETE", "/sweeps/{id}", sweeps.delete, Access.CHANGE),
    Endpoint("POST", "/sweeps/{id}/pause", sweeps.pause, Access.CHANGE),
    Endpoint("POST", "/sweeps/{id}/resume", sweeps.resume, Access.CHANGE),
    Endpoint("POST", "/sweeps/{id}/stop", sweeps.stop, Access.CHANGE),
    Endpoint("POST", "/sweeps/{id}/cancel", sweeps.cancel, Access.CHANGE),
    Endpoint("POST", "/sweeps/{id}/rerun", sweeps.rerun, Access.CHANGE),
    Endpoint("GET", "/sweeps/{id}/runs", sweeps.runs, Access.READ_SWEEP, large=True),
    Endpoint("GET", "/sweeps/{id}/best", sweeps.best, Access.READ_SWEEP),
    Endpoint("GET", "/sweeps/{id}/curves", sweeps.curves, Access.READ_SWEEP, large=True),
    Endpoint("GET", "/sweeps/{id}/next", sweeps.next_run, Access.READ),
    # the server itself
    Endpoint("GET", "/events", live.stream, Access.READ, gives="text/event-stream"),
    Endpoint("GET", "/me", server.me, Access.ANYBODY),
    Endpoint("GET", "/server", server.status, Access.READ),
    Endpoint("GET", "/server/backup", server.backup, Access.ADMIN, gives="application/vnd.sqlite3"),
    Endpoint("POST", "/server/stop", server.stop, Access.ADMIN),
    Endpoint("POST", "/server/vacuum", server.vacuum, Access.ADMIN),
    Endpoint("GET", "/tokens", tokens.ls, Access.ADMIN),
    Endpoint("POST", "/tokens", tokens.create, Access.ADMIN),
    Endpoint("DELETE", "/tokens/{id}", tokens.revoke, Access.ADMIN),
    Endpoint("POST", "/login-codes", tokens.login_code, Access.ANYBODY),
)


def create_app(settings: Settings, database: Database) -> Starlette:
    """The server as an ASGI application; its `Services` are ``app.state.services``."""
    services = Services(settings, database, keys.load_or_make(settings.data))

    def health(request: Request) -> Response:
        return server.health(services, request)

    def openapi(_: Request) -> Response:
        return server.openapi(describe(ENDPOINTS, VERSION))

    app = Starlette(
        routes=[
            Route("/health", health),
            *(endpoint.route(services) for endpoint in ENDPOINTS),
            Route(f"{API}/openapi.json", openapi),
            *ui.routes(services),
        ],
        middleware=[Middleware(Gate, services=services)],
        exception_handlers={HTTPException: _no_route},
        lifespan=_lifespan,
    )
    app.state.services = services
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """Before the first request: the local token and a full lease for everybody. Then timers and the models' worker."""
    services: Services = app.state.services
    await register_local_token(services)
    housekeeper = Housekeeper(services)
    await housekeeper.tick(services.now())
    timer = asyncio.create_task(housekeeper.run())
    suggester = asyncio.create_task(services.suggester.run())
    try:
        yield
    finally:
        services.closing.set()
        suggester.cancel()
        await timer
        with contextlib.suppress(asyncio.CancelledError):
            await suggester


async def register_local_token(services: Services) -> None:
    """Makes the database know the token in the data folder's file; one that was revoked is replaced."""
    if (await _register(services)).revoked:
        token = keys.new_token(services.settings.data)
        services.keys = dataclasses.replace(services.keys, token=token)
        await _register(services)


async def _register(services: Services) -> TokenRow:
    return await services.database.write(
        token_operations.create, LOCAL_TOKEN_NAME, "admin",
        entity=services.keys.entity, secret=services.keys.token, now=services.now(),
    )  # fmt: skip


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = http_error(error, request.url.path, request.method)
    if request.url.path.startswith(f"{API}/"):
        return problem_response(problem, error.status_code)
    return ui.problem_page(problem, error.status_code)
