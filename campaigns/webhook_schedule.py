"""When what failed is tried again: the waits that Standard Webhooks recommends, 75 hours in all."""

from __future__ import annotations

import datetime as dt
import random

WAITS = (
    dt.timedelta(seconds=5),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=30),
    dt.timedelta(hours=2),
    dt.timedelta(hours=5),
    dt.timedelta(hours=10),
    dt.timedelta(hours=14),
    dt.timedelta(hours=20),
    dt.timedelta(hours=24),
)
# A tenth more or less, so that what failed together does not come again together.
JITTER = 0.1
# Nothing has reached an endpoint for so long: it is switched off.
GIVEN_UP_AFTER = dt.timedelta(days=5)


def wait_after(tries: int) -> dt.timedelta | None:
    """How long to wait after so many tries; None: that was the last."""
    if tries > len(WAITS):
        return None
    return WAITS[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)
