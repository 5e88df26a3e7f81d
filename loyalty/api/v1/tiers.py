"""Tiers: where members stand and what that brings, for shops and review widgets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.models import Membership, MemberTier, Program, Tier
from loyalty.selectors.member_tiers import (
    MemberStanding,
    about_to_fall,
    member_standing,
    member_standings,
    unit_names,
)
from loyalty.selectors.memberships import get_membership, list_memberships
from loyalty.selectors.tier_sets import benefits_of, tier_set_at
from loyalty.tier_definitions import BenefitDefinition, plain
from loyalty.tier_words import benefit_words, why_words
from loyalty.tiers.facts import Span
from loyalty.tiers.progress import Goal
from members.api.bodies import (
    Answer,
    ExternalId,
    PublicId,
    Query,
    answer,
    plain_text,
    read_query,
    refuse_field,
)
from members.api.pagination import Page, PageQuery, paginate, paginate_list
from members.api.schema import query_parameters
from members.api.views import ApiView
from members.errors import NotFoundError
from members.formatting import UnitNames
from members.models import Customer
from members.selectors.merges import current


class BenefitOut(Answer):
    """Something that members of the tier have."""

    kind: str
    words: str = Field(description="What members read.")
    factor: str | None = Field(description="Of a multiplier.")
    units: str | None = Field(description="Of a birthday bonus, in whole units.")
    wallet_type: str | None = Field(description="Of a multiplier or birthday bonus.")
    above: str | None = Field(description="Of free shipping: from so much; null: always.")
    hours: int | None = Field(description="Of early access.")
    name: str | None = Field(description="Of a custom perk.")
    text: str


class TierOut(Answer):
    code: str
    name: str
    color: str
    icon: str
    rank: int = Field(description="0 is the first tier.")
    threshold: str = Field(description="So much of what counts.")


class TierWithBenefits(TierOut):
    benefits: list[BenefitOut]


class TierGoalOut(Answer):
    """So much is missing, to the last day in the program's time zone."""

    tier: str
    missing: str
    until: dt.datetime | None = Field(description="Exclusive; null: without an end.")
    sentence: str


class LossOut(Answer):
    """What becomes of the tier, if nothing more happens."""

    tier: str
    at: dt.datetime


class LeavingOut(Answer):
    """What counts no more next, in a rolling window."""

    at: dt.datetime
    amount: str


class MembershipTierOut(Answer):
    membership: UUID
    program: str
    tier: TierWithBenefits
    since: dt.datetime
    why: str
    until: dt.datetime | None = Field(
        description="When it is lost if nothing more happens; null: it is not."
    )
    by_hand: bool = Field(description="It was given by hand; `earned` is what was reached.")
    earned: str
    metric: str = Field(description="What counts: spend, units, orders or score.")
    counted: str = Field(description="What has counted so far in the window.")
    next: TierGoalOut | None = Field(description="Null at the top.")
    keep: TierGoalOut | None = Field(description="What keeps the tier; null: it is never lost.")
    lost: LossOut | None
    leaving: LeavingOut | None
    in_grace: bool = Field(description="It was not kept, and is about to be lost.")


class MembershipTierList(Answer):
    results: list[MembershipTierOut]


class SpanOut(Answer):
    tier: str
    name: str
    since: dt.datetime
    to: dt.datetime | None
    why: str


class SpanPage(Page):
    results: list[SpanOut]


class LadderOut(Answer):
    program: str
    metric: str
    window: str
    downgrade: str
    grace_days: int
    since: dt.datetime | None = Field(description="From when on this wording applies.")
    tiers: list[TierWithBenefits]


class FallOut(Answer):
    """A member who is about to lose a tier."""

    membership: UUID
    customer: UUID
    external_id: str | None
    tier: str
    falls_to: str
    at: dt.datetime
    missing: str | None = Field(description="What would keep it.")
    sentence: str


class FallPage(Page):
    results: list[FallOut]


class FallQuery(PageQuery):
    days: int = Field(60, ge=1, le=366, description="Those who fall within so many days.")


class CustomerTiersQuery(Query):
    customer: PublicId | None = Field(None, description="The customer, by our id …")
    external_id: ExternalId | None = Field(None, description="… or by the merchant's number.")
    program: str = Field("", max_length=64, description="Only in the program with this code.")


class MembershipTier(ApiView):
    scopes = {"GET": "memberships:read"}

    @extend_schema(operation_id="getMembershipTier", responses={200: MembershipTierOut})
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """Read a member's tier now: since when, what is missing to the next one, what keeps it,
        when it would be lost, and its benefits. 404 in a program without tiers."""
        return answer(tier_out(_standing(get_membership(membership_id))))


class MembershipTierHistory(ApiView):
    scopes = {"GET": "memberships:read"}

    @extend_schema(
        operation_id="listMembershipTierHistory",
        parameters=query_parameters(PageQuery),
        responses={200: SpanPage},
    )
    def get(self, request: Request, membership_id: UUID) -> HttpResponse:
        """List a member's tiers from the first on, each with its reason."""
        query = read_query(request, PageQuery)
        shown = _standing(get_membership(membership_id))

        def row(item: tuple[int, Span]) -> SpanOut:
            span = item[1]
            return SpanOut(
                tier=span.tier, name=shown.voice.name(span.tier), since=span.since, to=span.to,
                why=why_words(span.why),
            )  # fmt: skip

        items = list(enumerate(shown.stands.history))
        page = paginate_list(request, items, query, place=lambda item: [item[0]], row=row)
        return answer(SpanPage(**page))


class CustomerTiers(ApiView):
    scopes = {"GET": "memberships:read"}

    @extend_schema(
        operation_id="listCustomerTiers",
        parameters=query_parameters(CustomerTiersQuery),
        responses={200: MembershipTierList},
    )
    def get(self, request: Request) -> HttpResponse:
        """Read a customer's tiers with their benefits, by the customer's reference: for the shop,
        and for badges beside reviews. Empty where they have none."""
        query = read_query(request, CustomerTiersQuery)
        memberships = list_memberships(current(customer_of(query)))
        if query.program:
            memberships = [item for item in memberships if item.program.code == query.program]
        shown = member_standings(memberships, timezone.now())
        return answer(
            MembershipTierList(
                results=[tier_out(shown[item.pk]) for item in memberships if item.pk in shown]
            )
        )


class ProgramTiers(ApiView):
    scopes = {"GET": "programs:read"}

    @extend_schema(operation_id="getProgramTiers", responses={200: LadderOut})
    def get(self, request: Request, code: str) -> HttpResponse:
        """Read a program's tiers and their benefits as they are now. 404 where it has none."""
        program = program_of(code)
        tier_set = tier_set_at(program, timezone.now())
        if tier_set is None:
            raise NotFoundError(_("The program has no tiers."))
        units = unit_names(program.pk)
        return answer(
            LadderOut(
                program=program.code, metric=tier_set.metric, window=tier_set.window,
                downgrade=tier_set.downgrade, grace_days=tier_set.grace_days,
                since=tier_set.starts_at,
                tiers=[
                    _with_benefits(tier, program.currency, units) for tier in tier_set.tiers.all()
                ],
            )
        )  # fmt: skip


class ProgramDowngrades(ApiView):
    scopes = {"GET": "memberships:read"}

    @extend_schema(
        operation_id="listDowngrades",
        parameters=query_parameters(FallQuery),
        responses={200: FallPage},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """List members who lose their tier soon unless something happens, soonest first."""
        query = read_query(request, FallQuery)
        program, now = program_of(code), timezone.now()
        rows = about_to_fall(program, now=now, until=now + dt.timedelta(days=query.days))
        page = paginate(
            request, rows, query, ordering=["lost_at", "membership_id"], row=lambda row: row
        )
        shown = member_standings([row.membership for row in page["results"]], now)
        page["results"] = [_fall(row, shown.get(row.membership_id)) for row in page["results"]]
        return answer(FallPage(**page))


def tier_out(shown: MemberStanding) -> MembershipTierOut:
    stands, voice = shown.stands, shown.voice
    return MembershipTierOut(
        membership=shown.membership.public_id,
        program=shown.membership.program.code,
        tier=_with_benefits(shown.tier, voice.currency, shown.units),
        since=stands.span.since,
        why=why_words(stands.span.why),
        until=stands.lost.at if stands.lost else None,
        by_hand=stands.tier != stands.earned,
        earned=stands.earned,
        metric=stands.ladder.metric,
        counted=plain_text(stands.total),
        next=_goal(stands.next, voice.to_next(stands)),
        keep=_goal(stands.keep, voice.to_keep(stands)),
        lost=LossOut(tier=stands.lost.tier, at=stands.lost.at) if stands.lost else None,
        leaving=LeavingOut(at=stands.leaving.at, amount=plain_text(stands.leaving.amount))
        if stands.leaving
        else None,
        in_grace=stands.in_grace,
    )


def _goal(goal: Goal | None, sentence: str) -> TierGoalOut | None:
    if goal is None:
        return None
    return TierGoalOut(
        tier=goal.tier, missing=plain_text(goal.missing), until=goal.until, sentence=sentence
    )


def _with_benefits(tier: Tier, currency: str, units: Mapping[str, UnitNames]) -> TierWithBenefits:
    return TierWithBenefits(
        code=tier.code, name=tier.name, color=tier.color, icon=tier.icon, rank=tier.position,
        threshold=plain(tier.threshold),
        benefits=[benefit_out(item, currency, units) for item in benefits_of(tier)],
    )  # fmt: skip


def benefit_out(
    item: BenefitDefinition, currency: str, units: Mapping[str, UnitNames]
) -> BenefitOut:
    earns = item.kind in ("multiplier", "birthday_bonus")
    return BenefitOut(
        kind=item.kind,
        words=benefit_words(item, currency, units),
        factor=None if item.factor is None else plain(item.factor),
        units=None if item.units is None else plain(item.units),
        wallet_type=(item.wallet_type or next(iter(units), None)) if earns else None,
        above=plain(item.above) if item.above else None,
        hours=item.hours,
        name=item.name or None,
        text=item.text,
    )


def _fall(row: MemberTier, shown: MemberStanding | None) -> FallOut:
    membership: Membership = row.membership
    keep = shown.stands.keep if shown else None
    assert row.lost_at is not None
    assert row.falls_to is not None
    return FallOut(
        membership=membership.public_id,
        customer=membership.customer.public_id,
        external_id=membership.customer.external_id,
        tier=row.tier.code,
        falls_to=row.falls_to.code,
        at=row.lost_at,
        missing=plain_text(keep.missing) if keep else None,
        sentence=shown.voice.to_keep(shown.stands) if shown else "",
    )


def _standing(membership: Membership) -> MemberStanding:
    """That of the one that counts, where it was merged."""
    shown = member_standing(membership.merged_into or membership, timezone.now())
    if shown is None:
        raise NotFoundError(_("The program has no tiers."))
    return shown


def program_of(code: str) -> Program:
    program = Program.objects.filter(code=code).first()
    if program is None:
        raise NotFoundError(_("There is no such program."))
    return program


def customer_of(query: CustomerTiersQuery) -> Customer:
    if (query.customer is None) == (query.external_id is None):
        raise refuse_field(
            "external_id", _("Give customer or external_id, and one only."), "one_of"
        )
    people = Customer.objects.select_related("merged_into")
    found = (
        people.filter(public_id=query.customer)
        if query.customer is not None
        else people.filter(external_id=query.external_id)
    ).first()
    if found is None:
        name = "external_id" if query.customer is None else "customer"
        raise refuse_field(name, _("There is no such customer."), "not_found")
    return found
