"""Whether the books agree with themselves: lots = uses = transfers = balances."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext_noop as _

from loyalty.instants import NEVER
from loyalty.ledger import discount_budgets, discounts
from loyalty.models.tally_triggers import CHARITIES, MEMBERS, UNSETTLED
from members.prepared import run_prepared

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """A rule of the ledger that does not hold, and the rows where it does not."""

    check: str
    rows: tuple[str, ...]
    count: int


# Each query returns the rows that break its rule: (what, expected, found).
CHECKS: dict[str, str] = {
    _("a lot holds what it was granted less its uses"): """
        SELECT 'lot ' || l.id, l.granted - coalesce(u.used, 0), l.remaining
          FROM loyalty_lot l
          LEFT JOIN (SELECT lot_id, sum(amount) AS used FROM loyalty_lotuse GROUP BY lot_id) u
            ON u.lot_id = l.id
         WHERE l.remaining <> l.granted - coalesce(u.used, 0)
    """,
    _("lots are granted what their transfer brought"): """
        SELECT 'transfer ' || t.id, t.amount, sum(l.granted)
          FROM loyalty_lot l JOIN loyalty_transfer t ON t.id = l.transfer_id
          JOIN loyalty_wallet w ON w.id = t.wallet_id
         GROUP BY t.id
        HAVING sum(l.granted) <> t.amount OR bool_or(l.wallet_id <> t.wallet_id)
            OR bool_or(t.to_account_id <> w.account_id)
    """,
    _("a child lot has what its parent gave, from the same origin"): """
        SELECT 'lot ' || l.id, p.origin_id, l.origin_id
          FROM loyalty_lot l JOIN loyalty_lot p ON p.id = l.parent_id
          JOIN loyalty_transfer t ON t.id = l.transfer_id
          LEFT JOIN loyalty_lotuse u ON u.lot_id = p.id AND u.transfer_id = t.pair_id
         WHERE l.origin_id <> p.origin_id OR l.earned_at <> p.earned_at
            OR u.amount IS DISTINCT FROM l.granted
    """,
    _("what left one wallet for another arrived there"): """
        SELECT 'transfer ' || coalesce(o.id, i.id), o.amount, i.amount
          FROM (SELECT t.* FROM loyalty_transfer t JOIN loyalty_account a ON a.id = t.to_account_id
                 WHERE a.kind = 'transit') o
          FULL JOIN (SELECT t.* FROM loyalty_transfer t
                       JOIN loyalty_account a ON a.id = t.from_account_id
                      WHERE a.kind = 'transit') i
            ON i.pair_id = o.id
         WHERE o.amount IS DISTINCT FROM i.amount OR o.to_account_id <> i.from_account_id
    """,
    _("a transfer changes lots and debt by its amount"): """
        SELECT 'transfer ' || t.id,
               CASE WHEN t.to_account_id = w.account_id THEN t.amount ELSE -t.amount END,
               coalesce(l.granted, 0) - coalesce(u.used, 0) - t.debt_change
          FROM loyalty_transfer t
          JOIN loyalty_wallet w ON w.id = t.wallet_id
          LEFT JOIN (SELECT transfer_id, sum(granted) AS granted FROM loyalty_lot
                      GROUP BY transfer_id) l ON l.transfer_id = t.id
          LEFT JOIN (SELECT transfer_id, sum(amount) AS used FROM loyalty_lotuse GROUP BY
          transfer_id) u
            ON u.transfer_id = t.id
         WHERE CASE WHEN t.to_account_id = w.account_id THEN t.amount ELSE -t.amount END
               <> coalesce(l.granted, 0) - coalesce(u.used, 0) - t.debt_change
    """,
    _("a transfer has its wallet's account on one side"): """
        SELECT 'transfer ' || t.id, w.account_id, t.from_account_id
          FROM loyalty_transfer t JOIN loyalty_wallet w ON w.id = t.wallet_id
         WHERE w.account_id NOT IN (t.from_account_id, t.to_account_id)
            OR w.wallet_type_id <> t.wallet_type_id
    """,
    _("a wallet owes what its transfers left owing"): """
        SELECT 'wallet ' || w.id, coalesce(t.owed, 0), w.owed
          FROM loyalty_wallet w
          LEFT JOIN (SELECT wallet_id, sum(debt_change) AS owed
                       FROM loyalty_transfer GROUP BY wallet_id) t ON t.wallet_id = w.id
         WHERE w.owed <> coalesce(t.owed, 0)
    """,
    _("a wallet's lots less its debt are what came in less what went out"): """
        SELECT 'wallet ' || w.id, coalesce(t.net, 0), coalesce(l.remaining, 0) - w.owed
          FROM loyalty_wallet w
          LEFT JOIN (SELECT x.wallet_id, sum(CASE WHEN x.to_account_id = v.account_id THEN x.amount
                                                  ELSE -x.amount END) AS net
                       FROM loyalty_transfer x JOIN loyalty_wallet v ON v.id = x.wallet_id
                      GROUP BY x.wallet_id) t ON t.wallet_id = w.id
          LEFT JOIN (SELECT wallet_id, sum(remaining) AS remaining
                       FROM loyalty_lot GROUP BY wallet_id) l ON l.wallet_id = w.id
         WHERE coalesce(t.net, 0) <> coalesce(l.remaining, 0) - w.owed
    """,
    _("a wallet's stored balance is what its lots give until it changes next"): """
        SELECT 'wallet ' || w.id, coalesce(l.balance, 0), w.balance
          FROM loyalty_wallet w
          LEFT JOIN (SELECT wallet_id,
                            sum(remaining) FILTER (WHERE spendable_at <= %(now)s) AS balance,
                            sum(remaining) FILTER (WHERE spendable_at > %(now)s) AS pending
                       FROM loyalty_lot WHERE due_at IS NOT NULL AND due_at > %(now)s
                      GROUP BY wallet_id) l ON l.wallet_id = w.id
         WHERE w.next_change_at > %(now)s
           AND (w.balance <> coalesce(l.balance, 0) OR w.pending <> coalesce(l.pending, 0))
    """,
    _("a wallet knows when it changes next"): """
        SELECT 'wallet ' || w.id, l.next_change_at, w.next_change_at
          FROM loyalty_wallet w
          JOIN (SELECT wallet_id,
                       min(CASE WHEN spendable_at > %(now)s THEN least(spendable_at, due_at)
                                ELSE due_at END) AS next_change_at
                  FROM loyalty_lot WHERE due_at IS NOT NULL AND due_at > %(now)s
                 GROUP BY wallet_id) l ON l.wallet_id = w.id
         WHERE w.next_change_at > %(now)s AND w.next_change_at > l.next_change_at
            OR w.next_change_at > w.active_until
    """,
    _("a lot is due when it expires"): """
        SELECT 'lot ' || id, expires_at, due_at FROM loyalty_lot
         WHERE due_at IS NOT NULL AND due_at <> coalesce(expires_at, %(never)s)
    """,
    _("a lot's changes end at what it says now"): """
        SELECT 'lot ' || l.id, c.spendable_after, l.spendable_at
          FROM loyalty_lot l
          JOIN LATERAL (SELECT * FROM loyalty_lotchange c WHERE c.lot_id = l.id
                         ORDER BY c.id DESC LIMIT 1) c ON true
         WHERE c.spendable_after <> l.spendable_at
            OR NOT l.renewable AND c.expires_after IS DISTINCT FROM l.expires_at
    """,
    _("renewable units have an end in sight"): """
        SELECT 'wallet ' || w.id, 'active_until', '–' FROM loyalty_wallet w
         WHERE w.active_until IS NULL
           AND EXISTS (SELECT 1 FROM loyalty_lot l WHERE l.wallet_id = w.id
                        AND l.due_at IS NOT NULL AND l.renewable AND l.expires_at IS NULL)
    """,
    _("a wallet that was merged into another holds nothing and owes nothing"): """
        SELECT 'wallet ' || w.id, 0, coalesce(l.held, 0) - w.owed
          FROM loyalty_wallet w
          CROSS JOIN LATERAL (
               SELECT sum(l.remaining) AS held FROM loyalty_lot l
                WHERE l.wallet_id = w.id AND l.due_at IS NOT NULL AND l.due_at > %(now)s
                  -- What had expired by inactivity stayed behind, written on the lots or not.
                  AND NOT (l.renewable AND l.expires_at IS NULL
                           AND coalesce(w.active_until <= %(now)s, false))) l
         WHERE w.merged_into_id IS NOT NULL AND (l.held > 0 OR w.owed > 0)
    """,
    _("stored value is paid in, and never earned or owed by its holder"): """
        SELECT 'transfer ' || t.id, 'no accrual', t.kind
          FROM loyalty_transfer t JOIN loyalty_wallettype k ON k.id = t.wallet_type_id
         WHERE k.stored_value AND t.kind IN ('accrual', 'clawback')
         UNION ALL
        SELECT 'wallet ' || w.id, '0', w.owed::text
          FROM loyalty_wallet w JOIN loyalty_wallettype k ON k.id = w.wallet_type_id
         WHERE k.stored_value AND w.owed <> 0
    """,
    _("only stored value is paid in, and held by bearers"): """
        SELECT 'transfer ' || t.id, 'stored value', k.code
          FROM loyalty_transfer t JOIN loyalty_wallettype k ON k.id = t.wallet_type_id
         WHERE t.kind = 'deposit' AND NOT k.stored_value
         UNION ALL
        SELECT 'wallet ' || w.id, 'stored value', k.code
          FROM loyalty_wallet w JOIN loyalty_wallettype k ON k.id = w.wallet_type_id
          JOIN loyalty_account a ON a.id = w.account_id
         WHERE a.kind = 'bearer' AND NOT k.stored_value
    """,
    _("an opening balance comes from what was adjusted, or goes there"): """
        SELECT 'transfer ' || t.id, 'adjusted', f.kind || ' to ' || o.kind
          FROM loyalty_transfer t
          JOIN loyalty_account f ON f.id = t.from_account_id
          JOIN loyalty_account o ON o.id = t.to_account_id
         WHERE t.key LIKE 'opening:%%'
           AND (NOT 'adjusted' IN (f.kind, o.kind)
                OR (t.kind = 'deposit') <> ('bearer' IN (f.kind, o.kind))
                OR t.kind NOT IN ('deposit', 'adjustment'))
    """,
    _("corrections never exceed what they correct"): """
        SELECT 'transfer ' || t.id, t.amount, c.corrected
          FROM loyalty_transfer t
          JOIN (SELECT coalesce(reverses_id, corrects_id) AS id, sum(amount) AS corrected
                  FROM loyalty_transfer WHERE reverses_id IS NOT NULL OR corrects_id IS NOT NULL
                 GROUP BY 1) c ON c.id = t.id
         WHERE c.corrected > t.amount
    """,
    _("no more is taken of what was earned than there was of it"): """
        SELECT 'transfer ' || t.id, t.amount, o.taken + coalesce(c.corrected, 0)
          FROM (SELECT k.accrual_id, sum(k.units) AS taken
                  FROM loyalty_ordertaking k JOIN loyalty_transfer m ON m.key = k.key
                 WHERE NOT EXISTS (SELECT FROM loyalty_transfer r WHERE r.reverses_id = m.id)
                 GROUP BY 1) o
          JOIN loyalty_transfer t ON t.id = o.accrual_id
          LEFT JOIN (SELECT corrects_id, sum(amount) AS corrected FROM loyalty_transfer
                      WHERE corrects_id IS NOT NULL GROUP BY 1) c ON c.corrects_id = t.id
         WHERE o.taken + coalesce(c.corrected, 0) > t.amount
    """,
    _("what charities were given in units is what their accounts hold"): """
        SELECT 'account ' || coalesce(l.account, e.account), coalesce(l.units, 0),
               coalesce(e.units, 0)
          FROM (SELECT a.id AS account, t.wallet_type_id AS kind,
                       sum(CASE WHEN t.to_account_id = a.id THEN t.amount ELSE -t.amount END)
                       AS units
                  FROM loyalty_account a
                  JOIN loyalty_transfer t ON t.to_account_id = a.id OR t.from_account_id = a.id
                 WHERE a.kind = 'charity' AND t.kind IN ('donation', 'reversal')
                 GROUP BY 1, 2) l
          FULL JOIN (SELECT c.account_id AS account, e.wallet_type_id AS kind, sum(e.units) AS units
                       FROM loyalty_charityentry e JOIN loyalty_charity c ON c.id = e.charity_id
                      WHERE e.wallet_type_id IS NOT NULL GROUP BY 1, 2) e
            ON (e.account, e.kind) = (l.account, l.kind)
         WHERE l.units IS DISTINCT FROM e.units
    """,
    _("what came back returned to the partner that it was earned or spent at"): """
        SELECT 'transfer ' || t.id, o.partner, t.partner
          FROM (SELECT x.id, coalesce(x.reverses_id, x.corrects_id) AS target, a.id AS partner
                  FROM loyalty_transfer x JOIN loyalty_account a
                    ON a.id IN (x.from_account_id, x.to_account_id) AND a.kind = 'partner'
                 WHERE x.reverses_id IS NOT NULL OR x.corrects_id IS NOT NULL) t
          FULL JOIN (SELECT x.id, a.id AS partner, c.id AS correction
                       FROM loyalty_transfer x JOIN loyalty_account a
                         ON a.id IN (x.from_account_id, x.to_account_id) AND a.kind = 'partner'
                       JOIN loyalty_transfer c ON x.id IN (c.reverses_id, c.corrects_id)
                      WHERE c.kind IN ('clawback', 'reversal')) o
            ON o.correction = t.id
         WHERE o.partner IS DISTINCT FROM t.partner
    """,
    _("at a partner only units of its own program move"): """
        SELECT 'transfer ' || t.id, a.program_id, k.program_id
          FROM loyalty_account a
          JOIN loyalty_transfer t ON a.id IN (t.from_account_id, t.to_account_id)
          JOIN loyalty_wallettype k ON k.id = t.wallet_type_id
         WHERE a.kind = 'partner' AND (a.program_id <> k.program_id OR k.stored_value)
    """,
    _("a settlement with a partner holds the movements that it counts"): """
        SELECT 'settlement ' || s.id, s.movements, m.movements
          FROM loyalty_partnersettlement s
          CROSS JOIN LATERAL (
               SELECT count(*) AS movements,
                      bool_or(s.partner_id NOT IN (t.from_account_id, t.to_account_id)
                              OR t.booked_on > s.until) AS foreign_movement
                 FROM loyalty_settledtransfer x JOIN loyalty_transfer t ON t.id = x.transfer_id
                WHERE x.settlement_id = s.id) m
         WHERE s.movements <> m.movements OR m.foreign_movement
    """,
    _("a program has as many members as are counted"): MEMBERS.drifts(),
    _("a charity was given what is added up of it"): CHARITIES.drifts(),
    _("what is not settled with a partner is what is added up of it"): UNSETTLED.drifts(),
    _("a pledge has given what was counted for it"): """
        SELECT 'pledge ' || p.id, p.given, coalesce(e.given, 0)
          FROM loyalty_pledge p
          CROSS JOIN LATERAL (
               SELECT sum(CASE p.unit WHEN 'money' THEN e.money ELSE e.things END) AS given
                 FROM loyalty_charityentry e JOIN loyalty_pledgeevent v ON v.id = e.pledge_event_id
                WHERE v.pledge_id = p.id) e
         WHERE p.given <> coalesce(e.given, 0)
    """,
    _("a payout to a charity holds what its lines come to"): """
        SELECT 'payout ' || p.id, p.money, coalesce(e.money, 0)
          FROM loyalty_charitypayout p
          CROSS JOIN LATERAL (
               SELECT sum(money) AS money, count(*) AS entries, bool_or(charity_id <> p.charity_id)
                      AS foreign_line
                 FROM loyalty_charityentry WHERE payout_id = p.id) e
         WHERE CASE WHEN p.status = 'taken_back' THEN e.entries > 0
                    ELSE (p.money, p.entries_count) IS DISTINCT FROM (e.money, e.entries::int)
                         OR e.foreign_line END
    """,
    _("closed books are what they were when they were closed"): """
        SELECT 'closed period ' || c.id, coalesce((b.booked->>'units')::bigint, 0), t.units
          FROM loyalty_closedperiod c
          JOIN loyalty_wallettype k ON k.program_id = c.program_id
          CROSS JOIN LATERAL (SELECT c.booked->k.id::text AS booked) b
          CROSS JOIN LATERAL (
               SELECT coalesce(sum(CASE WHEN t.to_account_id = w.account_id THEN t.amount
                                        ELSE -t.amount END), 0) AS units, count(*) AS movements
                 FROM loyalty_transfer t JOIN loyalty_wallet w ON w.id = t.wallet_id
                WHERE t.wallet_type_id = k.id AND t.booked_on <= c.until
                  AND t.booked_on >= coalesce(c.since, '-infinity')) t
         WHERE c.reopened_at IS NULL AND c.booked IS NOT NULL
           AND (t.units, t.movements) <> (coalesce((b.booked->>'units')::bigint, 0),
                                          coalesce((b.booked->>'movements')::bigint, 0))
    """,
}


# What is worked out from the books and can be worked out again: `verify_ledger --repair-caches`.
# Days that postings have just touched are passed over until their totals have followed.
_TOLD = """
    NOT EXISTS (
        SELECT FROM members_outboxevent e
          CROSS JOIN LATERAL jsonb_array_elements(e.payload->'days') d
         WHERE e.kind = 'ledger.posted' AND e.delivered_at IS NULL
           AND (d->>0)::bigint = x.wallet_type_id AND (d->>1)::date = x.day)
"""
DERIVED: dict[str, str] = {
    _("the totals of a day are what was booked on it"): f"""
        SELECT x.day || ', ' || x.kind || ', wallet type ' || x.wallet_type_id,
               coalesce(x.units, 0) || ' in ' || coalesce(x.movements, 0) || ' movements',
               coalesce(x.found, 0) || ' in ' || coalesce(x.counted, 0)
          FROM (SELECT wallet_type_id, day, kind, b.units, b.movements, d.movements AS counted,
                       d.incoming - d.outgoing AS found
                  FROM (SELECT t.wallet_type_id, t.booked_on AS day, t.kind,
                               CASE WHEN t.to_account_id = w.account_id THEN t.from_account_id
                                    ELSE t.to_account_id END AS account_id,
                               sum(CASE WHEN t.to_account_id = w.account_id THEN t.amount
                                        ELSE -t.amount END) AS units, count(*) AS movements
                          FROM loyalty_transfer t JOIN loyalty_wallet w ON w.id = t.wallet_id
                         GROUP BY 1, 2, 3, 4) b
                  FULL JOIN loyalty_dailytotal d USING (wallet_type_id, day, kind, account_id)) x
         WHERE (x.units, x.movements) IS DISTINCT FROM (x.found, x.counted) AND {_TOLD}
         ORDER BY 1
    """,
    _("the lot totals of a day are what its movements granted and used"): f"""
        SELECT x.day || ', wallet type ' || x.wallet_type_id, x.granted - x.used,
               x.total_granted - x.total_used
          FROM (SELECT wallet_type_id, day, sum(granted) AS granted, sum(used) AS used,
                       sum(total_granted) AS total_granted, sum(total_used) AS total_used
                  FROM (SELECT t.wallet_type_id, t.booked_on AS day, l.granted, 0::bigint AS used,
                               0::bigint AS total_granted, 0::bigint AS total_used
                          FROM loyalty_lot l JOIN loyalty_transfer t ON t.id = l.transfer_id
                         UNION ALL
                        SELECT t.wallet_type_id, t.booked_on, 0, u.amount, 0, 0
                          FROM loyalty_lotuse u JOIN loyalty_transfer t ON t.id = u.transfer_id
                         UNION ALL
                        SELECT wallet_type_id, day, 0, 0, granted, used FROM loyalty_lottotal) parts
                 GROUP BY 1, 2) x
         WHERE (x.granted, x.used) <> (x.total_granted, x.total_used) AND {_TOLD}
         ORDER BY 1
    """,
    _("the end of a month is where its days add up to"): """
        SELECT p.until || ', wallet type ' || p.wallet_type_id, d.units, p.units
          FROM (SELECT wallet_type_id, until, sum(granted - used) AS units
                  FROM loyalty_lotposition GROUP BY 1, 2) p
          CROSS JOIN LATERAL (
               SELECT coalesce(sum(granted - used), 0) AS units FROM loyalty_lottotal t
                WHERE t.wallet_type_id = p.wallet_type_id AND t.day <= p.until) d
         WHERE p.units <> d.units
         ORDER BY 1
    """,
}
CHECKS |= discounts.CHECKS | discount_budgets.CHECKS
# All that is looked at; higher applications add theirs.
RULES = CHECKS | DERIVED


def register_checks(rules: Mapping[str, str]) -> None:
    """What the rows of a higher application must agree with, as the checks of the ledger are
    written: in words, and a query for the rows that break it. `manage.py verify_ledger` and the
    self-check look at it from then on."""
    RULES.update(rules)


@transaction.atomic
def verify_ledger(now: dt.datetime) -> list[Drift]:
    """Every rule of the ledger that does not hold. All queries see one snapshot, so running writes
    do not disturb."""
    return _verify(CHECKS, now)


@transaction.atomic
def verify_books(now: dt.datetime) -> list[Drift]:
    """Likewise, and whatever is derived from the ledger."""
    return _verify(RULES, now)


def check_rule(name: str, now: dt.datetime) -> Drift | None:
    """One rule, in the caller's transaction; None: it holds."""
    found = run_prepared(RULES[name], {"now": now, "never": NEVER})
    if not found:
        return None
    rows = tuple(f"{what}: {want} expected, {got} found" for what, want, got in found[:SHOWN])
    return Drift(name, rows, len(found))


def _verify(rules: Iterable[str], now: dt.datetime) -> list[Drift]:
    if not transaction.get_connection().savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    return [drift for name in rules if (drift := check_rule(name, now)) is not None]
