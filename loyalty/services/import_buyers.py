"""Who the buyers in a file are, where they are here already without the number that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db.models.functions import Lower

from loyalty.services.order_inputs import CustomerRef, OrderInput, RefundInput
from members.models import Customer
from members.selectors.merges import current
from members.services.audit import Actor
from members.services.customer_numbers import give_number, lacks_number


def with_known_buyers(
    values: Sequence[OrderInput | RefundInput], *, actor: Actor
) -> list[OrderInput | RefundInput]:
    """A buyer whose number is new is whoever has the address and no number: they get it. Where the
    file knows people by their address only, they stay without one."""
    strangers = _strangers(values)
    keys: dict[str, int] = {}
    for number, customer in sorted(_having_addresses(strangers).items()):
        email = strangers[number]
        if number.lower() == email:
            if lacks_number(customer, email):
                keys[number] = customer.pk
        else:
            give_number(number=number, email=email, actor=actor)
    return [_as_known(value, keys) for value in values]


def _strangers(values: Sequence[OrderInput | RefundInput]) -> dict[str, str]:
    """Addresses by numbers that nobody has here."""
    named = {
        value.customer.external_id: value.customer.email
        for value in values
        if value.customer and value.customer.external_id and value.customer.email
    }
    here = Customer.objects.filter(external_id__in=named).values_list("external_id", flat=True)
    for number in here if named else ():
        named.pop(number or "", None)
    return named


def _having_addresses(strangers: Mapping[str, str]) -> dict[str, Customer]:
    """Who has the addresses, by the numbers of the strangers; those who were merged as whom they
    are now."""
    if not strangers:
        return {}
    found = (
        Customer.objects.alias(lower_email=Lower("email"))
        .filter(lower_email__in=set(strangers.values()))
        .exclude(email="")
        .select_related("merged_into")
    )
    by_address = {customer.email.lower(): current(customer) for customer in found}
    return {number: by_address[email] for number, email in strangers.items() if email in by_address}


def _as_known(value: OrderInput | RefundInput, keys: Mapping[str, int]) -> OrderInput | RefundInput:
    key = keys.get(value.customer.external_id or "") if value.customer else None
    return value if key is None else replace(value, customer=CustomerRef(key=key))
