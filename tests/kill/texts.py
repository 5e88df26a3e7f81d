"""Text messages whose worker is killed again and again, and whose gateway has troubles."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any, Literal

from tests.kill.installation import Installation
from tests.kill.messages import AT_ONCE, STEP, Outcome, count_of
from tests.kill.senders import Senders

# It takes texts; says "not now"; takes one and answers nothing; takes one and hangs up.
Trouble = Literal["none", "refuses", "hangs", "drops"]
TROUBLES: tuple[Trouble, ...] = ("none", "drops", "none", "hangs", "none", "refuses")
STATES = """
    SELECT d.state, c.phone FROM campaigns_delivery d
      JOIN campaigns_message m ON m.id = d.message_id
      JOIN members_customer c ON c.id = m.customer_id WHERE d.channel = 'sms'
"""


@dataclass
class Gateway:
    """`taken`: how often it took a text for each number; `seen`: how many were begun."""

    trouble: Trouble = "none"
    taken: Counter[str] = field(default_factory=Counter)
    seen: int = 0


@contextmanager
def gateway(port: int) -> Iterator[Gateway]:
    found = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.seen += 1
            trouble = found.trouble
            if trouble != "refuses":
                found.taken[told["to"]] += 1
            if trouble == "hangs":
                time.sleep(2)
            if trouble in ("hangs", "drops"):
                self.close_connection = True
                return
            self.send_response(503 if trouble == "refuses" else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def try_texts(installation: Installation, *, messages: int, kills: int) -> Outcome:
    """Write them, send them through kills and troubles, and check what became of each."""
    with gateway(installation.text_port) as server, Senders(installation) as senders:
        installation.do("tell_by_text", messages=messages)
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


def _checked(installation: Installation, server: Gateway, messages: int, kills: int) -> Outcome:
    rows = installation.query(STATES)
    states = Counter(state for state, _phone in rows)
    sent = {phone for state, phone in rows if state == "sent"}
    uncertain = {phone for state, phone in rows if state == "uncertain"}
    assert len(rows) == messages
    assert set(states) <= {"sent", "uncertain"}, states
    assert set(server.taken.values()) == {1}, "a text went out twice"
    assert sent <= server.taken.keys(), "a text is told as sent that nobody took"
    assert server.taken.keys() - sent <= uncertain, "a text went out, and nobody is told so"
    # Of each kill those that were just marked; of each trouble two that were tried.
    assert states["uncertain"] <= kills * (AT_ONCE + 2)
    return Outcome(states, server.taken.total(), kills)
