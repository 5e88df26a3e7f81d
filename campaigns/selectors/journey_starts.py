"""Who is to begin a journey that no event tells of: what came about within a time.

Each look-up begins at an index of when it is due, and reads a page of it after another: what it
costs is in proportion to what is due, however many members there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from django.db.models import Sum
from django.db.models.functions import Greatest

from campaigns.journey_definitions import Start
from campaigns.journey_entrants import Wanted
from campaigns.models import ExpiryNotice, Journey
from campaigns.selectors.browsing_starts import carts_left, visits_ended
from campaigns.selectors.due_members import (
    PAGE,
    Found,
    Place,
    Stage,
    members_before,
    of_days,
    silent,
    through,
    tiers_lost,
    too_long_silent,
)
from campaigns.selectors.ending_lots import due_of, next_wallets, told_before
from campaigns.selectors.reachable_rewards import reachable_offers
from campaigns.selectors.risen_wallets import came_in, matured
from loyalty.ledger.balances import holdings
from loyalty.models import Lot, Membership, Wallet, WalletType
from loyalty.rules.anniversaries import due_days
from loyalty.rules.calendar import start_of_day
from loyalty.selectors.occasions import Kept, members_due
from loyalty.selectors.pools import told_of_pools
from members.conditions.moments import kept_on
from members.prepared import KeptQuery

KEPT = Kept("campaigns_passage", "journey_id")
Page = tuple[list[Wanted], Place | None]


@dataclass(frozen=True, slots=True)
class Window:
    """What came about after `first`, up to `now`, from a place in it on; None: from the start."""

    journey: Journey
    start: Start
    first: dt.datetime
    now: dt.datetime
    place: Place | None = None


def quiet(window: Window) -> Page:
    """Whose last order is so many days ago since."""
    ago = dt.timedelta(days=window.start.days)
    stage = silent(window.journey.program_id, window.first - ago, window.now - ago)
    return _since_last("quiet", stage, window)


def overdue(window: Window) -> Page:
    """Who has not ordered for so many of their own purchase cycles since."""
    stage = too_long_silent(window.journey, window.start.factor, window.first, window.now)
    return _since_last("overdue", stage, window)


def _since_last(kind: str, stage: Stage[Found], window: Window) -> Page:
    rows, place = through([stage], window.place)
    return [Wanted(row.membership_id, f"{kind}:{row.at.isoformat()}") for row in rows], place


def cart_left(window: Window) -> Page:
    """Whose cart was left so many hours ago since, with something in it."""
    return _hours_ago("cart", carts_left, window)


def looked(window: Window) -> Page:
    """Whose last look was so many hours ago since, and who ordered nothing."""
    return _hours_ago("looked", visits_ended, window)


def _hours_ago(
    kind: str, stage: Callable[[int, dt.datetime, dt.datetime], Stage[Found]], window: Window
) -> Page:
    ago = dt.timedelta(hours=window.start.hours)
    found = stage(window.journey.program_id, window.first - ago, window.now - ago)
    return _since_last(kind, found, window)


def tier_ends(window: Window) -> Page:
    """Who loses a tier in so many days, if nothing happens."""
    ahead = dt.timedelta(days=window.start.days)
    stage = tiers_lost(window.journey.program_id, window.first + ahead, window.now + ahead)
    rows, place = through([stage], window.place)
    return [Wanted(row.membership_id, f"tier:{row.at.isoformat()}") for row in rows], place


def birthday(window: Window) -> Page:
    """Whose birthday it is, or will be in so many days."""
    keys = [key for day in _days(window) for key in kept_on(day)]
    return _days_of_year("birthday", keys, window)


def enrollment(window: Window) -> Page:
    """Whose day of joining it is. It is indexed by the clock of Greenwich, so the days beside it
    are looked at as well."""
    around = (dt.timedelta(days=number) for number in (-1, 0, 1))
    keys = [key for beside in around for day in _days(window) for key in kept_on(day + beside)]
    return _days_of_year("enrollment", keys, window)


def first_order(window: Window) -> Page:
    """Whose day of the first order it is. Indexed as that of joining is."""
    around = (dt.timedelta(days=number) for number in (-1, 0, 1))
    keys = [key for beside in around for day in _days(window) for key in kept_on(day + beside)]
    return _days_of_year("first_purchase", keys, window)


def _days(window: Window) -> list[dt.date]:
    first, today = _between(window)
    return [due.day for due in due_days(first, today, window.start.days)]


def _between(window: Window) -> tuple[dt.date, dt.date]:
    zone = window.journey.program.zone
    return window.first.astimezone(zone).date(), window.now.astimezone(zone).date()


def _days_of_year(on: str, keys: Sequence[int], window: Window) -> Page:
    program = window.journey.program
    rows, place = through(of_days(on, program.pk, sorted(set(keys))), window.place)
    if not rows:
        return [], place
    found = members_due(
        on, list(due_days(*_between(window), window.start.days)), program_id=program.pk,
        rule_id=window.journey.pk, zone=program.zone, among=rows, kept=KEPT,
    )  # fmt: skip
    return [Wanted(item.membership_id, f"{on}:{item.day}", item.day) for item in found], place


def period(begins: Callable[[dt.date], bool], written: str, window: Window) -> Page:
    """Everybody who was a member before, once a month or a year has begun."""
    zone = window.journey.program.zone
    day = window.now.astimezone(zone).date()
    while not begins(day):
        day -= dt.timedelta(days=1)
    began = start_of_day(day, zone)
    if not window.first < began <= window.now:
        return [], None
    rows, place = through([members_before(window.journey.program_id, began)], window.place)
    return [Wanted(pk, day.strftime(written)) for pk in rows], place


@dataclass(frozen=True, slots=True)
class Risen:
    """What a member could spend before and after, in the smallest units."""

    member: Membership
    scale: int
    before: int
    after: int


_FIRST_UNIT: KeptQuery[WalletType] = KeptQuery(
    lambda program: WalletType.objects.filter(program=program).order_by("pk")[:1]
)


def risen(window: Window) -> tuple[Iterator[Risen], Place | None]:
    """Those who can spend more of the program's first kind of units, earned or waited for."""
    unit = _FIRST_UNIT.first(window.journey.program_id)
    if unit is None:
        return iter(()), None
    stages = [came_in(unit.pk, window.first, window.now), matured(window.first, window.now)]
    rows, place = through(stages, window.place)
    return _risen(set(rows), unit.pk, unit.scale, window) if rows else iter(()), place


def _risen(wallet_ids: set[int], unit: int, scale: int, window: Window) -> Iterator[Risen]:
    lots = Lot.objects.filter(
        wallet__in=wallet_ids, wallet__wallet_type=unit, spendable_at__lte=window.now,
        due_at__isnull=False,
    )  # fmt: skip
    # What is recorded late counts from when it is there.
    lots = lots.annotate(told_at=Greatest("spendable_at", "transfer__recorded_at"))
    new = lots.filter(told_at__gt=window.first)
    more = dict(new.values_list("wallet").annotate(Sum("remaining")))
    wallets = Wallet.objects.filter(
        pk__in=more, account__membership__status=Membership.Status.ACTIVE,
        account__membership__program=window.journey.program_id,
    ).select_related("account__membership__program", "account__membership__customer")  # fmt: skip
    held = holdings(list(wallets), window.now)
    for wallet in wallets:
        has = held[wallet.pk].spendable
        yield Risen(wallet.account.membership, scale, has - more[wallet.pk], has)


def balance(window: Window) -> Page:
    """Who has come to one of these balances; to several at once: the highest."""
    found = []
    rows, place = risen(window)
    for item in rows:
        reached = [
            number
            for number in window.start.balances
            if item.before < number * Decimal(10) ** item.scale <= item.after
        ]
        if reached:
            found.append(Wanted(item.member.pk, f"balance:{max(reached)}"))
    return found, place


def expiring(window: Window) -> Page:
    """Of whose units something ends in so many days, and was not told at that distance. Of several
    wallets the nearest end leads in last, which is first."""
    distances, now = window.start.distances, window.now
    at = [window.place[0], *window.place[1]] if window.place else None
    wallets, place = next_wallets(now, at, PAGE, distances)
    due = due_of(wallets, now, distances, window.journey.program_id)
    ahead = None if place is None else (place[0], place[1:])
    if not due:
        return [], ahead
    notices = ExpiryNotice.objects.filter(wallet__in=due)
    told = {(row.wallet_id, row.days): row.through for row in notices}
    accounts = dict(Wallet.objects.filter(pk__in=due).values_list("pk", "account"))
    members = _members_of(accounts.values())
    found = [
        Wanted(member, f"expiring:{pk}:{days}:{told_before(told.get((pk, days)))}")
        for days, pk in sorted(((item.days, pk) for pk, item in due.items()), reverse=True)
        for member in members.get(accounts[pk], ())
    ]
    return found, ahead


def _members_of(accounts: Collection[int]) -> dict[int, list[int]]:
    """By account whose it is, or who may spend of what is shared."""
    rows = Membership.objects.filter(account__in=accounts).values_list("account", "pk")
    own = {account: [pk] for account, pk in rows}
    if not (others := set(accounts) - own.keys()):
        return own
    shared = told_of_pools(others)
    return own | {account: [member.pk for member in members] for account, members in shared.items()}


def reachable(window: Window) -> Page:
    """Who can take the cheapest reward now, and could take none before."""
    found = []
    rows, place = risen(window)
    for item in rows:
        offers = reachable_offers(item.member, window.now)
        if offers and item.before < offers[0].price <= item.after:
            found.append(Wanted(item.member.pk, "reachable"))
    return found, place


def near(window: Window) -> Page:
    """Who has come to so many percent of the price of the next reward."""
    found = []
    rows, place = risen(window)
    for item in rows:
        ahead = [
            offer for offer in reachable_offers(item.member, window.now) if offer.price > item.after
        ]
        if ahead and item.before * 100 < ahead[0].price * window.start.share <= item.after * 100:
            found.append(Wanted(item.member.pk, f"reward:{ahead[0].reward.pk}"))
    return found, place


LOOK_UPS: Mapping[str, Callable[[Window], Page]] = {
    "first_order": first_order,
    "quiet": quiet,
    "overdue": overdue,
    "cart_left": cart_left,
    "looked": looked,
    "tier_ends": tier_ends,
    "birthday": birthday,
    "enrollment": enrollment,
    "balance": balance,
    "expiring": expiring,
    "reachable": reachable,
    "near": near,
    "month": partial(period, lambda day: day.day == 1, "month:%Y-%m"),
    "year": partial(period, lambda day: (day.month, day.day) == (1, 1), "year:%Y"),
}
