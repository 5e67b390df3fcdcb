"""Every exception that Besom raises on purpose.

::

    BesomError
    ├── UsageError               a mistake in a call or a command line
    │   └── ConfigError          a run's config was changed where it must not be
    ├── SweepConfigError         a sweep file has problems; carries all of them
    ├── NotFound                 no such sweep, run, agent, project
    ├── Refused                  the state of the thing does not allow it
    ├── Unauthorized             no proof of who asks, or a wrong one
    ├── Forbidden                known, but not allowed: wrong scope, Host or Origin
    ├── ServerError              the server failed; its log has the rest
    │   └── ServerBusy           too much waits to be written: ask again in a moment
    ├── ServerUnreachable        no answer from the server
    ├── IncompatibleVersion      client and server, or program and database, are too far apart
    └── DataFolderError          the data folder cannot be used

The text of each is a sentence for the person who reads it: what is wrong, where, what to do instead.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class BesomError(Exception):
    """Whatever goes wrong in a way that Besom understands."""

    exit_code = 1


class UsageError(BesomError):
    """A mistake in the call itself; nothing was done."""

    exit_code = 2


class ConfigError(UsageError):
    """An attempt to change a config value that is fixed."""


class SweepConfigError(BesomError):
    """A sweep config with problems, all of them at once.

    ``problems`` holds plain dictionaries with ``file, line, column, key, sentence, severity``; ``str()`` is one
    line for each.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[dict[str, Any]]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(problem_line(problem) for problem in self.problems))


class NotFound(BesomError):
    """There is no such thing."""


class Refused(BesomError):
    """The thing exists, and its state does not allow what was asked."""


class Unauthorized(BesomError):
    """The request carries no valid proof of who asks."""


class Forbidden(BesomError):
    """The proof is valid and does not reach this far."""


class ServerError(BesomError):
    """The server answered that it failed."""


class ServerBusy(ServerError):
    """The server has more waiting than it can write; the same request will do in a moment."""


class ServerUnreachable(BesomError):
    """No server answered at the address."""


class IncompatibleVersion(BesomError):
    """Two parts of Besom are too many versions apart."""


class DataFolderError(BesomError):
    """The data folder cannot be read, written or locked."""


def problem_line(problem: dict[str, Any]) -> str:
    """``file:line:column: key: sentence``, leaving out what is unknown."""
    place = ":".join(str(problem[part]) for part in ("file", "line", "column") if problem.get(part))
    return ": ".join(part for part in (place, problem.get("key", ""), problem["sentence"]) if part)
