"""What is counted of messages: settled for all of them, and for a program otherwise."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from campaigns.backoffice.places import NAMESPACE, crumbs
from campaigns.models import MessagingPolicy, ProgramMeasuring
from campaigns.selectors.policies import get_policy
from campaigns.services.policies import MOST_ORDER_DAYS, set_measuring, set_policy
from loyalty.models import Program
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, require, staff_view

FIELDS = ("track_clicks", "track_opens", "tracking_asks", "order_days")


class MeasuringForm(forms.Form):
    track_clicks = forms.BooleanField(
        label=_l("Count who follows a link in a message"), required=False,
        help_text=_l("Links lead over this site, short ones where every character costs. Those by"
                     " which somebody declines never do."),
    )  # fmt: skip
    track_opens = forms.BooleanField(
        label=_l("Count who opens a mail"), required=False,
        help_text=_l("By a picture of one dot. It says little, and some countries ask for a yes."),
    )  # fmt: skip
    tracking_asks = forms.BooleanField(
        label=_l("Only of who has said yes to being counted"), required=False,
        help_text=_l("Else of all who have not said no. Members choose on their own page."),
    )  # fmt: skip
    order_days = forms.IntegerField(
        label=_l("Days for an order"), min_value=1, max_value=MOST_ORDER_DAYS,
        help_text=_l("An order so soon after a message counts as one that followed it."),
    )  # fmt: skip

    def __init__(self, policy: MessagingPolicy, programs: list[Program], data: Any = None) -> None:
        known = {row.program_id: row for row in ProgramMeasuring.objects.all()}
        initial = {name: getattr(policy, name) for name in FIELDS}
        super().__init__(data, initial=initial)
        for program in programs:
            row = known.get(program.pk)
            self.fields[f"{program.code}-counted"] = forms.BooleanField(
                label=_("Count what is about %s") % program.name, required=False,
                initial=not (row and row.is_off),
            )  # fmt: skip
            self.fields[f"{program.code}-days"] = forms.IntegerField(
                label=_("Days for an order, %s") % program.name, required=False, min_value=1,
                max_value=MOST_ORDER_DAYS, initial=row.order_days if row else None,
                help_text=_("Empty: as above."),
            )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def measuring(request: HttpRequest) -> HttpResponse:
    """For all messages, and what a program has otherwise."""
    if request.method == "POST":
        require(request.user, "messages.edit")
    policy = get_policy()
    programs = list(Program.objects.exclude(status=Program.Status.ARCHIVED).order_by("name"))
    form = MeasuringForm(policy, programs, posted(request))
    if form.is_valid():
        with errors_on(form):
            _save(request, form, programs)
            messages.success(request, _("Saved. It counts for what is sent from now on."))
            return redirect(f"{NAMESPACE}:measuring")
    context = {
        "title": _("What is counted"), "breadcrumbs": _crumbs(), "form": form, "policy": policy,
        "own": [form[name] for name in FIELDS],
        "of_programs": [(program, form[f"{program.code}-counted"], form[f"{program.code}-days"])
                        for program in programs],
        "may_edit": is_allowed(request.user, "messages.edit"),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "messages/backoffice/measuring.html", context, status=status)


@transaction.atomic
def _save(request: HttpRequest, form: MeasuringForm, programs: list[Program]) -> None:
    data, actor = form.cleaned_data, acting(request)
    set_policy(changes={name: data[name] for name in FIELDS}, actor=actor)
    for program in programs:
        set_measuring(
            program=program, is_off=not data[f"{program.code}-counted"],
            order_days=data[f"{program.code}-days"], actor=actor,
        )  # fmt: skip


def _crumbs() -> list[tuple[str, str]]:
    return [*crumbs(), (_("Figures"), reverse(f"{NAMESPACE}:figure_list"))]
