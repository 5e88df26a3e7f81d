"""What a customer looked at in the shop, on their timeline; told where it is asked for."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from campaigns.models import BrowsingEvent
from campaigns.selectors.browsing import events_of
from members.formatting import format_number
from members.models import Customer
from members.timeline import register_timeline_source
from members.timeline_view import TimelineEntry

Kind = BrowsingEvent.Kind
ICONS: dict[str, str] = {
    Kind.PRODUCT: "eye", Kind.CATEGORY: "category", Kind.SEARCH: "search",
    Kind.CART: "shopping-cart",
}  # fmt: skip


def browsing_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """One query."""
    found = events_of(customer)
    if before is not None:
        found = found.filter(occurred_at__lt=before)
    return [
        TimelineEntry(
            icon=ICONS[row.kind], title=_title(row), moment=row.occurred_at,
            text=row.category, id=f"browsing-{row.pk}",
        )
        for row in found[:limit]
    ]  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_timeline_source(browsing_events, "browsing")


def _title(row: BrowsingEvent) -> str:
    about = row.name or row.subject
    match row.kind:
        case Kind.PRODUCT:
            return _("Looked at %s") % about
        case Kind.CATEGORY:
            return _("Looked at the category %s") % about
        case Kind.SEARCH:
            return _("Searched for “%s”") % about
    if not row.quantity:
        return _("Took %s out of the cart") % about
    return _("In the cart: %(number)s × %(what)s") % {
        "number": format_number(row.quantity), "what": about,
    }  # fmt: skip
