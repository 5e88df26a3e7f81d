"""Settings: how far each role may let pass what is against the terms of rewards."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods, require_safe

from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done
from rewards.backoffice.links import NAMESPACE
from rewards.selectors.overrides import DEFAULTS, OverrideTerms, override_terms, override_terms_of
from rewards.services.overrides import FIELDS, MOST, change_override_limit


def _count(name: str, label: Any, help_text: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=help_text, required=False, min_value=0, max_value=MOST[name]
    )


class OverrideLimitForm(forms.Form):
    """How far one role may go; empty: without limit."""

    most_in_a_day = _count(
        "most_in_a_day", _l("How many in a day"), _l("Empty: no limit. 0: none.")
    )
    units_at_once = _count(
        "units_at_once", _l("Units at once"),
        _l("What one reward may take at most, in whole units. Empty: no limit."),
    )  # fmt: skip
    units_in_a_day = _count(
        "units_in_a_day", _l("Units in a day"),
        _l("What all of them together may take. Empty: no limit."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, terms: OverrideTerms) -> None:
        super().__init__(data, initial={name: getattr(terms, name) for name in FIELDS})


@require_safe
@staff_view("limits.view")
def override_limit_list(request: HttpRequest) -> HttpResponse:
    """The limits of every role that may."""
    context = {"terms": override_terms()}
    return render(request, "rewards/backoffice/override_limit_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("limits.manage")
def override_limit_edit(request: HttpRequest, role: str) -> HttpResponse:
    """How far one role may go."""
    if role not in DEFAULTS:
        raise Http404("This role lets nothing pass.")
    terms, back = override_terms_of(role), reverse(f"{NAMESPACE}:override_limit_list")
    form = OverrideLimitForm(posted(request), terms=terms)
    if form.is_valid():
        with errors_on(form):
            change_override_limit(actor=acting(request), role=role, **form.cleaned_data)
            return dialog_done(
                request, url=back, changed="limit",
                message=_("The limits are saved and hold from now on."),
            )  # fmt: skip
    context = {
        "title": terms.role_name, "form": form, "submit": _("Save limits"), "back": back,
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/voucher_pool_form.html", context, status=status)
