"""A customer's promotions: which they get, and why not the others."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from campaigns.selectors.campaign_verdicts import verdicts_for
from loyalty.backoffice.links import customer_crumbs
from members.models import Customer
from members.policy import staff_view


@require_safe
@staff_view("customers.view")
def customer_campaigns(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What is on, was lately and will soon be, with the reason for this customer."""
    customer = get_object_or_404(Customer, public_id=public_id)
    context = {
        "customer": customer,
        "title": _("Promotions"),
        "panel_id": "campaigns",
        "panel_icon": "speakerphone",
        "panel_flush": True,
        "panel_refresh": "customer-changed",
        "breadcrumbs": customer_crumbs(customer),
        "verdicts": verdicts_for(customer, timezone.now()),
    }
    return render(request, "campaigns/backoffice/customer_campaigns.html", context)
