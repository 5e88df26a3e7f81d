"""Whether so many units can be used at once, by the terms of their kind."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from loyalty.errors import SpendingRefusedError
from loyalty.models import Order, Transfer, WalletType
from loyalty.rules.facts import ZERO
from loyalty.rules.spending import Refusal, SpendingTerms
from loyalty.selectors.rulebooks import ProgramTerms
from members.errors import FieldError
from members.formatting import format_money, format_percent, format_units


def refuse_beyond_terms(
    units: int, *, wallet_type: WalletType, program: ProgramTerms, order: Order | None
) -> None:
    """Raises SpendingRefusedError where the terms of these units do not allow it. The caller holds
    the wallet's lock; an order's row is locked here, so that two who pay for it wait for each
    other."""
    terms = program.units[wallet_type.pk].spending
    room = None
    if order is not None and terms.shared:
        if order.currency != program.currency:
            raise _refused(
                "order", _("They pay for orders in %s only.") % program.currency, "other_currency"
            )
        order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        room = terms.room(order.total, _paid_before(order, wallet_type, terms))
    refusal = terms.refusal(units, room)
    if refusal is not None:
        raise _refused("units", _fix(refusal, terms, wallet_type, room or 0), refusal)


def _paid_before(order: Order, wallet_type: WalletType, terms: SpendingTerms) -> Decimal:
    """What units of this kind paid of an order, without what came back."""
    spent = Transfer.objects.filter(
        order=order, wallet_type=wallet_type, kind=Transfer.Kind.REDEMPTION
    )
    ids = list(spent.values_list("pk", flat=True))
    if not ids:
        return ZERO
    gone = spent.aggregate(units=Sum("amount"))["units"] or 0
    reversed_ = Transfer.objects.filter(reverses__in=ids).aggregate(n=Sum("amount"))["n"] or 0
    corrected = Transfer.objects.filter(corrects__in=ids).aggregate(n=Sum("amount"))["n"] or 0
    return terms.worth(gone - reversed_ - corrected)


def _fix(refusal: Refusal, terms: SpendingTerms, wallet_type: WalletType, room: int) -> str:
    """What to give instead."""
    if refusal == "below_least":
        return _("Use %s or more.") % format_units(terms.least, wallet_type)
    if refusal == "not_in_steps":
        return _("Use a multiple of %s.") % format_units(terms.step, wallet_type)
    words = {"percent": format_percent(terms.share / 100, digits=2)}
    most = terms.most(room, room)
    if not most:
        return _("They pay %(percent)s of an order at most, and that is less than can be used.") % (
            words
        )
    words |= {
        "units": format_units(most, wallet_type),
        "money": format_money(terms.worth(most), wallet_type.program.currency),
    }
    return _("Use %(units)s (%(money)s) at most: they pay %(percent)s of an order.") % words


def _refused(field: str, message: str, code: str) -> SpendingRefusedError:
    return SpendingRefusedError(message, errors=[FieldError(field, message, code)])
