"""What a program's own data say of its economics: of the last 365 days, in its currency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal

from django.db import connection
from django.db.models import F, Q, QuerySet, Sum

from loyalty.economics import Inputs, Lift
from loyalty.holdouts import Holdout, holdouts_of
from loyalty.ledger.discounts import KEPT
from loyalty.models import (
    Account,
    DailyTotal,
    EconomicAssumptions,
    EconomicScenario,
    Membership,
    MemberTally,
    Order,
    Program,
    Transfer,
    WalletType,
)
from loyalty.rules.calendar import start_of_day
from loyalty.selectors.breakage import breakage, total_of
from loyalty.selectors.discount_costs import discount_costs
from loyalty.selectors.liability import get_liability

DAYS = 365
ZERO = Decimal(0)

# What was bought since somebody joined, less what came back of it: by those who are members, what
# discount rules took off that, and by all, with those who left, before discounts.
_SPENT = f"""
    WITH m AS (
        SELECT customer_id, greatest(enrolled_at, %(since)s) AS since, status <> 'left' AS stays
          FROM loyalty_membership
         WHERE program_id = %(program)s AND merged_into_id IS NULL),
    o AS (
        SELECT o.id, o.total, o.rate, o.status, m.stays
          FROM loyalty_countedorder o JOIN m ON m.customer_id = o.customer_id
         WHERE (o.program_id IS NULL OR o.program_id = %(program)s)
           AND o.placed_at >= %(since)s AND o.placed_at >= m.since AND o.placed_at < %(now)s
           AND o.currency = %(currency)s AND NOT o.status = ANY(%(void)s)),
    p AS (
        SELECT stays, total AS paid, 0 AS taken_off FROM o
         UNION ALL
        SELECT o.stays, -f.total * o.rate, 0 FROM loyalty_refund f JOIN o ON o.id = f.order_id
         WHERE f.refunded_at >= %(since)s AND f.refunded_at < %(now)s
         UNION ALL
        SELECT o.stays, 0, round(d.amount * x.kept, 4)
          FROM loyalty_orderdiscount d JOIN o ON o.id = d.order_id
          JOIN loyalty_earningruleversion v ON v.id = d.rule_version_id
          JOIN loyalty_earningrule r ON r.id = v.rule_id AND r.program_id = %(program)s
         CROSS JOIN LATERAL ({KEPT}) x)
    SELECT coalesce(sum(paid) FILTER (WHERE stays), 0),
           coalesce(sum(taken_off) FILTER (WHERE stays), 0), coalesce(sum(paid + taken_off), 0)
      FROM p
"""


@dataclass(frozen=True, slots=True)
class ProgramData:
    """`member_years`: for how long those who are members were, of the days that are looked at.
    `revenue`: what they paid, `taken_off`: what discounts took off that; `turnover`: both, of those
    who left as well. `earned`, `used`: what units of these days are worth, net of what was taken
    back; `discounts`: what discount rules took off; `breakage`: of all units that were ever
    granted, what expired, out of 100; `owed`: what members hold."""

    members: int
    member_years: Decimal
    revenue: Decimal
    taken_off: Decimal
    turnover: Decimal
    earned: Decimal
    used: Decimal
    discounts: Decimal
    breakage: Decimal | None
    owed: Decimal
    holdouts: Sequence[Holdout] = ()

    @property
    def spend(self) -> Decimal | None:
        """Of a member in a year, before discounts, which are a cost; None: nobody was one."""
        spent = self.revenue + self.taken_off
        return spent / self.member_years if self.member_years > 0 else None

    @property
    def given(self) -> Decimal:
        """Units and discounts."""
        return self.earned + self.discounts

    @property
    def reward_rate(self) -> Decimal | None:
        """What is given for all that is spent, out of 100."""
        return self.given * 100 / self.turnover if self.turnover > 0 and self.given >= 0 else None

    @property
    def redemption(self) -> Decimal | None:
        """What was used of what was given, out of 100; more than all where older units were. A
        discount is used when it is given."""
        return (self.used + self.discounts) * 100 / self.given if self.given > 0 else None

    @property
    def counted_breakage(self) -> Decimal | None:
        """Of all that is given: a discount never expires."""
        if self.breakage is None or self.given <= 0:
            return self.breakage
        return self.breakage * max(min(self.earned / self.given, Decimal(1)), ZERO)

    @property
    def counted_redemption(self) -> Decimal | None:
        """No more than all but what is never used: the rest was earned before."""
        if self.redemption is None:
            return None
        return max(min(self.redemption, 100 - (self.counted_breakage or ZERO)), ZERO)


def program_data(program: Program, now: dt.datetime) -> ProgramData:
    """A constant number of queries for each kind of unit. What members bought is added up order by
    order; all else comes from sums that are kept."""
    today = now.astimezone(program.zone).date()
    first = today - dt.timedelta(days=DAYS - 1)
    since = start_of_day(first, program.zone)
    units = list(program.wallet_types.filter(stored_value=False).select_related("program"))
    members, years = _membership(program, first, today)
    earned, used = _moved(units, first, today)
    costs = discount_costs(program, since, now)
    revenue, taken_off, turnover = _spent(program, since, now)
    return ProgramData(
        members=members,
        member_years=years,
        revenue=revenue,
        taken_off=taken_off,
        turnover=turnover,
        earned=earned,
        used=used,
        discounts=sum((cost.kept for cost in costs.values()), ZERO),
        breakage=_breakage(units, today),
        owed=max(sum((get_liability(item, today).worth for item in units), ZERO), ZERO),
        holdouts=list(holdouts_of(program, now)),
    )


def assumptions_of(program: Program) -> EconomicAssumptions | None:
    return EconomicAssumptions.objects.filter(program=program).first()


def scenarios_of(program: Program) -> QuerySet[EconomicScenario]:
    return EconomicScenario.objects.filter(program=program).select_related("program")


def inputs_of_scenario(scenario: EconomicScenario) -> Inputs:
    names = [field.name for field in fields(Inputs) if field.name != "lift"]
    lift = None
    if scenario.lift_low is not None and scenario.lift_high is not None:
        days = scenario.lift_since, scenario.lift_until
        lift = Lift(scenario.lift_low, scenario.lift_high, *days)
    return Inputs(lift=lift, **{name: getattr(scenario, name) for name in names})


def inputs_of_data(data: ProgramData, kept: EconomicAssumptions) -> Inputs | None:
    """What data and assumptions say together; None: they do not suffice, or cannot be."""
    rate = data.reward_rate or ZERO
    if not data.members or data.spend is None or data.spend < 0 or rate > 100:
        return None
    if kept.spend_without is None:
        return None
    names = ("spend_without", "margin", "administration", "platform_fee", "support", "messaging")
    return Inputs(
        members=data.members, spend_with=data.spend, reward_rate=rate,
        redemption=data.counted_redemption or ZERO, breakage=data.counted_breakage or ZERO,
        owed=data.owed, **{name: getattr(kept, name) for name in names},
    )  # fmt: skip


def _membership(program: Program, first: dt.date, today: dt.date) -> tuple[int, Decimal]:
    """How many members there are, and the years that they were members since the first day."""
    gone = (Membership.Status.LEFT, Membership.Status.MERGED)
    rows = MemberTally.objects.filter(program=program).exclude(status__in=gone)
    before = rows.filter(joined_on__lt=first).aggregate(members=Sum("members", default=0))
    since = list(rows.filter(joined_on__gte=first).values_list("joined_on", "members"))
    days = int(before["members"]) * DAYS
    days += sum(members * max((today - joined).days + 1, 0) for joined, members in since)
    members = int(before["members"]) + sum(members for _joined, members in since)
    return members, Decimal(days) / DAYS


def _spent(program: Program, since: dt.datetime, now: dt.datetime) -> tuple[Decimal, ...]:
    asked: dict[str, int | str | list[str] | dt.datetime] = {
        "program": program.pk, "currency": program.currency, "void": list(Order.VOID),
        "since": since, "now": now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SPENT, asked)
        return tuple(Decimal(amount) for amount in cursor.fetchone())


def _moved(units: Sequence[WalletType], first: dt.date, today: dt.date) -> tuple[Decimal, Decimal]:
    """Worth of what was earned and of what was spent or given to charities, each net."""
    kinds = Account.Kind
    net = F("incoming") - F("outgoing")
    at_partners = Q(account__kind=kinds.PARTNER)
    issued = Q(kind__in=(Transfer.Kind.ACCRUAL, Transfer.Kind.CLAWBACK))
    used = Q(account__kind__in=(kinds.REDEEMED, kinds.CHARITY)) | at_partners & ~issued
    rows = (
        DailyTotal.objects.filter(wallet_type__in=units, day__range=(first, today))
        .order_by()
        .values_list("wallet_type")
        .annotate(
            earned=Sum(net, filter=Q(account__kind=kinds.ISSUED) | at_partners & issued, default=0),
            used=Sum(-net, filter=used, default=0),
        )
    )
    worth = {item.pk: item.unit_value.scaleb(-item.scale) for item in units}
    sums = [(earned * worth[pk], spent * worth[pk]) for pk, earned, spent in rows]
    return sum((row[0] for row in sums), ZERO), sum((row[1] for row in sums), ZERO)


def _breakage(units: Sequence[WalletType], today: dt.date) -> Decimal | None:
    granted = expired = ZERO
    for item in units:
        total = total_of(breakage(item, today), today)
        worth = item.unit_value.scaleb(-item.scale)
        granted += total.granted * worth
        expired += total.expired * worth
    return expired * 100 / granted if granted > 0 else None
