"""What the books say at an instant, in total and per customer, straight from transfers and lots."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from decimal import Decimal

from django.db import connection

from loyalty.ledger.past import BOOKED, OCCURRED, OF_TYPES, wallets_then
from loyalty.models import NEVER, Program, WalletType


@dataclass(frozen=True, slots=True)
class Figures:
    """Units at the wallet type's scale. At every instant:

    accrued + adjusted + deposited − clawed_back − redeemed − donated − expired + written_off
        + moved = outstanding − owed, and outstanding = pending + what has matured.
    `expired` counts lapsed units whether or not a job has written them down, less those that were
    brought back. `donated` is what charities were given; `deposited` what was paid in as stored
    value. `moved` is what came from other wallets less what went to them: over all wallets of a
    program nothing. `spendable` is, per wallet, what has matured less what is owed, not below zero;
    nothing while a debt blocks.
    """

    accrued: int = 0
    clawed_back: int = 0
    redeemed: int = 0
    donated: int = 0
    adjusted: int = 0
    deposited: int = 0
    expired: int = 0
    written_off: int = 0
    moved: int = 0
    pending: int = 0
    spendable: int = 0
    owed: int = 0
    outstanding: int = 0


@dataclass(frozen=True, slots=True)
class CustomerFigures:
    customer: str
    wallet_type: str
    figures: Figures


NAMES = tuple(field.name for field in fields(Figures))


def booked_net(wallet_type: WalletType, day: dt.date) -> int:
    """What came to members less what left them, transfer by transfer, booked up to a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(CASE WHEN t.to_account_id = w.account_id THEN t.amount"
            "                         ELSE -t.amount END), 0)::bigint"
            "  FROM loyalty_transfer t JOIN loyalty_wallet w ON w.id = t.wallet_id"
            " WHERE t.wallet_type_id = %s AND t.booked_on <= %s",
            [wallet_type.pk, day],
        )
        return int(cursor.fetchone()[0])


def totals(
    program: Program, at: dt.datetime, *, booked_by: dt.date | None = None
) -> dict[str, Figures]:
    """By wallet type code, over all wallets, at the instant `at` (inclusive).

    `booked_by`: what was booked by this day, of which `at` is the last instant, counts; whatever
    occurred when. That is the exact sum behind the figures for accountants.
    """
    clock = BOOKED if booked_by else OCCURRED
    wallet_types = {item.pk: item.code for item in program.wallet_types.all()}
    sums = ", ".join(f"sum({name})::bigint" for name in NAMES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT wallet_type_id, {sums} FROM ({wallets_then(OF_TYPES, clock)}) p"
            " GROUP BY wallet_type_id",
            {"types": list(wallet_types), "at": at, "day": booked_by, "never": NEVER},
        )
        found = {row[0]: Figures(*row[1:]) for row in cursor.fetchall()}
    return {code: found.get(pk, Figures()) for pk, code in wallet_types.items()}


def per_customer(program: Program, at: dt.datetime) -> Iterator[CustomerFigures]:
    """One row per member and wallet type, by customer number; streamed."""
    wallet_types = {item.pk: item.code for item in program.wallet_types.all()}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT coalesce(c.external_id, c.public_id::text), p.wallet_type_id,
                   {", ".join(f"p.{name}::bigint" for name in NAMES)}
              FROM ({wallets_then(OF_TYPES)}) p
              JOIN loyalty_membership m ON m.account_id = p.account_id
              JOIN members_customer c ON c.id = m.customer_id
             ORDER BY 1, 2
            """,
            {"types": list(wallet_types), "at": at, "never": NEVER},
        )
        while rows := cursor.fetchmany(5000):
            for row in rows:
                yield CustomerFigures(row[0], wallet_types[row[1]], Figures(*row[2:]))


def as_plain(figures: Figures, scale: int) -> dict[str, int | str]:
    """Whole units for output: 1250 at scale 2 is "12.50"; at scale 0 the integers stay."""
    values = asdict(figures)
    if not scale:
        return values
    return {name: f"{Decimal(value).scaleb(-scale):f}" for name, value in values.items()}
