"""A program's launch: what its file says of it, which phase is in force, and whom each takes in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from loyalty.launch_definitions import FoundingDefinition, LaunchDefinition, PhaseDefinition
from loyalty.models import FoundingBonus, FoundingGrant, Launch, LaunchPhase, Program
from members.prepared import KeptQuery
from members.read_once import read_once


def get_launch(program: Program) -> Launch | None:
    """With its phases in order."""
    return read_once(("launch", program.pk), lambda: _launches.first(program.pk))


_launches: KeptQuery[Launch] = KeptQuery(
    lambda program: Launch.objects.filter(program=program).prefetch_related("phases")
)


def launch_definition(program: Program) -> LaunchDefinition | None:
    """As `apply_definition` takes it."""
    launch, bonus = get_launch(program), founding_bonus_of(program)
    if launch is None and bonus is None:
        return None
    phases = launch.phases.all() if launch else ()
    return LaunchDefinition(
        phases=tuple(
            PhaseDefinition(
                kind=phase.kind,
                percent=phase.percent,
                starts_on=phase.starts_at.astimezone(program.zone).date(),
            )
            for phase in phases
        ),
        founding=_founding(bonus) if bonus else None,
    )


def _founding(bonus: FoundingBonus) -> FoundingDefinition:
    return FoundingDefinition(
        wallet_type=bonus.wallet_type.code,
        units=Decimal(bonus.units).scaleb(-bonus.wallet_type.scale),
        days=bonus.days,
        most_members=bonus.most_members,
    )


def founding_bonus_of(program: Program) -> FoundingBonus | None:
    return _bonuses.first(program.pk)


_bonuses: KeptQuery[FoundingBonus] = KeptQuery(
    lambda program: FoundingBonus.objects.select_related("wallet_type", "program").filter(
        program=program
    )
)


def phase_at(launch: Launch, at: dt.datetime) -> LaunchPhase | None:
    """The phase in force at a moment; None: nobody may join yet, or there are none."""
    begun = [
        phase
        for phase in launch.phases.all()
        if phase.starts_at <= at
        and (launch.stopped_at is None or phase.starts_at < launch.stopped_at)
    ]
    return begun[-1] if begun else None


def opening_of(program: Program, launch: Launch | None) -> dt.datetime | None:
    """When the program opens to its first members; None: it is a draft without a date."""
    phases = list(launch.phases.all()) if launch else []
    return phases[0].starts_at if phases else program.live_since


@dataclass(frozen=True, slots=True)
class FoundingOffer:
    """What is still to be had by joining. `ends_at`: until when; `left`: places, None: no limit."""

    bonus: FoundingBonus
    starts_at: dt.datetime
    ends_at: dt.datetime
    given: int

    @property
    def left(self) -> int | None:
        most = self.bonus.most_members
        return None if most is None else max(most - self.given, 0)

    @property
    def last_moment(self) -> dt.datetime:
        return self.ends_at - dt.timedelta(microseconds=1)

    def is_open(self, at: dt.datetime) -> bool:
        return at < self.ends_at and self.left != 0


def founding_offer(program: Program) -> FoundingOffer | None:
    """The founding bonus with its window; None where there is none, or no date yet."""
    bonus = founding_bonus_of(program)
    starts_at = opening_of(program, get_launch(program)) if bonus else None
    if bonus is None or starts_at is None:
        return None
    given = FoundingGrant.objects.filter(program=program).count()
    return FoundingOffer(bonus, starts_at, starts_at + dt.timedelta(days=bonus.days), given)


_BUYERS = """
      FROM members_customerfacts f
      JOIN members_customer c ON c.id = f.customer_id AND c.merged_into_id IS NULL
     WHERE f.orders > 0
"""


def count_buyers() -> int:
    """How many customers ever bought: those of whom phases take a share."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_BUYERS}")
        return int(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class PhasePreview:
    """How many a phase would take in, with those before it, and what the last of them spent."""

    customers: int
    least_spend: Decimal | None


def preview_phases(percents: Sequence[int | None]) -> list[PhasePreview]:
    """By the facts as they are; two queries. None: everyone."""
    buyers = count_buyers()
    counts = [share_of(buyers, percent) for percent in percents]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT n, spend FROM (
                SELECT f.spend, row_number() OVER (ORDER BY f.spend DESC, f.customer_id) AS n
                {_BUYERS}) ranked
             WHERE n = ANY(%s)
            """,
            [[count for count in counts if count]],
        )
        spends = dict(cursor.fetchall())
    return [PhasePreview(count, spends.get(count)) for count in counts]


def share_of(buyers: int, percent: int | None) -> int:
    """So many of all, rounded up: of nine customers the best ten percent are one."""
    return buyers if percent is None else -(-buyers * percent // 100)
