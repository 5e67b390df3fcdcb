"""The server's process, from the first lock to the last line: one data folder, one address, one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import cast

import uvicorn
from starlette.applications import Starlette

from besom.common.discovery import (
    API_VERSION,
    FILE,
    Discovery,
    boot_id,
    host_name,
    process_started,
    read_discovery,
    write_discovery,
)
from besom.common.file_system import network_kind
from besom.common.places import write_private
from besom.common.version import VERSION
from besom.errors import DataFolderError, UsageError
from besom.server import lock
from besom.server.api.server import BACKUP_DRAFT
from besom.server.app import create_app
from besom.server.file_system import network_remark
from besom.server.lines import Line, Lines, raise_file_limit
from besom.server.log import writing_log
from besom.server.services import Services
from besom.server.settings import DEFAULT_PORT, Settings
from besom.store.copies import drop_drafts
from besom.store.database import Database

log = logging.getLogger("besom.server")

PORTS_TRIED = 100
# Where the server listened last, in the data folder.
PORT_FILE = "port"
# What a background server says beside its log: Python's own last words.
OUTPUT_FILE = "server.output.log"
SETTLE_S = 2.0
# So many more objects than before make the garbage collector look for cycles; requests leave hardly any.
NEW_OBJECTS = 10_000
# Open requests get this long to end; event streams end by themselves.
GRACE_S = 10


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serves the data folder until SIGTERM, SIGINT or a request to stop.

    ``say`` gets the lines for the person who started it. Raises Refused, DataFolderError, UsageError or
    IncompatibleVersion when it cannot begin.
    """
    os.umask(0o077)
    held = lock.take(settings.data, wishes=settings.wishes, wait_s=5.0, give_up=lambda: _is_served(settings))
    with contextlib.ExitStack() as closing:
        closing.callback(held.release)
        try:
            closing.enter_context(writing_log(settings.log_file, settings.log_bytes))
            if network_kind(settings.data) is not None:
                # Where locks do not reach, two hosts may take it at once: whose words stand after a moment has it.
                time.sleep(SETTLE_S)
                held.beat()
            clear_up(settings)
            listener = closing.enter_context(bound(settings))
            database = closing.enter_context(contextlib.closing(_open_database(settings, say)))
            app = create_app(settings, database)
        except OSError as error:
            raise DataFolderError(f"the data folder {settings.data} cannot be used: {error}") from None
        services: Services = app.state.services
        services.url = settings.url(listener.getsockname()[1])
        services.beat = held.beat
        _run(app, services, listener, say)


def clear_up(settings: Settings) -> None:
    """Removes what a server that was killed has left half made; whoever holds the folder may."""
    drop_drafts(settings.data)
    if settings.db_file is not None and settings.db_file.parent.is_dir():
        drop_drafts(settings.db_file.parent)
    for left in settings.data.glob(f"{BACKUP_DRAFT}*"):
        left.unlink(missing_ok=True)


def _is_served(settings: Settings) -> bool:
    found = read_discovery(settings.data)
    return found is not None and process_started(found.pid) == found.pid_started


def _open_database(settings: Settings, say: Callable[[str], None]) -> Database:
    kind = network_kind(settings.db_file.parent) if settings.db_file is not None else None
    if kind is not None:
        say(network_remark(kind))
        log.info(network_remark(kind))
    return Database.open(
        settings.db_url, exclusive=kind is not None, wait_s=settings.db_wait_s, lease_s=settings.lease_s
    )


@contextlib.contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """A socket that listens at the wanted address.

    It listens at once, since two sockets may be bound to one port as long as neither of them does.
    """
    asked = settings.port is not None
    for port in _ports(settings):
        try:
            listener = _bind(settings.host, port)
        except OSError as error:
            if asked or not _is_taken(error):
                raise UsageError(_bind_sentence(settings, port, error)) from None
            continue
        with listener:
            if not asked:
                write_private(settings.data / PORT_FILE, str(listener.getsockname()[1]))
            yield listener
        return
    raise UsageError(f"no port is free on {settings.host}: choose one with --port")


def _ports(settings: Settings) -> list[int]:
    """Where to try to listen: the port of the last time first, so that printed addresses go on working."""
    if settings.port is not None:
        return [settings.port]
    try:
        last = [int((settings.data / PORT_FILE).read_text())]
    except (OSError, ValueError):
        last = []
    return [*last, *range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED), 0]


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _is_taken(error: OSError) -> bool:
    return error.errno == errno.EADDRINUSE


def _bind_sentence(settings: Settings, port: int, error: OSError) -> str:
    place = f"port {port} on {settings.host}"
    if _is_taken(error):
        return f"{place} is taken by another program: choose another one, or leave --port out for the next free one"
    if error.errno == errno.EACCES:
        return f"{place} is not open to this user: choose one above 1023"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{settings.host!r} is not an address of this machine: give --host 127.0.0.1, 0.0.0.0 or one that is"
    return f"{place} cannot be used: {error.strerror}"


def _load(config: uvicorn.Config, settings: Settings) -> None:
    try:
        config.load()
    except OSError as error:
        # ssl.SSLError is one of them; nothing else is opened here.
        raise UsageError(
            f"{settings.tls_cert} and {settings.tls_key} cannot be used for https "
            f"({error.strerror or error}): give a certificate and its key in PEM form"
        ) from None


def _run(app: Starlette, services: Services, listener: socket.socket, say: Callable[[str], None]) -> None:
    settings = services.settings
    lines = Lines(raise_file_limit())
    services.news.most = min(services.news.most, lines.most // 2)
    config = uvicorn.Config(
        app, http=lines.protocol(), log_config=None, access_log=False, proxy_headers=False, server_header=False,
        lifespan="on", ws="none",
        timeout_graceful_shutdown=GRACE_S, ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key,
    )  # fmt: skip
    _load(config, settings)
    server = _Server(config, services, lines, lambda: _announce(services, say))
    try:
        server.run([listener])
    except SystemExit:
        # How uvicorn ends when the application does not come up.
        raise DataFolderError(f"the server could not start; the reason stands in {settings.log_file}") from None
    finally:
        _withdraw(settings)
    log.info("ended")


def _announce(services: Services, say: Callable[[str], None]) -> None:
    settings = services.settings
    found = Discovery(
        url=services.url, pid=os.getpid(), pid_started=process_started(os.getpid()) or "", host=host_name(),
        boot_id=boot_id(), server_id=services.keys.server_id, version=VERSION, api=API_VERSION,
        background=settings.background,
    )  # fmt: skip
    if settings.background:
        _leave_starter(settings)
    write_discovery(settings.data, found)
    _spare_what_stays()
    log.info("Besom %s listens at %s", VERSION, services.url)
    say(f"Besom serves {settings.data} at {services.url}")


def _spare_what_stays() -> None:
    """What was loaded until now stays until the end: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


def _leave_starter(settings: Settings) -> None:
    """From now on nobody reads what this process says beside its log, which is next to nothing: a file takes it."""
    try:
        descriptor = os.open(settings.data / OUTPUT_FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    except OSError as error:
        log.warning("%s cannot be written: %s", OUTPUT_FILE, error)
        descriptor = os.open(os.devnull, os.O_WRONLY)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.close(descriptor)


def _withdraw(settings: Settings) -> None:
    found = read_discovery(settings.data)
    if found is not None and (found.pid, found.host) == (os.getpid(), host_name()):
        (settings.data / FILE).unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """uvicorn that tells when it listens, looks after its connections, and tells open streams when it is to end."""

    def __init__(
        self, config: uvicorn.Config, services: Services, lines: Lines, on_listening: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._lines = lines
        self._services = services
        self._on_listening = on_listening
        services.end = self.end

    def end(self) -> None:
        """Ends gracefully: streams close, open requests are answered."""
        self._services.closing.set()
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then announces the address."""
        await super().startup(sockets)
        if self.started:
            self._on_listening()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: ends connections that are late."""
        connections = cast("set[Line]", self.server_state.connections)
        self._lines.look(connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C end the server and are spent by that; a second Ctrl-C does not wait for requests."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled, number)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _signalled(self, number: int) -> None:
        if self.should_exit and number == signal.SIGINT:
            self.force_exit = True
        self.end()
