"""Units that an order was paid with, given back when the order is.

A spend goes back in the proportion in which the order does: all of it where the order came to
nothing, half of it where half of its total was refunded, in the steps that its units are used in;
what that leaves comes with the last refund. It returns to the lots that it came from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from loyalty.instants import NEVER
from loyalty.ledger.posting import Movement, WalletRef, movement
from loyalty.models import Order, Transfer
from loyalty.rules.calendar import add_days, end_of_day
from loyalty.rules.giving_back import units_back
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.selectors.unit_tenders import restored_key, spends_on


def restorations(
    orders: Sequence[Order], *, terms: Terms, now: dt.datetime, transfer_source: str
) -> list[Movement]:
    """What is still to be given back of what these orders were paid with. `orders` come with their
    refunds; the caller holds their members' locks."""
    by_order = {order.pk: order for order in orders}
    programs = {program.id: program for program in terms.programs}
    movements = []
    for spend in spends_on(by_order):
        transfer, order = spend.transfer, by_order[spend.order_id]
        program = programs.get(transfer.wallet_type.program_id)
        if program is None:
            continue
        due = _due(order, transfer, program) - spend.back.units
        if due <= 0:
            continue
        movements.append(
            restoration(
                transfer,
                due,
                program=program,
                occurred_at=max(_given_back_at(order, now), transfer.occurred_at),
                now=now,
                key=restored_key(order.pk, spend),
                source=transfer_source,
                explanation={"order": order.external_id},
                order_id=order.pk,
            )
        )
    return movements


def restoration(
    transfer: Transfer,
    units: int,
    *,
    program: ProgramTerms,
    occurred_at: dt.datetime,
    now: dt.datetime,
    key: str,
    source: str,
    explanation: dict[str, object],
    order_id: int | None = None,
    **rest: object,
) -> Movement:
    """A spend returns, as a whole or in part; with the days that the policy grants at least."""
    wallet = transfer.wallet
    policy = program.units[transfer.wallet_type_id].terms_at(now)
    grace = None
    if policy.restored_days:
        last = add_days(now, policy.restored_days, program.zone).astimezone(program.zone).date()
        grace = end_of_day(last, program.zone)
    whole = units == transfer.amount
    return movement(
        direction="back",
        kind=Transfer.Kind.REVERSAL.value,
        ref=WalletRef(wallet.pk, wallet.account_id, transfer.wallet_type_id, program.zone),
        counter_account_id=transfer.to_account_id,
        amount=units,
        occurred_at=occurred_at,
        key=key,
        source=source,
        explanation={
            "undone": Transfer.Kind.REDEMPTION.value,
            **({"partner": partner} if (partner := transfer.explanation.get("partner")) else {}),
            **explanation,
        },
        o=order_id or transfer.order_id,
        rev=transfer.pk if whole else None,
        cor=None if whole else transfer.pk,
        grace=grace if grace is None or grace < NEVER else None,
        **rest,
    )


def _due(order: Order, transfer: Transfer, program: ProgramTerms) -> int:
    """How many of the units that the order was paid with are to be back by now."""
    if order.status in Order.VOID:
        return int(transfer.amount)
    refunded = sum((refund.total for refund in order.refunds.all()), Decimal(0))
    step = program.units[transfer.wallet_type_id].spending.step
    return units_back(transfer.amount, refunded, order.total, step)


def _given_back_at(order: Order, now: dt.datetime) -> dt.datetime:
    refunds = [refund.refunded_at for refund in order.refunds.all()]
    return max(refunds) if refunds and order.status not in Order.VOID else now
