"""What is owed between a program and a partner: units earned and spent there, at their rates.

A movement is settled once: in the month that is closed first after it was booked. What came back of
an earlier month, or was told late, is in the month that is closed next, at the rate of its own day.
What is not settled yet is read from sums that the database keeps (`UNSETTLED`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.db import connection
from django.db.models import QuerySet

from loyalty.models import Partner, PartnerSettlement, WalletType
from loyalty.models.tally_triggers import SETTLED
from loyalty.rules.calendar import add_months

NOTHING = Decimal(0)
ISSUED, TAKEN_IN = "issued", "taken_in"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """Units of a kind that were earned (issued) or spent (taken in) there, at one rate; what came
    back is taken off. `corrects`: it is of months before."""

    wallet_type: WalletType
    side: str
    rate: Decimal
    corrects: bool
    units: int
    movements: int
    money: Decimal

    def as_json(self) -> dict[str, Any]:
        return {
            "wallet_type": self.wallet_type.code, "side": self.side, "rate": f"{self.rate:f}",
            "corrects": self.corrects, "units": self.units, "movements": self.movements,
            "money": f"{self.money:f}",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """A month of a partner. `net` above zero: the partner owes it; below: it is owed to it."""

    partner: Partner
    since: dt.date
    until: dt.date
    lines: tuple[StatementLine, ...]

    @property
    def issued(self) -> Decimal:
        return sum((line.money for line in self.lines if line.side == ISSUED), NOTHING)

    @property
    def taken_in(self) -> Decimal:
        return sum((line.money for line in self.lines if line.side == TAKEN_IN), NOTHING)

    @property
    def net(self) -> Decimal:
        return self.issued - self.taken_in

    @property
    def movements(self) -> int:
        return sum(line.movements for line in self.lines)


# By kind, side and day whose rate counts: of what is not settled, from the sums that are kept, and
# of a settlement, from its movements.
_UNSETTLED = """
    SELECT wallet_type_id, side, rated_on, sum(units) AS units, sum(movements) AS movements
      FROM loyalty_partnertally
     WHERE partner_id = %(partner)s AND booked_on BETWEEN %(first)s AND %(until)s
     GROUP BY 1, 2, 3 HAVING sum(movements) <> 0
"""
_SETTLED = f"""
    SELECT wallet_type_id, side, rated_on, sum(units) AS units, sum(movements) AS movements
      FROM ({SETTLED.read_of("r.settlement_id = %(settlement)s")}) c
     GROUP BY 1, 2, 3
"""
_LINES = """
    SELECT x.wallet_type_id, x.side, coalesce(r.rate, 0), x.rated_on < %(since)s, sum(x.units),
           sum(x.movements)
      FROM ({sums}) x
      LEFT JOIN LATERAL (
           SELECT CASE x.side WHEN 'issued' THEN p.issued ELSE p.taken_in END AS rate
             FROM loyalty_partnerrate p
            WHERE p.partner_id = %(partner)s AND p.wallet_type_id = x.wallet_type_id
              AND p.from_on <= x.rated_on
            ORDER BY p.from_on DESC LIMIT 1) r ON true
     GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 4, 3
"""


def month_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """The first and last day of its month."""
    first = day.replace(day=1)
    return first, add_months(first, 1) - dt.timedelta(days=1)


def next_month(partner: Partner) -> tuple[dt.date, dt.date]:
    """The days that are to be closed next: the month after the last that was, or the partner's
    first."""
    last = PartnerSettlement.objects.filter(partner=partner).order_by("-until").first()
    if last is None:
        return partner.since, month_of(partner.since)[1]
    return month_of(last.until + dt.timedelta(days=1))


def running_statement(partner: Partner, today: dt.date) -> Statement:
    """What is not closed yet, up to a day."""
    since, _until = next_month(partner)
    return unsettled_statement(partner, since, max(today, since))


def unsettled_statement(partner: Partner, since: dt.date, until: dt.date) -> Statement:
    """What is not settled up to a day; of before `since` it corrects."""
    return _statement(partner, since, until, _UNSETTLED, first=partner.since)


def statement_of(settlement: int, partner: Partner, since: dt.date, until: dt.date) -> Statement:
    """What the movements come to that a settlement holds, which itself need not be there yet."""
    return _statement(partner, since, until, _SETTLED, settlement=settlement)


def _statement(
    partner: Partner, since: dt.date, until: dt.date, sums: str, **asked: Any
) -> Statement:
    asked |= {"partner": partner.pk, "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(_LINES.format(sums=sums), asked)
        rows = cursor.fetchall()
    kinds = WalletType.objects.select_related("program").in_bulk([row[0] for row in rows])
    coin = Decimal(1).scaleb(-get_currency_precision(partner.account.program.currency))
    return Statement(partner, since, until, tuple(_line(row, kinds, coin) for row in rows))


def _line(row: Sequence[Any], kinds: dict[int, WalletType], coin: Decimal) -> StatementLine:
    wallet_type_id, side, rate, corrects, units, movements = row
    kind = kinds[wallet_type_id]
    money = Decimal(units).scaleb(-kind.scale) * rate
    return StatementLine(
        kind,
        side,
        rate,
        corrects,
        int(units),
        int(movements),
        money.quantize(coin, ROUND_HALF_UP),
    )


def closed_statement(
    settlement: PartnerSettlement, kinds: Mapping[str, WalletType] | None = None
) -> Statement:
    """A settlement as it was closed. `kinds`: of several of one partner, by code."""
    partner = settlement.partner
    kinds = kinds_of(partner) if kinds is None else kinds
    return Statement(
        partner, settlement.since, settlement.until,
        tuple(
            StatementLine(
                kinds[line["wallet_type"]], line["side"], Decimal(line["rate"]), line["corrects"],
                line["units"], line["movements"], Decimal(line["money"]),
            )
            for line in settlement.lines
        ),
    )  # fmt: skip


def kinds_of(partner: Partner) -> dict[str, WalletType]:
    """The units of its program, by code."""
    rows = WalletType.objects.select_related("program").filter(program=partner.account.program_id)
    return {kind.code: kind for kind in rows}


def settlements_of(partner: Partner) -> QuerySet[PartnerSettlement]:
    """The months that were closed."""
    rows = PartnerSettlement.objects.select_related("partner__account__program")
    return rows.filter(partner=partner)
