"""A sender of what waits, to be killed: `python -m tests.kill.sender`; `Senders` starts it.

`--ahead`: by so many seconds its clock is ahead, so that nobody has to wait until the claims of one
that was killed are over.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time

from django.conf import settings
from django.utils import timezone

from campaigns.services.sending import send_waiting
from campaigns.services.webhook_deliveries import deliver_due


def send() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["messages", "webhooks"])
    parser.add_argument("--ahead", type=int, default=0)
    parser.add_argument("--to-the-end", action="store_true", help="stop when nothing is due")
    options = parser.parse_args()
    settings.EMAIL_TIMEOUT = 0.5
    ahead = dt.timedelta(seconds=options.ahead)
    while True:
        if options.what == "webhooks":
            sent = deliver_due(seconds=60)
        else:
            sent = send_waiting(clock=lambda: timezone.now() + ahead)
        if not sent:
            if options.to_the_end:
                break
            time.sleep(0.05)


if __name__ == "__main__":
    send()
