"""What is owed between a program and a partner: units earned and spent there, at their rates.

A movement is settled once: in the month that is closed first after it was booked. What came back of
an earlier month, or was told late, is in the month that is closed next, at the rate of its own day.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.db import connection
from django.db.models import QuerySet

from loyalty.models import Partner, PartnerSettlement, WalletType
from loyalty.rules.calendar import add_months

NOTHING = Decimal(0)
ISSUED, TAKEN_IN = "issued", "taken_in"
# Whatever was told late was recorded after the last month was closed, give or take what was not
# committed yet then.
LEEWAY = dt.timedelta(days=1)


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
    # Of the movements, where whoever asked is going to close them.
    keys: tuple[int, ...] = ()

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


# What is not settled: of the month by the day it was booked on, of those before by when it was
# recorded. A rate is that of the day of the movement that was corrected.
_UNSETTLED = """
    SELECT t.id, t.wallet_type_id,
           CASE WHEN coalesce(o.kind, t.kind) = 'redemption' THEN 'taken_in' ELSE 'issued' END
           AS side,
           coalesce(o.booked_on, t.booked_on) AS day,
           CASE WHEN (t.from_account_id = %(partner)s)
                     = (coalesce(o.kind, t.kind) <> 'redemption') THEN t.amount
                ELSE -t.amount END AS units
      FROM (SELECT * FROM loyalty_transfer
             WHERE wallet_type_id = ANY(%(units)s::bigint[])
               AND booked_on BETWEEN %(since)s AND %(until)s
               AND (from_account_id = %(partner)s OR to_account_id = %(partner)s)
             UNION ALL
            SELECT * FROM loyalty_transfer
             WHERE recorded_at >= %(recorded)s AND booked_on >= %(first)s AND booked_on < %(since)s
               AND (from_account_id = %(partner)s OR to_account_id = %(partner)s)) t
      LEFT JOIN loyalty_transfer o ON o.id = coalesce(t.reverses_id, t.corrects_id)
     WHERE NOT EXISTS (SELECT FROM loyalty_settledtransfer s WHERE s.transfer_id = t.id)
"""
_SUMS = f"""
    SELECT x.wallet_type_id, x.side, coalesce(r.rate, 0), x.day < %(since)s, sum(x.units), count(*),
           CASE WHEN %(keys)s THEN array_agg(x.id) ELSE '{{}}' END
      FROM ({_UNSETTLED}) x
      LEFT JOIN LATERAL (
           SELECT CASE x.side WHEN 'issued' THEN p.issued ELSE p.taken_in END AS rate
             FROM loyalty_partnerrate p
            WHERE p.partner_id = %(partner)s AND p.wallet_type_id = x.wallet_type_id
              AND p.from_on <= x.day
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


def _unsettled(partner: Partner, until: dt.date) -> dict[str, Any]:
    """What `_UNSETTLED` asks for: the month to be closed next, up to a day, and what came late."""
    since, _until = next_month(partner)
    last = PartnerSettlement.objects.filter(partner=partner).order_by("-until").first()
    program = partner.account.program_id
    return {
        "partner": partner.pk, "since": since, "until": until, "first": partner.since,
        "units": list(WalletType.objects.filter(program=program).values_list("pk", flat=True)),
        "recorded": last.closed_at - LEEWAY if last else dt.datetime.max.replace(tzinfo=dt.UTC),
    }  # fmt: skip


def running_statement(partner: Partner, today: dt.date) -> Statement:
    """What is not closed yet, up to a day."""
    since, _until = next_month(partner)
    return statement_of(partner, since, max(today, since))


def statement_of(
    partner: Partner, since: dt.date, until: dt.date, *, keys: bool = False
) -> Statement:
    """What a settlement of these days would say; with the keys of its movements, to close them."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {**_unsettled(partner, until), "keys": keys})
        rows = cursor.fetchall()
    kinds = WalletType.objects.select_related("program").in_bulk([row[0] for row in rows])
    coin = Decimal(1).scaleb(-get_currency_precision(partner.account.program.currency))
    return Statement(partner, since, until, tuple(_line(row, kinds, coin) for row in rows))


def _line(row: Sequence[Any], kinds: dict[int, WalletType], coin: Decimal) -> StatementLine:
    wallet_type_id, side, rate, corrects, units, movements, keys = row
    kind = kinds[wallet_type_id]
    money = Decimal(units).scaleb(-kind.scale) * rate
    return StatementLine(
        kind,
        side,
        rate,
        corrects,
        int(units),
        movements,
        money.quantize(coin, ROUND_HALF_UP),
        tuple(keys),
    )


def closed_statement(settlement: PartnerSettlement) -> Statement:
    """A settlement as it was closed."""
    partner = settlement.partner
    kinds = {
        kind.code: kind
        for kind in WalletType.objects.select_related("program").filter(
            program=partner.account.program_id
        )
    }
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


def settlements_of(partner: Partner) -> QuerySet[PartnerSettlement]:
    """The months that were closed."""
    rows = PartnerSettlement.objects.select_related("partner__account__program")
    return rows.filter(partner=partner)


def units_of(lines: Sequence[StatementLine]) -> list[tuple[WalletType, int, int]]:
    """By kind of units: how many were earned and spent there, net."""
    sums: defaultdict[WalletType, list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        sums[line.wallet_type][line.side == TAKEN_IN] += line.units
    return [(kind, earned, spent) for kind, (earned, spent) in sums.items()]
