"""Units that an order was paid with, given back when the order is.

A spend goes back in the proportion in which the order does: all of it where the order came to
nothing, half of it where half of its total was refunded. It returns to the lots that it came from.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from loyalty.instants import NEVER
from loyalty.ledger.posting import Movement, WalletRef, movement
from loyalty.models import Order, Transfer
from loyalty.rules.calendar import add_days, end_of_day
from loyalty.selectors.rulebooks import ProgramTerms, Terms


def restorations(
    orders: Sequence[Order], *, terms: Terms, now: dt.datetime, transfer_source: str
) -> list[Movement]:
    """What is still to be given back of what these orders were paid with. `orders` come with their
    refunds; the caller holds their members' locks."""
    by_order = {order.pk: order for order in orders}
    programs = {program.id: program for program in terms.programs}
    spent = Transfer.objects.filter(
        order__in=by_order, kind=Transfer.Kind.REDEMPTION
    ).select_related("wallet", "wallet_type")
    restored, count = _restored([transfer.pk for transfer in spent])
    movements = []
    for transfer in spent:
        order = by_order[transfer.order_id or 0]
        due = _due(order, transfer.amount) - restored[transfer.pk]
        program = programs.get(transfer.wallet_type.program_id)
        if due <= 0 or program is None:
            continue
        movements.append(
            restoration(
                transfer,
                due,
                program=program,
                occurred_at=max(_given_back_at(order, now), transfer.occurred_at),
                now=now,
                key=f"order:{order.pk}:restored:{transfer.pk}:{count[transfer.pk]}",
                source=transfer_source,
                explanation={"order": order.external_id},
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
        explanation={"undone": Transfer.Kind.REDEMPTION.value, **explanation},
        o=transfer.order_id,
        rev=transfer.pk if whole else None,
        cor=None if whole else transfer.pk,
        grace=grace if grace is None or grace < NEVER else None,
        **rest,
    )


def _due(order: Order, units: int) -> int:
    """How many of the units that the order was paid with are to be back by now."""
    if order.status in Order.VOID:
        return units
    refunded = sum((refund.total for refund in order.refunds.all()), Decimal(0))
    if refunded <= 0 or order.total <= 0:
        return 0
    return int(units * min(refunded / order.total, Decimal(1)))


def _given_back_at(order: Order, now: dt.datetime) -> dt.datetime:
    refunds = [refund.refunded_at for refund in order.refunds.all()]
    return max(refunds) if refunds and order.status not in Order.VOID else now


def _restored(transfer_ids: Sequence[int]) -> tuple[dict[int, int], dict[int, int]]:
    """Units that came back of each spend already, and in how many movements."""
    units: defaultdict[int, int] = defaultdict(int)
    count: defaultdict[int, int] = defaultdict(int)
    for reverses, corrects, amount in [
        *Transfer.objects.filter(reverses__in=transfer_ids).values_list(
            "reverses_id", "corrects_id", "amount"
        ),
        *Transfer.objects.filter(corrects__in=transfer_ids).values_list(
            "reverses_id", "corrects_id", "amount"
        ),
    ]:
        units[reverses or corrects] += amount
        count[reverses or corrects] += 1
    return units, count
