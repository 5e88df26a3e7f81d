"""Who is to begin a journey that no event tells of: what came about within a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from django.db.models import QuerySet, Sum
from django.db.models.functions import Greatest

from campaigns.journey_definitions import Start
from campaigns.journey_entrants import Wanted
from campaigns.models import Journey
from campaigns.selectors.reachable_rewards import reachable_offers
from loyalty.ledger.balances import holdings
from loyalty.models import Lot, Membership, MemberTier, Wallet
from loyalty.rules.anniversaries import due_days
from loyalty.rules.calendar import start_of_day
from loyalty.selectors.occasions import Kept, members_due
from members.models import CustomerFacts

# Two orders have one gap between them, and that is no habit yet.
LEAST_ORDERS = 3
KEPT = Kept("campaigns_passage", "journey_id")


@dataclass(frozen=True, slots=True)
class Window:
    """What came about after `first`, up to `now`, of the memberships with keys above `after`, up to
    `until`."""

    journey: Journey
    start: Start
    first: dt.datetime
    now: dt.datetime
    after: int
    until: int

    def members(self) -> QuerySet[Membership]:
        return Membership.objects.filter(
            pk__gt=self.after, pk__lte=self.until, program=self.journey.program_id,
            status=Membership.Status.ACTIVE,
        )  # fmt: skip


def quiet(window: Window) -> list[Wanted]:
    """Whose last order is so many days ago since."""
    ago = dt.timedelta(days=window.start.days)
    rows = window.members().filter(
        customer__facts__last_order_at__gt=window.first - ago,
        customer__facts__last_order_at__lte=window.now - ago,
    )  # fmt: skip
    return _since_last_order(rows, "quiet")


def overdue(window: Window) -> list[Wanted]:
    """Who has not ordered for so many of their own purchase cycles since."""
    facts = CustomerFacts.objects.filter(orders__gte=LEAST_ORDERS, purchase_cycle__gt=0)
    late = facts.extra(
        where=[
            "last_order_at + purchase_cycle * %s * interval '1 day' > %s",
            "last_order_at + purchase_cycle * %s * interval '1 day' <= %s",
        ],
        params=[window.start.factor, window.first, window.start.factor, window.now],
    )  # fmt: skip
    return _since_last_order(window.members().filter(customer__in=late.values("pk")), "overdue")


def _since_last_order(rows: QuerySet[Membership], kind: str) -> list[Wanted]:
    pairs = rows.order_by("pk").values_list("pk", "customer__facts__last_order_at")
    return [Wanted(pk, f"{kind}:{at.isoformat()}") for pk, at in pairs if at]


def tier_ends(window: Window) -> list[Wanted]:
    """Who loses a tier in so many days, if nothing happens."""
    ahead = dt.timedelta(days=window.start.days)
    rows = MemberTier.objects.filter(
        membership__in=window.members(), lost_at__gt=window.first + ahead,
        lost_at__lte=window.now + ahead,
    )  # fmt: skip
    pairs = rows.order_by("pk").values_list("membership", "lost_at")
    return [Wanted(pk, f"tier:{at.isoformat()}") for pk, at in pairs if at]


def day_of_year(on: str, window: Window) -> list[Wanted]:
    """Whose day is kept, or will be in so many days."""
    zone = window.journey.program.zone
    first, today = (at.astimezone(zone).date() for at in (window.first, window.now))
    found = members_due(
        on, list(due_days(first, today, window.start.days)),
        program_id=window.journey.program_id, rule_id=window.journey.pk, zone=zone,
        after=window.after, until=window.until, kept=KEPT,
    )  # fmt: skip
    return [Wanted(item.membership_id, f"{on}:{item.day}", item.day) for item in found]


def period(begins: Callable[[dt.date], bool], written: str, window: Window) -> list[Wanted]:
    """Everybody who was a member before, once a month or a year has begun."""
    zone = window.journey.program.zone
    day = window.now.astimezone(zone).date()
    while not begins(day):
        day -= dt.timedelta(days=1)
    began = start_of_day(day, zone)
    if not window.first < began <= window.now:
        return []
    rows = window.members().filter(enrolled_at__lt=began).order_by("pk")
    return [Wanted(pk, day.strftime(written)) for pk in rows.values_list("pk", flat=True)]


@dataclass(frozen=True, slots=True)
class Risen:
    """What a member could spend before and after, in the smallest units."""

    member: Membership
    scale: int
    before: int
    after: int


def risen(window: Window) -> Iterator[Risen]:
    """Those who can spend more of the program's first kind of units, earned or waited for."""
    unit = window.journey.program.wallet_types.order_by("pk").first()
    if unit is None:
        return
    lots = Lot.objects.filter(
        wallet__wallet_type=unit, wallet__account__membership__in=window.members(),
        spendable_at__lte=window.now, due_at__isnull=False,
    )  # fmt: skip
    # What is recorded late counts from when it is there.
    lots = lots.annotate(told_at=Greatest("spendable_at", "transfer__recorded_at"))
    new = lots.filter(told_at__gt=window.first)
    more = dict(new.values_list("wallet").annotate(Sum("remaining")))
    wallets = Wallet.objects.filter(pk__in=more).select_related(
        "account__membership__program", "account__membership__customer"
    )
    held = holdings(list(wallets), window.now)
    for wallet in wallets:
        has = held[wallet.pk].spendable
        yield Risen(wallet.account.membership, unit.scale, has - more[wallet.pk], has)


def balance(window: Window) -> list[Wanted]:
    """Who has come to one of these balances; to several at once: the highest."""
    found = []
    for item in risen(window):
        reached = [
            number
            for number in window.start.balances
            if item.before < number * Decimal(10) ** item.scale <= item.after
        ]
        if reached:
            found.append(Wanted(item.member.pk, f"balance:{max(reached)}"))
    return found


def reachable(window: Window) -> list[Wanted]:
    """Who can take the cheapest reward now, and could take none before."""
    found = []
    for item in risen(window):
        offers = reachable_offers(item.member, window.now)
        if offers and item.before < offers[0].price <= item.after:
            found.append(Wanted(item.member.pk, "reachable"))
    return found


def near(window: Window) -> list[Wanted]:
    """Who has come to so many percent of the price of the next reward."""
    found = []
    for item in risen(window):
        ahead = [
            offer for offer in reachable_offers(item.member, window.now) if offer.price > item.after
        ]
        if ahead and item.before * 100 < ahead[0].price * window.start.share <= item.after * 100:
            found.append(Wanted(item.member.pk, f"reward:{ahead[0].reward.pk}"))
    return found


LOOK_UPS: Mapping[str, Callable[[Window], list[Wanted]]] = {
    "quiet": quiet,
    "overdue": overdue,
    "tier_ends": tier_ends,
    "birthday": partial(day_of_year, "birthday"),
    "enrollment": partial(day_of_year, "enrollment"),
    "balance": balance,
    "reachable": reachable,
    "near": near,
    "month": partial(period, lambda day: day.day == 1, "month:%Y-%m"),
    "year": partial(period, lambda day: (day.month, day.day) == (1, 1), "year:%Y"),
}
