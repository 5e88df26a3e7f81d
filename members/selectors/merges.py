"""Who is whom: customers that were merged, and the merges that did it."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from members.errors import ConflictError, NotFoundError
from members.models import Customer, CustomerMerge


def current(customer: Customer) -> Customer:
    """Whom this person is now: the customer, or the one it was merged into."""
    return customer.merged_into or customer


def current_ids(customers: QuerySet[Customer]) -> QuerySet[Customer, int]:
    """The keys of whom these customers are now, for `pk__in`."""
    return customers.order_by().values_list(Coalesce("merged_into_id", "pk"), flat=True)


def refuse_merged(customer: Customer) -> None:
    """Raise ConflictError for somebody who was merged away: changes belong to the other."""
    if customer.merged_into is not None:
        raise ConflictError(
            _("%(customer)s was merged into %(kept)s. Change that customer instead.")
            % {"customer": customer, "kept": customer.merged_into},
            code="customer_merged",
        )


def merge_of(customer: Customer) -> CustomerMerge | None:
    """The merge in force by which the customer was merged away."""
    return merges().filter(merged=customer, undone_at=None).first()


def were_one(one_id: int | None, other_id: int | None) -> bool:
    """Whether two customers are the same, or were merged at some time, perhaps by way of others:
    what was bought meanwhile may be named after any of them."""
    known: set[int | None] = {one_id}
    new = known
    while new and other_id not in known:
        pairs = CustomerMerge.objects.filter(Q(kept__in=new) | Q(merged__in=new))
        found: set[int | None] = {pk for pair in pairs.values_list("kept", "merged") for pk in pair}
        new = found - known
        known = known | found
    return other_id in known


def get_merge_of(customer: Customer) -> CustomerMerge:
    """The last merge by which the customer was merged away, perhaps undone; or NotFoundError."""
    merge = merges().filter(merged=customer).order_by("-pk").first()
    if merge is None:
        raise NotFoundError(_("This customer was not merged into another."))
    return merge


def told_apart(customer: Customer, other: Customer) -> str:
    """The customer's name; with what else they are known by where both have the same."""
    if customer.display_name != other.display_name:
        return customer.display_name
    known_by = customer.external_id or customer.email or customer.phone
    return f"{customer.display_name} ({known_by})" if known_by else customer.display_name


def merges() -> QuerySet[CustomerMerge]:
    return CustomerMerge.objects.select_related("kept", "merged", "merged_by", "undone_by")
