from __future__ import annotations

import pytest

from besom.stopping import Stop


def test_a_stop_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="a stop needs a reason"):
        Stop("")
