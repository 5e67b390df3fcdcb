"""`python -m besom.server FOLDER`: a background server, which reads its settings as JSON from its standard input.

That way an address with a password is in no process list.
"""

import sys

from besom.errors import BesomError
from besom.server.lock import TAKEN_EXIT, Served
from besom.server.serving import serve
from besom.server.settings import Settings


def main() -> int:
    """Serves until told to end; the exit code, with one line on stderr when it could not begin."""
    try:
        serve(Settings.from_json(sys.stdin.read()), _nothing)
    except Served:
        return TAKEN_EXIT
    except BesomError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _nothing(_line: str) -> None:
    """Nobody looks at a background server; its log has the lines."""


if __name__ == "__main__":
    sys.exit(main())
