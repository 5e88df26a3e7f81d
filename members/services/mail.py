"""Mail: written into the outbox with the change it tells of, sent by a worker.

A request never waits for a mail server, and takes as long for a stranger's address as for a known
one, which gets a mail and a stranger does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from members.models import OutboxEvent
from members.outbox import MAIL_QUEUED, register_consumer
from members.selectors.merchants import get_merchant
from members.services.outbox import record_event

QUEUED = MAIL_QUEUED


def queue_mail(*, to: str, subject: str, text: str, html: str = "") -> None:
    """Have a mail sent as soon as the caller's transaction has committed."""
    payload = {"to": to, "subject": " ".join(subject.split()), "text": text, "html": html}
    record_event(QUEUED, payload, urgent=True)


def sender() -> str:
    """The merchant's name with the address of this installation."""
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((" ".join(get_merchant().name.split()), address))


def send_queued(events: Sequence[OutboxEvent]) -> None:
    """Send what was queued; raises when the mail server does not take it."""
    for event in events:
        mail = event.payload
        message = EmailMultiAlternatives(mail["subject"], mail["text"], sender(), [mail["to"]])
        if mail["html"]:
            message.attach_alternative(mail["html"], "text/html")
        message.send()


def register() -> None:
    """One mail at a time, or a repeat after a failure would send the first ones twice.

    The text holds sign-in codes and links, so it is forgotten once it is on its way.
    """
    register_consumer(QUEUED, send_queued, keeps_payload=False, singly=True)
