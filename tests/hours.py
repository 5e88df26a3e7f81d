"""A test asks several times what time it is, and takes it that the day is the same.

A day ends when an hour does, in every time zone that tests live in, and so do months, years and
summer time. So no test begins in an hour's last seconds: it waits for the next, and ends in that.
"""

import time

HOUR = 3600
# What a test takes that asks for the time, where three others run beside it.
LAST_SECONDS = 15.0


def wait_for_the_next() -> None:
    left = left_to_wait(time.time())
    # Sleeping for no time at all lets others have the processor all the same.
    if left:
        time.sleep(left)


def left_to_wait(now: float) -> float:
    left = HOUR - now % HOUR
    return left if left <= LAST_SECONDS else 0.0
