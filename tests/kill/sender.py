"""Senders of what waits, to be killed: `python -m tests.kill.sender`.

One process is ready for all of them, since starting Django takes seconds. For each line that it
reads, a list of arguments in JSON, it forks a sender and says `started <pid>`; when that is over it
says `ended <status>`, as `subprocess` counts it. `Senders` is how a test speaks with it.

`--ahead`: by so many seconds a sender's clock is ahead, so that nobody has to wait until the claims
of one that was killed are over.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402  (after Django)
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from campaigns.services.sending import send_waiting  # noqa: E402
from campaigns.services.webhook_deliveries import deliver_due  # noqa: E402


def main() -> None:
    settings.EMAIL_TIMEOUT = 1
    # What a letter needs at first use takes seconds to be loaded: once, not once for each sender.
    reverse("account_login")
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            send_as_told(json.loads(line))
        print("started", pid, flush=True)
        _pid, status = os.waitpid(pid, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)


def send_as_told(arguments: list[str]) -> None:
    """What the child does; it never returns to what the parent does."""
    status = 1
    try:
        send(arguments)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def send(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["messages", "webhooks"])
    parser.add_argument("--ahead", type=int, default=0)
    parser.add_argument("--to-the-end", action="store_true", help="stop when nothing is due")
    options = parser.parse_args(arguments)
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
    main()
