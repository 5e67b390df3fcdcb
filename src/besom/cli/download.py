"""From the server straight into a file, however large it is."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from besom.errors import DataFolderError, Refused, ServerUnreachable

if TYPE_CHECKING:
    from besom.client.connection import Connection


def download(connection: Connection, path: str, target: Path) -> int:
    """Writes the answer of ``GET path`` into ``target`` (mode 0600), whole or not at all; returns its bytes.

    Raises Refused with the server's sentence, DataFolderError when the file cannot be written.
    """
    request = Request(connection.url + path, headers={"Authorization": f"Bearer {connection.token}"})
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.absolute().parent, prefix=f".{target.name}.", delete=False
        ) as draft:
            try:
                with urlopen(request, timeout=connection.timeout_s) as answer:
                    shutil.copyfileobj(answer, draft, 1 << 20)
                    expected = answer.headers.get("Content-Length")
                draft.flush()
                os.fsync(draft.fileno())
                size = draft.tell()
                if expected is not None and int(expected) != size:
                    raise ServerUnreachable(f"{connection.url} broke off after {size:,} of {int(expected):,} bytes")
                os.replace(draft.name, target)
            except BaseException:
                os.unlink(draft.name)
                raise
    except HTTPError as error:
        with error:
            raise Refused(_sentence(error)) from None
    except URLError as error:
        raise ServerUnreachable(f"no Besom server answers at {connection.url} ({error.reason})") from None
    except OSError as error:
        raise DataFolderError(f"{target} cannot be written: {error.strerror or error}") from None
    return size


def _sentence(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered with status {error.code}"
