"""The link to a program's public page, with a campaign of its own, and the code to print."""

from __future__ import annotations

import io

import segno
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from loyalty.backoffice.links import program_crumbs
from loyalty.card_numbers import qr_code
from loyalty.models import Program
from members.policy import staff_view

TYPES = {"svg": "image/svg+xml", "png": "image/png"}


class CampaignForm(forms.Form):
    """Where the link will be."""

    c = forms.SlugField(
        label=gettext_lazy("Campaign"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("Kept with whoever joins by this link: summer-flyer, shop-window."),
    )


@require_safe
@staff_view("programs.view")
def join_link(request: HttpRequest, code: str) -> HttpResponse:
    """The address, to copy, and its code, to download."""
    program = get_object_or_404(Program, code=code, status=Program.Status.LIVE)
    form = CampaignForm(request.GET or None)
    address = _address(program, form)
    context = {
        "program": program,
        "title": _("Link and QR code"),
        "breadcrumbs": [
            *program_crumbs(program),
            (_("Members"), reverse("loyalty_backoffice:program_members", args=[program.code])),
        ],
        "form": form if form.is_bound else CampaignForm(),
        "address": address,
        "campaign": _campaign(form),
        "qr_code": qr_code(address),
    }
    return render(request, "loyalty/backoffice/join_link.html", context)


@require_safe
@staff_view("programs.view")
def join_link_file(request: HttpRequest, code: str, kind: str) -> HttpResponse:
    """The code as a picture that prints well at any size (SVG), or for screens (PNG)."""
    program = get_object_or_404(Program, code=code, status=Program.Status.LIVE)
    form = CampaignForm(request.GET)
    picture = io.BytesIO()
    segno.make_qr(_address(program, form), error="m").save(picture, kind=kind, scale=12, border=4)
    name = "-".join(part for part in (program.code, _campaign(form)) if part)
    response = HttpResponse(picture.getvalue(), content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


def _campaign(form: CampaignForm) -> str:
    valid = form.is_bound and form.is_valid()
    return str(form.cleaned_data["c"]) if valid else ""


def _address(program: Program, form: CampaignForm) -> str:
    address = settings.SITE_URL + reverse("programs:program", args=[program.code])
    campaign = _campaign(form)
    return f"{address}?{urlencode({'c': campaign})}" if campaign else address
