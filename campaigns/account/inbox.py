"""The member's inbox: what they were told, on their own page."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.occasions import occasion_named
from campaigns.selectors.inbox import inbox_of, unread_of
from campaigns.services.inbox import mark_all_read, mark_read
from members.account.access import CustomerRequest, customer_view
from members.paging import paginate

PAGE = 20
ORDERINGS = {"newest": ("-message__created_at", "-pk")}


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def inbox(request: CustomerRequest) -> HttpResponse:
    """Newest first; a post marks all of them as read."""
    if request.method == "POST":
        mark_all_read(customer=request.customer, now=timezone.now())
        return redirect("messages_account:inbox")
    page = paginate(
        inbox_of(request.customer), request=request, orderings=ORDERINGS, default="newest",
        per_page=PAGE,
    )  # fmt: skip
    rows = [(row, _icon(row.message.occasion)) for row in page.items]
    context = {"page": page, "rows": rows, "unread": unread_of(request.customer)}
    return render(request, "messages/account/inbox.html", context)


@require_safe
@customer_view
def message(request: CustomerRequest, delivery_id: uuid.UUID) -> HttpResponse:
    """One of them; to open it is to have read it."""
    found = inbox_of(request.customer).filter(public_id=delivery_id).first()
    if found is None:
        raise Http404("This customer was not told that.")
    mark_read(delivery=found, now=timezone.now())
    context = {
        "delivery": found,
        "icon": _icon(found.message.occasion),
        "link": found.message.values.get("link", ""),
        "title": found.subject,
        "breadcrumbs": [(_("Messages"), reverse("messages_account:inbox"))],
    }
    return render(request, "messages/account/message.html", context)


def _icon(code: str) -> str:
    occasion = occasion_named(code)
    return occasion.icon if occasion else "mail"
