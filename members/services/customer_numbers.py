"""The shop's number for somebody who is here without one and is known by their e-mail address."""

from __future__ import annotations

from django.db import transaction

from members.models import Customer
from members.selectors.identities import having_any
from members.selectors.merges import current
from members.services.audit import Actor
from members.services.customers import update_customer


def lacks_number(customer: Customer, email: str) -> bool:
    """Whether the shop has given them no number: an address that stands in for one is none."""
    return (customer.external_id or "").lower() in {"", email.lower()}


@transaction.atomic
def give_number(*, number: str, email: str, actor: Actor) -> None:
    """A number that nobody has becomes that of whoever has the address and lacks one. Nobody's
    number is changed for another."""
    if Customer.objects.filter(external_id=number).exists():
        return
    found = having_any(email=email).select_related("merged_into").first()
    if found is None:
        return
    # With its lock: two files may know the same person under two numbers.
    row = Customer.objects.select_for_update(of=("self",)).get(pk=current(found).pk)
    if lacks_number(row, email):
        update_customer(customer=row, actor=actor, changes={"external_id": number})
