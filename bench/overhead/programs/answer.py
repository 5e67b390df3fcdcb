"""Programs give their figures back through the file that the watcher named; what they print may be anything."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def answer(**figures: Any) -> None:
    Path(os.environ["BENCH_ANSWER"]).write_text(json.dumps(figures), encoding="utf-8")
