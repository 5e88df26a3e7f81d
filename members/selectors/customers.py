"""Finding and reading customers."""

from __future__ import annotations

from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from members.errors import NotFoundError
from members.models import Customer, CustomerNote
from members.program_scope import programs_in_scope
from members.selectors.customer_search import CustomerHit, search_customers
from members.selectors.merges import current

__all__ = [
    "CustomerHit",
    "count_customers",
    "get_customer",
    "get_customer_by_external_id",
    "list_notes",
    "search_customers",
    "tagged_customers",
]

# Below this number of customers they are counted; above it the planner's estimate is as good.
COUNTED_UP_TO = 200_000


def get_customer(public_id: UUID | str) -> Customer:
    """The customer with this public id, or NotFoundError."""
    try:
        identity = public_id if isinstance(public_id, UUID) else UUID(public_id)
        return Customer.objects.select_related("merged_into").get(public_id=identity)
    except (ValueError, Customer.DoesNotExist) as error:
        raise NotFoundError(_("There is no such customer.")) from error


def get_customer_by_external_id(external_id: str) -> Customer:
    """The customer with the merchant's own number, also as that of a duplicate that was merged, or
    NotFoundError."""
    found = Customer.objects.select_related("merged_into")
    customer = found.filter(external_id=external_id.replace("\x00", "")).first()
    if customer is None:
        raise NotFoundError(_("There is no customer with this number."))
    return current(customer)


def tagged_customers(tag: str) -> QuerySet[Customer]:
    """Everybody with this tag; everybody there is where it is empty."""
    found = Customer.objects.filter(merged_into=None)
    # A NUL fits no column, so nobody has it.
    return found.filter(tags__contains=[tag.replace("\x00", "\n")]) if tag else found


def list_notes(customer: Customer, limit: int = 100) -> list[CustomerNote]:
    """What staff wrote down, newest first."""
    return list(customer.notes.select_related("author")[:limit])


def count_customers() -> int | None:
    """How many customers there are: exact while few, estimated when counting would take long. None
    for whose role is limited to programs: those they see would have to be counted one by one."""
    if programs_in_scope() is not None:
        return None
    with connection.cursor() as cursor:
        # Only the branch that is taken is run.
        cursor.execute(
            "SELECT CASE WHEN reltuples > %s THEN reltuples::bigint ELSE"
            "       (SELECT count(*) FROM members_customer WHERE merged_into_id IS NULL) END"
            "  FROM pg_class WHERE oid = 'members_customer'::regclass",
            [COUNTED_UP_TO],
        )
        return int(cursor.fetchone()[0])
