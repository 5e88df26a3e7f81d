"""One tag more or less, whatever colleagues do with the others meanwhile."""

from __future__ import annotations

from django.db import transaction

from members.models import Customer
from members.services.audit import Actor
from members.services.customers import update_customer


@transaction.atomic
def add_tag(*, customer: Customer, actor: Actor, tag: str) -> Customer:
    """What is there already stays as it is."""
    row = _locked(customer)
    return update_customer(customer=row, actor=actor, changes={"tags": [*row.tags, tag]})


@transaction.atomic
def remove_tag(*, customer: Customer, actor: Actor, tag: str) -> Customer:
    """What is not there is gone already."""
    row = _locked(customer)
    left = [one for one in row.tags if one != tag]
    return update_customer(customer=row, actor=actor, changes={"tags": left})


def _locked(customer: Customer) -> Customer:
    return Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
