"""A membership's balances in one prepared statement: the read that tills and shops repeat."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from django.utils.translation import gettext as _

from loyalty.ledger.balances import HELD, spendable_of
from loyalty.models import NEVER, Membership
from loyalty.rules.spending import SpendingTerms, by_tier
from loyalty.selectors.member_tiers import standing_of, tiered_program
from members.errors import NotFoundError
from members.prepared import run_prepared

# The stored row while it is exact, the lots once it is not: what `loyalty.ledger.balances` does,
# here together with the membership, the terms and the next lapse.
_READ = f"""
    SELECT t.code, t.scale, t.unit_value, t.spend_least, t.spend_step, t.spend_share,
           t.tier_values, m.id, p.currency, w.next_change_at, w.debt_blocks,
           now.balance, now.pending, now.owed,
           CASE WHEN lapse.at = w.active_until
                THEN (SELECT sum(l.remaining)::bigint FROM loyalty_lot l
                       WHERE l.wallet_id = w.id AND l.due_at IS NOT NULL
                         AND (l.due_at = lapse.at OR l.renewable AND l.expires_at IS NULL))
                ELSE (SELECT sum(l.remaining)::bigint FROM loyalty_lot l
                       WHERE l.wallet_id = w.id AND l.due_at = lapse.at)
           END,
           lapse.at
      FROM loyalty_membership m
      -- What a merged member held is in the membership that took over.
      JOIN loyalty_membership k ON k.id = coalesce(m.merged_into_id, m.id)
      JOIN loyalty_wallet w ON w.account_id = k.account_id
      JOIN loyalty_wallettype t ON t.id = w.wallet_type_id
      JOIN loyalty_program p ON p.id = m.program_id
      CROSS JOIN LATERAL (
           SELECT w.balance, w.pending, w.owed WHERE w.next_change_at > %(at)s
           UNION ALL
           SELECT held.balance, held.pending, held.owed
             FROM ({HELD}) held WHERE w.next_change_at <= %(at)s
      ) now
      LEFT JOIN LATERAL (
           SELECT least(
               (SELECT l.due_at FROM loyalty_lot l
                 WHERE l.wallet_id = w.id AND l.due_at > %(at)s AND l.due_at < %(never)s
                 ORDER BY l.due_at LIMIT 1),
               CASE WHEN w.active_until > %(at)s THEN w.active_until END) AS at
      ) lapse ON true
     WHERE m.public_id = %(membership)s
     ORDER BY t.id
"""


@dataclass(frozen=True, slots=True)
class MemberBalance:
    """One wallet. Units are integers at `scale`; `worth` is money in `currency`, not rounded."""

    wallet_type: str
    scale: int
    currency: str
    balance: int
    pending: int
    owed: int
    blocked: bool
    worth: Decimal
    exact_until: dt.datetime | None
    lapsing: int
    lapses_at: dt.datetime | None
    spending: SpendingTerms

    @property
    def spendable(self) -> int:
        return spendable_of(self.balance, self.owed, blocks=self.blocked)


def read_member_balances(membership_id: uuid.UUID, now: dt.datetime) -> list[MemberBalance]:
    """The membership's wallets in the program's order. Raises NotFoundError."""
    rows = run_prepared(_READ, {"membership": membership_id, "at": now, "never": NEVER})
    if not rows:
        raise NotFoundError(_("There is no such membership."))
    tier = _tier(rows[0][7], now) if any(_read(row[6]) for row in rows) else ""
    return [_balance(row, now, tier) for row in rows]


def _tier(membership_id: int, now: dt.datetime) -> str:
    """The code of the member's tier, by which their units pay."""
    members = Membership.objects.select_related("merged_into")
    found = members.get(pk=membership_id)
    found = found.merged_into or found
    program = tiered_program(found.program_id)
    stands = standing_of(program, found, now) if program else None
    return stands.tier if stands else ""


def _balance(row: Sequence[Any], now: dt.datetime, tier: str) -> MemberBalance:
    code, scale, unit_value, least, step, share, values, _membership, *row = row
    terms = SpendingTerms(scale, unit_value, least or 1, step or 1, share, by_tier(_read(values)))
    terms = terms.in_tier(tier)
    currency, next_change, blocks, *held, lapsing, lapses_at = row
    balance, pending, owed = held
    return MemberBalance(
        wallet_type=code,
        scale=scale,
        currency=currency,
        balance=balance,
        pending=pending,
        owed=owed,
        blocked=blocks,
        worth=terms.worth(spendable_of(balance, owed, blocks=blocks)),
        exact_until=next_change if now < next_change < NEVER else None,
        lapsing=lapsing or 0,
        lapses_at=lapses_at,
        spending=terms,
    )


def _read(values: str | dict[str, str]) -> dict[str, str]:
    """A column of JSON, as the connection brings it."""
    found: dict[str, str] = orjson.loads(values) if isinstance(values, str) else values
    return found
