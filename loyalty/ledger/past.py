"""What wallets held at an instant, from the movements that had happened by then: what the reports
add up, what a member's past shows, and what the daily figures are checked against.

A movement counts from when it occurred, whenever it was told. So what is posted later leaves a past
instant as it was, unless it is told late. Accountants count by the day on which it was booked: then
it stays as it was in any case, as far as books are closed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from loyalty.ledger.balances import Holding
from loyalty.models import NEVER
from members.prepared import run_prepared


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose movements (`t`) and wallets (`w`) are read."""

    movements: str
    wallets: str


OF_TYPES = Scope("t.wallet_type_id = ANY(%(types)s)", "w.wallet_type_id = ANY(%(types)s)")
OF_WALLETS = Scope("t.wallet_id = ANY(%(wallets)s::bigint[])", "w.id = ANY(%(wallets)s::bigint[])")


@dataclass(frozen=True, slots=True)
class Clock:
    """What makes a movement or a change part of the past: its business time, or its accounting
    day. What has expired is judged by %(at)s in both."""

    column: str
    limit: str

    def had(self, row: str) -> str:
        return f"{row}.{self.column} <= {self.limit}"

    def had_not(self, row: str) -> str:
        return f"{row}.{self.column} > {self.limit}"


OCCURRED = Clock("occurred_at", "%(at)s")
BOOKED = Clock("booked_on", "%(day)s")


def lots_then(scope: Scope, clock: Clock = OCCURRED) -> str:
    """The query of all lots that had come by then, with the times they had and what remained."""
    return f"""
        SELECT l.id, l.wallet_id, l.origin_id, l.policy_id, l.earned_at, l.granted, l.renewable,
               coalesce(c.spendable_before, l.spendable_at) AS spendable_at,
               e.expires_at, coalesce(e.expires_at, CASE WHEN l.renewable THEN w.active_until END,
                                      %(never)s) AS ends,
               l.granted - coalesce((SELECT sum(u.amount) FROM loyalty_lotuse u
                                       JOIN loyalty_transfer ut ON ut.id = u.transfer_id
                                      WHERE u.lot_id = l.id AND {clock.had("ut")}), 0)
                   AS remaining
          FROM loyalty_transfer t
          JOIN loyalty_lot l ON l.transfer_id = t.id
          JOIN loyalty_wallet w ON w.id = l.wallet_id
          -- What the lot said before it was changed after this instant.
          LEFT JOIN LATERAL (
               SELECT * FROM loyalty_lotchange c
                WHERE c.lot_id = l.id AND {clock.had_not("c")} ORDER BY c.id LIMIT 1) c ON true
          CROSS JOIN LATERAL (
               SELECT CASE WHEN c.id IS NULL THEN l.expires_at ELSE c.expires_before END
                      AS expires_at) e
         WHERE {scope.movements} AND {clock.had("t")}
    """


def _moved(scope: Scope, clock: Clock) -> str:
    """What of each kind came to each wallet until then."""
    return f"""
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
               sum(CASE WHEN t.kind = 'deposit' THEN t.amount
                        WHEN t.kind = 'reversal' AND o.kind = 'deposit' THEN -t.amount END)
                   AS deposited,
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
         WHERE {scope.movements} AND {clock.had("t")}
         GROUP BY t.wallet_id
        """


def _ahead(scope: Scope, clock: Clock) -> str:
    """A refund told late may have been taken from units that came after this instant: until they
    came it was a debt."""
    return f"""
        SELECT l.wallet_id, sum(u.amount) AS units
          FROM loyalty_transfer t
          JOIN loyalty_lot l ON l.transfer_id = t.id
          JOIN loyalty_lotuse u ON u.lot_id = l.id
          JOIN loyalty_transfer ut ON ut.id = u.transfer_id
         WHERE {scope.movements} AND {clock.had_not("t")} AND {clock.had("ut")}
         GROUP BY l.wallet_id
        """


def wallets_then(scope: Scope, clock: Clock = OCCURRED) -> str:
    """The query of every wallet's figures then; `loyalty.ledger.reports` says what they mean."""
    return f"""
    WITH moved AS (
        {_moved(scope, clock)}
    ), lots AS (
        {lots_then(scope, clock)}
    ), ahead AS (
        {_ahead(scope, clock)}
    ), held AS (
        SELECT wallet_id,
               sum(remaining) FILTER (WHERE ends <= %(at)s) AS lapsed,
               sum(remaining) FILTER (WHERE ends <= %(at)s AND spendable_at < ends) AS settling,
               sum(remaining) FILTER (WHERE spendable_at > %(at)s AND ends > %(at)s) AS pending,
               sum(remaining) FILTER (WHERE spendable_at <= %(at)s AND ends > %(at)s) AS matured
          FROM lots GROUP BY wallet_id
    )
    SELECT w.id AS wallet_id, w.account_id, w.wallet_type_id, d.blocks AS debt_blocks,
           coalesce(m.accrued, 0) AS accrued, coalesce(m.clawed_back, 0) AS clawed_back,
           coalesce(m.redeemed, 0) AS redeemed, coalesce(m.donated, 0) AS donated,
           coalesce(m.adjusted, 0) AS adjusted, coalesce(m.deposited, 0) AS deposited,
           coalesce(m.expired, 0) + coalesce(h.lapsed, 0) - d.settled AS expired,
           coalesce(m.written_off, 0) AS written_off, coalesce(m.moved, 0) AS moved,
           coalesce(h.pending, 0) AS pending, b.balance,
           CASE WHEN d.blocks THEN 0
                ELSE greatest(b.balance - greatest(d.owed, 0) + d.settled, 0) END AS spendable,
           greatest(d.owed, 0) - d.settled AS owed,
           coalesce(h.pending, 0) + b.balance AS outstanding
      FROM loyalty_wallet w
      LEFT JOIN moved m ON m.wallet_id = w.id
      LEFT JOIN held h ON h.wallet_id = w.id
      LEFT JOIN ahead a ON a.wallet_id = w.id
      -- What expired while something was owed has settled it, written down or not. What was taken
      -- ahead is settled by the units that it was taken from, and by no others; it blocks nothing,
      -- for nothing was owed when it was told.
      CROSS JOIN LATERAL (
           SELECT least(greatest(coalesce(m.owed, 0), 0), greatest(coalesce(h.settling, 0), 0))
                      AS settled) s
      CROSS JOIN LATERAL (
           SELECT coalesce(m.owed, 0) + coalesce(a.units, 0) AS owed, s.settled,
                  w.debt_blocks AND coalesce(m.owed, 0) > s.settled AS blocks) d
      -- Below zero: units told late have repaid a debt that was made after this instant.
      CROSS JOIN LATERAL (SELECT coalesce(h.matured, 0) - least(d.owed, 0) AS balance) b
     WHERE {scope.wallets}
    """


@dataclass(frozen=True, slots=True)
class LotThen:
    """A lot as it was: `expires_at` (exclusive) None: never, or not known then; `renewable` ones
    expire with the inactivity of their wallet."""

    lot_id: int
    wallet_id: int
    origin_id: int
    policy_id: int
    earned_at: dt.datetime
    granted: int
    remaining: int
    spendable_at: dt.datetime
    expires_at: dt.datetime | None
    renewable: bool


_HELD_THEN = f"""
    SELECT wallet_id, balance::bigint, pending::bigint, owed::bigint, debt_blocks
      FROM ({wallets_then(OF_WALLETS)}) w
"""


def holdings_then(wallet_ids: Iterable[int], at: dt.datetime) -> dict[int, Holding]:
    """By wallet id what it held at an instant: `loyalty.ledger.balances.holdings` for the past.

    Whether a debt of then blocked is only known by whether one that was made last does.
    """
    values = {"wallets": list(wallet_ids), "at": at, "never": NEVER}
    return {row[0]: Holding(*row) for row in run_prepared(_HELD_THEN, values)}


def left_since(wallet_ids: Iterable[int], at: dt.datetime) -> dict[int, int]:
    """By wallet id how much of the units that could still be used at an instant, or later, nothing
    but expiry has taken since. Wallets with none are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.wallet_id, sum(greatest(least(l.remaining, l.remaining - s.taken), 0))::bigint
              FROM ({lots_then(OF_WALLETS)}) l
             CROSS JOIN LATERAL (
                   SELECT coalesce(sum(u.amount), 0) AS taken
                     FROM loyalty_lotuse u JOIN loyalty_transfer ut ON ut.id = u.transfer_id
                    WHERE u.lot_id = l.id AND {OCCURRED.had_not("ut")}
                      AND ut.kind NOT IN ('expiry', 'reinstatement')) s
             WHERE l.remaining > 0 AND l.ends > %(at)s
             GROUP BY l.wallet_id
            """,
            {"wallets": list(wallet_ids), "at": at, "never": NEVER},
        )
        return dict(cursor.fetchall())


def held_lots_then(wallet_ids: Iterable[int], at: dt.datetime) -> list[LotThen]:
    """The lots of which something could still be used then or later, those that expired first
    first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, wallet_id, origin_id, policy_id, earned_at, granted, remaining::bigint,"
            "       spendable_at, nullif(ends, %(never)s), renewable"
            f"  FROM ({lots_then(OF_WALLETS)}) l"
            " WHERE remaining > 0 AND ends > %(at)s ORDER BY ends, id",
            {"wallets": list(wallet_ids), "at": at, "never": NEVER},
        )
        return [LotThen(*row) for row in cursor.fetchall()]
