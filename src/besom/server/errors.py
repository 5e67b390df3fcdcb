"""Exception → status and problem body: one table. What is not in it is a fault of the server's own."""

from __future__ import annotations

import logging
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response

from besom.errors import (
    BesomError,
    DataFolderError,
    Forbidden,
    IncompatibleVersion,
    NotFound,
    Refused,
    ServerBusy,
    ServerError,
    SweepConfigError,
    Unauthorized,
    UsageError,
)
from besom.wire.encoding import encode
from besom.wire.server import ProblemBody

log = logging.getLogger("besom.server")

LONGEST_SENTENCE = 1000

# The first row that fits holds, so a class stands before the class it derives from.
STATUS: tuple[tuple[type[BesomError], int], ...] = (
    (SweepConfigError, 422),
    (UsageError, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Refused, 409),
    (IncompatibleVersion, 426),
    (DataFolderError, 503),
    (ServerBusy, 503),
)


class TooLarge(UsageError):
    """A request's body is larger than its route takes."""


class TooMany(ServerBusy):
    """An address has shown too many wrong proofs; it may try again after ``retry_after_s``."""

    def __init__(self, sentence: str, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(sentence)


def status_of(error: BesomError) -> int:
    """The HTTP status for an exception of ours; 500 for one that has no row in the table."""
    if isinstance(error, TooLarge):
        return 413
    if isinstance(error, TooMany):
        return 429
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def problem_of(error: BesomError) -> ProblemBody:
    """What the asker is told: the kind that the client raises again, and the sentence."""
    kind = next((kind.__name__ for kind, _ in STATUS if isinstance(error, kind)), "ServerError")
    problems = error.problems if isinstance(error, SweepConfigError) else []
    detail = str(error) if problems else _cut(str(error))
    return ProblemBody(kind=kind, detail=detail, problems=problems, offset=getattr(error, "offset", None))


def _cut(sentence: str) -> str:
    """The sentence without the middle of what an asker made it quote."""
    half = LONGEST_SENTENCE // 2
    return sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[:half]} … {sentence[-half:]}"


def problem_response(error: BesomError, status: int | None = None) -> Response:
    """The answer that refuses a request, with the table's status unless another one is given."""
    headers = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="besom"'
    if isinstance(error, ServerBusy | DataFolderError):
        headers["Retry-After"] = str(max(1, round(getattr(error, "retry_after_s", 1.0))))
    return Response(encode(problem_of(error)), status or status_of(error), headers, "application/json")


def http_error(error: HTTPException, path: str, method: str) -> BesomError:
    """The router's own refusals in our words."""
    if error.status_code == 404:
        return NotFound(f"there is nothing at {path}")
    if error.status_code == 405:
        return UsageError(f"{path} cannot be asked with {method}")
    return UsageError(error.detail)


def unexpected(method: str, path: str, log_file: Path) -> BesomError:
    """Logs the exception being handled, traceback and all, and makes the one sentence that leaves the server."""
    log.exception("failed at %s %s", method, path)
    return ServerError(f"the server failed at {method} {path}; the reason stands in its log, {log_file}")
