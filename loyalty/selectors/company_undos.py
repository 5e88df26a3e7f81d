"""What undoing an import of companies would do, as things stand now: counted, nothing written."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from loyalty.models import (
    Company,
    CompanyBatch,
    Membership,
    Pool,
    PoolMember,
    SpendRequest,
    Transfer,
)
from loyalty.selectors.enrollment_undos import why_they_stay
from members.models import Job


@dataclass(slots=True)
class CompanyUndoPreview:
    """`due`: companies that would be closed; `buyers`: who would leave others; `members`: who would
    leave the program, if nothing but the company keeps them; `stay`: why others stay, with how
    many. `made`: people who came with the file; `changed`: companies that were here before."""

    known: bool = False
    due: int = 0
    buyers: int = 0
    members: int = 0
    made: int = 0
    changed: int = 0
    stay: Counter[str] = field(default_factory=Counter)

    @property
    def kept(self) -> int:
        return self.stay.total()

    @property
    def reasons(self) -> list[tuple[str, int]]:
        return self.stay.most_common()


def preview_company_undo(job: Job) -> CompanyUndoPreview:
    """By the same looks that the work has."""
    found = CompanyUndoPreview()
    for batch in CompanyBatch.objects.filter(job=job).order_by("pk").iterator():
        found.known = True
        found.made += len(batch.customers)
        found.changed += len(batch.changed)
        companies = open_companies(batch.companies)
        why = why_companies_stay(companies, batch)
        closing = [company for company in companies if company.pk not in why]
        found.due += len(closing)
        found.stay.update(why.values())
        places = open_places(batch.places)
        pools = {company.pool_id for company in closing}
        left = [place for place in places if place.pool_id not in pools]
        stay = why_buyers_stay(left, batch.at)
        found.buyers += len(left) - len(stay)
        found.stay.update(stay.values())
        staying = {place.membership_id for place in places if place.pk in stay}
        found.members += _leaving(batch, staying)
    return found


def open_companies(keys: Collection[int], *, locked: bool = False) -> list[Company]:
    """`locked`: nothing comes into their pools, nor goes out, until the transaction is over."""
    rows = Company.objects.filter(pk__in=keys, pool__status=Pool.Status.OPEN)
    if locked:
        pools = Pool.objects.filter(company__in=rows.values("pk")).order_by("pk")
        list(pools.select_for_update(of=("self",), no_key=True).values_list("pk"))
    return list(rows.select_related("pool__program").order_by("pk"))


def open_places(keys: Collection[int]) -> list[PoolMember]:
    rows = PoolMember.objects.filter(pk__in=keys, left_at=None, pool__status=Pool.Status.OPEN)
    return list(rows.select_related("pool", "membership__customer").order_by("pk"))


def why_companies_stay(companies: Sequence[Company], batch: CompanyBatch) -> dict[int, str]:
    """By company what happened there since; one that is not in it may be closed."""
    pools = {company.pool_id: company.pk for company in companies}
    places = list(PoolMember.objects.filter(pool__in=pools).select_related("membership"))
    found: dict[int, str] = {}
    for place in places:
        if place.pk not in batch.places:
            found.setdefault(pools[place.pool_id], _("Others have joined the company since."))
    asked = SpendRequest.objects.filter(company__in=companies, asked_at__gte=batch.at)
    for company in asked.values_list("company", flat=True).distinct():
        found.setdefault(company, _("Its buyers have asked to spend."))
    accounts = {company.pool.account_id: company.pk for company in companies}
    moved = Transfer.objects.filter(wallet__account__in=accounts, recorded_at__gte=batch.at)
    for account in moved.values_list("wallet__account", flat=True).distinct():
        found.setdefault(accounts[account], _("Units came into the company, or left it."))
    why = why_they_stay([place.membership for place in places], batch.at, pooled=False)
    for place in places:
        if place.membership_id in why:
            found.setdefault(pools[place.pool_id], _("One of its buyers has done something since."))
    return found


def why_buyers_stay(places: Sequence[PoolMember], since: dt.datetime) -> dict[int, str]:
    """By place why it stays; who is not in it may leave the company."""
    why = why_they_stay([place.membership for place in places], since, pooled=False)
    return {place.pk: why[place.membership_id] for place in places if place.membership_id in why}


def _leaving(batch: CompanyBatch, staying: Collection[int]) -> int:
    """Who leaves the program, once they have left their company, or it was closed; `staying`: who
    stays in one that the file put them into."""
    rows = Membership.objects.filter(pk__in=batch.members).exclude(status=Membership.Status.LEFT)
    members = list(rows)
    others = PoolMember.objects.filter(membership__in=members, left_at=None).exclude(
        pk__in=batch.places
    )
    elsewhere = set(others.values_list("membership", flat=True))
    why = why_they_stay(members, batch.at, pooled=False)
    return sum(
        member.pk not in staying and member.pk not in why and member.pk not in elsewhere
        for member in members
    )
