"""Customers by what is theirs alone."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from members.models import Customer


def having_any(
    *, email: str = "", phone: str = "", external_ids: Iterable[str] = ()
) -> QuerySet[Customer]:
    """Customers with the address, the number or one of the customer numbers, by unique index."""
    # An empty list fits nobody: without anything given, nobody is found.
    condition = Q(external_id__in=set(external_ids) - {""})
    if email:
        # The index is on lower(email) where email is not empty; only saying both makes it usable.
        condition |= Q(lower_email=email.lower(), email=email.lower())
    if phone:
        condition |= Q(phone=phone)
    return Customer.objects.alias(lower_email=Lower("email")).filter(condition)


def customer_of_email(email: str) -> Customer | None:
    """The customer with this address, if there is one."""
    found = having_any(email=email).select_related("user", "merged_into")
    return found.first() if email else None
