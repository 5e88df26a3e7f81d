"""Links in messages that work without signing in: what they are about is signed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

_STOP, _CONFIRM = "setia.messages.stop", "setia.messages.confirm"
CONFIRM_FOR = 7 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class StopLink:
    """By which somebody declines: the customer, and the delivery that brought the link."""

    customer: UUID
    delivery: UUID
    channel: str
    topic: str


@dataclass(frozen=True, slots=True)
class ConfirmLink:
    """By which somebody proves that it was them who said yes; `digest`: of the address."""

    customer: UUID
    channel: str
    digest: str


def stop_token(link: StopLink) -> str:
    parts = [str(link.customer), str(link.delivery), link.channel, link.topic]
    return signing.dumps(parts, salt=_STOP)


def read_stop_token(token: str) -> StopLink | None:
    """Works for ever: who does not want something need not hurry."""
    try:
        customer, delivery, channel, topic = signing.loads(token, salt=_STOP)
        return StopLink(UUID(customer), UUID(delivery), channel, topic)
    except (signing.BadSignature, ValueError):
        return None


def confirm_token(link: ConfirmLink) -> str:
    return signing.dumps([str(link.customer), link.channel, link.digest], salt=_CONFIRM)


def read_confirm_token(token: str) -> ConfirmLink | None:
    try:
        customer, channel, digest = signing.loads(token, salt=_CONFIRM, max_age=CONFIRM_FOR)
        return ConfirmLink(UUID(customer), channel, digest)
    except (signing.BadSignature, ValueError):
        return None


def stop_url(link: StopLink) -> str:
    return absolute(reverse("messages:stop", args=[stop_token(link)]))


def confirm_url(link: ConfirmLink) -> str:
    return absolute(reverse("messages:confirm", args=[confirm_token(link)]))


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"
