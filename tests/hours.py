"""A test asks several times what time it is, and takes it that the day is the same.

A day ends when an hour does, in every time zone that tests live in, and so do months, years and
summer time. So no test begins in an hour's last seconds: it waits for the next, and ends in that.
"""

import time

HOUR = 3600
# What a test takes that asks for the time, where three others run beside it.
LAST_SECONDS = 15.0
# What the tests of a module take that share what was made in one hour.
LAST_OF_MANY = 25.0


def wait_for_the_next(last: float = LAST_SECONDS) -> None:
    left = left_to_wait(time.time(), last)
    # Sleeping for no time at all lets others have the processor all the same.
    if left:
        time.sleep(left)


def left_to_wait(now: float, last: float = LAST_SECONDS) -> float:
    left = HOUR - now % HOUR
    return left if left <= last else 0.0
