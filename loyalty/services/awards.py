"""From the engine's awards to ledger movements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from loyalty.ledger.posting import Movement, movement
from loyalty.models import Account, Transfer
from loyalty.rules.engine import Award
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.services.order_batches import MemberRef


def explain_award(award: Award, *, currency: str, **about: Any) -> dict[str, Any]:
    """What the ledger keeps of an award's reasons: codes and numbers, worded when shown."""
    return {
        "rule": award.version.rule_name,
        "version": award.version.number,
        "currency": currency,
        "steps": award.steps,
        **about,
    }


def accrual(
    award: Award,
    *,
    units: int,
    member: MemberRef,
    terms: ProgramTerms,
    occurred_at: dt.datetime,
    key: str,
    source: str,
    order_id: int,
    explanation: dict[str, Any],
) -> Movement:
    """Units arrive as a lot that matures and lapses by the wallet type's terms."""
    wallet_type_id = award.version.wallet_type_id
    spendable_at, expires_at, policy = terms.lot_times(wallet_type_id, occurred_at)
    return movement(
        direction="in",
        kind=Transfer.Kind.ACCRUAL.value,
        ref=member.wallet(wallet_type_id, terms),
        counter_account_id=terms.accounts[Account.Kind.ISSUED],
        amount=units,
        occurred_at=occurred_at,
        key=key,
        source=source,
        explanation=explanation,
        o=order_id,
        rv=award.version.id,
        sp=spendable_at,
        ex=expires_at,
        pol=policy,
    )


def clawback(
    award: Award,
    *,
    units: int,
    member: MemberRef,
    terms: ProgramTerms,
    occurred_at: dt.datetime,
    key: str,
    source: str,
    explanation: dict[str, Any],
    order_id: int | None = None,
    refund_id: int | None = None,
    corrects: int | None = None,
) -> Movement:
    """Units go back; what the wallet lacks becomes a debt that later accruals repay."""
    return movement(
        direction="out",
        kind=Transfer.Kind.CLAWBACK.value,
        ref=member.wallet(award.version.wallet_type_id, terms),
        counter_account_id=terms.accounts[Account.Kind.ISSUED],
        amount=units,
        occurred_at=occurred_at,
        key=key,
        source=source,
        explanation=explanation,
        o=order_id,
        rf=refund_id,
        rv=award.version.id,
        cor=corrects,
        own=corrects,
        debt=True,
        pend=True,
    )


def spread_over(units: int, accruals: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Which accruals (transfer id, still correctable) a clawback of `units` corrects, newest
    first."""
    parts = []
    for transfer_id, room in reversed(accruals):
        part = min(units, room)
        if part > 0:
            parts.append((transfer_id, part))
            units -= part
    if units:
        raise AssertionError(f"{units} units more are to be taken back than were ever earned")
    return parts
