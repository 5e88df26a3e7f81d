"""Whether members can take their card into the wallet of their phone, and how long that goes on."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.models import PassDevice
from members.policy import staff_view


@require_safe
@staff_view("merchant.edit")
def wallet_pass_panel(request: HttpRequest) -> HttpResponse:
    """What is set up; keys are files of the server, so nothing is set up here."""
    apple, now = settings.APPLE_PASSES, timezone.now()
    context = {
        "title": _("Cards in the wallets of phones"),
        "panel_id": "wallet-passes",
        "panel_icon": "device-mobile",
        "apple": apple,
        "is_over": apple is not None and not apple.is_valid(now),
        "ends_soon": apple is not None and apple.ends_soon(now),
        "phones": PassDevice.objects.count() if apple is not None else 0,
        "google": settings.GOOGLE_PASSES,
    }
    return render(request, "loyalty/backoffice/wallet_pass_panel.html", context)
