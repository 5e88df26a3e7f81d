"""Companies: who they are, what their buyers bought and may spend, what waits for approval."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from loyalty.models import (
    Company,
    Membership,
    Order,
    Pool,
    PoolMember,
    SpendRequest,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.rules.calendar import period_start, start_of_day
from members.errors import NotFoundError
from members.models import StaffMember

LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Room:
    """What a buyer may spend without asking, at the wallet type's scale; None: as much as they
    like."""

    at_once: int | None
    in_period: int | None

    @property
    def now(self) -> int | None:
        limits = [limit for limit in (self.at_once, self.in_period) if limit is not None]
        return min(limits) if limits else None


@dataclass(frozen=True, slots=True)
class BuyerSpend:
    """What one buyer ordered for the company, less what came back."""

    member: PoolMember
    orders: int
    spent: Decimal


def companies() -> QuerySet[Company]:
    """With pool, program and manager; how many buy for each (`buyer_count`) and how many requests
    wait (`waiting_count`)."""
    present = Q(pool__members__left_at=None, pool__members__isnull=False)
    waiting = Q(spend_requests__state=SpendRequest.State.WAITING)
    found: QuerySet[Company] = Company.objects.select_related(
        "pool__program", "manager__user"
    ).annotate(
        buyer_count=Count("pool__members", filter=present, distinct=True),
        waiting_count=Count("spend_requests", filter=waiting, distinct=True),
    )
    return found


def get_company(public_id: uuid.UUID | str) -> Company:
    """By its pool's public id. Raises NotFoundError."""
    found = companies().filter(pool__public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such company."))
    return found


def search_companies(found: QuerySet[Company], text: str) -> QuerySet[Company]:
    """Those whose name or number this is, or a part of it."""
    text = text.replace("\x00", "").strip()[:LONGEST_SEARCH]
    if not text:
        return found
    plain = text.replace(" ", "").replace(".", "")
    return found.filter(
        Q(pool__name__icontains=text)
        | Q(legal_name__icontains=text)
        | Q(external_id__iexact=text)
        | Q(registration_number__iexact=text)
        | Q(vat_number__iexact=plain)
        | Q(tags__contains=[text.lower()])
    )


def waiting_companies(user_id: int | None) -> list[tuple[Company, int]]:
    """Those that this person looks after in which requests wait, by name, with how many."""
    counts = dict(
        SpendRequest.objects.filter(
            state=SpendRequest.State.WAITING, company__manager__user=user_id
        )
        .order_by()
        .values_list("company")
        .annotate(Count("pk"))
    )
    found = Company.objects.select_related("pool").filter(pk__in=counts)
    return [(company, counts[company.pk]) for company in found.order_by("pool__name", "pk")]


def managers() -> list[StaffMember]:
    """Whoever looks after a company, by name."""
    found = StaffMember.objects.filter(Exists(Company.objects.filter(manager=OuterRef("pk"))))
    return sorted(found.select_related("user"), key=lambda item: str(item.user).casefold())


def company_of(pool: Pool) -> Company | None:
    """What the pool is beside its units; None for a household."""
    return Company.objects.select_related("pool__program", "manager__user").filter(
        pool=pool
    ).first()  # fmt: skip


# --- spending


def room_to_spend(
    member: PoolMember, wallet: Wallet, at: dt.datetime, company: Company | None = None
) -> Room:
    """How much a member of a pool may spend of its wallet without asking, by the company's limits.
    In a household, and for owners and approvers, there are none."""
    company = company or company_of(member.pool)
    if company is None or member.spends_freely:
        return Room(None, None)
    whole = 10**wallet.wallet_type.scale
    at_once = None if company.most_at_once is None else company.most_at_once * whole
    if company.most_in_period is None:
        return Room(at_once, None)
    spent = spent_in_period(member, wallet, company.period, at)
    return Room(at_once, max(company.most_in_period * whole - spent, 0))


def spent_in_period(member: PoolMember, wallet: Wallet, period: str, at: dt.datetime) -> int:
    """What a buyer redeemed from the pool and took out of it in the day or month of a moment,
    without what approvers allowed and what was given back."""
    zone = member.pool.program.zone
    since = start_of_day(period_start(period, at, zone), zone)
    redeemed = Transfer.objects.filter(
        wallet=wallet, kind=Transfer.Kind.REDEMPTION, occurred_at__gte=since,
        explanation__member=member.membership_id, spend_request=None,
    )  # fmt: skip
    taken = Transfer.objects.filter(
        wallet__account=member.membership.account_id, wallet__wallet_type=wallet.wallet_type_id,
        kind=Transfer.Kind.POOL, occurred_at__gte=since, explanation__pool="taken",
    )  # fmt: skip
    back = Transfer.objects.filter(Q(reverses__in=redeemed) | Q(corrects__in=redeemed))
    out = _sum(redeemed) + _sum(taken)
    return max(out - _sum(back), 0)


def _sum(transfers: QuerySet[Transfer]) -> int:
    return int(transfers.aggregate(units=Sum("amount"))["units"] or 0)


def common_wallet(pool: Pool, wallet_type: WalletType) -> Wallet:
    """The pool's wallet of a kind of units."""
    return Wallet.objects.select_related("wallet_type__program").get(
        account=pool.account_id, wallet_type=wallet_type
    )


def spend_requests() -> QuerySet[SpendRequest]:
    """With all that showing them needs."""
    return SpendRequest.objects.select_related(
        "company__pool__program", "wallet_type", "transfer", "decided_user",
        "asked_by__membership__customer", "asked_by__pool", "decided_by__membership__customer",
    )  # fmt: skip


def requests_seen_by(place: PoolMember) -> QuerySet[SpendRequest]:
    """What the member asked for, and what waits for them to decide
    (`spend_requests.why_not_to_decide`)."""
    seen = Q(asked_by=place)
    if place.decides and place.membership.status == Membership.Status.ACTIVE:
        others = ~Q(asked_by__membership=place.membership_id)
        seen |= Q(state=SpendRequest.State.WAITING) & others
    return spend_requests().filter(seen, company__pool=place.pool_id)


def get_spend_request(public_id: uuid.UUID | str) -> SpendRequest:
    """Raises NotFoundError."""
    found = spend_requests().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError(_("There is no such request."))
    return found


def open_requests(company: Company, now: dt.datetime) -> QuerySet[SpendRequest]:
    """What approvers still can decide, the longest waiting first."""
    return (
        spend_requests()
        .filter(company=company, state=SpendRequest.State.WAITING, expires_at__gt=now)
        .order_by("asked_at", "pk")
    )


# --- orders

# What customers ordered while they bought for a pool, by place; of orders in the program's currency
# that did not come to nothing, less what was given back until then.
_BY_PLACE = """
    SELECT m.id, m.pool_id, o.orders, o.spent - r.returned
      FROM unnest(%(pools)s::bigint[], %(since)s::timestamptz[]) AS x(pool, since)
      JOIN loyalty_poolmember m ON m.pool_id = x.pool
      JOIN loyalty_membership s ON s.id = m.membership_id
      JOIN loyalty_program g ON g.id = s.program_id
     CROSS JOIN LATERAL (
           SELECT count(*) AS orders, coalesce(sum(total), 0) AS spent FROM loyalty_countedorder
            WHERE customer_id = s.customer_id AND placed_at >= greatest(m.joined_at, x.since)
              AND placed_at < least(m.left_at, %(until)s)
              AND status NOT IN ('cancelled', 'refunded') AND currency = g.currency
              AND (program_id IS NULL OR program_id = g.id)) o
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(f.total), 0) AS returned
             FROM loyalty_countedrefund f LEFT JOIN loyalty_order fo ON fo.id = f.order_id
            WHERE f.customer_id = s.customer_id AND (f.program_id IS NULL OR f.program_id = g.id)
              AND f.refunded_at >= x.since AND f.refunded_at < %(until)s
              AND coalesce(fo.placed_at, f.refunded_at) >= m.joined_at
              AND coalesce(fo.placed_at, f.refunded_at) < coalesce(m.left_at, 'infinity')
              AND f.currency = g.currency
              AND coalesce(fo.status, '') NOT IN ('cancelled', 'refunded')) r
"""


def spend_by_buyer(pool: Pool, since: dt.datetime, until: dt.datetime) -> list[BuyerSpend]:
    """What each buyer ordered in [since, until) while they bought for the company, who spent most
    first."""
    figures = {
        pk: (orders, spent) for pk, _pool, orders, spent in _by_place({pool.pk: since}, until)
    }
    members = PoolMember.objects.filter(pk__in=figures).select_related("membership__customer")
    found = [BuyerSpend(member, *figures[member.pk]) for member in members]
    return sorted(found, key=lambda item: (-item.spent, item.member.pk))


def spend_this_year(pools: Iterable[Pool], now: dt.datetime) -> dict[int, Decimal]:
    """What the buyers of each pool ordered for it since the year began, by its key; in one query,
    however many there are."""
    since = {pool.pk: year_start(pool, now) for pool in pools}
    found = dict.fromkeys(since, Decimal(0))
    for _place, pool_id, _orders, spent in _by_place(since, now) if since else ():
        found[pool_id] += spent
    return found


def year_start(pool: Pool, now: dt.datetime) -> dt.datetime:
    zone = pool.program.zone
    return start_of_day(period_start("year", now, zone), zone)


def _by_place(since: Mapping[int, dt.datetime], until: dt.datetime) -> list[tuple[Any, ...]]:
    asked: dict[str, Any] = {"pools": list(since), "since": list(since.values()), "until": until}
    with connection.cursor() as cursor:
        cursor.execute(_BY_PLACE, asked)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def company_orders(pool: Pool) -> QuerySet[Order]:
    """What members ordered while they bought for the company."""
    theirs = PoolMember.objects.filter(
        Q(left_at=None) | Q(left_at__gt=OuterRef("placed_at")),
        pool=pool,
        membership__customer=OuterRef("customer"),
        joined_at__lte=OuterRef("placed_at"),
    )
    customers = Membership.objects.filter(pool_members__pool=pool).values("customer")
    return Order.objects.filter(Exists(theirs), customer__in=customers).select_related("customer")
