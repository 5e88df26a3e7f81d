"""What discount rules took off orders, as shops say: kept with the order, and counted as a cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from loyalty.errors import InvalidOrderError
from loyalty.models import OrderDiscount
from loyalty.rules.discounts import DiscountVersion
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.services.discount_costs import book_rule_discounts
from loyalty.services.order_batches import Written
from loyalty.services.order_inputs import OrderInput
from members.errors import FieldError, placed
from members.prepared import run_prepared


def keep_discounts(written: Sequence[Written], terms: Terms, now: dt.datetime) -> None:
    """New ones are booked here, what changes when the order is reconciled. Raises
    InvalidOrderError, naming a rule that there is not, or one that counts in another currency."""
    if not written:
        return
    run_prepared(
        "DELETE FROM loyalty_orderdiscount WHERE order_id = ANY(%s::bigint[])",
        [[item.order_id for item in written]],
    )
    rows: list[OrderDiscount] = []
    for item in written:
        with placed(item.place):
            rows += [
                OrderDiscount(order_id=item.order_id, rule_version_id=version.id, amount=amount)
                for version, amount in _versions(item.order, terms)
            ]
    OrderDiscount.objects.bulk_create(rows)
    book_rule_discounts(sorted({row.order_id for row in rows}), now=now)


def _versions(order: OrderInput, terms: Terms) -> Iterator[tuple[DiscountVersion, Decimal]]:
    programs = {program.code: program for program in terms.programs}
    for index, item in enumerate(order.discounts):
        program = programs.get(item.program)
        version = _wording(program, item.rule, order.placed_at) if program else None
        if version is None:
            words = {"rule": item.rule, "program": item.program}
            message = _("The program %(program)s has no discount rule %(rule)s.") % words
            error = FieldError(f"discounts[{index}].rule", message, "not_found")
            raise InvalidOrderError(message, errors=[error])
        if program is not None and program.currency != order.currency:
            raise _in_another_currency(index, program, order)
        yield version, item.amount


def _in_another_currency(index: int, program: ProgramTerms, order: OrderInput) -> InvalidOrderError:
    """What it costs, and what is left of its budget, are counted in the program's own."""
    message = _("Send the order in %(wanted)s.") % {"wanted": program.currency}
    error = FieldError(f"discounts[{index}].program", message, "currency_mismatch")
    return InvalidOrderError(
        _("No program counts in %(currency)s.") % {"currency": order.currency}, errors=[error]
    )


def _wording(program: ProgramTerms, code: str, at: dt.datetime) -> DiscountVersion | None:
    """The one in force, else the last one before: a price is quoted before the order is placed."""
    own = [version for version in program.rulebook.discounts if version.rule_code == code]
    begun = [version for version in own if version.starts_at is None or version.starts_at <= at]
    return max(begun, key=lambda version: version.number, default=None)
