"""The paid plans of programs: as their file says them, and as members are offered them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from loyalty.models import Plan, PlanVersion, Program
from loyalty.plan_definitions import CreditsDefinition, PlanDefinition
from loyalty.selectors.lot_policies import expiry_of
from loyalty.tier_definitions import BenefitDefinition
from members.prepared import KeptQuery
from members.read_once import read_once


def versions() -> QuerySet[PlanVersion]:
    """With all that is read of one."""
    return PlanVersion.objects.select_related(
        "plan__program", "credits_wallet_type", "credits_policy"
    )


def current_versions(program: Program) -> list[PlanVersion]:
    """What each plan says now, in the program's order; those that have ended are not among
    them."""
    return _current.rows(program.pk)


def _currently(program: int) -> QuerySet[PlanVersion]:
    newest = PlanVersion.objects.filter(plan=OuterRef("plan")).order_by("-number").values("pk")[:1]
    found = versions().filter(plan__program=program, plan__ended_at=None, pk=Subquery(newest))
    return found.order_by("plan__position", "plan_id")


_current: KeptQuery[PlanVersion] = KeptQuery(_currently)


def former_versions(program: Program) -> list[tuple[PlanVersion, dt.datetime]]:
    """What was sold before, since the program is live, and until when; the newest first."""
    if program.live_since is None:
        return []
    following = PlanVersion.objects.filter(plan=OuterRef("plan"), number__gt=OuterRef("number"))
    replaced = Subquery(following.order_by("number").values("created_at")[:1])
    rows = versions().filter(plan__program=program).annotate(
        until=Coalesce(replaced, F("plan__ended_at"))
    )  # fmt: skip
    sold = Q(plan__offered=True) | Q(plan__ended_at__isnull=False)
    former = rows.filter(sold, until__gt=program.live_since).order_by("-until", "plan__position")
    return [(version, version.until) for version in former]


_latest: KeptQuery[PlanVersion] = KeptQuery(
    lambda plan: versions().filter(plan=plan).order_by("-number")[:1]
)


def current_version(plan: Plan) -> PlanVersion:
    return _latest.one(plan.pk)


def plans_of(program: Program) -> tuple[PlanDefinition, ...]:
    """The program's plans as its file says them."""
    return tuple(plan_definition(version) for version in current_versions(program))


def plan_definition(version: PlanVersion) -> PlanDefinition:
    return PlanDefinition(
        code=version.plan.code,
        name=version.name,
        description=version.description,
        price=version.price,
        period=version.period,
        trial_days=version.trial_days,
        offered=version.plan.offered,
        credits=_credits(version),
        benefits=benefits_of_plan(version),
        retry_days=tuple(version.retry_days),
        upgrade=version.upgrade,
        grace_days=version.grace_days,
        pay_days=version.pay_days,
    )


def _credits(version: PlanVersion) -> CreditsDefinition | None:
    wallet_type = version.credits_wallet_type
    if version.credits is None or wallet_type is None:
        return None
    policy = version.credits_policy
    return CreditsDefinition(
        units=Decimal(version.credits).scaleb(-wallet_type.scale),
        wallet_type=wallet_type.code,
        every=version.credits_every,
        expiry=expiry_of(policy) if policy else None,
    )


def benefits_of_plan(version: PlanVersion) -> tuple[BenefitDefinition, ...]:
    return tuple(BenefitDefinition.model_validate(said) for said in version.benefits)


def known_plans() -> list[tuple[str, str]]:
    """Codes and names of the plans of all programs, as they were last said."""
    rows: Iterable[tuple[str, str]] = PlanVersion.objects.order_by(
        "plan__position", "number"
    ).values_list("plan__code", "name")
    return read_once("known plans", lambda: list(dict(rows).items()))
