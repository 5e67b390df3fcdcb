"""The command line's first step, of `besom` and of `python -m besom`."""

import signal
import sys


def main() -> int:
    """Runs the command line and returns its exit code.

    Ctrl-C while the modules load ends the process at once, without Python's traceback.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from besom.cli.main import main as command_line

    signal.signal(signal.SIGINT, handler)
    return command_line()


if __name__ == "__main__":
    sys.exit(main())
