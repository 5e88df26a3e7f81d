"""Affiliates of a program: who they are, what they are due, and that they were paid."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.referral_forms import AffiliateForm
from campaigns.backoffice.referral_menu import NAMESPACE
from campaigns.backoffice.referral_settings import crumbs, program_url
from campaigns.models import Affiliate, ReferralProgram
from campaigns.services.affiliates import (
    add_affiliate,
    change_affiliate,
    overpaid,
    pay_month,
    renew_page,
    report_of,
    reports_of,
    stop_affiliate,
)
from campaigns.services.referral_links import address_of
from loyalty.models import Program
from loyalty.plain_numbers import exact
from members.csv_files import csv_response
from members.errors import DomainError
from members.file_cells import harmless
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view

# The address of a page is shown once, to whoever made it.
SHOWN_ONCE = "affiliate_page"


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.publish")
def affiliate_list(request: HttpRequest, code: str) -> HttpResponse:
    """All of a program's, and another one."""
    program = get_object_or_404(Program, code=code)
    row = get_object_or_404(ReferralProgram, program=program)
    form = AffiliateForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            made, page = add_affiliate(
                referral_program=row, actor=acting(request), now=timezone.now(), **form.said()
            )
            request.session[SHOWN_ONCE] = page
            return redirect(affiliate_url(made))
    found = list(Affiliate.objects.filter(referral_program=row).select_related("link"))
    reports = reports_of(found, program)
    context = {
        "title": _("Affiliates"), "breadcrumbs": crumbs(program), "program": program, "form": form,
        "rows": [(item, sum(month.owed for month in reports[item.pk])) for item in found],
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "referrals/backoffice/affiliate_list.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("rules.publish")
def affiliate(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """What they are due by month, and what they get."""
    found = _find(public_id)
    program = found.referral_program.program
    form = AffiliateForm(posted(request), affiliate=found)
    if form.is_valid():
        with errors_on(form):
            change_affiliate(affiliate=found, actor=acting(request), **form.said())
            messages.success(request, _("Saved."))
            return redirect(affiliate_url(found))
    context = {
        "title": found.name, "affiliate": found, "program": program, "form": form,
        "breadcrumbs": [
            *crumbs(program), (_("Affiliates"), program_url(program, "affiliate_list"))
        ],
        "months": report_of(found), "overpaid": overpaid(found), "address": address_of(found.link),
        "page": request.session.pop(SHOWN_ONCE, ""), "this_month": _this_month(program),
        "may_pay": is_allowed(request.user, "rules.publish"),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "referrals/backoffice/affiliate.html", context, status=status)


@require_POST
@staff_view("rules.publish")
def affiliate_act(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Note that a month was paid, give them another address, stop."""
    found, actor, now = _find(public_id), acting(request), timezone.now()
    try:
        match request.POST.get("do"):
            case "pay":
                month = _month(request.POST.get("month", ""))
                note = request.POST.get("note", "").replace("\x00", "")
                pay_month(affiliate=found, month=month, note=note, actor=actor, now=now)
                messages.success(request, _("It was noted as paid."))
            case "renew":
                request.session[SHOWN_ONCE] = renew_page(affiliate=found, actor=actor)
            case "stop":
                stop_affiliate(affiliate=found, actor=actor, now=now)
                messages.success(request, _("Nobody comes by them any more."))
            case _:
                raise Http404("There is no such thing to do.")
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(affiliate_url(found))


@require_safe
@staff_view("rules.publish")
def affiliate_report(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """The months as a file."""
    found = _find(public_id)
    return csv_response(f"affiliate-{found.link.code}.csv", _lines(found))


def affiliate_url(found: Affiliate) -> str:
    return reverse(f"{NAMESPACE}:affiliate", args=[found.public_id])


def _lines(found: Affiliate) -> Iterator[list[str]]:
    yield ["month", "friends", "money", "currency", "paid", "paid_at", "note"]
    for item in report_of(found):
        paid = item.payout
        yield [
            f"{item.month:%Y-%m}", str(item.friends), exact(item.money, 2),
            found.referral_program.program.currency, exact(paid.money, 2) if paid else "",
            paid.paid_at.isoformat() if paid else "", harmless(paid.note) if paid else "",
        ]  # fmt: skip


def _find(public_id: uuid.UUID) -> Affiliate:
    rows = Affiliate.objects.select_related("referral_program__program", "link")
    return get_object_or_404(rows, public_id=public_id)


def _month(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007
    except ValueError as error:
        raise Http404("There is no such month.") from error


def _this_month(program: Program) -> dt.date:
    return timezone.now().astimezone(program.zone).date().replace(day=1)
