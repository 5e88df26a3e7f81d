"""What the books say at an instant, in total and per customer, straight from transfers and lots."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from decimal import Decimal

from django.db import connection

from loyalty.models import NEVER, Program


@dataclass(frozen=True, slots=True)
class Figures:
    """Units at the wallet type's scale. At every instant:

    accrued + adjusted − clawed_back − redeemed − donated − expired + written_off + moved
        = outstanding − owed, and outstanding = pending + what has matured.
    `expired` counts lapsed units whether or not a job has written them down, less those that were
    brought back. `donated` is what charities were given. `moved` is what came from other wallets
    less what went to them: over all wallets of a program nothing. `spendable` is, per wallet, what
    has matured less what is owed, not below zero.
    """

    accrued: int = 0
    clawed_back: int = 0
    redeemed: int = 0
    donated: int = 0
    adjusted: int = 0
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

# One pass over the transfers and one over the lots, both up to the instant asked for.
PER_WALLET = """
    WITH moved AS (
        SELECT t.wallet_id,
               sum(t.amount) FILTER (WHERE t.kind = 'accrual') AS accrued,
               sum(t.amount) FILTER (WHERE t.kind = 'clawback') AS clawed_back,
               sum(CASE WHEN t.kind = 'redemption' THEN t.amount
                        WHEN t.kind = 'reversal' AND o.kind = 'redemption' THEN -t.amount END)
                   AS redeemed,
               sum(CASE WHEN t.kind = 'donation' THEN t.amount
                        WHEN t.kind = 'reversal' AND o.kind = 'donation' THEN -t.amount END)
                   AS donated,
               sum(CASE WHEN t.to_account_id = w.account_id THEN t.amount ELSE -t.amount END)
                   FILTER (WHERE t.kind = 'adjustment'
                              OR t.kind = 'reversal' AND o.kind = 'adjustment') AS adjusted,
               sum(CASE t.kind WHEN 'expiry' THEN t.amount WHEN 'reinstatement' THEN -t.amount END)
                   AS expired,
               sum(t.amount) FILTER (WHERE t.kind = 'write_off') AS written_off,
               sum(CASE WHEN t.to_account_id = w.account_id THEN t.amount ELSE -t.amount END)
                   FILTER (WHERE t.kind IN ('gift', 'pool', 'merge') OR t.kind = 'reversal'
                                 AND o.kind IN ('gift', 'pool', 'merge')) AS moved,
               sum(t.debt_change) AS owed
          FROM loyalty_transfer t
          JOIN loyalty_wallet w ON w.id = t.wallet_id
          LEFT JOIN loyalty_transfer o ON o.id = coalesce(t.reverses_id, t.corrects_id)
         WHERE t.wallet_type_id = ANY(%(types)s) AND t.occurred_at <= %(at)s
         GROUP BY t.wallet_id
    ), lots AS (
        SELECT l.wallet_id,
               coalesce(c.spendable_before, l.spendable_at) AS spendable_at,
               CASE WHEN c.id IS NOT NULL THEN coalesce(c.expires_before, %(never)s)
                    WHEN l.renewable AND l.expires_at IS NULL
                    THEN coalesce(w.active_until, %(never)s)
                    ELSE coalesce(l.expires_at, %(never)s) END AS ends,
               l.granted - coalesce((SELECT sum(u.amount) FROM loyalty_lotuse u
                                       JOIN loyalty_transfer ut ON ut.id = u.transfer_id
                                      WHERE u.lot_id = l.id AND ut.occurred_at <= %(at)s), 0)
                   AS remaining
          FROM loyalty_lot l JOIN loyalty_transfer t ON t.id = l.transfer_id
          JOIN loyalty_wallet w ON w.id = l.wallet_id
          -- What the lot said before it was changed after this instant.
          LEFT JOIN LATERAL (
               SELECT * FROM loyalty_lotchange c
                WHERE c.lot_id = l.id AND c.occurred_at > %(at)s ORDER BY c.id LIMIT 1) c ON true
         WHERE t.wallet_type_id = ANY(%(types)s) AND t.occurred_at <= %(at)s
    ), ahead AS (
        -- A refund told late may have been taken from units that came after this instant: until
        -- they came it was a debt.
        SELECT l.wallet_id, sum(u.amount) AS units
          FROM loyalty_lot l
          JOIN loyalty_transfer t ON t.id = l.transfer_id
          JOIN loyalty_lotuse u ON u.lot_id = l.id
          JOIN loyalty_transfer ut ON ut.id = u.transfer_id
         WHERE t.wallet_type_id = ANY(%(types)s) AND t.occurred_at > %(at)s
           AND ut.occurred_at <= %(at)s
         GROUP BY l.wallet_id
    ), held AS (
        SELECT wallet_id,
               sum(remaining) FILTER (WHERE ends <= %(at)s) AS lapsed,
               sum(remaining) FILTER (WHERE ends <= %(at)s AND spendable_at < ends) AS settling,
               sum(remaining) FILTER (WHERE spendable_at > %(at)s AND ends > %(at)s) AS pending,
               sum(remaining) FILTER (WHERE spendable_at <= %(at)s AND ends > %(at)s) AS matured
          FROM lots GROUP BY wallet_id
    )
    SELECT w.id AS wallet_id, w.account_id, w.wallet_type_id,
           coalesce(m.accrued, 0) AS accrued, coalesce(m.clawed_back, 0) AS clawed_back,
           coalesce(m.redeemed, 0) AS redeemed, coalesce(m.donated, 0) AS donated,
           coalesce(m.adjusted, 0) AS adjusted,
           coalesce(m.expired, 0) + coalesce(h.lapsed, 0) - d.settled AS expired,
           coalesce(m.written_off, 0) AS written_off, coalesce(m.moved, 0) AS moved,
           coalesce(h.pending, 0) AS pending,
           greatest(coalesce(h.matured, 0) - d.owed + d.settled, 0) AS spendable,
           greatest(d.owed, 0) - d.settled AS owed,
           -- Below zero: units told late have repaid a debt that was made after this instant.
           coalesce(h.pending, 0) + coalesce(h.matured, 0) - least(d.owed, 0) AS outstanding
      FROM loyalty_wallet w
      LEFT JOIN moved m ON m.wallet_id = w.id
      LEFT JOIN held h ON h.wallet_id = w.id
      LEFT JOIN ahead a ON a.wallet_id = w.id
      -- What expired while something was owed has settled it, written down or not.
      CROSS JOIN LATERAL (SELECT coalesce(m.owed, 0) + coalesce(a.units, 0) AS owed) o
      CROSS JOIN LATERAL (
           SELECT o.owed, least(greatest(o.owed, 0), greatest(coalesce(h.settling, 0), 0))
                      AS settled) d
     WHERE w.wallet_type_id = ANY(%(types)s)
"""


def totals(program: Program, at: dt.datetime) -> dict[str, Figures]:
    """By wallet type code, over all wallets, at the instant `at` (inclusive)."""
    wallet_types = {item.pk: item.code for item in program.wallet_types.all()}
    sums = ", ".join(f"sum({name})::bigint" for name in NAMES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT wallet_type_id, {sums} FROM ({PER_WALLET}) p GROUP BY wallet_type_id",
            {"types": list(wallet_types), "at": at, "never": NEVER},
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
              FROM ({PER_WALLET}) p
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
