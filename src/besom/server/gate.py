"""The door in front of every route: whose name was called, who asks, and from which page.

Nothing passes without a known Host, a valid token or cookie, and, for changes by cookie, an Origin of our own;
only the paths of ``OPEN`` need no proof. Every answer leaves with the headers that keep a browser strict.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from besom.common.discovery import API_VERSION
from besom.common.version import VERSION, go_together
from besom.errors import BesomError, Forbidden, IncompatibleVersion, Unauthorized
from besom.server.auth import Identity
from besom.server.errors import TooMany, problem_response, unexpected
from besom.server.services import Services

log = logging.getLogger("besom.server")

OPEN = frozenset(["/health", "/login", "/assets/plain.css", "/assets/icon.svg"])
READING = frozenset(["GET", "HEAD"])

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STRICT_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Besom-Version": VERSION,
    "X-Besom-Api": str(API_VERSION),
}


_STRICT = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in STRICT_HEADERS.items()]


class Gate:
    """ASGI middleware; puts the `Identity` of a request that passes into its state as ``who``."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through or answers it; what fails behind the gate leaves as one sentence."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def strictly(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = list(message["headers"])
                given = {name for name, _ in headers}
                headers += [header for header in _STRICT if header[0] not in given]
                message = {**message, "headers": headers}
            await send(message)

        try:
            refusal = await self._refusal(scope)
            await (refusal or self._app)(scope, receive, strictly)
        except ClientDisconnect:
            log.debug("the asker of %s went away", scope["path"])
        except Exception:
            problem = unexpected(scope["method"], scope["path"], self._services.settings.log_file)
            if begun:
                raise
            await problem_response(problem)(scope, receive, strictly)

    async def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        try:
            check_host(self._services, headers)
            if scope["path"] in OPEN:
                return None
            check_version(headers)
            who = await self._services.identify(headers)
            if who is None:
                return self._unproven(scope, headers)
            check_origin(scope, headers, who)
        except BesomError as error:
            return problem_response(error)
        scope.setdefault("state", {})["who"] = who
        return None

    def _unproven(self, scope: Scope, headers: Headers) -> Response:
        """401; a person's browser is led to the login page instead."""
        shown = "authorization" in headers
        if shown or self._services.keys.cookie_name in headers.get("cookie", ""):
            check_patience(self._services, scope)
        if not scope["path"].startswith("/api/") and scope["method"] in READING:
            return RedirectResponse(f"/login?next={quote(scope['path'], safe='/')}", 303)
        if shown:
            raise Unauthorized(
                "this token is not one of this server, or it was revoked or has expired: "
                "give another one, by `besom login --host URL` or in BESOM_TOKEN"
            )
        raise Unauthorized(
            "this needs a token: run `besom login` (on the server's machine `besom server token` prints one)"
        )


def check_host(services: Services, headers: Headers) -> None:
    """Raises Forbidden when the Host header names somebody else."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not services.settings.knows_host(hosts[0]):
        raise Forbidden(
            "this server does not answer to the name in the address; "
            "its owner can allow a name with `besom server start --allowed-host NAME`"
        )


def check_version(headers: Headers) -> None:
    """Raises IncompatibleVersion for a program of Besom's own that is too far from this version.

    Its own check comes first, unless it is too old to have one. Other programs name no version.
    """
    version, api = headers.get("x-besom-version", VERSION), headers.get("x-besom-api", str(API_VERSION))
    if api != str(API_VERSION) or not go_together(version, VERSION):
        raise IncompatibleVersion(
            f"this server is Besom {VERSION} (API {API_VERSION}) and you are Besom {version} (API {api}): "
            "install the same version of Besom on both sides"
        )


def check_origin(scope: Scope, headers: Headers, who: Identity) -> None:
    """Raises Forbidden for a change by cookie that another page asks for."""
    if not who.by_cookie or scope["method"] in READING:
        return
    if not is_own_origin(scope, headers):
        raise Forbidden("the change was asked for by a page of another origin; open this server's own page")


def is_own_origin(scope: Scope, headers: Headers) -> bool:
    """True if the Origin header is exactly the origin under which we were reached."""
    return headers.getlist("origin") == [f"{scope['scheme']}://{headers['host']}"]


def check_patience(services: Services, scope: Scope) -> None:
    """Notes a wrong proof; raises TooMany when its address has shown too many of them lately."""
    address = (scope.get("client") or ("unknown", 0))[0]
    wait_s = services.failures.add(address)
    if wait_s is None:
        log.warning("a wrong token or code came from %s", address)
    else:
        raise TooMany("too many wrong tokens came from this address; wait a minute", wait_s)
