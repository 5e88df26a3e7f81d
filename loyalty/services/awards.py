"""From the engine's awards to ledger movements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from loyalty.ledger.posting import Movement, movement
from loyalty.models import Account, Program, Transfer
from loyalty.rules.engine import Award
from loyalty.rules.lots import OrderTimes, lot_times, matures_at, within
from loyalty.selectors.partners import AtPartner
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.services.order_batches import MemberRef


def explain_award(
    award: Award, *, currency: str, partner: AtPartner | None = None, **about: Any
) -> dict[str, Any]:
    """What the ledger keeps of an award's reasons: codes and numbers, worded when shown."""
    if partner is not None:
        about["partner"] = partner.name
    return {
        "rule": award.version.rule_name,
        "version": award.version.number,
        "currency": currency,
        "steps": award.steps,
        **about,
    }


def issuer(terms: ProgramTerms, partner: AtPartner | None) -> int:
    """The account that units of a program come from: a partner's, or the program's own."""
    return partner.account_id if partner else terms.accounts[Account.Kind.ISSUED]


def accrual(
    award: Award,
    *,
    units: int,
    member: MemberRef,
    terms: ProgramTerms,
    times: OrderTimes,
    recorded_at: dt.datetime,
    key: str,
    source: str,
    order_id: int | None,
    explanation: dict[str, Any],
    partner: AtPartner | None = None,
) -> Movement:
    """Units arrive as a lot that matures and expires by the policy in force when the order came
    (`recorded_at`): the rule's, else the wallet type's. `partner`: who issues them, in place of the
    program."""
    wallet_type_id, occurred_at = award.version.wallet_type_id, times.placed_at
    policy = terms.lot_terms(award.version, recorded_at)
    lot = lot_times(policy, occurred_at, matures_at(policy, times, terms.zone), terms.zone)
    lot = within(lot, terms.last_instant(recorded_at))
    kind = Transfer.Kind.ACCRUAL.value
    return movement(
        direction="in",
        kind=kind,
        ref=member.wallet(wallet_type_id, terms),
        counter_account_id=issuer(terms, partner),
        amount=units,
        occurred_at=occurred_at,
        key=key,
        source=source,
        explanation=explanation,
        o=order_id,
        rv=award.version.id,
        sp=lot.spendable_at,
        ex=lot.expires_at,
        plan=lot.planned_expires_at,
        ren=lot.renewable,
        pol=policy.policy_id,
        **terms.renewal(wallet_type_id, kind, occurred_at),
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
    partner: AtPartner | None = None,
) -> Movement:
    """Units go back to whoever issued them; what the wallet lacks is treated by the program's debt
    policy."""
    writes_off = terms.debt_policy == Program.Debt.WRITE_OFF
    return movement(
        direction="out",
        kind=Transfer.Kind.CLAWBACK.value,
        ref=member.wallet(award.version.wallet_type_id, terms),
        counter_account_id=issuer(terms, partner),
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
        fifo=terms.oldest_first,
        wo=terms.accounts[Account.Kind.WRITTEN_OFF] if writes_off else None,
        blk=terms.debt_policy == Program.Debt.REFUSE_REDEMPTION,
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
