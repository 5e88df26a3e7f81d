"""Messages and webhooks whose worker is killed again and again, and whose mail server has troubles:
`python -m tests.kill.messages --messages 10000 --kills 60`."""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from tests.campaigns.receiver import receiving
from tests.kill.installation import Installation, kill
from tests.kill.mail_server import MailServer, Trouble, mail_server
from tests.kill.senders import Senders

TROUBLES: tuple[Trouble, ...] = (
    "none", "takes and drops", "none", "hangs", "none", "refuses", "none", "drops",
)  # fmt: skip
# So many are marked at once as being handed over (`campaigns.services.sending`).
AT_ONCE = 10
# Longer than a claim lasts.
STEP = 11 * 60
# Others of the package tell members in their inbox.
STATES = """
    SELECT state, '<' || public_id || '@setia.example>' FROM campaigns_delivery
     WHERE channel = 'email'
"""
LEASES = "UPDATE campaigns_webhookdelivery SET next_at = now() WHERE state = 'waiting'"
WAITING = "SELECT count(*) FROM campaigns_webhookdelivery WHERE state = 'waiting'"


@dataclass(frozen=True)
class Outcome:
    """What became of the messages, and how often the mail server took each."""

    states: Counter[str]
    taken: int
    kills: int

    def __str__(self) -> str:
        told = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return f"{self.kills} kills: {told}; the mail server took {self.taken}, none twice"


def try_messages(installation: Installation, *, messages: int, kills: int) -> Outcome:
    """Write them, send them through kills and troubles, and check what became of each."""
    installation.do("tell_members", messages=messages)
    with mail_server(installation.mail_port) as server, Senders(installation) as senders:
        for number, trouble in zip(range(kills), cycle(TROUBLES), strict=False):
            server.trouble = trouble
            senders.start("messages", "--ahead", str(number * STEP))
            share = max(messages // kills, 2)
            aim = server.seen + random.randint(share // 2, share)
            senders.kill_at(lambda: server.seen, aim)
        server.trouble = "none"
        for number in range(kills, kills + 40):
            if not count_of(installation, "queued") + count_of(installation, "sending"):
                break
            senders.to_the_end("messages", "--ahead", str(number * STEP))
        return _checked(installation, server, messages, kills)


def try_webhooks(installation: Installation, *, messages: int, kills: int) -> Counter[str]:
    """How often each message arrived at a receiver, by its name: at least once."""
    with receiving() as receiver, Senders(installation) as senders:
        installation.do("tell_endpoint", url=receiver.url, customers=messages)
        [(written,)] = installation.query(WAITING)
        assert written == messages
        for _ in range(kills):
            senders.start("webhooks")
            aim = len(receiver.got) + random.randint(1, max(messages // kills, 1))
            senders.kill_at(lambda: len(receiver.got), aim)
            installation.execute(LEASES)
        senders.to_the_end("webhooks", seconds=300)
        assert installation.query(WAITING) == [(0,)]
        return receiver.times


def _checked(installation: Installation, server: MailServer, messages: int, kills: int) -> Outcome:
    rows = installation.query(STATES)
    states = Counter(state for state, _name in rows)
    taken, sent = server.taken, {name for state, name in rows if state == "sent"}
    uncertain = {name for state, name in rows if state == "uncertain"}
    assert len(rows) == messages
    assert set(states) <= {"sent", "failed", "uncertain"}, states
    assert set(taken.values()) == {1}, "a mail went out twice"
    assert sent <= taken.keys(), "a message is told as sent that the mail server never took"
    assert taken.keys() - sent <= uncertain, "a mail went out, and nobody is told so"
    # Of each kill those that were just marked; of each trouble two that were tried.
    assert states["uncertain"] <= kills * (AT_ONCE + 2)
    return Outcome(states, taken.total(), kills)


def count_of(installation: Installation, state: str) -> int:
    question = "SELECT count(*) FROM campaigns_delivery WHERE state = %s"
    return int(installation.query(question, state)[0][0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=60)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with tempfile.TemporaryDirectory(prefix="setia-messages-") as folder:
        installation = Installation(Path(folder))
        try:
            installation.start()
            kill(installation.worker)
            begun = time.monotonic()
            print(try_messages(installation, messages=options.messages, kills=options.kills))
            print(f"in {time.monotonic() - begun:.0f} s", flush=True)
            times = try_webhooks(installation, messages=2_000, kills=10)
            again = sum(times.values()) - len(times)
            print(f"10 kills: {len(times)} webhooks arrived, {again} of them again")
        finally:
            installation.stop()


if __name__ == "__main__":
    main()
