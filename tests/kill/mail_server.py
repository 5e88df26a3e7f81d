"""A mail server on this machine that has troubles when it is told to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from typing import Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

# It takes mails; says "not now"; answers nothing; hangs up after it has taken one, and before it
# said so; hangs up before it has taken it.
Trouble = Literal["none", "refuses", "hangs", "takes and drops", "drops"]


class MailServer:
    """`taken`: how often it has taken each mail, by its name; `seen`: how many were begun."""

    def __init__(self) -> None:
        self.trouble: Trouble = "none"
        self.taken: Counter[str] = Counter()
        self.seen = 0

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.seen += 1
        if self.trouble == "refuses":
            return "421 Not now"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.trouble == "hangs":
            await asyncio.sleep(3)
            return "451 Too late"
        if self.trouble != "drops":
            content = envelope.original_content or b""
            self.taken[str(message_from_bytes(content)["Message-ID"])] += 1
        if self.trouble in ("drops", "takes and drops"):
            assert server.transport is not None
            server.transport.close()
        return "250 OK"


@contextmanager
def mail_server(port: int) -> Iterator[MailServer]:
    handler = MailServer()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()
