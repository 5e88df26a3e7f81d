"""Units that higher applications give a member for something of their own, and take back again: an
accrual with an explanation, which no rule and no order is behind. Shared with no pool."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from loyalty.ledger.posting import Movement, movement
from loyalty.models import Account, Program, Transfer, WalletType
from loyalty.rules.lots import lot_times, within
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.services.activities import open_people
from loyalty.services.order_batches import Enrolling, MemberRef, Opened, Wanted
from loyalty.services.order_inputs import CustomerRef


def open_customers(customer_ids: Sequence[int], at: dt.datetime) -> tuple[Terms, dict[int, Opened]]:
    """The programs, and of these customers what is known; their wallets and they themselves are
    locked. Before any other lock."""
    people = sorted(set(customer_ids))
    wanted = [Wanted(str(pk), CustomerRef(key=pk), at) for pk in people]
    terms, opened = open_people(wanted, enrolling=Enrolling(never=True))
    return terms, dict(zip(people, opened, strict=True))


def grant(
    *, member: MemberRef, terms: ProgramTerms, unit: WalletType, units: int, at: dt.datetime,
    now: dt.datetime, key: str, explanation: dict[str, Any],
) -> Movement:  # fmt: skip
    """Units that can be used at once, and expire as everything that is earned does."""
    policy = terms.units[unit.pk].terms_at(now)
    lot = within(lot_times(policy, at, at, terms.zone), terms.last_instant(now))
    kind = Transfer.Kind.ACCRUAL.value
    return movement(
        direction="in", kind=kind, ref=member.wallet(unit.pk, terms),
        counter_account_id=terms.accounts[Account.Kind.ISSUED], amount=units, occurred_at=at,
        key=key, source=Transfer.Source.JOB, explanation=explanation, sp=lot.spendable_at,
        ex=lot.expires_at, plan=lot.planned_expires_at, ren=lot.renewable, pol=policy.policy_id,
        **terms.renewal(unit.pk, kind, at),
    )  # fmt: skip


def take_back(
    *, member: MemberRef, terms: ProgramTerms, given: Transfer, units: int, now: dt.datetime,
    key: str, explanation: dict[str, Any],
) -> Movement:  # fmt: skip
    """So many of what was granted; what the wallet lacks is treated by the program's debt
    policy."""
    writes_off = terms.debt_policy == Program.Debt.WRITE_OFF
    return movement(
        direction="out", kind=Transfer.Kind.CLAWBACK.value,
        ref=member.wallet(given.wallet_type_id, terms),
        counter_account_id=terms.accounts[Account.Kind.ISSUED], amount=units, occurred_at=now,
        key=key, source=Transfer.Source.JOB, explanation=explanation, cor=given.pk, own=given.pk,
        debt=True, pend=True, fifo=terms.oldest_first,
        wo=terms.accounts[Account.Kind.WRITTEN_OFF] if writes_off else None,
        blk=terms.debt_policy == Program.Debt.REFUSE_REDEMPTION,
    )  # fmt: skip
