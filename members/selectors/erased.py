"""Who was erased: nobody is known behind the number any more, and nobody writes to it by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from members.audit import target_of
from members.errors import ConflictError
from members.models import AuditEntry, Customer
from members.prepared import KeptQuery

# What is empty once somebody was erased. The number is the shop's, and stays.
_DETAILS = ("given_name", "family_name", "email", "phone", "birthday")
_ERASED, _UPDATED = "customer.erased", "customer.updated"
_TOLD: KeptQuery[AuditEntry] = KeptQuery(
    lambda actions, targets: (
        AuditEntry.objects.filter(action__among=actions, target__among=targets)
        .only("target", "action", "at", "after")
        .order_by("pk")
    )
)


def erased_at(customer: Customer) -> datetime | None:
    """When they were erased; None for everybody else, and for who has come back since: the shop
    has told their details anew."""
    return _erasures([customer]).get(customer.pk)


def erased_among(customers: Iterable[Customer]) -> set[int]:
    """The keys of those who were erased, in one query."""
    return {*_erasures(customers)}


def is_known(customer: Customer) -> bool:
    """Neither merged away nor erased: what is done for them and written about them is theirs."""
    return customer.merged_into_id is None and erased_at(customer) is None


def refuse_erased(customer: Customer) -> None:
    """Raise ConflictError where somebody would be made known again: by a page that was opened
    before they were erased, or by a note; or where something would be done for nobody."""
    if erased_at(customer) is not None:
        raise was_erased()


def was_erased() -> ConflictError:
    return ConflictError(
        _("This customer was erased meanwhile. Who comes back is a new customer."),
        code="customer_erased",
    )


def _erasures(customers: Iterable[Customer]) -> dict[int, datetime]:
    """When those were erased whom nobody has told anew since, by their keys. Who came back stays
    known, also once their details are cleared by hand."""
    empty = {target_of(one): one.pk for one in customers if _is_empty(one)}
    if not empty:
        return {}
    found: dict[int, datetime] = {}
    for told in _TOLD.rows([_ERASED, _UPDATED], list(empty)):
        if told.action == _ERASED:
            found[empty[told.target]] = told.at
        elif any((told.after or {}).get(name) for name in _DETAILS):
            found.pop(empty[told.target], None)
    return found


def _is_empty(customer: Customer) -> bool:
    return not any(getattr(customer, name) for name in _DETAILS)
