"""A program: ``python function_child.py PAYLOAD GUARD_FD [ORDERS_FD]``, a fresh process that calls a user's function.

The payload holds a line of JSON (``path``, ``argv``: the parent's `sys.path` and `sys.argv`) and the pickled function.
Nothing of Besom is imported before the parent's path is in place: its Besom is ours.
"""

import json
import os
import pickle
import socket
import sys


def main() -> int:
    """Returns the exit code of the run, or 0 after the last order."""
    payload, guard_fd = sys.argv[1], int(sys.argv[2])
    orders_fd = int(sys.argv[3]) if len(sys.argv) > 3 else None
    os.write(guard_fd, b"hold %d\n" % os.getpid())
    os.close(guard_fd)
    with open(payload, "rb") as file:
        facts = json.loads(file.readline())
        sys.path[:], sys.argv[:] = facts["path"], facts["argv"]
        from besom.agents.calling import call_in_process, serve

        function = pickle.load(file)
    if orders_fd is None:
        return call_in_process(function)
    return serve(function, socket.socket(fileno=orders_fd))


if __name__ == "__main__":
    sys.exit(main())
