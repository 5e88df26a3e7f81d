"""How far each role may go when it moves units by hand, and how far somebody has gone today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from loyalty.models import AdjustmentLimit, BulkAdjustment, Program, Transfer
from loyalty.rules.calendar import start_of_day
from members.models import StaffMember, User
from members.prepared import KeptQuery

Role = StaffMember.Role

# What an installation begins with: role → at once, in a day, a second person above (None: never).
DEFAULTS: dict[str, tuple[int | None, int | None, int | None]] = {
    Role.SUPPORT_AGENT: (5_000, 20_000, 1_000),
    Role.MARKETING_MANAGER: (50_000, 200_000, 10_000),
    Role.ADMINISTRATOR: (None, None, None),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Whole units; None: no limit. `own`: they are this program's own, and count its units only."""

    most_at_once: int | None
    most_in_a_day: int | None
    approval_above: int | None
    own: bool = False

    def allows(self, whole: Decimal) -> bool:
        """Whether so many may be moved at once, or approved when somebody else asks."""
        return self.most_at_once is None or whole <= self.most_at_once

    def needs_approval(self, whole: Decimal) -> bool:
        return self.approval_above is not None and whole > self.approval_above


# Each page of the back-office asks for them.
_LIMITS: KeptQuery[AdjustmentLimit] = KeptQuery(
    lambda programs, role: AdjustmentLimit.objects.filter(
        Q(program=None) | Q(program__among=programs), role=role
    )
)
NOTHING = Limits(0, 0, 0)
# Of API keys: whoever has one is trusted.
BOUNDLESS = Limits(None, None, None)


def list_limits() -> list[AdjustmentLimit]:
    """Those for every program first, then program by program."""
    found = AdjustmentLimit.objects.select_related("program")
    order = list(DEFAULTS)
    return sorted(
        found,
        key=lambda row: (
            row.program.name if row.program else "", row.program_id or 0, order.index(row.role)
        ),
    )  # fmt: skip


def limits_of(role: str | None, program: Program) -> Limits:
    """What a role may move in a program: by the program's own row, else by everybody's."""
    return limits_by_program(role, [program.pk])[program.pk]


def limits_by_program(role: str | None, program_ids: Collection[int]) -> dict[int, Limits]:
    """One query, however many programs."""
    by_program = {row.program_id: row for row in _LIMITS.rows(list(program_ids), role)}
    found = {}
    for program_id in program_ids:
        row = by_program.get(program_id) or by_program.get(None)
        found[program_id] = (
            Limits(row.most_at_once, row.most_in_a_day, row.approval_above,
                   own=row.program_id is not None)
            if row
            else NOTHING
        )  # fmt: skip
    return found


def whole_units(units: int, scale: int) -> Decimal:
    """How many whole units move, whichever way: 1.50 for -150 at scale 2."""
    return Decimal(abs(units)).scaleb(-scale)


def moved_today(user: User, role: str, program: Program, now: dt.datetime) -> Decimal:
    """Whole units that somebody has moved on their own word since the day began in the program's
    time zone: in this program if it has limits of its own, else in all that have none.

    What a second person approved does not count, nor what was undone, nor undoing one's own.
    """
    since = start_of_day(now.astimezone(program.zone).date(), program.zone)
    own = AdjustmentLimit.objects.filter(role=role, program__isnull=False).values("program")
    apart = Q(wallet_type__program__in=own)
    place = (
        Q(wallet_type__program=program)
        if AdjustmentLimit.objects.filter(role=role, program=program).exists()
        else ~apart
    )
    single = _by_hand(user, since).filter(place)
    # A bulk adjustment counts as a whole from the moment at which it is begun, undone or not.
    bulk = BulkAdjustment.objects.filter(
        place, created_by=user, decided_by=None, posted_at__gte=since
    )
    return _sum(single, "amount") + _sum(bulk, "given") + _sum(bulk, "taken")


def _by_hand(user: User, since: dt.datetime) -> QuerySet[Transfer]:
    undone = Exists(Transfer.objects.filter(reverses=OuterRef("pk")))
    kinds = Transfer.Kind
    found = Transfer.objects.filter(
        Q(kind=kinds.ADJUSTMENT) & ~undone
        | Q(kind=kinds.REVERSAL, reverses__kind=kinds.ADJUSTMENT)
        & (Q(reverses__actor=None) | ~Q(reverses__actor=user)),
        actor=user,
        recorded_at__gte=since,
    ).exclude(explanation__has_any_keys=["approved_by", "bulk"])
    return cast(QuerySet[Transfer], found)


def _sum(rows: QuerySet[Transfer] | QuerySet[BulkAdjustment], field: str) -> Decimal:
    sums = rows.order_by().values(scale=F("wallet_type__scale")).annotate(units=Sum(field))
    return sum((whole_units(row["units"], row["scale"]) for row in sums), Decimal(0))
