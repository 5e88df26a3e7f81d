"""Paid plans in a merge: they stay with the membership they were made for, and are read with the
one that counts. Of two that run, the younger one is not renewed."""

from __future__ import annotations

import datetime as dt

from loyalty.models import Membership, Subscription
from loyalty.selectors.subscriptions import of_members, running
from loyalty.services.subscription_states import end, settle, tell
from loyalty.services.subscriptions import hold

State = Subscription.State


def join_plans(kept: Membership, now: dt.datetime) -> list[int]:
    """Once the memberships are one. Answers with the keys of what is not renewed by this."""
    found = of_members([kept.pk]).filter(running()).order_by("asked_at", "pk")
    stopped = []
    for subscription in list(found)[1:]:
        held = hold(subscription)
        if held.state == State.WAITING:
            end(held, State.CANCELED, Subscription.Why.AT_ONCE, at=now, now=now)
        elif not held.cancel_at_period_end:
            held.cancel_at_period_end, held.cancel_asked_at = True, now
            settle(held, now=now)
            stopped.append(held.pk)
    for subscription in of_members([kept.pk]):
        tell(subscription)
    return stopped


def part_plans(stopped: list[int], now: dt.datetime) -> None:
    """What the merge had stopped renews again, if it still runs, or if what took its place does,
    which was stopped with it."""
    for pk in stopped:
        held = hold(Subscription.objects.get(pk=pk))
        while (follower := _place_taken(held)) is not None:
            held = hold(follower)
        if held.running and held.period_end is not None and held.period_end > now:
            held.cancel_at_period_end, held.cancel_asked_at = False, None
            settle(held, now=now)


def _place_taken(held: Subscription) -> Subscription | None:
    """By another plan, while it was paid for: what only waits to has not."""
    if held.ended_why != Subscription.Why.CHANGED:
        return None
    return Subscription.objects.filter(follows=held).first()
