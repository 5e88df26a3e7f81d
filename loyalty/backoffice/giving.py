"""What is given in a program: its charities, what the merchant pledges, and what came of it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.charity_forms import CharityForm
from loyalty.backoffice.giving_links import charity_url, giving_crumbs, giving_url
from loyalty.backoffice.links import customer_crumbs, customer_url, program_crumbs
from loyalty.models import Charity, CharityEntry, Membership, Program, StandingGift
from loyalty.pledge_words import amount_words, pledge_state, pledge_words
from loyalty.selectors.charities import charities, charity_definition, pledges_in
from loyalty.selectors.impact import (
    given_by_month,
    impact_of_charity,
    impact_of_member,
    impact_of_program,
    lines_of,
    owed_to,
    payouts_of,
    rate_words,
)
from loyalty.selectors.memberships import list_memberships
from loyalty.services.charities import change_charity, create_charity
from loyalty.services.standing_gifts import end_standing_gift, standing_gifts_of
from members.charts import Chart, Series
from members.formatting import format_short_month
from members.forms import errors_on, posted
from members.models import Customer
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view

MONTHS = 12
LATEST = 10


@require_safe
@staff_view("programs.view")
def giving(request: HttpRequest, code: str) -> HttpResponse:
    """All charities of a program with what they were given, and its pledges."""
    program = get_object_or_404(Program, code=code)
    impacts = impact_of_program(program)
    owed = {item.charity.pk: item.money for item in owed_to([item.charity for item in impacts])}
    context = {
        "program": program,
        "title": _("Giving"),
        "breadcrumbs": program_crumbs(program),
        "cards": [
            {
                "impact": item, "charity": item.charity, "owed": owed[item.charity.pk],
                "url": charity_url(item.charity),
            }
            for item in impacts
        ],
        "total": sum(item.worth.money for item in impacts),
        "owed": sum(owed.values()),
        "standing": StandingGift.objects.filter(
            membership__program=program, ended_at=None, membership__status="active"
        ).count(),
        "givers": CharityEntry.objects.filter(
            charity__account__program=program, kind__in=CharityEntry.IN_UNITS
        ).values("membership").distinct().count(),
        "chart": _chart(program) if impacts else None,
        "pledges": _pledge_rows(program),
        "may_edit": _may_edit(request),
    }  # fmt: skip
    return render(request, "giving/backoffice/giving.html", context)


@require_safe
@staff_view("programs.view")
def charity(request: HttpRequest, code: str, charity_code: str) -> HttpResponse:
    """One charity: what it was given, by what, what is owed to it, and its payouts."""
    found = _charity(code, charity_code)
    program = found.account.program
    page = paginate(
        lines_of(found), request=request, orderings={"": ("-booked_on", "-pk")}, default="",
        per_page=LATEST,
    )  # fmt: skip
    [owed] = owed_to([found])
    context = {
        "program": program,
        "charity": found,
        "title": found.account.name,
        "breadcrumbs": giving_crumbs(program),
        "impact": impact_of_charity(found),
        "owed": owed,
        "rates": rate_words(found),
        "chart": _chart(program, found),
        "payouts": payouts_of(found)[:12],
        "pledges": _pledge_rows(program, found),
        "page": page,
        "may_edit": _may_edit(request),
    }
    return render(request, "giving/backoffice/charity.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def charity_create(request: HttpRequest, code: str) -> HttpResponse:
    """A new charity; members can give to it at once."""
    program = get_object_or_404(Program, code=code)
    form = CharityForm(posted(request), program=program, charity=None)
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            made = create_charity(program=program, definition=definition, actor=acting(request))
            messages.success(request, _("Members can give to %s now.") % made.account.name)
            return redirect(charity_url(made))
    context = {"title": _("New charity"), "submit": _("Save"), "back": giving_url(program)}
    return _form_page(request, program, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def charity_edit(request: HttpRequest, code: str, charity_code: str) -> HttpResponse:
    """Other words, another rate, from now on; what was given stays what it was worth."""
    found = _charity(code, charity_code)
    program = found.account.program
    form = CharityForm(posted(request), program=program, charity=found)
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            change_charity(charity=found, definition=definition, actor=acting(request))
            messages.success(request, _("The charity was changed."))
            return redirect(charity_url(found))
    context = {
        "title": _("Change %s") % found.account.name, "submit": _("Save"),
        "back": charity_url(found), "charity": found,
    }  # fmt: skip
    return _form_page(request, program, form, context)


@require_POST
@staff_view("programs.edit")
def charity_state(request: HttpRequest, code: str, charity_code: str) -> HttpResponse:
    """Let nothing be given to it any more, or again."""
    found = _charity(code, charity_code)
    wanted = request.POST.get("status", "")
    words = {
        Charity.Status.LIVE: _("Members can give to it again."),
        Charity.Status.ARCHIVED: _("Nothing can be given to it any more. What is owed stays owed."),
    }
    if wanted in words:
        definition = charity_definition(found).model_copy(update={"status": wanted})
        change_charity(charity=found, definition=definition, actor=acting(request))
        messages.success(request, words[Charity.Status(wanted)])
    return HttpResponseRedirect(charity_url(found))


@require_safe
@staff_view("customers.view")
def giving_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What went to charities through a customer, and what they give by themselves."""
    customer = get_object_or_404(Customer, public_id=public_id)
    members = list_memberships(customer)
    context = {
        "customer": customer,
        "title": _("Giving"),
        "panel_id": "giving",
        "panel_icon": "heart",
        "panel_refresh": "wallet-changed",
        "breadcrumbs": customer_crumbs(customer),
        "impacts": [item for member in members for item in impact_of_member(member)],
        "standing": [
            (member, gift) for member in members for gift in standing_gifts_of(member).values()
        ],
        "may_end": is_allowed(request.user, "gifts.make"),
    }
    return render(request, "giving/backoffice/panel.html", context)


@require_POST
@staff_view("gifts.make")
def standing_gift_end(request: HttpRequest, public_id: UUID, wallet_type: str) -> HttpResponse:
    """End what a member gives by themselves, on their behalf."""
    members = Membership.objects.select_related("customer", "program")
    member = get_object_or_404(members, public_id=public_id)
    unit = get_object_or_404(member.program.wallet_types, code=wallet_type)
    ended = end_standing_gift(
        membership=member, wallet_type=unit, actor=acting(request), now=timezone.now()
    )
    if ended is not None:
        messages.success(request, _("The standing gift has ended. What was given stays given."))
    return HttpResponseRedirect(customer_url(member.customer))


def _charity(code: str, charity_code: str) -> Charity:
    found = charities().filter(account__program__code=code, account__code=charity_code).first()
    if found is None:
        raise Http404("The program has no such charity.")
    return found


def _pledge_rows(program: Program, charity: Charity | None = None) -> list[dict[str, Any]]:
    found = pledges_in(program)
    if charity is not None:
        found = found.filter(charity=charity)
    now = timezone.now()
    return [
        {
            "pledge": item,
            "words": pledge_words(item),
            "state": pledge_state(item, now),
            "given": amount_words(item, item.given),
            "share": int(100 * item.given / item.budget) if item.budget else None,
        }
        for item in found
    ]


def _chart(program: Program, charity: Charity | None = None) -> Chart:
    today: dt.date = timezone.now().astimezone(program.zone).date()
    months = given_by_month(program, today, charity=charity, months=MONTHS)
    kinds = [
        kind for kind in CharityEntry.Kind
        if any(kind.value in found for _month, found in months)
    ] or [CharityEntry.Kind.DONATION]  # fmt: skip
    return Chart(
        id="given-by-month",
        title=_("Given by month"),
        labels=[format_short_month(month) for month, _found in months],
        series=[
            Series(str(kind.label), [found.get(kind.value, 0) for _month, found in months])
            for kind in kinds
        ],
        kind="stacked",
        unit=program.currency,
        summary=_("What was given in each of the last twelve months, by how it was given."),
    )


def _form_page(
    request: HttpRequest, program: Program, form: CharityForm, context: dict[str, Any]
) -> HttpResponse:
    shown = {
        "program": program, "form": form,
        "breadcrumbs": giving_crumbs(program, context.get("charity")), **context,
    }  # fmt: skip
    return render(
        request, "giving/backoffice/charity_form.html", shown, status=422 if form.errors else 200
    )


def _may_edit(request: HttpRequest) -> bool:
    return is_allowed(request.user, "programs.edit")
