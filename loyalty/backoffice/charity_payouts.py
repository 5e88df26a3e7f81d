"""Payouts to charities: making one, its lines as a page and a file, paid, or taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from loyalty.backoffice.charity_forms import PaidForm, PayoutForm, TakeBackForm
from loyalty.backoffice.giving_links import charity_url, giving_crumbs, payout_url
from loyalty.models import Charity, CharityEntry, CharityPayout
from loyalty.selectors.charities import Worth, charities
from loyalty.selectors.impact import lines_of, worth_words
from loyalty.services.charity_payouts import (
    make_payout,
    pay_payout,
    preview_payout,
    take_back_payout,
)
from members.csv_files import csv_response
from members.file_cells import harmless
from members.forms import errors_on, posted
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import htmx_redirect

HEADER = (
    "day", "kind", "member", "order", "pledge", "wallet_type", "units", "money", "currency",
    "things",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def charity_payout_create(request: HttpRequest, code: str, charity_code: str) -> HttpResponse:
    """Which days are paid out; what that comes to is said before."""
    charity = get_object_or_404(
        charities(), account__program__code=code, account__code=charity_code
    )
    yesterday = _today(charity) - dt.timedelta(days=1)
    form = PayoutForm(posted(request), initial={"until": yesterday})
    if form.is_valid():
        with errors_on(form):
            payout = make_payout(
                charity=charity, since=form.cleaned_data["since"],
                until=form.cleaned_data["until"], actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            return htmx_redirect(request, payout_url(payout))
    to_pay = preview_payout(charity, yesterday)
    context = {
        "title": _("Pay out %s") % charity.account.name,
        "form": form,
        "charity": charity,
        "program": charity.account.program,
        "to_pay": to_pay,
        "yesterday": yesterday,
        "breadcrumbs": giving_crumbs(charity.account.program, charity),
        "back": charity_url(charity),
    }
    status = 422 if form.errors else 200
    return render(request, "giving/backoffice/payout_form.html", context, status=status)


@require_safe
@staff_view("programs.view")
def charity_payout(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What is in a payout, line by line."""
    payout = _payout(public_id)
    charity = payout.charity
    page = paginate(
        _lines(payout), request=request, orderings={"": ("booked_on", "pk")}, default="",
        per_page=50,
    )  # fmt: skip
    context = {
        "payout": payout,
        "charity": charity,
        "program": charity.account.program,
        "title": _("Payout %s") % payout.number,
        "breadcrumbs": giving_crumbs(charity.account.program, charity),
        "things": worth_words(charity, Worth(payout.money, payout.things))
        if charity.thing_singular else "",
        "page": page,
        "may_edit": is_allowed(request.user, "programs.edit"),
    }  # fmt: skip
    return render(request, "giving/backoffice/payout.html", context)


@require_safe
@staff_view("programs.view")
def charity_payout_csv(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The lines as a file, to send along."""
    payout = _payout(public_id)
    code = payout.charity.account.code
    rows = _rows(payout)
    return csv_response(f"payout-{code}-{payout.number}.csv", chain([HEADER], rows))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def charity_payout_pay(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say that it was paid."""
    payout = _payout(public_id)
    form = PaidForm(posted(request), initial={"paid_on": _today(payout.charity)})
    if form.is_valid():
        with errors_on(form):
            pay_payout(
                payout=payout, reference=form.cleaned_data["reference"],
                paid_on=form.cleaned_data["paid_on"], actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            messages.success(request, _("The payout is marked as paid."))
            return htmx_redirect(request, payout_url(payout))
    text = _("Nothing is transferred by this: it says that you did.")
    return _act_page(request, payout, form, _("Mark as paid"), text)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("programs.edit")
def charity_payout_take_back(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a payout back that was a mistake."""
    payout = _payout(public_id)
    form = TakeBackForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            take_back_payout(payout=payout, reason=form.cleaned_data["note"], actor=acting(request))
            messages.success(request, _("What was in it waits for another payout."))
            return htmx_redirect(request, payout_url(payout))
    text = _("What is in it is owed again, and comes into the next payout.")
    return _act_page(request, payout, form, _("Take it back"), text)


def _act_page(
    request: HttpRequest, payout: CharityPayout, form: PaidForm | TakeBackForm, title: str,
    text: str,
) -> HttpResponse:  # fmt: skip
    charity = payout.charity
    context = {
        "title": title,
        "text": text,
        "form": form,
        "payout": payout,
        "program": charity.account.program,
        "back": payout_url(payout),
        "breadcrumbs": [
            *giving_crumbs(charity.account.program, charity),
            (_("Payout %s") % payout.number, payout_url(payout)),
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "giving/backoffice/payout_act.html", context, status=status)


def _payout(public_id: UUID) -> CharityPayout:
    rows = CharityPayout.objects.select_related("charity__account__program")
    return get_object_or_404(rows, public_id=public_id)


def _lines(payout: CharityPayout) -> QuerySet[CharityEntry]:
    return lines_of(payout.charity).filter(payout=payout)


def _rows(payout: CharityPayout) -> Iterator[list[str]]:
    """Members by their number only: whoever is paid need not know their names."""
    currency = payout.charity.account.program.currency
    for entry in _lines(payout).order_by("booked_on", "pk"):
        yield [
            entry.booked_on.isoformat(), entry.kind, *_sources(entry),
            entry.wallet_type.code if entry.wallet_type else "", _units(entry),
            f"{entry.money:.4f}", currency, f"{entry.things:.4f}",
        ]  # fmt: skip


def _sources(entry: CharityEntry) -> list[str]:
    member = entry.membership
    order = entry.order or (entry.pledge_event.order if entry.pledge_event else None)
    pledge = entry.pledge_event.pledge.code if entry.pledge_event else ""
    number = member.customer.external_id or "" if member else ""
    return [harmless(number), harmless(order.external_id if order else ""), pledge]


def _units(entry: CharityEntry) -> str:
    if entry.wallet_type is None:
        return ""
    return str(Decimal(entry.units).scaleb(-entry.wallet_type.scale))


def _today(charity: Charity) -> dt.date:
    return timezone.now().astimezone(charity.account.program.zone).date()
