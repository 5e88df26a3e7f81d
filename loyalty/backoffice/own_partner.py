"""What people of a partner see: its own figures, sales and settlements, and nothing else."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.backoffice.partner_pages import (
    live_partner,
    partner_context,
    partner_orders,
    partner_today,
    settlement_context,
    settlement_file,
    settlements,
)
from loyalty.models import Partner, PartnerSettlement
from members.policy import partner_of_staff, staff_view

NAMESPACE = "loyalty_backoffice"


@require_safe
@staff_view("own_partner.view")
def own_partner(request: HttpRequest) -> HttpResponse:
    """What is owed, the months that are settled, and what was sold there."""
    partner = _own(request)
    context = partner_context(partner, partner_today(partner)) | {
        "settlement_view": f"{NAMESPACE}:own_settlement",
        "page": partner_orders(request, partner),
        "own": True,
    }
    return render(request, "partners/backoffice/partner.html", context)


@require_safe
@staff_view("own_partner.view")
def own_settlement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A month as it was closed."""
    settlement = _settlement(request, public_id)
    context = settlement_context(settlement) | {
        "title": _("Settlement %s") % settlement.number,
        "own": True,
        "breadcrumbs": [
            (settlement.partner.account.name, reverse(f"{NAMESPACE}:own_partner")),
        ],
        "file_url": reverse(f"{NAMESPACE}:own_settlement_csv", args=[settlement.public_id]),
    }
    return render(request, "partners/backoffice/settlement.html", context)


@require_safe
@staff_view("own_partner.view")
def own_settlement_csv(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Its movements as a file."""
    return settlement_file(_settlement(request, public_id))


def _own(request: HttpRequest) -> Partner:
    partner = live_partner(partner_of_staff(request.user))
    if partner is None:
        raise Http404("There is no such partner.")
    return partner


def _settlement(request: HttpRequest, public_id: UUID) -> PartnerSettlement:
    own = settlements().filter(partner=_own(request))
    return get_object_or_404(own, public_id=public_id)
