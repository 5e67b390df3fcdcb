"""The plain page's routes: looks of the store as HTML, the login page, and the files both need."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from besom.errors import BesomError, Forbidden, NotFound, Unauthorized
from besom.server import auth, login_page, pages
from besom.server.auth import Access, Identity
from besom.server.endpoint import Ask, check_access, make_ask, read_body
from besom.server.errors import status_of
from besom.server.gate import check_patience, is_own_origin
from besom.server.services import Services
from besom.store import logs, run_answers, sweeps

ASSETS = {"plain.css": "text/css", "icon.svg": "image/svg+xml"}
CONSOLE_BYTES = 64 * 1024
MOST_RUNS = 200
MOST_FORM_BYTES = 8192

Page = Callable[[Ask], Awaitable[str]]


def routes(services: Services) -> list[Route]:
    """The pages, from the most particular address to the most general."""

    async def sign_in(request: Request) -> Response:
        return await _sign_in(services, request)

    return [
        Route("/assets/{name}", asset),
        Route("/login", sign_in, methods=["GET", "POST"]),
        _page(services, "/", all_projects),
        _page(services, "/{entity}/{project}/sweeps/{id}", one_sweep),
        _page(services, "/{entity}/{project}/runs/{name}", one_run),
        _page(services, "/{entity}/{project}", one_project),
    ]


def _page(services: Services, path: str, page: Page) -> Route:
    async def answer(request: Request) -> Response:
        try:
            ask = make_ask(services, request)
            check_access(ask, Access.READ)
            return HTMLResponse(await page(ask))
        except BesomError as error:
            return problem_page(error)

    return Route(path, answer, methods=["GET"])


def problem_page(error: BesomError, status: int | None = None) -> Response:
    """A refusal as a page, with the table's status unless another one is given."""
    title = "Not found" if isinstance(error, NotFound) else "This cannot be shown"
    return HTMLResponse(pages.problem(title, str(error)), status or status_of(error))


async def all_projects(ask: Ask) -> str:
    """``/``."""
    return pages.projects(await ask.read(sweeps.answers, base_url=ask.base_url), ask.who.entity)


async def one_project(ask: Ask) -> str:
    """``/{entity}/{project}``."""
    entity, project = ask.path["entity"], ask.path["project"]
    found = await ask.read(sweeps.answers, entity, project, base_url=ask.base_url)
    after = ask.request.query_params.get("after")
    loose = await ask.read(
        run_answers.page, entity=entity, project_name=project, order="created", limit=MOST_RUNS, loose=True,
        after=after, base_url=ask.base_url,
    )  # fmt: skip
    if not found and not loose.runs:
        raise NotFound(f"there is no project {entity}/{project} with a sweep or a run")
    return pages.project(entity, project, found, pages.Runs(loose, after), ask.now)


async def one_sweep(ask: Ask) -> str:
    """``/{entity}/{project}/sweeps/{id}``."""
    found = await ask.read(sweeps.answer, ask.path["id"], base_url=ask.base_url)
    if (found.entity, found.project) != (ask.path["entity"], ask.path["project"]):
        raise NotFound(f"sweep {found.id} is not in this project: it is {found.entity}/{found.project}/{found.id}")
    after = ask.request.query_params.get("after")
    page = await ask.read(
        run_answers.page, sweep_uid=found.id, order="score", limit=MOST_RUNS, after=after, base_url=ask.base_url
    )
    best = await ask.read(run_answers.best, found.id, base_url=ask.base_url)
    return pages.sweep(found, best, pages.Runs(page, after), ask.now)


async def one_run(ask: Ask) -> str:
    """``/{entity}/{project}/runs/{name}``."""
    path = "/".join(ask.path[part] for part in ("entity", "project", "name"))
    found = await ask.read(run_answers.find, path, base_url=ask.base_url)
    console, _ = await ask.read(logs.read, found.uid, offset=-CONSOLE_BYTES, limit=CONSOLE_BYTES)
    return pages.run(found, console, ask.now)


# ---- signing in


async def _sign_in(services: Services, request: Request) -> Response:
    following = auth.safe_path(request.query_params.get("next"))
    try:
        if request.method == "POST":
            return await _by_token(services, request)
        if code := request.query_params.get("code"):
            return _by_code(services, request, code)
    except BesomError as error:
        return _form(following, str(error), status_of(error))
    if await services.identify(request.headers) is not None:
        return RedirectResponse(following, 303)
    if request.headers.get("sec-fetch-site") == "cross-site" and request.query_params.get("next"):
        # A strict cookie is not sent when another site leads here; asked for by our own page it is.
        return _again(following)
    return _form(following)


def _by_code(services: Services, request: Request, code: str) -> Response:
    used = services.codes.use(code)
    if used is None:
        check_patience(services, request.scope)
        raise Unauthorized("this login link was used already or is older than a minute: run `besom open` again")
    return _signed_in(services, request, *used)


async def _by_token(services: Services, request: Request) -> Response:
    if "origin" in request.headers and not is_own_origin(request.scope, request.headers):
        raise Forbidden("the form was sent by a page of another origin: open this server's own page")
    body = await read_body(services, request, MOST_FORM_BYTES)
    services.body_bytes -= len(body)
    fields = parse_qs(body.decode("utf-8", "replace"))
    who = await services.by_token(fields.get("token", [""])[0].strip())
    if who is None:
        check_patience(services, request.scope)
        raise Unauthorized("this is not a token of this server, or it was revoked or has expired")
    if who.scope == "run":
        raise Forbidden("a run's own token opens no pages: use your own token")
    return _signed_in(services, request, who, auth.safe_path(fields.get("next", [None])[0]))


def _signed_in(services: Services, request: Request, who: Identity, path: str) -> Response:
    expires = int(services.now() + auth.COOKIE_LASTS_S)
    answer = RedirectResponse(path, 303)
    answer.set_cookie(
        services.keys.cookie_name, auth.sign_cookie(services.keys.cookie_key, who.token_hash, expires),
        max_age=int(auth.COOKIE_LASTS_S), path="/", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


def _form(following: str, problem: str | None = None, status: int = 200) -> Response:
    # Under `no-referrer` a browser sends the form with the origin "null".
    return HTMLResponse(login_page.login(following, problem), status, {"Referrer-Policy": "same-origin"})


def _again(following: str) -> Response:
    return HTMLResponse(login_page.again(f"/login?next={quote(following, safe='/')}"))


# ---- files


def asset(request: Request) -> Response:
    """A file of the plain page."""
    name = request.path_params["name"]
    if name not in ASSETS:
        return problem_page(NotFound(f"there is no file {name!r}"))
    content = (Path(__file__).parent / "assets" / name).read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, ASSETS[name])
