"""The line to a system of the merchant's own, which tells members by itself: a signed request for
each message, as the Standard Webhooks specification says. Its id is the same when it is sent again,
so that what may have arrived can be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from django.utils import timezone

from campaigns.channels import HandOverError, Letter
from campaigns.webhook_requests import Outcome, post
from campaigns.webhook_secrets import signed_headers

TYPE = "message.to_be_told"


class WebhookLine:
    def __init__(self, url: str, secret: bytes) -> None:
        self._url, self._secret = url, secret

    def hand_over(self, letter: Letter) -> str:
        if not self._url or not self._secret:
            raise HandOverError("no_provider", "unreadable", later=True, outage=True)
        at = timezone.now()
        body = json.dumps({
            "type": TYPE, "timestamp": at.isoformat(),
            "data": {"id": letter.name, "subject": letter.subject, "text": letter.text,
                     **letter.about},
        }).encode()  # fmt: skip
        headers = signed_headers(message_id=letter.name, body=body, at=at, keys=[self._secret])
        outcome = post(self._url, body, headers)
        if not outcome.succeeded:
            raise told_apart(outcome)
        return letter.name


def webhook_line(
    way_of: Callable[[], tuple[str, bytes]],
) -> Callable[[], AbstractContextManager[WebhookLine]]:
    """Opens the line to whatever address the merchant has named by then."""

    @contextmanager
    def line() -> Iterator[WebhookLine]:
        yield WebhookLine(*way_of())

    return line


def told_apart(outcome: Outcome) -> HandOverError:
    """It knows what it got before, so nothing is ever unclear."""
    if outcome.status is None:
        return HandOverError("no_provider", outcome.error[:280], later=True, outage=True)
    detail = f"HTTP {outcome.status}"
    # What it says is wrong with this one is so the next time, too.
    if outcome.status in {400, 413, 422}:
        return HandOverError("refused", detail, later=False)
    return HandOverError("refused", detail, later=True, outage=True)
