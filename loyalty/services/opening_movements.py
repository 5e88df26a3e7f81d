"""The movements that open balances: a lot that comes in, or what is owed; each under the key of
its reference, so that it is booked once."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from loyalty.ledger.posting import Movement, WalletRef, movement
from loyalty.models import (
    Lot,
    LotPolicy,
    Pool,
    Program,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.rules.lots import LotTerms, expires_at, lot_times
from loyalty.selectors.adjustment_reasons import OPENING, OPENING_LABEL
from loyalty.selectors.rulebooks import lot_terms
from loyalty.services.adjustments import terms_of, undo_key
from loyalty.services.balance_rows import CARD, POOL, BalanceRow, is_uuid
from loyalty.services.bearers import Holder, bearers
from loyalty.services.import_jobs import actor_of
from members.errors import DomainError, FieldError
from members.formatting import format_end
from members.models import Customer, Job

# So often one reference may be undone and come again.
MOST_TIMES = 9


def keys_of(job: Job, rows: Sequence[BalanceRow]) -> dict[int, tuple[str, str | None]]:
    """By row the key of its movement, and what was booked under it already. What was undone may
    come again, under a key of its own."""
    bases = {row.number: _base(job, row) for row in rows}
    wanted = [_nth(base, time) for base in bases.values() for time in range(MOST_TIMES)]
    found = {
        key: (pk, bytes(digest).hex())
        for key, pk, digest in Transfer.objects.filter(key__in=wanted).values_list(
            "key", "pk", "request_hash"
        )
    }
    undone = set(
        Transfer.objects.filter(
            key__in=[undo_key(pk) for pk, _digest in found.values()]
        ).values_list("key", flat=True)
    )  # fmt: skip
    keys: dict[int, tuple[str, str | None]] = {}
    for number, base in bases.items():
        for time in range(MOST_TIMES):
            pk, digest = found.get(_nth(base, time), (0, None))
            keys[number] = (_nth(base, time), digest)
            if not pk or undo_key(pk) not in undone:
                break
    return keys


def _base(job: Job, row: BalanceRow) -> str:
    named = f"{job.params['source']}|{row.reference}".encode()
    return f"opening:{job.params['program']}:{hashlib.sha256(named).hexdigest()[:40]}"


def _nth(base: str, time: int) -> str:
    return f"{base}:{time}" if time else base


def own_rows(program: Program, rows: Sequence[BalanceRow]) -> set[int]:
    """Rows that an export of this very program has written: what they hold is here. One of a
    program of the same name elsewhere is of people, pools and cards that nobody here knows."""
    named = re.compile(re.escape(program.code) + "-(debt-)?([0-9]{1,18})").fullmatch
    found = {row.number: match for row in rows if (match := named(row.reference))}
    written = {number: (bool(match[1]), int(match[2])) for number, match in found.items()}
    lots = set(
        Lot.objects.filter(
            pk__in=[pk for debt, pk in written.values() if not debt],
            wallet__wallet_type__program=program,
        ).values_list("pk", flat=True)
    )
    wallets = set(
        Wallet.objects.filter(
            pk__in=[pk for debt, pk in written.values() if debt], wallet_type__program=program
        ).values_list("pk", flat=True)
    )
    known = _known_holders(program, [row for row in rows if row.number in written])
    return {
        row.number
        for row in rows
        if row.number in written and _named_holder(row) in known
        and written[row.number][1] in (wallets if written[row.number][0] else lots)
    }  # fmt: skip


def _named_holder(row: BalanceRow) -> str:
    column = {POOL: "pool", CARD: "gift_card"}.get(row.holder, "customer")
    return row.cells.get(column, "")


def _known_holders(program: Program, rows: Sequence[BalanceRow]) -> set[str]:
    """Public ids of customers, of pools and cards of the program that these rows name."""
    ids: dict[str, list[str]] = {}
    for row in rows:
        if is_uuid(named := _named_holder(row)):
            ids.setdefault(row.holder, []).append(named)
    cards, pools = ids.pop(CARD, []), ids.pop(POOL, [])
    people = [item for found in ids.values() for item in found]
    customers = Customer.objects.filter(public_id__in=people) if people else ()
    found = {str(item.public_id) for item in customers}
    if pools:
        here = Pool.objects.filter(program=program, public_id__in=pools)
        found |= {str(public_id) for public_id in here.values_list("public_id", flat=True)}
    return found | (bearers().here(program, cards) if cards else set())


def own_lot() -> DomainError:
    words = _("This is a lot of this program itself: its units are here already.")
    return DomainError(words, errors=[FieldError("reference", words, "own_lot")])


def other_content() -> DomainError:
    words = _("This reference was imported with something else. Undo that import, or give the row a"
              " reference of its own.")  # fmt: skip
    return DomainError(words, errors=[FieldError("reference", words, "reused")])


def _expired(at: dt.datetime, zone: dt.tzinfo) -> DomainError:
    words = _("By the program's terms these units expired on %s. Leave them out, or say when they"
              " expire.") % format_end(at, zone)  # fmt: skip
    return DomainError(words, errors=[FieldError("expires_at", words, "expired")])


class Opening:
    """The movements of one piece: what they have in common is looked up once."""

    def __init__(self, job: Job, now: dt.datetime) -> None:
        self.job, self.now = job, now
        self.actor = actor_of(job)
        self._terms: dict[int, tuple[int, int, LotTerms]] = {}

    def entry(self, row: BalanceRow, holder: Holder, key: str) -> Movement:
        """Units that were earned then, or are owed since then, booked today."""
        kind = row.kind
        adjusted, policy, _lot_terms = self._terms_of(kind)
        program = kind.program
        told = {name: row.cells[name] for name in ("origin", "source_reference")
                if row.cells.get(name)}  # fmt: skip
        if row.holder == CARD:
            told["paid"] = "opening"
        if row.units < 0:
            # What is there already pays it; what comes in does, or it blocks, as programs say.
            blocks = program.debt_policy == Program.Debt.REFUSE_REDEMPTION
            rest: dict[str, Any] = {"debt": True, "blk": blocks}
        else:
            rest = {"pol": policy, "sp": row.matures_at, **self.end(row)}
        entry = movement(
            direction="out" if row.units < 0 else "in",
            kind=(Transfer.Kind.DEPOSIT if row.holder == CARD else Transfer.Kind.ADJUSTMENT).value,
            ref=WalletRef(holder.wallet_id, holder.account_id, kind.pk, program.zone),
            counter_account_id=adjusted,
            amount=abs(row.units),
            occurred_at=row.earned_at,
            key=key,
            source=Transfer.Source.IMPORT.value,
            reason=OPENING,
            note=row.cells.get("reason", ""),
            explanation={"reason": OPENING_LABEL, "told": True, "opening": row.reference, **told},
            actor=self.actor.user.pk if self.actor.user else None,
            **rest,
        )
        # The row as it was written: whoever was merged since is still the same.
        day = self.now.astimezone(program.zone).date().isoformat()
        return {**entry, "day": day, "hash": row.digest()}

    def end(self, row: BalanceRow) -> dict[str, Any]:
        """When units expire. Raises DomainError where they have."""
        _adjusted, _policy, terms = self._terms_of(row.kind)
        zone = row.kind.program.zone
        if row.expiry == "never":
            return {"ex": None}
        if row.expiry == "inactivity" and terms.renewable:
            until = row.expires_at or expires_at(terms, self.now, zone)
            return {"ex": None, "ren": True, "until": until, "act": False}
        if row.expiry == "warned" and terms.warned_days is not None:
            return {"ex": None, "plan": row.expires_at}
        if row.expires_at is not None:
            return {"ex": row.expires_at}
        times = lot_times(terms, row.earned_at, row.matures_at, zone)
        if not times.renewable:
            if times.expires_at is not None and times.expires_at <= self.now:
                raise _expired(times.expires_at, zone)
            return {"ex": times.expires_at, "plan": times.planned_expires_at}
        until = expires_at(terms, self.now, zone)
        return {"ex": None, "ren": True, "until": until, "act": False}

    def _terms_of(self, kind: WalletType) -> tuple[int, int, LotTerms]:
        if kind.pk not in self._terms:
            policy = LotPolicy.objects.filter(wallet_type=kind, rule=None).latest("pk")
            adjusted = terms_of(kind, self.now).adjusted
            self._terms[kind.pk] = (adjusted, policy.pk, lot_terms(policy))
        return self._terms[kind.pk]
