"""Scores of members, and the cases that somebody has to look at."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from loyalty.models import Membership, Program, RiskCase, RiskPolicy, RiskScore
from loyalty.risk_definitions import RiskDefinition
from members.errors import NotFoundError
from members.models import Customer
from members.selectors.merges import current_ids


@dataclass(frozen=True, slots=True)
class Standing:
    """How much speaks against a member now."""

    score: RiskScore
    level: str
    case: RiskCase | None


def policy_of(program: Program) -> RiskDefinition:
    """What holds in a program."""
    return policies_of([program.pk])[program.pk]


def policies_of(programs: Collection[int]) -> dict[int, RiskDefinition]:
    """What holds in each; the usual one where nobody has said anything."""
    newest = (
        RiskPolicy.objects.filter(program__in=programs)
        .order_by("program_id", "-number")
        .distinct("program_id")
    )
    said = {row.program_id: RiskDefinition.stored(row.definition) for row in newest}
    return {pk: said.get(pk) or RiskDefinition() for pk in programs}


def list_policies(program: Program) -> list[RiskPolicy]:
    """All that were ever written, the newest first."""
    return list(
        RiskPolicy.objects.filter(program=program)
        .select_related("written_by")
        .order_by("-number")[:20]
    )


def risk_cases() -> QuerySet[RiskCase]:
    """With all that a list says of them. Those of duplicates who were merged away are closed."""
    return RiskCase.objects.select_related(
        "membership__customer", "membership__program", "decided_by", "absence"
    )


def filtered_cases(
    *, state: str = "", program: str = "", signal: str = "", customer: Customer | None = None
) -> QuerySet[RiskCase]:
    """`state`: one of the states, "waiting" for those that somebody has to decide; empty: all."""
    found = risk_cases()
    if state == "waiting":
        found = found.filter(state__in=RiskCase.WAITING)
    elif state:
        found = found.filter(state=state)
    if program:
        found = found.filter(membership__program__code=program)
    if signal:
        found = found.filter(signals__contains=[{"key": signal}])
    if customer is not None:
        people = current_ids(Customer.objects.filter(pk=customer.pk))
        found = found.filter(membership__customer__in=people)
    return found


def waiting_cases() -> int:
    return RiskCase.objects.filter(state__in=RiskCase.WAITING).count()


def get_case(public_id: uuid.UUID) -> RiskCase:
    """Raises NotFoundError."""
    found = risk_cases().filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError("There is no such case.")
    return found


def standings_of(customer: Customer) -> list[Standing]:
    """How much speaks against somebody in each of their programs, the most first."""
    return _standings(Q(membership__customer=customer))


def standing_of(member: Membership) -> Standing | None:
    """None: nobody has looked yet."""
    return next(iter(_standings(Q(membership=member))), None)


def _standings(which: Q) -> list[Standing]:
    scores = list(
        RiskScore.objects.filter(
            which, membership__merged_into=None, scored_at__isnull=False
        ).select_related("membership__program", "membership__customer")
    )
    policies = policies_of({score.membership.program_id for score in scores})
    cases = _newest(score.membership for score in scores)
    found = [
        Standing(
            score, policies[score.membership.program_id].level(score.points),
            cases.get(score.membership_id),
        )
        for score in scores
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.score.points, one.score.pk))


def _newest(members: Iterable[Membership]) -> dict[int, RiskCase]:
    pks: Sequence[int] = [member.pk for member in members]
    rows = (
        RiskCase.objects.filter(membership__in=pks)
        .order_by("membership_id", "-pk")
        .distinct("membership_id")
    )
    return {row.membership_id: row for row in rows}
