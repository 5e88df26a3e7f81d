"""Activities on screen: those of a customer, one with what it brought, and the decision on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.arithmetic import arithmetic
from loyalty.backoffice.links import customer_crumbs, customer_url
from loyalty.models import Activity, ActivityAward, Transfer, WalletType
from loyalty.selectors.activities import activities, activities_of
from loyalty.services.activity_decisions import (
    approve_activity,
    preview_approval,
    reject_activity,
    reverse_activity,
)
from members.errors import DomainError
from members.forms import errors_on, posted
from members.models import Customer
from members.paging import paginate
from members.policy import acting, is_allowed, require, staff_view
from members.responses import dialog_done
from members.timeline_view import WhyStep

State = Activity.State
SOURCE = Transfer.Source.BACKOFFICE


class NoteForm(forms.Form):
    """Why not, or why no more."""

    note = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "data-focus": True}),
        help_text=gettext_lazy("For your colleagues. Customers do not see it."),
    )


@dataclass(frozen=True, slots=True)
class AwardRow:
    """What one rule said: units, of what, and why."""

    rule: str
    program: str
    units: int
    wallet_type: WalletType
    why: tuple[WhyStep, ...]


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """An activity of a list, with what it brought."""

    activity: Activity
    title: str
    awards: list[AwardRow]


def activity_rows(found: Iterable[Activity]) -> list[ActivityRow]:
    """Rows for activities from `loyalty.selectors.activities.activities`."""
    return [ActivityRow(item, str(item), award_rows(item.awards.all())) for item in found]


def award_rows(awards: Iterable[ActivityAward]) -> list[AwardRow]:
    return [_award_row(award) for award in awards]


@require_safe
@staff_view("customers.view")
def activity_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What the customer did besides buying, and what it brought."""
    customer = get_object_or_404(Customer, public_id=public_id)
    page = paginate(
        activities_of(customer),
        request=request,
        orderings={"": ("-occurred_at", "-pk")},
        default="",
        per_page=6,
    )
    context = {
        "customer": customer,
        "title": _("Activities"),
        "panel_id": "activities",
        "panel_icon": "star",
        "panel_refresh": "wallet-changed",
        "panel_flush": True,
        "breadcrumbs": customer_crumbs(customer),
        "page": page,
        "rows": activity_rows(page.items),
    }
    return render(request, "loyalty/backoffice/activity_panel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def activity(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One activity, with what it brought or would bring; sending it approves."""
    if request.method == "POST":
        require(request.user, "activities.decide")
    item, problem = _get(public_id), ""
    if request.method == "POST":
        try:
            approve_activity(
                activity=item, actor=acting(request), source=SOURCE, now=timezone.now()
            )
        except DomainError as error:
            problem = str(error.message)
        else:
            return _done(request, item, _("Approved: %s."))
    waits = item.state == State.PENDING and not problem
    if waits:
        awards = preview_approval(activity=item, source=SOURCE, now=timezone.now())
    else:
        awards = list(item.awards.all())
    may_decide = is_allowed(request.user, "activities.decide")
    context = _context(item) | {
        "title": _("Approve this?") if waits and may_decide else str(item),
        "awards": award_rows(awards),
        "waits": waits,
        "problem": problem,
        "may_approve": waits and may_decide,
        "may_reverse": item.state == State.APPROVED and may_decide,
    }
    status = 422 if problem else 200
    return render(request, "loyalty/backoffice/activity.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("activities.decide")
def activity_reject(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say no, and why."""
    item, form = _get(public_id), NoteForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            reject_activity(
                activity=item, actor=acting(request), note=form.cleaned_data["note"],
                now=timezone.now(),
            )  # fmt: skip
            return _done(request, item, _("Rejected: %s."))
    words = _("Nothing is given for it, and it uses up no limit.")
    return _note_dialog(request, item, form, _("Reject this?"), words, _("Reject"))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("activities.decide")
def activity_reverse(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take back what it brought, and say why."""
    item, form = _get(public_id), NoteForm(posted(request))
    if request.method == "POST" and form.is_valid():
        with errors_on(form):
            reverse_activity(
                activity=item, actor=acting(request), note=form.cleaned_data["note"],
                source=SOURCE, now=timezone.now(),
            )  # fmt: skip
            return _done(request, item, _("Taken back: %s."))
    words = _(
        "What it brought is taken back. What was spent meanwhile is treated as after a return."
    )
    return _note_dialog(request, item, form, _("Take this back?"), words, _("Take back"))


def _get(public_id: UUID) -> Activity:
    return get_object_or_404(activities(), public_id=public_id)


def _context(item: Activity) -> dict[str, Any]:
    return {
        "item": item,
        "name": str(item),
        "facts": _facts(item.data),
        "proof_is_link": item.proof.startswith(("https://", "http://")),
        "customer_url": customer_url(item.customer),
        "back": customer_url(item.customer),
    }


def _facts(data: dict[str, Any]) -> list[tuple[str, str]]:
    """What was told, as people read it; what is nested is left to the API."""
    plain = {True: _("yes"), False: _("no")}
    return [
        (
            name.replace("_", " ").capitalize(),
            plain[value] if isinstance(value, bool) else str(value),
        )
        for name, value in data.items()
        if isinstance(value, str | int | float) and value != ""
    ]


def _award_row(award: ActivityAward) -> AwardRow:
    rule = award.rule_version.rule
    steps = [step for step in award.steps if step[0] != "not_met"]
    why = list(arithmetic(steps, wallet_type=rule.wallet_type, currency=rule.program.currency))
    if len(steps) < len(award.steps):
        why.append(WhyStep(_("The rule asks for something that was not so")))
    return AwardRow(rule.name, rule.program.name, award.units, rule.wallet_type, tuple(why))


def _note_dialog(
    request: HttpRequest, item: Activity, form: NoteForm, title: str, words: str, submit: str
) -> HttpResponse:
    context = _context(item) | {"title": title, "form": form, "words": words, "submit": submit}
    status = 422 if form.is_bound else 200
    return render(request, "loyalty/backoffice/activity_note.html", context, status=status)


def _done(request: HttpRequest, item: Activity, message: str) -> HttpResponse:
    return dialog_done(
        request,
        url=customer_url(item.customer)
        if request.GET.get("from") == "customer"
        else reverse("loyalty_backoffice:approval_list"),
        changed="wallet",
        message=message % item,
    )
