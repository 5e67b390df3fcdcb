"""From the server straight into a file, however large it is."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from besom.errors import DataFolderError, Refused, ServerUnreachable

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from besom.client.connection import Connection


def download(connection: Connection, path: str, target: Path) -> int:
    """Writes the answer of ``GET path`` into ``target`` (mode 0600), whole or not at all; returns its bytes.

    Raises Refused with the server's sentence, DataFolderError when the file cannot be written.
    """
    request = Request(connection.url + path, headers={"Authorization": f"Bearer {connection.token}"})
    # The server is on this machine: a proxy between would only see the token.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(request, timeout=connection.timeout_s) as answer:
            return _keep(answer, target)
    except HTTPError as error:
        with error:
            raise Refused(_sentence(error)) from None
    except URLError as error:
        raise ServerUnreachable(f"no Besom server answers at {connection.url} ({error.reason})") from None
    except OSError as error:
        raise DataFolderError(f"{target} cannot be written: {error.strerror or error}") from None


def _keep(answer: HTTPResponse, target: Path) -> int:
    descriptor, draft = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(answer, file, 1 << 20)
            file.flush()
            os.fsync(descriptor)
            size = file.tell()
        expected = int(answer.headers.get("Content-Length", size))
        if expected != size:
            raise ServerUnreachable(f"the server broke off after {size:,} of {expected:,} bytes")
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise
    return size


def _sentence(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered with status {error.code}"
