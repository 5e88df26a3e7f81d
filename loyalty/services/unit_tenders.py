"""Orders paid partly with units: spent as the order is told, or by its checkout before that.

An order's message may name units to spend; its checkout may have spent some already. Either way
they are spent once for an order and kind of unit, and come back as the order does.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

from loyalty.errors import (
    InsufficientBalanceError,
    InvalidOrderError,
    OrderConflictError,
)
from loyalty.ledger.posting import Movement, post
from loyalty.models import Membership, Order, Transfer, UnitTender, WalletType
from loyalty.rules.facts import NOTHING, ZERO, Occasion
from loyalty.rules.spending import SpendingTerms
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.selectors.tier_worth import Payer, in_tier
from loyalty.selectors.unit_tenders import called_off
from loyalty.selectors.wallet_types import wallet_types_of
from loyalty.services.contexts import Wish
from loyalty.services.order_batches import Opened
from loyalty.services.order_inputs import OrderInput
from loyalty.services.order_tiers import tier_to_pay_in
from loyalty.services.redemptions import OFFLINE, check_spending, spend_movement
from loyalty.services.spending_terms import (
    paid_before,
    refuse_beyond_room,
    worth_said,
)
from loyalty.services.tender_inputs import TenderInput, refuse_overpaid, tender_kind
from members.conditions.moments import Moment
from members.errors import FieldError
from members.formatting import format_money, format_units
from members.prepared import KeptQuery
from members.selectors.merges import were_one

_TOLD: KeptQuery[UnitTender] = KeptQuery(
    lambda numbers, source: UnitTender.objects.filter(
        order_external_id__among=numbers, source=source
    ).select_related("transfer__wallet_type", "wallet_type__program")
)


def pays(terms: SpendingTerms, units: int, currency: str) -> Decimal:
    """What so many units pay, in whole coins."""
    coin = Decimal(1).scaleb(-get_currency_precision(currency))
    return terms.worth(units) // coin * coin


@dataclass(frozen=True, slots=True)
class _Payment:
    """Units that an order of the batch is paid with from now on. `before`: the row of a payment
    that came back whole and is made anew."""

    order_id: int
    order: OrderInput
    wallet_type_id: int
    amount: Decimal
    movement: Movement
    before: UnitTender | None


@dataclass(frozen=True, slots=True)
class _Named:
    """What a tender is of: units of a program, as they are for the buyer."""

    program: ProgramTerms
    wallet_type_id: int
    payer: Payer


class UnitPayments:
    """What orders of one batch are paid with in units. The caller holds their buyers' locks."""

    def __init__(self, terms: Terms, now: dt.datetime, transfer_source: str) -> None:
        self.terms, self.now, self.transfer_source = terms, now, transfer_source
        self.known: defaultdict[str, list[UnitTender]] = defaultdict(list)
        # Of those the ones whose units came back, because the order had been called off.
        self.called_off: set[int] = set()
        self.payments: list[_Payment] = []
        self.places: dict[str, int] = {}
        # The new orders of the batch, by what they ask of their buyers.
        self.wishes: Sequence[Wish] = ()

    @classmethod
    def load(
        cls,
        orders: Sequence[OrderInput],
        opened: Sequence[Opened],
        anew: Sequence[bytes | None],
        terms: Terms,
        now: dt.datetime,
        transfer_source: str,
    ) -> UnitPayments:
        """With what was paid for these orders before; no query where there can be nothing. `anew`:
        of those that are known with other content, what that is."""
        found = cls(terms, now, transfer_source)
        found.places = {order.external_id: place for place, order in enumerate(orders)}
        asked = {
            order.external_id: known
            for order, known, content in zip(orders, opened, anew, strict=True)
            if known.parked or content is not None
        }
        if asked:
            rows = _TOLD.rows(list(asked), orders[0].source)
            buyers, found.called_off = _buyers(rows), called_off(rows)
            for row in rows:
                # A gift card is nobody's own: it pays for whoever has it.
                known, buyer = asked[row.order_external_id], buyers.get(row.pk)
                if None in (known.customer_id, buyer) or were_one(known.customer_id, buyer):
                    found.known[row.order_external_id].append(row)
        return found

    def completed(self, orders: Sequence[OrderInput]) -> Sequence[OrderInput]:
        """The orders, with what had been paid before their messages came. Raises OrderConflictError
        where that is more than one of them costs."""
        return [self._completed(order) for order in orders] if self.known else orders

    def _completed(self, order: OrderInput) -> OrderInput:
        rows = self.known.get(order.external_id, ())
        if order.status in Order.VOID or not rows:
            return order
        prepaid = tuple(
            TenderInput(tender_kind(row.wallet_type), row.amount)
            for row in rows
            if row.pk not in self.called_off
        )
        try:
            refuse_overpaid(prepaid, order.total, order.external_id, order.currency)
        except OrderConflictError as error:
            error.index = self.places[order.external_id]
            raise
        return replace(order, prepaid=prepaid)

    def take(self, order: OrderInput, known: Opened) -> None:
        """What an order that was just written, or written anew, asks to be spent for it."""
        if order.status in Order.VOID:
            return
        for tender in order.tenders:
            if tender.units is not None:
                self._take(order, known, tender, tender.units)

    def post(self) -> None:
        """Spend, before the orders earn: none of them pays for itself."""
        try:
            post([payment.movement for payment in self.payments], now=self.now)
        except InsufficientBalanceError as error:
            refused = next(
                payment for payment in self.payments if payment.movement["key"] == error.key
            )
            words = format_units(error.spendable, self._unit(refused.wallet_type_id))
            told = InsufficientBalanceError(error.spendable, words, key=error.key)
            told.errors = (FieldError("tenders", told.message, told.code),)
            told.index = self.places[refused.order.external_id]
            raise told from error

    def write(self) -> None:
        """Say what pays for which order, once the orders are there."""
        for number, rows in self.known.items():
            parked = [row.pk for row in rows if row.order_id is None]
            order = Order.objects.filter(source=rows[0].source, external_id=number)
            if parked:
                UnitTender.objects.filter(pk__in=parked).update(order_id=order.values("pk")[:1])
        if not self.payments:
            return
        made = dict(
            Transfer.objects.filter(
                key__in=[payment.movement["key"] for payment in self.payments]
            ).values_list("key", "pk")
        )
        for payment in self.payments:
            row = payment.before or UnitTender(
                source=payment.order.source, order_external_id=payment.order.external_id,
                order_id=payment.order_id, wallet_type_id=payment.wallet_type_id,
                recorded_at=self.now,
            )  # fmt: skip
            row.transfer_id, row.amount = made[payment.movement["key"]], payment.amount
            row.save()

    def _take(self, order: OrderInput, known: Opened, tender: TenderInput, whole: Decimal) -> None:
        # What was paid stays, whatever has become of its program, its worth and its terms.
        before = self._named_before(order, tender)
        if before is None or before.pk in self.called_off:
            named = self._named(order, known, tender)
            before = self._before(order, named.wallet_type_id)
        if before is not None and before.pk not in self.called_off:
            _refuse_other_units(order, tender, whole, before)
            return
        unit = self._unit(named.wallet_type_id)
        if tender.kind != tender_kind(unit):
            message = _("What %(units)s pay is a tender of kind “%(kind)s”.")
            words = {"units": unit.plural, "kind": tender_kind(unit)}
            raise _wrong(message % words, "tender_kind")
        units = whole.scaleb(unit.scale)
        if units % 1:
            message = _("Give %(units)s with at most %(decimals)s decimals.")
            raise _wrong(message % {"units": unit.plural, "decimals": unit.scale}, "too_fine")
        amount = pays(named.payer.terms, int(units), order.currency)
        if amount != tender.amount or not amount:
            raise _wrong_worth(int(units), unit, amount, order.currency)
        self._spend(order, known, named, unit, int(units), amount, before)

    def _spent_at(self, order: OrderInput) -> dt.datetime:
        at = order.placed_at
        return at if self.now - OFFLINE <= at <= self.now else self.now

    def _spend(
        self, order: OrderInput, known: Opened, named: _Named, unit: WalletType, units: int,
        amount: Decimal, before: UnitTender | None,
    ) -> None:  # fmt: skip
        at, program, terms = self._spent_at(order), named.program, named.payer.terms
        check_spending(program, at, unit)
        paid = paid_before(known.order_id, terms, unit.pk) if known.known else ZERO
        refuse_beyond_room(units, terms=terms, wallet_type=unit, room=terms.room(order.total, paid))
        entry = spend_movement(
            known.members[program.id].wallet(unit.pk, program),
            units,
            program=program,
            occurred_at=at,
            key=f"order:{known.order_id}:paid:{unit.pk}"
            + (f":{before.transfer_id}" if before else ""),
            source=self.transfer_source,
            explanation={
                "order": order.external_id,
                **worth_said(named.payer, units, amount, order.currency),
            },
            partner=order.partner,
            o=known.order_id,
        )
        self.payments.append(_Payment(known.order_id, order, unit.pk, amount, entry, before))

    def _named(self, order: OrderInput, known: Opened, tender: TenderInput) -> _Named:
        """The program and the kind of units that a tender is of."""
        found = [
            (program, pk)
            for program in self.terms.programs
            if program.live
            and program.id in known.members
            and program.currency == order.currency
            and tender.program in ("", program.code)
            for pk, unit in program.units.items()
            if unit.code == tender.wallet_type
        ]
        if not found:
            raise _wrong(
                _("The buyer has no %s that pay for this order.") % tender.wallet_type, "not_found"
            )
        if len(found) > 1:
            raise _wrong(_("Several programs have such units. Name the program."), "ambiguous")
        [(program, pk)] = found
        return _Named(program, pk, self._payer(order, known, program, pk))

    def _payer(
        self, order: OrderInput, known: Opened, program: ProgramTerms, wallet_type_id: int
    ) -> Payer:
        """The terms for the buyer, by the tier that they had before the order."""
        terms = program.units[wallet_type_id].spending
        if not terms.by_tier or known.customer_id is None:
            return Payer(terms)
        paying = Wish(
            program, (), known.members[program.id].membership_id, known.customer_id,
            Occasion(NOTHING, Moment(self._spent_at(order), program.zone)),
        )  # fmt: skip
        return in_tier(program, terms, *tier_to_pay_in(paying, self.wishes))

    def _named_before(self, order: OrderInput, tender: TenderInput) -> UnitTender | None:
        """What a tender says that the order was paid with, if it was."""
        found = [
            row
            for row in self.known.get(order.external_id, ())
            if row.bearer_id is None
            and row.wallet_type.code == tender.wallet_type
            and tender.program in ("", row.wallet_type.program.code)
        ]
        return found[0] if len(found) == 1 else None

    def _before(self, order: OrderInput, wallet_type_id: int) -> UnitTender | None:
        for row in self.known.get(order.external_id, ()):
            if row.wallet_type_id == wallet_type_id and row.bearer_id is None:
                return row
        return None

    def _unit(self, wallet_type_id: int) -> WalletType:
        return wallet_types_of(self.terms)[wallet_type_id]


def _buyers(rows: Iterable[UnitTender]) -> dict[int, int]:
    """Whose units paid, by the rows' keys."""
    wallets = {row.pk: row.transfer.wallet_id for row in rows}
    if not wallets:
        return {}
    found = Membership.objects.filter(account__wallets__in=set(wallets.values()))
    customers = dict(found.values_list("account__wallets", "customer"))
    return {pk: customers[wallet] for pk, wallet in wallets.items() if wallet in customers}


def _refuse_other_units(
    order: OrderInput, tender: TenderInput, whole: Decimal, before: UnitTender
) -> None:
    """Raise where an order that is told again names others than it was paid with."""
    unit, units = before.wallet_type, before.transfer.amount
    if whole.scaleb(unit.scale) != units:
        raise OrderConflictError(
            _("Order %s was paid with other units already.") % order.external_id,
            errors=[FieldError("tenders", _("They come back as the order does."), "immutable")],
        )
    if tender.amount != before.amount:
        raise _wrong_worth(units, unit, before.amount, order.currency)


def _wrong_worth(units: int, unit: WalletType, amount: Decimal, currency: str) -> InvalidOrderError:
    words = {"units": format_units(units, unit), "money": format_money(amount, currency)}
    return _wrong(_("%(units)s pay %(money)s.") % words, "tender_worth")


def _wrong(message: str, code: str) -> InvalidOrderError:
    return InvalidOrderError(
        _("It cannot be paid with these units."), errors=[FieldError("tenders", message, code)]
    )
