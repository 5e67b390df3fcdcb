"""JSON over HTTP to one server: proof of who asks, time limits, patience, the errors tree."""

from __future__ import annotations

import contextlib
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import besom.errors as errors
from besom.common.discovery import API_VERSION
from besom.common.json_numbers import dumps
from besom.common.version import VERSION, go_together
from besom.errors import (
    BesomError,
    Forbidden,
    IncompatibleVersion,
    NotFound,
    Refused,
    ServerError,
    ServerUnreachable,
    SweepConfigError,
    Unauthorized,
    UsageError,
)

if TYPE_CHECKING:
    from besom.client.line import Answer, Line

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
_EVENTS_SILENCE_S = 60.0
_BUSY = frozenset({429, 502, 503, 504})
_WHO_ASKS = {"X-Besom-Version": VERSION, "X-Besom-Api": str(API_VERSION)}
_BY_STATUS: dict[int, type[BesomError]] = {
    400: UsageError,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: UsageError,
    409: Refused,
    413: UsageError,
    422: UsageError,
}


class WrongOffset(Refused):
    """The server wants another byte of the stream than the one it was sent; ``offset`` names it."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


def backoff(tries: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait before try number ``tries`` + 1: 0.5 doubling to 30, half of it by chance."""
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries, 16))
    return longest * (0.5 + 0.5 * chance())


def _is_port_sound(split: SplitResult) -> bool:
    try:
        return split.port != 0
    except ValueError:
        return False


def part(text: str) -> str:
    """One part of a path, with everything quoted that could change the path."""
    return quote(text, safe="")


class Connection:
    """A server's address and the token shown there; safe to share between threads.

    Every address that changes something takes the same request twice as once, so that a lost answer is asked for
    again without a second thought.

    Who answers at the address is asked on every fresh line, before the token is shown there: another server may have
    taken it while ours was away. ``server_id`` is the one that is meant; None: the first that answers. ``answers``
    counts what the server answered, refusals too.
    """

    def __init__(self, url: str, token: str | None, *, timeout_s: float = 30.0, server_id: str | None = None) -> None:
        split = urlsplit(url if "://" in url else f"http://{url}")
        if split.scheme not in ("http", "https") or not split.hostname or not _is_port_sound(split):
            raise UsageError(f"{url!r} is not the address of a server: write http://HOST:PORT")
        self.url = f"{split.scheme}://{split.netloc}{split.path}".rstrip("/")
        self.token = token
        self.timeout_s = timeout_s
        self.server_id = server_id
        self.answers = 0
        self._split = split
        self._root = split.path.rstrip("/")
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._line: Line | None = None
        self._checked: tuple[str, str] | None = None

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        patience_s: float = 0.0,
    ) -> Any:
        """The decoded JSON answer of ``method path`` (words for non-finite numbers stay words).

        Sends ``body`` as JSON or ``data`` as it is. Raises the error that the server names; ServerUnreachable when
        nobody answers, or a busy server stays busy, after ``patience_s`` seconds of trying again.
        """
        headers = {"Content-Type": "application/octet-stream" if data is not None else "application/json"}
        payload = data if data is not None else (dumps(body).encode("utf-8", "surrogatepass") if body else b"")
        answer, _ = self._patiently(method, _target(path, query), payload, headers, patience_s)
        if not answer:
            return None
        try:
            return json.loads(answer)
        except ValueError:
            raise ServerError(f"{self.url} answered {method} {path} with something that is not JSON") from None

    def raw(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, patience_s: float = 0.0
    ) -> tuple[bytes, Mapping[str, str]]:
        """The answer's bytes and its headers (names in lower case)."""
        return self._patiently(method, _target(path, query), b"", {}, patience_s)

    def events(self, after: int, sweep: str | None = None) -> Iterator[dict[str, Any]]:
        """Yields events after number ``after`` as they happen, for ever; connects again when the line breaks.

        Raises what the server refuses (Unauthorized, NotFound …), never ServerUnreachable.
        """
        tries = 0
        while True:
            with contextlib.suppress(OSError, ServerUnreachable):
                for event in self._event_lines(after, sweep):
                    tries = 0
                    after = int(event["id"])
                    yield event
            time.sleep(backoff(tries))
            tries += 1

    def close(self) -> None:
        """Closes the line; the next call opens another one."""
        with self._lock:
            self._hang_up()

    def __del__(self) -> None:
        # A connection that was never made whole has no line.
        if getattr(self, "_line", None) is not None:
            self._hang_up()

    # ---- one request

    def _patiently(
        self, method: str, target: str, payload: bytes, headers: dict[str, str], patience_s: float
    ) -> tuple[bytes, Mapping[str, str]]:
        end = time.monotonic() + patience_s
        tries = 0
        while True:
            try:
                return self._once(method, target, payload, headers)
            except ServerUnreachable:
                wait = backoff(tries)
                if time.monotonic() + wait > end:
                    raise
            time.sleep(wait)
            tries += 1

    def _once(
        self, method: str, target: str, payload: bytes, headers: dict[str, str]
    ) -> tuple[bytes, Mapping[str, str]]:
        if self._pid != os.getpid():
            # A forked child owns neither its parent's socket nor the state of its parent's lock.
            self._pid, self._lock = os.getpid(), threading.Lock()
            self._hang_up()
        with self._lock:
            answer, content = self._exchange(method, target, payload, headers)
        self._check_server(answer.headers, answer.status, content)
        self.answers += 1
        if answer.status >= 400:
            raise self._problem(answer.status, content)
        return content, answer.headers

    def _exchange(self, method: str, target: str, payload: bytes, headers: dict[str, str]) -> tuple[Answer, bytes]:
        reused = self._line is not None
        while True:
            try:
                if self._line is None:
                    self._line = self._dial(self.timeout_s)
                answer = self._line.ask(method, self._root + target, self._headers(headers), payload)
                content = answer.read()
            except BesomError:
                self._hang_up()
                raise
            except OSError as error:
                self._hang_up()
                if reused and not isinstance(error, TimeoutError):
                    # A server may close an idle line at any time; only a fresh line tells whether it is there.
                    reused = False
                    continue
                raise ServerUnreachable(f"no Besom server answers at {self.url} ({_cause(error)})") from None
            if answer.closes:
                self._hang_up()
            return answer, content

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        proof = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {"Accept": "application/json", **_WHO_ASKS, **headers, **proof}

    def _dial(self, timeout_s: float) -> Line:
        """A line to the server that is meant."""
        from besom.client.line import Line

        line = Line(self._split, timeout_s)
        try:
            closed = self._ask_who_answers(line)
        except BaseException:
            line.close()
            raise
        if not closed:
            return line
        # A proxy may give one answer a line.
        line.close()
        return Line(self._split, timeout_s)

    def _ask_who_answers(self, line: Line) -> bool:
        """True if the line ends with the answer; raises ServerUnreachable unless the server that is meant gave it.

        Needs no token.
        """
        if not self.token:
            return False
        answer = line.ask("GET", f"{self._root}/health", {"Accept": "application/json"})
        content = answer.read()
        self._check_server(answer.headers, answer.status)
        if answer.status >= 400:
            raise self._problem(answer.status, content)
        try:
            found = str(json.loads(content)["server_id"])
        except (ValueError, KeyError, TypeError):
            raise ServerError(f"{self.url} does not tell which server it is") from None
        if self.server_id is not None and found != self.server_id:
            raise ServerUnreachable(f"another Besom server answers at {self.url}, ours is away")
        self.server_id = found
        return answer.closes

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    # ---- what came back

    def _check_server(self, headers: Mapping[str, str], status: int, content: bytes = b"") -> None:
        api = headers.get("x-besom-api")
        if api is None:
            if status in _BUSY:
                raise ServerUnreachable(f"{self.url} answers that it is not available now (status {status})")
            raise ServerUnreachable(f"something else than a Besom server answers at {self.url}")
        version = headers.get("x-besom-version", "")
        if self._checked != (api, version):
            # Asked of every answer: an agent may outlive an upgrade of its server.
            if api != str(API_VERSION) or not go_together(version, VERSION):
                raise IncompatibleVersion(
                    f"the server at {self.url} is Besom {version or 'unknown'} (API {api}) and this is Besom {VERSION} "
                    f"(API {API_VERSION}): install the same version of Besom on both sides"
                )
            self._checked = (api, version)
        if status in _BUSY:
            raise ServerUnreachable(f"the server at {self.url} is busy (status {status}){_why(content)}")

    def _problem(self, status: int, content: bytes) -> BesomError:
        try:
            body = json.loads(content)
            kind, detail = str(body["kind"]), str(body["detail"])
        except (ValueError, KeyError, TypeError):
            kind, detail, body = "", f"the server at {self.url} answered with status {status}", {}
        if isinstance(body.get("offset"), int):
            return WrongOffset(detail, body["offset"])
        if kind == SweepConfigError.__name__:
            return SweepConfigError(body.get("problems") or [{"sentence": detail}])
        named = getattr(errors, kind, None)
        if isinstance(named, type) and issubclass(named, BesomError):
            return named(detail)
        return _BY_STATUS.get(status, ServerError)(detail)

    # ---- events

    def _event_lines(self, after: int, sweep: str | None) -> Iterator[dict[str, Any]]:
        line = self._dial(_EVENTS_SILENCE_S)
        target = _target("/api/v1/events", {"after": after, "sweep": sweep})
        try:
            answer = line.ask("GET", self._root + target, self._headers({}))
            self._check_server(answer.headers, answer.status)
            if answer.status >= 400:
                raise self._problem(answer.status, answer.read())
            data: list[str] = []
            for text in answer.lines():
                if text.startswith("data:"):
                    data.append(text[5:].lstrip(" "))
                elif not text and data:
                    yield json.loads("\n".join(data))
                    data = []
        finally:
            line.close()


def _why(content: bytes) -> str:
    """What a server that cannot answer now says of it, to go behind another sentence."""
    try:
        return f": {json.loads(content)['detail']}"
    except (ValueError, KeyError, TypeError):
        return ""


def _target(path: str, query: Mapping[str, Any] | None) -> str:
    given = {key: value for key, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _cause(error: Exception) -> str:
    if getattr(error, "verify_code", 0):
        return f"its certificate is not trusted, {error.verify_message}: set SSL_CERT_FILE to the server's certificate"  # type: ignore[attr-defined]
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
