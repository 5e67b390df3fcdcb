"""``python3 bench/search``: see `command.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from command import main

raise SystemExit(main())
