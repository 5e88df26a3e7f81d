"""By which rates the orders of a batch count in programs of another currency, and what is kept of
that: the rate of the first judgment counts for all that follows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from django.db import connection
from django.utils.translation import gettext as _

from loyalty.errors import InvalidOrderError
from loyalty.models import MissingRate, Order, OrderConversion, OrderRate
from loyalty.rules.exchange import Exchange
from loyalty.rules.facts import Basket
from loyalty.selectors.exchange_rates import (
    RATE_LASTS,
    Asked,
    exchanges_for,
    recorded_exchanges,
    told_rates,
)
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.services.order_batches import MemberRef, Opened
from loyalty.services.order_inputs import OrderInput, plain
from members.errors import FieldError
from members.formatting import format_day

# By currency, as they come with an order.
Rates = Sequence[tuple[str, Decimal]]


@dataclass(slots=True)
class Exchanges:
    """Of new orders, by their place in the batch and the program. `missing`: there is no rate."""

    found: dict[Hashable, Exchange] = field(default_factory=dict)
    missing: dict[Hashable, Asked] = field(default_factory=dict)

    @classmethod
    def load(
        cls, orders: Sequence[OrderInput], opened: Sequence[Opened], terms: Terms
    ) -> Exchanges:
        """One query at most, and none where all orders are in the currency of all programs."""
        asked = [
            Asked((place, program.id), order.currency, dict(order.rates), program, order.placed_at)
            for place, (order, known) in enumerate(zip(orders, opened, strict=True))
            if not known.known and known.customer_id is not None
            for program in terms.programs
            if is_asked(order, program, known.members.get(program.id))
        ]
        found = _held(asked)
        return cls(found, {one.key: one for one in asked if one.key not in found})

    def counts(self, place: int, order: OrderInput, program: ProgramTerms) -> bool:
        return program.currency == order.currency or (place, program.id) in self.found

    def keep_missing(self, opened: Sequence[Opened]) -> None:
        """Of which orders there was no rate, once they are written: it is said of them later."""
        places = [cast("tuple[int, int]", key) for key in self.missing]
        keep_missing((opened[place].order_id, program) for place, program in places)

    def refuse(self, place: int, order: OrderInput, known: Opened, terms: Terms) -> None:
        """Raise InvalidOrderError where no program of the buyer's could count it."""
        own = [program for program in terms.programs if program.id in known.members]
        lacking = [self.missing[place, p.id] for p in own if (place, p.id) in self.missing]
        taken = (
            program.currency == order.currency
            or (program.converts and (place, program.id) not in self.missing)
            for program in own
        )
        if not own or any(taken):
            return
        if lacking:
            raise no_rate(lacking[0])
        wanted = ", ".join(sorted({program.currency for program in own}))
        raise InvalidOrderError(
            _("No program counts in %(currency)s.") % {"currency": order.currency},
            errors=[
                FieldError(
                    "currency",
                    _("Send the order in %(wanted)s.") % {"wanted": wanted},
                    "currency_mismatch",
                )
            ],
        )


def _held(asked: Sequence[Asked]) -> dict[Hashable, Exchange]:
    """By which rates they count; those of the table stay in it until the orders are written."""
    found = exchanges_for(asked)
    rows = {exchange.row_id for exchange in found.values() if exchange.row_id is not None}
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM loyalty_exchangerate WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
                [sorted(rows)],
            )
            if len(cursor.fetchall()) < len(rows):
                # Somebody has just deleted one.
                return _held(asked)
    return found


def is_asked(order: OrderInput, program: ProgramTerms, member: MemberRef | None) -> bool:
    """Whether a program would count an order in another currency, if there is a rate."""
    at = order.placed_at
    return (
        order.currency != program.currency
        and program.converts
        and member is not None
        and member.earns_at(at)
        and program.earns_at(at)
    )


def no_rate(asked: Asked) -> InvalidOrderError:
    words = {
        "given": asked.currency, "wanted": asked.program.currency, "day": format_day(asked.day),
        "days": RATE_LASTS,
    }  # fmt: skip
    message = _("There is no exchange rate from %(given)s to %(wanted)s for %(day)s.") % words
    fix = _(
        "Add one of that day, or of the %(days)s days before it, under Settings → Exchange rates,"
        " or have the shop send it with the order. Then send the order again."
    )
    return InvalidOrderError(message, errors=[FieldError("currency", fix % words, "no_rate")])


def known_exchanges(
    orders: Sequence[Order], members: Mapping[tuple[int | None, int], MemberRef], terms: Terms,
    *, kept: bool,
) -> dict[tuple[int, int], Exchange]:  # fmt: skip
    """Of stored orders, by order and program: what was recorded; of those that nobody has judged,
    as guest orders that are claimed, what is found now. Another one came when the program refused
    its currency or there was no rate, and stays out of it, unless somebody asks for it: `kept`."""
    others = [
        (order, program)
        for order in orders
        for program in terms.programs
        if program.currency != order.currency and (order.customer_id, program.id) in members
    ]
    if not others:
        return {}
    ids = {order.pk for order, _program in others}
    recorded = recorded_exchanges(ids)
    told = told_rates(ids)
    asked = [
        Asked((order.pk, program.id), order.currency, told.get(order.pk, {}), program,
              order.placed_at)
        for order, program in others
        if (order.pk, program.id) not in recorded and program.converts
        and (kept or not order.evaluations.all())
        and program.earns_at(order.placed_at)
        and members[order.customer_id, program.id].earns_at(order.placed_at)
    ]  # fmt: skip
    found = _held(asked)
    keep_missing(one.key for one in asked if one.key not in found)  # type: ignore[misc]
    return recorded | {(one.key[0], one.key[1]): found[one.key]  # type: ignore[index]
                       for one in asked if one.key in found}  # fmt: skip


def keep_rates(came: Mapping[int, Rates]) -> None:
    """What rates came with orders, by the order's key, for programs that judge them later: of the
    newest message that has some."""
    if not any(came.values()):
        return
    known = told_rates(came)
    anew = {pk: rates for pk, rates in came.items() if rates and dict(rates) != known.get(pk)}
    OrderRate.objects.filter(order__in=anew.keys() & known.keys()).delete()
    OrderRate.objects.bulk_create(
        OrderRate(order_id=pk, currency=currency, rate=rate)
        for pk, rates in anew.items()
        for currency, rate in rates
    )


def keep_missing(found: Iterable[tuple[int, int]]) -> None:
    """Which orders which programs would have converted, had there been a rate."""
    rows = [MissingRate(order_id=order, program_id=program) for order, program in found]
    if rows:
        MissingRate.objects.bulk_create(rows, ignore_conflicts=True)


def conversion(order_id: int, program_id: int, exchange: Exchange) -> OrderConversion:
    """What is kept of an order's first judgment by a program of another currency."""
    return OrderConversion(
        order_id=order_id, program_id=program_id, currency=exchange.wanted, rate=exchange.rate,
        digits=exchange.digits, source=exchange.source, exchange_rate_id=exchange.row_id,
        inverse=exchange.inverse, dated=exchange.dated, told_by=exchange.told_by,
    )  # fmt: skip


def conversion_told(basket: Basket, exchange: Exchange | None) -> dict[str, Any]:
    """What the ledger keeps of it beside an award's reasons. `basket`: before it was converted."""
    if exchange is None:
        return {}
    return {
        "converted": {
            "from": exchange.given,
            "to": exchange.wanted,
            "rate": plain(exchange.rate),
            "amount": plain(basket.total),
            "comes_to": plain(exchange.amount(basket.total)),
            "source": exchange.source,
            "dated": exchange.dated.isoformat() if exchange.dated else "",
            "told_by": exchange.told_by,
            "inverse": exchange.inverse,
        }
    }
