"""The only writer of the ledger: builds movements, posts a batch of them in one SQL call.

A movement is a plain dict whose keys `ledger_post` reads:

    key, hash   idempotency key and a digest of what the movement does (hex)
    dir         "in": units arrive as a new lot; "out": units leave; "back": a spend returns to its
                lots; "move": units go to another wallet; "settle": a debt becomes smaller;
                "repay": one is repaid from the balance; "owe": one goes to another wallet;
                "unexpire": what expired comes back
    kind, n     transfer kind and amount (units at the wallet type's scale, > 0)
    w, a, wt    wallet, its account, its wallet type        p   the program account on the other
    side
    at, day     business time and the accounting day in the program's time zone
    src, o, rf, rv, why, actor, reason, note     where it comes from and why
                rev / cor    transfer that is reversed as a whole / corrected in part
                until, act   until when an activity keeps renewable units; whether this is one
    in:         sp, ex, plan, pol  maturity, expiry (None: never), planned expiry, lot policy
                ren          expires with the wallet's inactivity
    out:        own  transfer whose lots are used first; owns  transfers whose open lots are,
                pending ones too; debt  may leave a debt; pend  may use pending units; fifo  oldest
                first; wo  account that what is missing is written off from; blk  whether a debt
                blocks
    back:       grace        the lots do not expire before
    move:       w2, a2       the wallet that the units go to, its account; own / okey  only the
                lots of the transfer with this number / key; lots  only these; most  as many of
                them as there are, none at worst; pend  pending units too; act2  an activity there
                too; keep  a debt there stays as it is; rev2 / cor2  what the leg that comes in
                reverses / corrects
    owe:        w2, a2       the wallet that owes from now on, its account; blk
"""

from __future__ import annotations

import datetime as dt
import hashlib
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from django.db import DatabaseError, connection

from loyalty.errors import (
    InsufficientBalanceError,
    KeyReusedError,
    LedgerError,
    NotReversibleError,
    OverCorrectedError,
)
from members.prepared import run_prepared

Movement = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WalletRef:
    """Where units go: a wallet with what the ledger needs to know about its program."""

    wallet_id: int
    account_id: int
    wallet_type_id: int
    zone: zoneinfo.ZoneInfo


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a key. `replayed`: it had been posted before and nothing was written."""

    key: str
    transfer_id: int
    replayed: bool


def movement(
    *,
    direction: str,
    kind: str,
    ref: WalletRef,
    counter_account_id: int,
    amount: int,
    occurred_at: dt.datetime,
    key: str,
    source: str,
    explanation: dict[str, Any] | None = None,
    **rest: Any,
) -> Movement:
    """A movement for `post`; `rest` takes the short keys of the module's docstring."""
    why = explanation or {}
    # What makes the same key the same movement; the explanation's wording does not. A donation goes
    # to one of several parties.
    party = f"|{counter_account_id}" if kind == "donation" else ""
    digest = hashlib.blake2b(
        f"{direction}|{kind}|{ref.wallet_id}|{amount}|{rest.get('o')}|{rest.get('rev')}"
        f"|{rest.get('cor')}|{rest.get('w2')}|{rest.get('reason')}|{rest.get('note')}"
        f"{party}".encode(),
        digest_size=16,
    ).hexdigest()
    return {
        "dir": direction,
        "kind": kind,
        "w": ref.wallet_id,
        "a": ref.account_id,
        "wt": ref.wallet_type_id,
        "p": counter_account_id,
        "n": amount,
        "at": occurred_at.isoformat(),
        "day": occurred_at.astimezone(ref.zone).date().isoformat(),
        "key": key,
        "hash": digest,
        "src": source,
        "why": why,
        "debt": False,
        **rest,
    }


def post(movements: Sequence[Movement], *, now: dt.datetime) -> list[Posted]:
    """Post all or nothing. The caller's transaction decides when it becomes visible.

    Raises InsufficientBalanceError, KeyReusedError, OverCorrectedError or NotReversibleError; after
    any of them the transaction must be rolled back. A wallet that was merged into another since it
    was looked up makes the caller's transaction begin anew.
    """
    if not movements:
        return []
    with translated_errors():
        rows = run_prepared(
            "SELECT key, transfer_id, replayed FROM ledger_post(%s::jsonb, %s::timestamptz)",
            [dumps(movements), now],
        )
    return [Posted(*row) for row in rows]


def lock_wallets(wallet_ids: Sequence[int]) -> None:
    """Lock wallets in id order, for a service whose amounts depend on what they hold."""
    run_prepared(
        "SELECT 1 FROM loyalty_wallet WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE",
        [sorted(wallet_ids)],
    )


def lock_with_kept(wallet_ids: Sequence[int]) -> None:
    """The same, with the wallets that these were merged into."""
    run_prepared(
        # One array, for an index is not looked through for one or the other.
        "SELECT 1 FROM loyalty_wallet WHERE id = ANY(%(ids)s::bigint[] || ARRAY("
        "SELECT merged_into_id FROM loyalty_wallet"
        " WHERE id = ANY(%(ids)s::bigint[]) AND merged_into_id IS NOT NULL))"
        " ORDER BY id FOR NO KEY UPDATE",
        {"ids": list(wallet_ids)},
    )


def lock_wallets_of_accounts(account_ids: Sequence[int]) -> None:
    """All wallets of these accounts, and those that these were merged into."""
    run_prepared(
        "WITH own AS MATERIALIZED (SELECT id, merged_into_id FROM loyalty_wallet"
        " WHERE account_id = ANY(%s::bigint[]))"
        " SELECT 1 FROM loyalty_wallet WHERE id = ANY(ARRAY("
        "SELECT id FROM own UNION ALL"
        " SELECT merged_into_id FROM own WHERE merged_into_id IS NOT NULL))"
        " ORDER BY id FOR NO KEY UPDATE",
        [list(account_ids)],
    )


def bring_up_to_date(wallet_ids: Sequence[int], *, now: dt.datetime) -> None:
    """Write down what time has brought to wallets, whose locks the caller holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('loyalty_transfer_id_seq')")
        [first] = cursor.fetchone()
        cursor.execute("SELECT ledger_catch_up(%s::bigint[], %s)", [[*wallet_ids], now])
        cursor.execute("SELECT ledger_tell(%s, %s::bigint[], %s)", [first, [*wallet_ids], now])


def point_wallets(pairs: Mapping[int, int | None]) -> None:
    """Say of wallets into which other they were merged; None: into none. The caller holds their
    locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_wallet w SET merged_into_id = x.into_id"
            "  FROM unnest(%s::bigint[], %s::bigint[]) AS x(id, into_id) WHERE w.id = x.id",
            [list(pairs), list(pairs.values())],
        )


@dataclass(frozen=True, slots=True)
class Retiming:
    """Another maturity or expiry for a lot. `spendable_at` NEVER: not known; `expires_at` None:
    never."""

    lot_id: int
    spendable_at: dt.datetime
    expires_at: dt.datetime | None
    planned_expires_at: dt.datetime | None
    reason: str
    occurred_at: dt.datetime
    actor_id: int | None = None
    note: str = ""


def retime(changes: Sequence[Retiming], *, now: dt.datetime) -> int:
    """Give lots other times; those that have them already are left alone. Returns how many
    changed."""
    if not changes:
        return 0
    rows = [
        {
            "lot": change.lot_id, "sp": change.spendable_at, "ex": change.expires_at,
            "plan": change.planned_expires_at, "reason": change.reason, "at": change.occurred_at,
            "actor": change.actor_id, "note": change.note,
        }
        for change in changes
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_retime(%s::jsonb, %s)", [dumps(rows), now])
        return int(cursor.fetchone()[0])


def renew(wallet_id: int, *, at: dt.datetime, until: dt.datetime) -> None:
    """Let the units of a wallet that expire by inactivity last until then at least."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_catch_up(ARRAY[%s::bigint], %s)", [wallet_id, at])
        cursor.execute("SELECT ledger_renew(%s, %s, %s, true, %s)", [wallet_id, at, until, at])
        cursor.execute("SELECT ledger_refresh(ARRAY[%s::bigint], %s)", [wallet_id, at])


def refresh_stale(*, after: int, most: int, now: dt.datetime) -> tuple[int, int]:
    """Bring the stored balances of wallets up to now, `most` wallets with a key above `after`.

    Returns the last key looked at (0: there are no more) and how many were out of date. Nothing
    depends on it having run: a read past a stored balance's end consults the lots.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT last, refreshed FROM ledger_refresh_stale(%s, %s, %s)", [after, most, now]
        )
        last, refreshed = cursor.fetchone()
        return int(last or 0), int(refreshed or 0)


def expire_due(*, most: int, now: dt.datetime) -> tuple[int, int]:
    """Write down one chunk of what has expired: how many lots were closed, and looked at."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT closed, looked_at FROM ledger_expire_due(%s, %s)", [most, now])
        closed, looked_at = cursor.fetchone()
        return int(closed), int(looked_at)


def dumps(value: Any) -> str:
    """JSON as the SQL functions take it: Decimals and times as text."""
    return orjson.dumps(value, default=str).decode()


class translated_errors:  # noqa: N801  (reads as a statement: with translated_errors():)
    """Turn the ledger's SQLSTATEs into the errors that callers know."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        cause = error.__cause__ if isinstance(error, DatabaseError) else None
        if isinstance(cause, psycopg.Error) and cause.sqlstate:
            translated = _translate(cause)
            if translated is not None:
                raise translated from error


def _translate(error: psycopg.Error) -> LedgerError | None:
    detail = error.diag.message_detail or ""
    message = error.diag.message_primary or ""
    match error.sqlstate:
        case "SL001":
            return InsufficientBalanceError(int(detail), key=error.diag.message_hint or "")
        case "SL002":
            return KeyReusedError(message)
        case "SL003":
            return OverCorrectedError(message)
        case "SL005":
            return NotReversibleError(message)
        case "23505" if error.diag.constraint_name == "transfer_reversed_once":
            return OverCorrectedError(message)
    return None
