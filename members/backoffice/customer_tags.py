"""Labels of a customer, put on and taken off where they are read."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from members.backoffice.customer_page import identity_panel
from members.errors import DomainError
from members.policy import acting, staff_view
from members.responses import is_htmx
from members.selectors.customers import get_customer
from members.services.customer_tags import add_tag, remove_tag


@require_POST
@staff_view("customers.annotate")
def customer_tags(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One tag: `add` it or `remove` it."""
    person, actor = get_customer(public_id), acting(request)
    added, removed = request.POST.get("add", ""), request.POST.get("remove", "")
    try:
        if removed:
            person = remove_tag(customer=person, actor=actor, tag=removed)
        elif added.strip():
            person = add_tag(customer=person, actor=actor, tag=added)
    except DomainError as error:
        words = [str(one.message) for one in error.errors] or [str(error.message)]
        return identity_panel(request, person, problem=" ".join(words))
    if not is_htmx(request):
        return redirect("backoffice:customer_identity", public_id)
    said = _("Tag removed.") if removed else _("Tag added.")
    response = identity_panel(request, person, announcement=said)
    trigger_client_event(response, "tags-changed", {})
    return response
