"""Where the server writes what happened: a rotated file in the data folder. Addresses of requests are not in it."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 4 * 1024 * 1024
KEPT = 3
_LEVELS = {"besom": logging.INFO, "uvicorn.error": logging.WARNING}


@contextlib.contextmanager
def writing_log(path: Path) -> Iterator[None]:
    """Sends the logs of Besom and of the web server to the file."""
    handler = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    for name, level in _LEVELS.items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = False
        logger.handlers = [handler]
    try:
        yield
    finally:
        for name in _LEVELS:
            logging.getLogger(name).removeHandler(handler)
        handler.close()


def last_line(path: Path) -> str:
    """The last line of a log, for the sentence of a start that failed; "" without one."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
