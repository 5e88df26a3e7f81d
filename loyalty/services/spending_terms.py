"""Whether so many units can be used at once, by the terms of their kind."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

from loyalty.errors import SpendingRefusedError
from loyalty.models import Order, WalletType
from loyalty.rules.facts import ZERO
from loyalty.rules.spending import Refusal, SpendingTerms
from loyalty.selectors.rulebooks import ProgramTerms
from loyalty.selectors.tier_worth import Payer
from loyalty.selectors.unit_tenders import spends_on
from members.errors import FieldError
from members.formatting import format_money, format_percent, format_units


@dataclass(frozen=True, slots=True)
class Bill:
    """What units pay a part of, where there is no order yet."""

    total: Decimal
    currency: str


def refuse_beyond_terms(
    units: int,
    *,
    wallet_type: WalletType,
    program: ProgramTerms,
    terms: SpendingTerms,
    order: Order | None = None,
    bill: Bill | None = None,
) -> None:
    """Raises SpendingRefusedError where the terms of these units, as they are for who spends them,
    do not allow it. The caller holds the wallet's lock; an order's row is locked here, so that two
    who pay for it wait for each other."""
    room = None
    asked = order or bill
    if asked is not None and terms.shared:
        if asked.currency != program.currency:
            raise refused(
                "order", _("They pay for orders in %s only.") % program.currency, "other_currency"
            )
        paid = ZERO
        if order is not None:
            asked = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
            paid = paid_before(order.pk, terms, wallet_type.pk)
        room = terms.room(asked.total, paid)
    refuse_beyond_room(units, terms=terms, wallet_type=wallet_type, room=room)


def refuse_beyond_room(
    units: int, *, terms: SpendingTerms, wallet_type: WalletType, room: int | None
) -> None:
    """The same where it is known how many pay for an order; None: as many as there are."""
    refusal = terms.refusal(units, room)
    if refusal is not None:
        raise refused("units", _fix(refusal, terms, wallet_type, room or 0), refusal)


def paid_before(order_id: int, terms: SpendingTerms, wallet_type_id: int) -> Decimal:
    """What units of this kind paid of an order, without what came back."""
    paid = ZERO
    for spend in spends_on([order_id]):
        if spend.transfer.wallet_type_id == wallet_type_id:
            left = spend.transfer.amount - spend.back.units
            stands_for = spend.stands_for
            worth = terms.worth(spend.transfer.amount) if stands_for is None else stands_for
            paid += worth * left / spend.transfer.amount
    return paid


def worth_said(payer: Payer, units: int, amount: Decimal, currency: str) -> dict[str, str]:
    """What a spend that pays says of itself: how much in whole coins, which stays whatever units
    are worth later; where it pays another worth in a tier, that one and how much that is beyond
    what they are worth, which the ledger books as a cost (`ledger_beyond_worth`)."""
    coin = Decimal(1).scaleb(-get_currency_precision(currency))
    paid = amount // coin * coin
    said = {"pays": f"{paid:f}", "currency": currency}
    if payer.tier:
        said["tier"] = payer.tier
    beyond = ZERO if payer.base is None else paid - payer.base.worth(units)
    return said | ({"beyond": f"{beyond:f}"} if beyond else {})


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


def refused(field: str, message: str, code: str) -> SpendingRefusedError:
    return SpendingRefusedError(message, errors=[FieldError(field, message, code)])
