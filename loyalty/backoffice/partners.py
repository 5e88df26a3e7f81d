"""The partners of a program: at whose units are earned and spent as well, and what is settled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.charity_forms import PaidForm
from loyalty.backoffice.links import Crumbs, program_crumbs
from loyalty.backoffice.partner_forms import PartnerForm, PartnerRateForm
from loyalty.backoffice.partner_pages import (
    partner_context,
    partner_orders,
    partner_today,
    settlement_context,
    settlement_file,
    settlements,
)
from loyalty.models import Partner, PartnerSettlement, Program
from loyalty.selectors.goals import today_of
from loyalty.selectors.partner_statements import running_statement
from loyalty.selectors.partners import partners, partners_in
from loyalty.services.partner_settlements import close_month, is_due, pay_settlement
from loyalty.services.partners import change_partner, create_partner, end_partner
from members.forms import errors_on, posted
from members.list_files import ListFile, hand_out
from members.policy import acting, is_allowed, staff_view
from members.responses import htmx_redirect

NAMESPACE = "loyalty_backoffice"


FILE: ListFile[Partner] = ListFile(
    "partners",
    {
        "partner": lambda row: row.code,
        "name": lambda row: row.account.name,
        "state": lambda row: row.status,
        "since": lambda row: row.since,
        "ended_at": lambda row: row.ended_at,
        "website": lambda row: row.website,
    },
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.view")
def partner_list(request: HttpRequest, code: str) -> HttpResponse:
    """All partners of a program with what is not settled yet."""
    program = get_object_or_404(Program, code=code)
    if request.method == "POST":
        return hand_out(request, FILE, partners_in(program))
    today = today_of(program, timezone.now())
    context = {
        "program": program,
        "file": FILE.offered(request),
        "title": _("Partners"),
        "breadcrumbs": program_crumbs(program),
        "rows": [
            {"partner": item, "running": running_statement(item, today), "url": partner_url(item)}
            for item in partners_in(program)
        ],
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "partners/backoffice/partner_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def partner_create(request: HttpRequest, code: str) -> HttpResponse:
    """A new partner with its first rates."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    form = PartnerForm(posted(request), program=program, partner=None, today=today_of(program, now))
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            made = create_partner(
                program=program, definition=definition, actor=acting(request), now=now
            )
            messages.success(request, _("Make an API key for %s next.") % made.account.name)
            return redirect(partner_url(made))
    context = {"title": _("New partner"), "back": _list_url(program)}
    return _form_page(request, program, form, context)


@require_safe
@staff_view("programs.view")
def partner_page(request: HttpRequest, code: str, partner_code: str) -> HttpResponse:
    """One partner: what is owed, its rates, its months, and what was sold there."""
    partner = _partner(code, partner_code)
    context = partner_context(partner, partner_today(partner)) | {
        "breadcrumbs": _crumbs(partner.account.program),
        "may_edit": is_allowed(request.user, "programs.edit"),
        "may_close": is_due(partner, partner_today(partner)),
        "settlement_view": f"{NAMESPACE}:partner_settlement",
        "page": partner_orders(request, partner),
    }
    return render(request, "partners/backoffice/partner.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def partner_edit(request: HttpRequest, code: str, partner_code: str) -> HttpResponse:
    """Another name or other words; rates have a form of their own."""
    partner = _partner(code, partner_code)
    program, now = partner.account.program, timezone.now()
    today = today_of(program, now)
    form = PartnerForm(posted(request), program=program, partner=partner, today=today)
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            change_partner(partner=partner, definition=definition, actor=acting(request), now=now)
            messages.success(request, _("The partner was changed."))
            return redirect(partner_url(partner))
    title = _("Change %s") % partner.account.name
    context = {"title": title, "back": partner_url(partner)}
    return _form_page(request, program, form, context, partner)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def partner_rate(request: HttpRequest, code: str, partner_code: str) -> HttpResponse:
    """Other rates, from a day on."""
    partner = _partner(code, partner_code)
    now = timezone.now()
    form = PartnerRateForm(posted(request), partner=partner, today=partner_today(partner))
    if form.is_valid() and (definition := form.definition()):
        with errors_on(form):
            change_partner(partner=partner, definition=definition, actor=acting(request), now=now)
            messages.success(request, _("The rates were changed."))
            return redirect(partner_url(partner))
    title = _("Rates of %s") % partner.account.name
    context = {"title": title, "back": partner_url(partner)}
    return _form_page(request, partner.account.program, form, context, partner)


@require_POST
@staff_view("programs.edit")
def partner_end(request: HttpRequest, code: str, partner_code: str) -> HttpResponse:
    """Let nothing be earned or spent there any more."""
    partner = _partner(code, partner_code)
    end_partner(partner=partner, actor=acting(request), now=timezone.now())
    messages.success(request, _("It takes part no more. What is not settled is settled as ever."))
    return redirect(partner_url(partner))


@require_POST
@staff_view("programs.edit")
def partner_close(request: HttpRequest, code: str, partner_code: str) -> HttpResponse:
    """Close the next month, if it is over, without waiting for the job that does."""
    partner = _partner(code, partner_code)
    if not is_due(partner, partner_today(partner)):
        messages.error(request, _("No month is over that is not closed."))
        return redirect(partner_url(partner))
    closed = close_month(partner=partner, actor=acting(request), now=timezone.now())
    return redirect(settlement_url(closed))


@require_safe
@staff_view("programs.view")
def partner_settlement(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A month as it was closed."""
    settlement = _settlement(public_id)
    context = settlement_context(settlement) | {
        "title": _("Settlement %s") % settlement.number,
        "breadcrumbs": _crumbs(settlement.partner.account.program, settlement.partner),
        "file_url": reverse(f"{NAMESPACE}:partner_settlement_csv", args=[settlement.public_id]),
        "may_edit": is_allowed(request.user, "programs.edit"),
    }
    return render(request, "partners/backoffice/settlement.html", context)


@require_safe
@staff_view("programs.view")
def partner_settlement_csv(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Its movements as a file, to send along."""
    return settlement_file(_settlement(public_id))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def partner_settlement_pay(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say that it was paid, by whoever owed it."""
    settlement = _settlement(public_id)
    today = partner_today(settlement.partner)
    form = PaidForm(posted(request), initial={"paid_on": today})
    if form.is_valid():
        with errors_on(form):
            pay_settlement(
                settlement=settlement, reference=form.cleaned_data["reference"],
                paid_on=form.cleaned_data["paid_on"], actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            messages.success(request, _("The settlement is marked as paid."))
            return htmx_redirect(request, settlement_url(settlement))
    context = {
        "title": _("Mark as paid"),
        "text": _("Nothing is transferred by this: it says that it was."),
        "form": form,
        "settlement": settlement,
        "partner": settlement.partner,
        "owed": abs(settlement.net),
        "back": settlement_url(settlement),
        "breadcrumbs": _crumbs(settlement.partner.account.program, settlement.partner),
    }
    status = 422 if form.errors else 200
    return render(request, "partners/backoffice/settlement_pay.html", context, status=status)


def partner_url(partner: Partner) -> str:
    return reverse(f"{NAMESPACE}:partner", args=[partner.account.program.code, partner.code])


def settlement_url(settlement: PartnerSettlement) -> str:
    return reverse(f"{NAMESPACE}:partner_settlement", args=[settlement.public_id])


def _list_url(program: Program) -> str:
    return reverse(f"{NAMESPACE}:partner_list", args=[program.code])


def _crumbs(program: Program, partner: Partner | None = None) -> Crumbs:
    crumbs = [*program_crumbs(program), (_("Partners"), _list_url(program))]
    return [*crumbs, (partner.account.name, partner_url(partner))] if partner else crumbs


def _partner(code: str, partner_code: str) -> Partner:
    return get_object_or_404(
        partners(), account__program__code=code, account__code=partner_code
    )  # fmt: skip


def _settlement(public_id: UUID) -> PartnerSettlement:
    return get_object_or_404(settlements(), public_id=public_id)


def _form_page(
    request: HttpRequest, program: Program, form: PartnerForm | PartnerRateForm,
    context: dict[str, Any], partner: Partner | None = None,
) -> HttpResponse:  # fmt: skip
    context |= {"form": form, "program": program, "breadcrumbs": _crumbs(program, partner)}
    status = 422 if form.errors else 200
    return render(request, "partners/backoffice/partner_form.html", context, status=status)
