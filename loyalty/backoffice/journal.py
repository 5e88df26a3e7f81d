"""Insights → Journal: the books as accountants keep them, to look at and as a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_safe

from loyalty.backoffice.insights import UnitsForm, chosen_units, unit_choices
from loyalty.backoffice.moments import EARLIEST, LATEST
from loyalty.discount_account_words import DISCOUNT_NAMES
from loyalty.giving_account_words import GIVING_NAMES
from loyalty.journal_files import (
    HEADER,
    discount_journal_name,
    giving_journal_name,
    journal_name,
    journal_rows,
    money_rows,
)
from loyalty.models import Account, Transfer, WalletType
from loyalty.selectors.closed_periods import list_closed_periods
from loyalty.selectors.discount_journal import (
    DiscountJournal,
    read_discount_journal,
)
from loyalty.selectors.giving_journal import read_giving_journal
from loyalty.selectors.journal import (
    MEMBERS,
    REVALUATION,
    Balance,
    BookAccount,
    Journal,
    read_journal,
)
from loyalty.selectors.money_journal import MoneyJournal
from loyalty.stored_value_words import ACCOUNT_NAMES
from members.csv_files import csv_response
from members.formatting import format_day, format_days
from members.policy import is_allowed, staff_view

SHOWN_ENTRIES = 200


def _day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", "class": "form-control"})


class JournalForm(UnitsForm):
    """Units, days, and whether the days of a month are added up."""

    since = forms.DateField(label=_l("From"), required=False, widget=_day_input())
    until = forms.DateField(label=_l("To the end of"), required=False, widget=_day_input())
    per = forms.ChoiceField(
        label=_l("An entry for each"), required=False,
        choices=[("month", _l("Month")), ("day", _l("Day"))],
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip

    def days(self, today: dt.date) -> tuple[dt.date, dt.date]:
        """Those asked for, if they are days; without any the last month that is over."""
        last = today.replace(day=1) - dt.timedelta(days=1)
        since: dt.date = self._asked("since") or last.replace(day=1)
        until: dt.date = self._asked("until") or max(last, since)
        return (since, until) if since <= until else (until, since)

    def _asked(self, name: str) -> Any:
        day = self.cleaned_data.get(name)
        return day if day and EARLIEST < day <= LATEST else None


@dataclass(frozen=True, slots=True)
class JournalChoice:
    """What was chosen."""

    form: JournalForm
    wallet_type: WalletType
    since: dt.date
    until: dt.date
    monthly: bool

    @property
    def query(self) -> str:
        """The same choice for another page."""
        per = "month" if self.monthly else "day"
        return f"units={self.wallet_type.pk}&since={self.since}&until={self.until}&per={per}"

    def journal(self) -> Journal:
        return read_journal(self.wallet_type, self.since, self.until, monthly=self.monthly)

    def discounts(self) -> DiscountJournal:
        """Of the program of these units, on the same days."""
        return read_discount_journal(
            self.wallet_type.program, self.since, self.until, monthly=self.monthly
        )

    def giving(self) -> MoneyJournal:
        """The same of what charities are given in money."""
        return read_giving_journal(
            self.wallet_type.program, self.since, self.until, monthly=self.monthly
        )


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account in words, with what it opened and closed with: debits above zero."""

    account: BookAccount
    name: str
    balance: Balance


@dataclass(frozen=True, slots=True)
class EntryRow:
    days: str
    what: str
    debit: BookAccount
    credit: BookAccount
    units: int
    worth: Decimal


@require_safe
@staff_view("reports.view")
def journal_page(request: HttpRequest) -> HttpResponse:
    """Balances of all accounts, the entries, and how they tie out to the liability."""
    choice = _read(request)
    if choice is None:
        return render(request, "loyalty/backoffice/journal.html", {})
    journal = choice.journal()
    program = choice.wallet_type.program
    discounts = choice.discounts()
    periods = list_closed_periods(program)
    context = {
        "choice": choice,
        "form": choice.form,
        "wallet_type": choice.wallet_type,
        "program": program,
        "journal": journal,
        "summary": _summary(journal),
        "balances": [_account_row(item) for item in journal.balances],
        "entries": [_entry_row(entry) for entry in journal.entries[:SHOWN_ENTRIES]],
        "more": len(journal.entries) - SHOWN_ENTRIES,
        "discounts": discounts,
        "discount_balances": [_account_row(item) for item in discounts.balances],
        "giving_balances": [_account_row(item) for item in choice.giving().balances],
        "periods": periods,
        "may_edit": is_allowed(request.user, "programs.edit"),
        "may_close": is_allowed(request.user, "books.close"),
        "is_closed": any(period.reopened_at is None for period in periods),
    }
    return render(request, "loyalty/backoffice/journal.html", context)


@require_safe
@staff_view("reports.view")
def journal_csv(request: HttpRequest) -> HttpResponse:
    """The journal as a file."""
    choice = _read(request)
    if choice is None:
        raise Http404
    journal = choice.journal()
    return csv_response(journal_name(journal), chain([HEADER], journal_rows(journal)))


@require_safe
@staff_view("reports.view")
def discounts_csv(request: HttpRequest) -> HttpResponse:
    """What discounts cost, as a file."""
    choice = _read(request)
    if choice is None:
        raise Http404
    journal = choice.discounts()
    rows = chain([HEADER], money_rows(journal))
    return csv_response(discount_journal_name(journal), rows)


@require_safe
@staff_view("reports.view")
def giving_csv(request: HttpRequest) -> HttpResponse:
    """What charities are given in money, as a file."""
    choice = _read(request)
    if choice is None:
        raise Http404
    journal = choice.giving()
    return csv_response(giving_journal_name(journal), chain([HEADER], money_rows(journal)))


def account_name(account: BookAccount) -> str:
    """What an account is for, in words."""
    names: dict[str, Any] = {
        MEMBERS: _("Owed to members"), REVALUATION: _("New worth of units"),
        "partners": _("Partner"), "charities": _("Charity"), **ACCOUNT_NAMES, **DISCOUNT_NAMES,
        **GIVING_NAMES,
    }  # fmt: skip
    name = str(names.get(account.role) or Account.Kind(account.role).label)
    return f"{name}: {account.party}" if account.party else name


def _read(request: HttpRequest) -> JournalChoice | None:
    choices: Sequence[WalletType] = unit_choices()
    asked = JournalForm(request.GET, choices)
    asked.is_valid()
    wallet_type = chosen_units(asked, choices)
    if wallet_type is None:
        return None
    since, until = asked.days(timezone.now().astimezone(wallet_type.program.zone).date())
    per = asked.cleaned_data.get("per") or "month"
    values = {"units": str(wallet_type.pk), "since": since, "until": until, "per": per}
    return JournalChoice(
        JournalForm(values, choices), wallet_type, since, until, monthly=per == "month"
    )


def _summary(journal: Journal) -> str:
    if journal.closed:
        return _("These books are closed: what is here stays.")
    if journal.open_from is None:
        return _("These books are open: what is told late can still change them.")
    return _("From %s on these books are open: what is told late can still change them.") % (
        format_day(max(journal.open_from, journal.since))
    )


def _account_row(item: Balance) -> AccountRow:
    return AccountRow(item.account, account_name(item.account), item)


def _entry_row(entry: Any) -> EntryRow:
    revalued = entry.kind == REVALUATION
    what = _("New worth of units") if revalued else str(Transfer.Kind(entry.kind).label)
    return EntryRow(
        format_days(entry.since, entry.until), what, entry.debit, entry.credit, entry.units,
        entry.worth,
    )  # fmt: skip
