"""Where the server writes what happened: a rotated file in the data folder. Addresses of requests are not in it."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

KEPT = 3
# What uvicorn warns of is one line for each asker who speaks no HTTP.
_LEVELS = {"besom": logging.INFO, "uvicorn.error": logging.ERROR}


class _Rotated(RotatingFileHandler):
    """Counts the lines that a full disk swallows: to tell of them elsewhere would fill the disk just the same."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=KEPT, encoding="utf-8")
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line, and before it how many could not be written."""
        if lost := self._lost:
            super().emit(logging.makeLogRecord({
                "levelno": logging.WARNING, "levelname": "WARNING", "msg": f"{lost} lines could not be written here",
            }))  # fmt: skip
            self._lost = 0 if self._lost == lost else lost
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Counts a line that the disk did not take; any other mistake is shown as usual."""
        if isinstance(sys.exc_info()[1], OSError):
            self._lost += 1
        else:
            super().handleError(record)


@contextlib.contextmanager
def writing_log(path: Path, max_bytes: int) -> Iterator[None]:
    """Sends the logs of Besom and of the web server to the file; at ``max_bytes`` it begins anew."""
    handler = _Rotated(path, max_bytes)
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
        # On a full disk the last lines cannot be written, and that is no reason to end otherwise.
        with contextlib.suppress(OSError):
            handler.close()
