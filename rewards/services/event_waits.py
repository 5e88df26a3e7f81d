"""The waiting list of an event. A seat that comes free is offered to who is next and kept for
them; units are spent only when they say yes.

Locks: the reward, whose stock are the seats, then places in the list. Nobody can take a seat
between its coming free and its being offered, for both are under the reward's lock.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from members.formatting import format_moment
from members.languages import language_of
from members.selectors.merchants import get_merchant
from members.services.mail import queue_mail
from rewards.models import Event, EventWait, Redemption, Reward
from rewards.selectors.events import waits

Status = EventWait.Status


def locked_reward(pk: int) -> Reward:
    """The seats as they are now; nobody else takes, keeps or frees one until the transaction
    ends."""
    rows = Reward.objects.select_related("program", "wallet_type")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)


def seat_came_free(redemption: Redemption, now: dt.datetime) -> None:
    """Whoever waits for what was just given up is offered it."""
    if redemption.reward.kind != Reward.Kind.EVENT_SEAT:
        return
    event = Event.objects.filter(reward=redemption.reward_id).first()
    if event is not None:
        offer_seats(event, now)


def offer_seats(event: Event, now: dt.datetime) -> int:
    """Offer whatever is free to those who are next. Returns to how many. The caller's transaction
    has changed what is free."""
    reward = locked_reward(event.reward_id)
    current = Event.objects.get(pk=event.pk)
    if not _offers(current, reward, now):
        return 0
    free = reward.left or 0
    nexts = list(_waiting(event).order_by("pk")[:free])
    for wait in nexts:
        until = min(now + dt.timedelta(hours=current.offer_hours), current.starts_at)
        wait.status, wait.offered_at, wait.offered_until = Status.OFFERED, now, until
        wait.save(update_fields=["status", "offered_at", "offered_until"])
        _tell(wait)
    if nexts:
        Reward.objects.filter(pk=reward.pk).update(kept=F("kept") + len(nexts))
    return len(nexts)


def close_offer(wait: EventWait, status: str, now: dt.datetime) -> None:
    """Give the seat that is kept for them free again. The reward is locked."""
    if wait.status == Status.OFFERED:
        Reward.objects.filter(pk=wait.event.reward_id).update(kept=F("kept") - 1)
    wait.status, wait.closed_at = status, now
    wait.save(update_fields=["status", "closed_at", "redemption"])


def close_list(event: Event, now: dt.datetime) -> int:
    """Nobody waits any more; the reward is locked."""
    found = list(waits().filter(event=event, status__in=EventWait.OPEN).select_for_update(
        of=("self",)
    ))  # fmt: skip
    for wait in found:
        close_offer(wait, Status.LEFT, now)
    return len(found)


def _offers(event: Event, reward: Reward, now: dt.datetime) -> bool:
    planned = event.status == Event.Status.PLANNED and reward.status == Reward.Status.LIVE
    return planned and now < event.starts_at


def _waiting(event: Event) -> QuerySet[EventWait]:
    return waits().filter(event=event, status=Status.WAITING).select_for_update(of=("self",))


def _tell(wait: EventWait) -> None:
    """A mail with where to answer; nobody waits for it who has no address."""
    member, merchant = wait.membership, get_merchant()
    customer = (member.merged_into or member).customer
    if not customer.email or wait.offered_until is None:
        return
    address = reverse("rewards_account:event", args=[wait.event.public_id])
    context = {
        "customer": customer,
        "event": wait.event,
        "until": format_moment(wait.offered_until, member.program.zone),
        "url": settings.SITE_URL + address,
    }
    with translation.override(language_of(customer) or merchant.locale):
        queue_mail(
            to=customer.email,
            subject=_("A seat is free: %s") % wait.event.reward.name,
            text=render_to_string("rewards/events/seat_free.txt", context),
        )
