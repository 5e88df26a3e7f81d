"""What members are told about their paid plan: its trial ends soon, it was renewed, a payment did
not come, it is canceled, it has ended.

Each follows from what the plan and its invoices are when the event is followed up, under a name of
its own: the same is told once, however often something about the plan is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _l

from campaigns.models import OccasionSetting
from campaigns.news import FRESH, News
from campaigns.occasions import Occasion, Variable
from campaigns.services.messages import watched, write_messages
from loyalty.lot_words import last_day
from loyalty.models import Membership, PlanCharge, Subscription
from loyalty.payments.providers import provider_named
from loyalty.plan_words import price_words
from loyalty.selectors.subscriptions import owner_of, subscriptions
from members.formatting import format_day, format_money
from members.models import OutboxEvent
from members.selectors.merges import current

State, Why = Subscription.State, Subscription.Why
PLAN = Variable("plan", _l("The plan’s name"), "text", "Plus")
PRICE = Variable("price", _l("What it costs"), "money", "$9.90 a month")
TRIAL_ENDS = Occasion(
    code="plan_trial_ends",
    label=_l("A trial ends soon"),
    description=_l("Three days before the trial of a paid plan ends."),
    icon="hourglass",
    topic="orders",
    priority=12,
    variables=(PLAN, PRICE, Variable("day", _l("Day of the first payment"), "day", "Dec 4, 2026")),
    news_for=dt.timedelta(days=2),
)
RENEWED = Occasion(
    code="plan_renewed",
    label=_l("A plan was renewed"),
    description=_l("A paid plan goes on: it was paid, or there is an invoice for it."),
    icon="repeat",
    topic="orders",
    priority=10,
    variables=(
        PLAN,
        Variable("amount", _l("What it costs this time"), "money", "$9.90"),
        Variable("until", _l("Last day that is paid with it"), "day", "Jan 3, 2027"),
        Variable("pay_by", _l("Until when an invoice is to be paid"), "day", "Dec 18, 2026",
                 may_be_empty=True),
    ),
)  # fmt: skip
FAILED = Occasion(
    code="plan_payment_failed",
    label=_l("A payment failed"),
    description=_l("Each time that a payment for a plan fails, and when an invoice is overdue."),
    icon="alert-triangle",
    topic="orders",
    priority=10,
    variables=(
        PLAN,
        Variable("amount", _l("What is to be paid"), "money", "$9.90"),
        Variable("again", _l("When it is tried again"), "day", "Dec 7, 2026", may_be_empty=True),
        Variable("ends", _l("When the plan ends without it"), "day", "Dec 14, 2026",
                 may_be_empty=True),
    ),
)  # fmt: skip
CANCELED = Occasion(
    code="plan_canceled",
    label=_l("A plan is canceled"),
    description=_l("A paid plan is not renewed any more; what is paid for lasts."),
    icon="calendar-off",
    topic="orders",
    priority=12,
    variables=(PLAN, Variable("until", _l("Its last day"), "day", "Jan 3, 2027")),
)
ENDED = Occasion(
    code="plan_ended",
    label=_l("A plan has ended"),
    description=_l("A paid plan is over: canceled, or not paid. Not where another one follows."),
    icon="calendar-off",
    topic="orders",
    priority=12,
    variables=(
        PLAN,
        Variable("day", _l("When it ended"), "day", "Jan 3, 2027"),
        Variable("unpaid", _l("Something, where it was not paid"), "text", "yes",
                 may_be_empty=True),
    ),
)  # fmt: skip
OCCASIONS = (TRIAL_ENDS, RENEWED, FAILED, CANCELED, ENDED)
_OVER = (Why.PERIOD_END, Why.AT_ONCE, Why.NOT_PAID, Why.LEFT)


def follow_plans(events: Sequence[OutboxEvent]) -> None:
    """Tell what has become of these plans and their invoices since the occasions are on."""
    named = {event.payload["subscription"] for event in events}
    now = timezone.now()
    for occasion, find in (
        (RENEWED, _renewed), (FAILED, _failed), (CANCELED, _canceled), (ENDED, _ended),
    ):  # fmt: skip
        setting = watched(occasion)
        if setting is not None and setting.since is not None:
            write_messages(
                occasion=occasion, setting=setting, news=find(named, setting, now), now=now
            )


def trial_news(held: Subscription) -> News:
    """Its first payment is near."""
    member = owner_of(held)
    assert held.trial_ends_at is not None
    day = held.trial_ends_at

    def values() -> dict[str, str]:
        return {
            "plan": held.version.name,
            "price": price_words(held.version, member.program.currency),
            "day": format_day(day, member.program.zone),
        }

    return _news(member, f"subscription:{held.pk}", values)


def _renewed(named: Iterable[int], setting: OccasionSetting, now: dt.datetime) -> list[News]:
    found = []
    since = max(setting.since or now, now - FRESH)
    for charge in _charges(named).exclude(state=PlanCharge.State.REFUNDED):
        held = charge.subscription
        if charge.paid_at is not None and charge.paid_at >= since:
            is_news = True
        else:
            by_hand = not provider_named(held.provider).collects
            is_open = charge.state == PlanCharge.State.OPEN and charge.due_at > now
            is_news = by_hand and is_open and charge.issued_at >= since
        if is_news and _goes_on(charge):
            found.append(_renewal(charge))
    return found


def _goes_on(charge: PlanCharge) -> bool:
    """The first payment of all is no renewal; that after a trial, or another plan, is."""
    held = charge.subscription
    return charge.period_number > 1 or held.trial_ends_at is not None or held.follows_id is not None


def _renewal(charge: PlanCharge) -> News:
    member = owner_of(charge.subscription)
    zone, paid = member.program.zone, charge.paid_at is not None

    def values() -> dict[str, str]:
        return {
            "plan": charge.version.name,
            "amount": format_money(charge.amount, charge.currency),
            "until": format_day(last_day(charge.period_end, zone)),
            "pay_by": "" if paid else format_day(charge.due_at, zone),
        }

    return _news(member, f"charge:{charge.pk}", values)


def _failed(named: Iterable[int], setting: OccasionSetting, now: dt.datetime) -> list[News]:
    unpaid = _charges(named).filter(
        state__in=PlanCharge.UNPAID, due_at__lte=now, subscription__ended_at=None
    )
    found = []
    for charge in unpaid:
        failed = charge.state == PlanCharge.State.FAILED
        # What a provider has only not decided yet is no failure.
        if failed or not provider_named(charge.subscription.provider).collects:
            found.append(_failure(charge, str(charge.attempts) if failed else "overdue"))
    return found


def _failure(charge: PlanCharge, step: str) -> News:
    held, member = charge.subscription, owner_of(charge.subscription)
    zone = member.program.zone

    def values() -> dict[str, str]:
        again, ends = charge.next_attempt_at, held.benefits_until
        return {
            "plan": charge.version.name,
            "amount": format_money(charge.amount, charge.currency),
            "again": format_day(again, zone) if again else "",
            "ends": format_day(ends, zone) if ends else "",
        }

    return _news(member, f"charge:{charge.pk}:{step}", values)


def _canceled(named: Iterable[int], setting: OccasionSetting, now: dt.datetime) -> list[News]:
    found = subscriptions().filter(
        pk__in=list(named), ended_at=None, cancel_at_period_end=True,
        cancel_asked_at__gte=setting.since,
    )  # fmt: skip
    return [_cancellation(held) for held in found if held.cancel_asked_at and held.period_end]


def _cancellation(held: Subscription) -> News:
    member = owner_of(held)
    assert held.cancel_asked_at is not None
    assert held.period_end is not None
    end = held.period_end

    def values() -> dict[str, str]:
        return {
            "plan": held.version.name,
            "until": format_day(last_day(end, member.program.zone)),
        }

    return _news(member, f"subscription:{held.pk}:{held.cancel_asked_at.isoformat()}", values)


def _ended(named: Iterable[int], setting: OccasionSetting, now: dt.datetime) -> list[News]:
    """One that never began is not missed."""
    since = max(setting.since or now, now - FRESH)
    found = subscriptions().filter(
        pk__in=list(named), ended_at__gte=since, ended_why__in=_OVER, benefits_from__isnull=False
    )
    return [_end(held) for held in found]


def _end(held: Subscription) -> News:
    member = owner_of(held)
    assert held.ended_at is not None
    at = held.ended_at

    def values() -> dict[str, str]:
        return {
            "plan": held.version.name,
            "day": format_day(at, member.program.zone),
            "unpaid": "yes" if held.ended_why == Why.NOT_PAID else "",
        }

    return _news(member, f"subscription:{held.pk}", values)


def _charges(named: Iterable[int]) -> QuerySet[PlanCharge]:
    return (
        PlanCharge.objects.filter(subscription__in=list(named))
        .select_related(
            "version", "subscription__membership__program",
            "subscription__membership__customer__merged_into",
            "subscription__membership__merged_into__customer__merged_into",
            "subscription__membership__merged_into__program",
        )
        .order_by("pk")
    )  # fmt: skip


def _news(
    member: Membership, occurrence: str, values: Callable[[], Mapping[str, str]]
) -> News:  # fmt: skip
    return News(
        customer=current(member.customer), membership=member, occurrence=occurrence,
        values=values,
        link=reverse("mypage:plan_of", args=[member.public_id]),
    )  # fmt: skip
