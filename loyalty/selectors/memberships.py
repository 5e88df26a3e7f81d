from __future__ import annotations

import uuid

from django.db.models import QuerySet

from loyalty.models import Membership
from members.errors import NotFoundError
from members.models import Customer


def memberships() -> QuerySet[Membership]:
    return Membership.objects.select_related("program", "customer")


def list_memberships(customer: Customer) -> list[Membership]:
    """A customer's memberships, the longest first."""
    return list(memberships().filter(customer=customer).order_by("enrolled_at", "pk"))


def get_membership(public_id: uuid.UUID | str) -> Membership:
    """Raises NotFoundError."""
    membership = memberships().filter(public_id=public_id).first()
    if membership is None:
        raise NotFoundError("There is no such membership.")
    return membership
