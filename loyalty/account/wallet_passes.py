"""The card for the wallet of a phone."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from loyalty.account.chosen import choose_membership
from loyalty.models import Membership
from loyalty.services.wallet_passes import apple_pass_file, google_link
from loyalty.wallet_passes.apple import pass_response
from members.account.access import CustomerRequest, customer_view


@require_safe
@customer_view
def apple_wallet(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """The pass itself, which a phone shows and offers to keep."""
    return pass_response(apple_pass_file(_own(request, public_id), timezone.now()))


@require_safe
@customer_view
def google_wallet(request: CustomerRequest, public_id: uuid.UUID) -> HttpResponse:
    """To Google, with the pass; only whoever follows the link leaves a trace there."""
    return HttpResponseRedirect(google_link(_own(request, public_id), timezone.now()))


def _own(request: CustomerRequest, public_id: uuid.UUID) -> Membership:
    chosen = choose_membership(request, public_id)
    if chosen is None:
        raise Http404("This customer has no such membership.")
    return chosen.membership
