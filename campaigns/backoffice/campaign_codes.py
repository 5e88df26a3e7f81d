"""The codes of a promotion: how often they were used, more of them, and all of them as a file."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.backoffice.campaigns import campaign_url, crumbs, find_campaign
from campaigns.campaign_definitions import codes_of
from campaigns.models import Campaign
from campaigns.selectors.promo_codes import CodeCount, codes_as_rows, count_codes, latest_uses
from campaigns.services.promo_codes import AT_ONCE, make_codes, write_codes
from members.csv_files import csv_response
from members.file_cells import harmless
from members.formatting import format_number
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done


class MakeCodesForm(forms.Form):
    number = forms.IntegerField(
        label=_l("How many"), min_value=1, max_value=AT_ONCE,
        help_text=_l("Each is used once. Nobody can guess them."),
    )  # fmt: skip


class WriteCodesForm(forms.Form):
    text = forms.CharField(
        label=_l("Codes"), max_length=500_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
        help_text=_l("One in each line, between 4 and 40 letters and digits."),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CodePanel:
    """What the page of a promotion shows of its codes."""

    kind: str
    word: str
    per_member: int | None
    count: CodeCount
    uses: list[Any]
    may_add: bool


def code_panel(campaign: Campaign, *, may_edit: bool) -> CodePanel | None:
    """None: it takes no code."""
    codes = codes_of(campaign)
    if not codes.asked:
        return None
    may_add = may_edit and codes.kind == "single" and campaign.status != Campaign.Status.ENDED
    return CodePanel(
        codes.kind, codes.word, codes.per_member, count_codes(campaign), latest_uses(campaign),
        may_add,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def campaign_codes_make(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """More codes that nobody can guess."""
    campaign, form = _single(public_id), MakeCodesForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            made = make_codes(
                campaign=campaign, number=form.cleaned_data["number"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            return _done(request, made, campaign)
    return _dialog(request, form, campaign, _("Make codes"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.draft")
def campaign_codes_write(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Codes that came from elsewhere."""
    campaign, form = _single(public_id), WriteCodesForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            made = write_codes(
                campaign=campaign, text=form.cleaned_data["text"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            return _done(request, made, campaign)
    return _dialog(request, form, campaign, _("Add codes"))


@require_safe
@staff_view("rules.draft")
def campaign_codes_file(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """All of them, and which are used: to be handed out."""
    campaign = _single(public_id)
    rows = ((harmless(code), used) for code, used in codes_as_rows(campaign))
    return csv_response(f"{campaign.code}-codes.csv", chain([("code", "used")], rows))


def _single(public_id: uuid.UUID) -> Campaign:
    campaign = find_campaign(public_id)
    if codes_of(campaign).kind != "single":
        raise Http404("It has no such codes.")
    return campaign


def _done(request: HttpRequest, made: int, campaign: Campaign) -> HttpResponse:
    words = ngettext("%s code was added.", "%s codes were added.", made) % format_number(made)
    return dialog_done(request, url=campaign_url(campaign), changed="campaign-codes", message=words)


def _dialog(request: HttpRequest, form: forms.Form, campaign: Campaign, title: str) -> HttpResponse:
    context = {
        "title": title, "form": form, "submit": title, "back": campaign_url(campaign),
        "breadcrumbs": crumbs(campaign),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "campaigns/backoffice/campaign_codes_dialog.html", context,
                  status=status)  # fmt: skip
