"""Who follows up on which kind of event. Each application registers its consumers in ready()."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from members.models import OutboxEvent

# Gets the waiting events of its kind in one call, inside a transaction that also marks them as
# delivered. It may see an event again after a failure, and sees events in no certain order: it
# reads the state it acts on anew, and doing so twice changes nothing.
Consumer = Callable[[Sequence[OutboxEvent]], None]


# A mail that is to be sent; its text is forgotten once it is.
MAIL_QUEUED = "mail.queued"


@dataclass(frozen=True, slots=True)
class Subscription:
    consumers: tuple[Consumer, ...] = ()
    # A payload with secrets (the text of a mail with its sign-in code) is emptied once delivered.
    keeps_payload: bool = True
    # Each event in a transaction of its own, for what cannot be undone when a later one fails.
    singly: bool = False


_subscriptions: dict[str, Subscription] = {}


def register_consumer(
    kind: str, consumer: Consumer, *, keeps_payload: bool = True, singly: bool = False
) -> None:
    """Have `consumer` called with the events of this kind; several may follow one kind."""
    known = _subscriptions.get(kind, Subscription())
    if consumer in known.consumers:
        return
    keeps = known.keeps_payload and keeps_payload
    consumers = (*known.consumers, consumer)
    _subscriptions[kind] = Subscription(consumers, keeps, known.singly or singly)


def subscription_of(kind: str) -> Subscription:
    return _subscriptions.get(kind, Subscription())
