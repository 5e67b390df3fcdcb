"""One API route: decode → call → encode, and its entry in the OpenAPI document.

A handler is an async function of an `Ask`; parameters named ``query`` and ``body`` are decoded by their annotated
structs, and the annotated answer is encoded. Nothing else stands between a handler and the wire.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

import msgspec
from sqlalchemy.exc import DataError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from besom.errors import BesomError, ServerBusy, UsageError
from besom.server.auth import Access, Identity, require
from besom.server.errors import TooLarge, problem_response
from besom.server.services import Services
from besom.wire.encoding import decode, encode

API = "/api/v1"
MAX_BODY_BYTES = 1024 * 1024
MAX_ALL_BODIES = 256 * 1024 * 1024
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a handler may know of a request: who asks, for what, when, and under which address we were reached."""

    services: Services
    who: Identity
    path: Mapping[str, str]
    base_url: str
    now: float
    request: Request = field(repr=False)

    async def read(self, look: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Runs a store reader."""
        return await self.services.database.read(look, *args, **kwargs)

    async def write(self, change: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Runs an operation, one transaction; ``now`` is added."""
        return await self.services.database.write(change, *args, now=self.now, **kwargs)


async def read_body(services: Services, request: Request, limit: int) -> bytes:
    """The request's body, counted in ``services.body_bytes`` until the caller takes it off.

    Raises TooLarge beyond ``limit`` bytes and ServerBusy when all bodies together are too many, before they are in
    memory.
    """
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            services.body_bytes += len(chunk)
            if size > limit:
                raise TooLarge(f"the request's body is larger than the {limit:,} bytes that this address takes")
            if services.body_bytes > MAX_ALL_BODIES:
                raise ServerBusy("too many large requests at once: send it again in a moment")
            chunks.append(chunk)
    except BaseException:
        services.body_bytes -= size
        raise
    return b"".join(chunks)


Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route of the API. ``takes`` and ``gives`` name the kinds of a body and an answer that are not JSON.

    ``large``: its answer may be so long that writing it as JSON would keep all others waiting.
    """

    method: str
    path: str
    handler: Handler
    access: Access
    max_body: int = MAX_BODY_BYTES
    takes: str = "application/json"
    gives: str = "application/json"
    large: bool = False

    def route(self, services: Services) -> Route:
        """The route, bound to a server's services."""
        hints = get_type_hints(self.handler)
        parameters = inspect.signature(self.handler).parameters
        query_type, body_type = (hints.get(name) if name in parameters else None for name in ("query", "body"))

        async def answer(request: Request) -> Response:
            body = b""
            try:
                ask = make_ask(services, request)
                check_access(ask, self.access)
                given: dict[str, Any] = {}
                if query_type is not None:
                    given["query"] = decode_query(request, query_type)
                if body_type is not None:
                    body = await read_body(services, request, self.max_body)
                    given["body"] = body if body_type is bytes else decode(body, body_type)
                found = await self.handler(ask, **given)
                return await asyncio.to_thread(as_response, found) if self.large else as_response(found)
            except BesomError as error:
                return problem_response(error)
            except OverflowError:
                return problem_response(UsageError("a number in the request is larger than can be kept"))
            except DataError as error:
                return problem_response(UsageError(f"a value in the request cannot be kept: {error.orig}"))
            finally:
                services.body_bytes -= len(body)

        return Route(API + self.path, answer, methods=[self.method], name=f"{self.method} {self.path}")


def make_ask(services: Services, request: Request) -> Ask:
    """The `Ask` of a request that has passed the gate."""
    base_url = f"{request.scope['scheme']}://{request.headers['host']}"
    return Ask(services, request.state.who, request.path_params, base_url, services.now(), request)


def check_access(ask: Ask, access: Access) -> None:
    """Raises Forbidden unless the proof reaches as far as the route needs."""
    require(ask.who, access, run_uid=ask.path.get("uid"), sweep_uid=ask.path.get("id"))


def decode_query(request: Request, kind: type[T]) -> T:
    """The struct in an address's query; raises UsageError with the first mistake."""
    given = dict(request.query_params)
    if len(given) != len(request.query_params.multi_items()):
        raise UsageError("the address names a query parameter twice: give each one once")
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"the address's query is not what it takes: {error}") from None


def as_response(answer: Any) -> Response:
    """A handler's answer as a response; responses pass as they are."""
    if isinstance(answer, Response):
        return answer
    return Response(encode(answer), media_type="application/json")


def describe(endpoints: tuple[Endpoint, ...], version: str) -> dict[str, Any]:
    """The OpenAPI document of the endpoints."""
    types = [kind for endpoint in endpoints for kind in _types(endpoint) if kind is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    found = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(API + endpoint.path, {})[endpoint.method.lower()] = _entry(endpoint, found, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Besom", "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _types(endpoint: Endpoint) -> tuple[Any, Any, Any]:
    hints = get_type_hints(endpoint.handler)
    answer = hints.get("return")
    is_response = isinstance(answer, type) and issubclass(answer, Response)
    body = hints.get("body")
    return hints.get("query"), None if body is bytes else body, None if is_response else answer


def _entry(endpoint: Endpoint, schemas: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    query, body, answer = _types(endpoint)
    names = [piece[1:-1].partition(":")[0] for piece in endpoint.path.split("/") if piece.startswith("{")]
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    if query is not None:
        schema = components[schemas[repr(query)]["$ref"].rpartition("/")[2]]
        parameters += [
            {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": about}
            for name, about in schema["properties"].items()
        ]
    entry: dict[str, Any] = {
        "summary": (inspect.getdoc(endpoint.handler) or "").partition("\n")[0],
        "description": f"Needs {endpoint.access.value}.",
        "parameters": parameters,
        "responses": {
            "200": {"description": "done"},
            "default": {"description": "refused", "content": {"application/json": {"schema": _PROBLEM}}},
        },
    }
    if answer is not None:
        entry["responses"]["200"]["content"] = {"application/json": {"schema": schemas[repr(answer)]}}
    elif endpoint.gives != "application/json":
        entry["responses"]["200"]["content"] = {endpoint.gives: {}}
    if body is not None:
        entry["requestBody"] = {"content": {"application/json": {"schema": schemas[repr(body)]}}}
    elif endpoint.takes != "application/json":
        entry["requestBody"] = {"content": {endpoint.takes: {}}}
    return entry


_PROBLEM = {
    "type": "object",
    "required": ["kind", "detail"],
    "properties": {
        "kind": {"type": "string"},
        "detail": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "object"}},
        "offset": {"type": ["integer", "null"]},
    },
}
