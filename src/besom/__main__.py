"""`python -m besom`: the command line."""

import sys

from besom.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
