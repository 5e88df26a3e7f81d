"""A member's own credit: orders that are refunded into it, and what rewards pay into it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from loyalty.errors import StoredValueError
from loyalty.ledger.posting import lock_wallets
from loyalty.models import Account, Membership, Order, Transfer, Wallet
from loyalty.rules.facts import ZERO
from loyalty.selectors.given_back import paid_in_units
from loyalty.selectors.memberships import current_wallet
from loyalty.services.stored_value import (
    coins,
    credit_wallet,
    deposit,
    money_of,
    stored_value_type,
)
from members.errors import FieldError
from members.formatting import format_money
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically


def credit_of(membership: Membership) -> Wallet:
    """Where a member has their credit, of whoever they were merged into that one's. Raises
    StoredValueError where the program has none."""
    wallet_type = stored_value_type(membership.program)
    return current_wallet(credit_wallet(membership.account_id, wallet_type))


def refund_order_to_credit(
    *,
    membership: Membership,
    order: Order,
    amount: Decimal,
    key: str,
    source: str,
    actor: Actor,
    now: dt.datetime,
    note: str = "",
) -> tuple[Transfer, bool]:
    """Give money for an order as credit instead of money; of one order no more than money paid.
    Returns the movement, and whether it had been made before. Raises StoredValueError."""

    def refund() -> tuple[Transfer, bool]:
        wallet = credit_of(membership)
        lock_wallets([wallet.pk])
        units = coins(amount, wallet.wallet_type)
        named = f"credit:{key}"
        if not Transfer.objects.filter(key=named).exists():
            _refuse_order(order, wallet, units)
        paid, replayed = deposit(
            wallet=wallet, units=units, paid_from=Account.Kind.REFUNDED, key=named, source=source,
            actor=actor, now=now, note=note,
            explanation={"paid": "order", "order": order.external_id, "order_id": order.pk},
        )  # fmt: skip
        if not replayed:
            record_audit(
                actor=actor, action="credit.refunded", target=membership.customer, about=membership,
                after={"amount": str(amount), "order": order.external_id}, reason=note,
            )  # fmt: skip
        return paid, replayed

    return run_atomically(refund)


def _refuse_order(order: Order, wallet: Wallet, units: int) -> None:
    """Each order is refunded once at most, in parts or as a whole. The order's row is the lock."""
    Order.objects.select_for_update(no_key=True).get(pk=order.pk)
    owner = Membership.objects.get(account=wallet.account_id)
    if order.customer_id != owner.customer_id:
        raise _refused("order", _("It belongs to another customer."))
    if order.currency != owner.program.currency:
        raise _refused("order", _("It is in another currency."))
    # Not by the movements' own order: nothing that becomes of it changes when money can be spent.
    own = [wallet.pk, *wallet.duplicates.values_list("pk", flat=True)]
    before = Transfer.objects.filter(
        wallet__in=own, kind=Transfer.Kind.DEPOSIT, explanation__order_id=order.pk, reversals=None
    ).aggregate(units=Sum("amount"))["units"]  # fmt: skip
    # What cards, credit and units paid of it comes back to them.
    otherwise = sum((part.amount for part in paid_in_units([order.pk]).get(order.pk, [])), ZERO)
    left = order.total - otherwise - money_of(before or 0, wallet.wallet_type)
    if money_of(units, wallet.wallet_type) > left:
        raise _refused(
            "amount",
            _("At most %s of this order can still be given as credit.")
            % format_money(max(left, ZERO), order.currency),
        )


def _refused(field: str, message: str) -> StoredValueError:
    return StoredValueError(
        message, code="credit_refused", errors=[FieldError(field, message, "credit_refused")]
    )
