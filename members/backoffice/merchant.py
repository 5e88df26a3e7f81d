"""The merchant's settings: how the installation looks and reckons."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from members.branding import HEX_COLOR
from members.forms import errors_on, posted
from members.merchant_form import MerchantForm
from members.panels import merchant_panels
from members.policy import acting, staff_view
from members.selectors.merchants import get_merchant
from members.services.merchants import update_merchant


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("merchant.edit")
def merchant(request: HttpRequest) -> HttpResponse:
    """Show the settings beside what customers will see of them."""
    current = get_merchant()
    form = MerchantForm(posted(request), request.FILES or None, merchant=current)
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            update_merchant(actor=acting(request), changes=form.changes())
            messages.success(request, _("Settings saved."))
            return redirect("backoffice:merchant")
    context = {"form": form, "shown": current, "panels": merchant_panels(request)}
    return render(
        request, "backoffice/merchant.html", context, status=422 if form.is_bound else 200
    )


@require_safe
@staff_view("merchant.edit")
def preview(request: HttpRequest) -> HttpResponse:
    """The same merchant under the name and in the color that are being tried."""
    shown = get_merchant()
    shown.name = request.GET.get("name", "").strip()[:120] or shown.name
    accent = request.GET.get("accent_color", "")
    context = {"shown": shown, "accent": accent if HEX_COLOR.fullmatch(accent) else ""}
    return render(request, "backoffice/merchant_preview.html", context)
