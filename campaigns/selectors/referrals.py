"""Referrals: which there are, what is promised now, and what a friend has bought."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, DecimalField, F, Prefetch, Q, QuerySet, Sum

from campaigns.models import (
    Referral,
    ReferralLink,
    ReferralPayment,
    ReferralProgram,
    ReferralTerms,
)
from campaigns.referral_definitions import ReferralDefinition, definition_of
from loyalty.models import Membership, Order, Program
from loyalty.selectors.exchange_rates import counted_amount
from members.errors import NotFoundError
from members.models import Customer
from members.prepared import KeptQuery, run_prepared

Status = Referral.Status
_MONEY = DecimalField(max_digits=18, decimal_places=4)
ZERO = Decimal(0)
# A code may be told after the purchase that it was given with.
GIVEN_LATE = dt.timedelta(days=1)
_DUPLICATES = "SELECT id FROM members_customer WHERE merged_into_id = %s"


def referrals() -> QuerySet[Referral]:
    """With what a list of them shows."""
    return Referral.objects.select_related(
        "program", "terms", "friend__merged_into", "order", "decided_by", "link__affiliate",
        "link__membership__customer", "link__membership__merged_into__customer",
    ).prefetch_related(
        Prefetch("payments", ReferralPayment.objects.select_related(
            "wallet_type", "order", "redemption__reward").order_by("pk"))
    )  # fmt: skip


def get_referral(public_id: UUID) -> Referral:
    """Raises NotFoundError."""
    found = referrals().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such referral.")
    return found


def live_terms(program: Program) -> ReferralTerms | None:
    """What is promised to who comes now; None: nobody can come."""
    if program.status != Program.Status.LIVE:
        return None
    return _terms.first(program.pk, ReferralProgram.Status.LIVE)


_terms: KeptQuery[ReferralTerms] = KeptQuery(
    lambda program, live: (
        ReferralTerms.objects.filter(
            referral_program__program=program, referral_program__status=live
        )
        .select_related("referral_program")
        .order_by("-number")[:1]
    )
)


def brought_by(membership: Membership) -> QuerySet[Referral]:
    """By a member's links: their own, and those of duplicates that were merged into them."""
    own = Q(link__membership=membership) | Q(link__membership__merged_into=membership)
    return referrals().filter(own).order_by("-pk")


def advocate_of(link: ReferralLink) -> Membership | None:
    """Who brings people by it, whoever they are after a merge; None: an affiliate."""
    member = link.membership
    return (member.merged_into or member) if member is not None else None


def brings(link: ReferralLink) -> bool:
    """Whether who has it brings people at the moment: an active member, an affiliate who was not
    stopped."""
    if link.affiliate is not None:
        return link.affiliate.stopped_at is None
    member = advocate_of(link)
    return member is not None and member.status == Membership.Status.ACTIVE


def links_of(membership_id: int) -> QuerySet[ReferralLink]:
    return ReferralLink.objects.filter(
        Q(membership=membership_id) | Q(membership__merged_into=membership_id)
    )


def visits_of(link: ReferralLink) -> int:
    """How often it was opened, by each visitor once a day."""
    return link.visits_before + link.visits.count()


def people_of(customer: Customer) -> list[int]:
    """Their keys under all of their names."""
    return [customer.pk, *(pk for (pk,) in run_prepared(_DUPLICATES, [customer.pk]))]


def net_of(order: Order, program: Program) -> Decimal | None:
    """What an order came to, less what went back, as the program counts it; None: it does not."""
    back = sum((refund.total for refund in order.refunds.all()), ZERO)
    return counted_amount(order, program, max(ZERO, Decimal(order.total) - back))


def counts(order: Order, definition: ReferralDefinition, program: Program) -> bool:
    """Whether it is what the friend has to buy."""
    if order.status in Order.VOID:
        return False
    net = net_of(order, program)
    return net is not None and net >= (definition.least or Decimal("0.0001"))


def begins_at(referral: Referral) -> dt.datetime | None:
    """From when on what they buy counts: from joining, and not from long before they came. None:
    they are no member yet."""
    if referral.joined_at is None:
        return None
    return max(referral.joined_at, referral.came_at - GIVEN_LATE)


def buying_order(referral: Referral, definition: ReferralDefinition) -> Order | None:
    """The friend's first order that counts, placed from joining on and in time."""
    begin = begins_at(referral)
    if begin is None:
        return None
    until = begin + dt.timedelta(days=definition.within_days)
    void = [str(state) for state in Order.VOID]
    found = _bought.rows(people_of(referral.friend), begin, until, void)
    program = referral.program
    return next((order for order in found if counts(order, definition, program)), None)


_bought: KeptQuery[Order] = KeptQuery(
    lambda people, begin, until, void: (
        Order.objects.filter(customer__among=people, placed_at__gte=begin, placed_at__lte=until)
        .exclude(status__among=void)
        .order_by("placed_at", "pk")
        .prefetch_related("refunds", "conversions")
    )
)


def bought_before(customer: Customer, moment: dt.datetime) -> bool:
    """Whether they had bought something that they kept."""
    found = Order.objects.filter(customer__in=people_of(customer), placed_at__lt=moment)
    return found.exclude(status__in=Order.VOID).exists()


@dataclass(frozen=True, slots=True)
class Spent:
    """What a referral program has given, less what went back."""

    units: Decimal
    money: Decimal


def spent_of(program_ids: Iterable[int]) -> dict[int, Spent]:
    """By program; one query."""
    rows = (
        ReferralPayment.objects.filter(referral__program__in=list(program_ids))
        .values("referral__program", "wallet_type__scale")
        .annotate(
            given=Sum(F("units") - F("units_back")),
            cost=Sum(F("money") - F("money_back"), output_field=_MONEY),
        )
    )
    found: dict[int, Spent] = {}
    for row in rows:
        known = found.get(row["referral__program"], Spent(ZERO, ZERO))
        units = Decimal(row["given"]).scaleb(-(row["wallet_type__scale"] or 0))
        found[row["referral__program"]] = Spent(known.units + units, known.money + row["cost"])
    return found


def in_budget(program: Program, definition: ReferralDefinition, more: Spent) -> bool:
    """Whether so much more can be given. The caller holds the lock of the referral program."""
    spent = spent_of([program.pk]).get(program.pk, Spent(ZERO, ZERO))
    for limit, was, wanted in (
        (definition.budget_units, spent.units, more.units),
        (definition.budget_money, spent.money, more.money),
    ):
        if limit is not None and was + wanted > limit:
            return False
    return True


def paid_friends(link: ReferralLink) -> int:
    """How many of who brought them have been paid for, by all of their links."""
    rows = Referral.objects.filter(status=Status.PAID)
    member = link.membership
    if member is None:
        return rows.filter(link=link).count()
    return rows.filter(link__in=links_of(member.merged_into_id or member.pk)).count()


def waiting_for_review(program_ids: Iterable[int] | None = None) -> int:
    rows = Referral.objects.filter(status=Status.IN_REVIEW)
    if program_ids is not None:
        rows = rows.filter(program__in=list(program_ids))
    return rows.count()


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """What a member has brought about."""

    friends: int
    bought: int
    paid: int


def own_figures(membership: Membership) -> OwnFigures:
    rows = Referral.objects.filter(link__in=links_of(membership.pk))
    bought = Q(order__isnull=False) & ~Q(status=Status.REFUSED)
    found = rows.aggregate(
        friends=Count("pk", filter=~Q(status=Status.REFUSED)), bought=Count("pk", filter=bought),
        paid=Count("pk", filter=Q(status=Status.PAID)),
    )  # fmt: skip
    return OwnFigures(**found)


def terms_said(referral: Referral) -> ReferralDefinition:
    """What was promised when they came."""
    return definition_of(referral.terms)
