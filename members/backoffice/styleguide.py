"""Every component with sample data: where screens are composed from and looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from members.backoffice.condition_builder import ConditionField
from members.charts import Chart, Series, Span, Timeline
from members.conditions.fields import BEHAVIOR, CUSTOMER, LINE, ORDER, SEGMENTS
from members.formatting import NamesOfUnit
from members.list_files import ListFile, hand_out
from members.navigation import Tab
from members.paging import Page
from members.plain_money import money_text
from members.policy import staff_view
from members.responses import dialog_done, is_htmx
from members.states import STATES
from members.timeline_view import TimelineEntry, WhyStep

# A unit that no program has, to show how amounts are written.
SAMPLE_UNIT = NamesOfUnit("Bean", "Beans", 0)


@dataclass(frozen=True)
class SampleCustomer:
    name: str
    email: str
    state: str
    balance: int
    spent: Decimal


class SampleForm(forms.Form):
    """One field of every kind."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy("Sign-in codes are sent here."),
    )
    amount = forms.IntegerField(label=gettext_lazy("Amount"), min_value=1)
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[("goodwill", gettext_lazy("Goodwill")), ("mistake", gettext_lazy("Mistake"))],
    )
    rounding = forms.ChoiceField(
        label=gettext_lazy("Rounding"),
        widget=forms.RadioSelect,
        choices=[("down", gettext_lazy("Down")), ("nearest", gettext_lazy("To the nearest"))],
    )
    color = forms.CharField(
        label=gettext_lazy("Color"),
        widget=forms.TextInput(attrs={"type": "color"}),
        initial="#0f766e",
        required=False,
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False
    )
    notify = forms.BooleanField(label=gettext_lazy("Tell the customer"), required=False)


class SampleConditionForm(forms.Form):
    """A condition about everything there is."""

    when = ConditionField(
        scopes=(ORDER, LINE, CUSTOMER, BEHAVIOR, SEGMENTS),
        everything=gettext_lazy("It holds for every order."),
    )


SAMPLE_CONDITION = {
    "all": [
        {"field": "order.weekday", "op": "one_of", "value": ["saturday", "sunday"]},
        {
            "any": [
                {"field": "customer.birthday", "op": "this_month"},
                {"field": "behavior.spend", "op": "between", "value": ["100", "500"]},
                {"field": "behavior.categories", "op": "has_any", "value": ["Tea", "Coffee"]},
            ]
        },
        {
            "lines": "total",
            "where": {"all": [{"field": "line.category", "op": "is", "value": "Tea"}]},
            "op": "at_least",
            "value": "30",
        },
    ]
}

NOW = datetime(2026, 3, 4, 17, 20, tzinfo=UTC)


def sample_charts() -> list[Chart]:
    days = [date(2026, 2, 1) + timedelta(days=number) for number in range(28)]
    earned = [3200 + (number * 739) % 1700 + number * 45 for number in range(28)]
    spent = [1200 + (number * 521) % 900 for number in range(28)]
    return [
        Chart(
            id="sample-line",
            title=_("Beans earned and spent"),
            kind="area",
            labels=days,
            series=[Series(_("Earned"), earned), Series(_("Spent"), spent)],
            unit=_("Beans"),
            x_label=_("Day"),
            summary=_("Earning grows slowly through February; spending stays level."),
        ),
        Chart(
            id="sample-bars",
            title=_("Members by tier"),
            kind="bar",
            labels=[_("Bronze"), _("Silver"), _("Gold"), _("Platinum")],
            series=[Series(_("Members"), [12400, 5300, 1800, 240])],
            x_label=_("Tier"),
            summary=_("Most members are in the first tier."),
        ),
    ]


def sample_timeline() -> list[TimelineEntry]:
    return [
        TimelineEntry(
            icon="shopping-bag",
            title=_("Order 40213 earned Beans"),
            text=_("Downtown store, three items"),
            moment=NOW,
            kind="success",
            amount="+86 Beans",
            amount_kind="plus",
            badge="pending",
            why=[
                WhyStep(_("Net of discounts and tax"), "$43.12"),
                WhyStep(_("2 Beans for every whole dollar"), "86"),
                WhyStep(_("Spendable after the return window of 14 days"), "Mar 18"),
            ],
        ),
        TimelineEntry(
            icon="adjustments",
            title=_("Balance adjusted"),
            text=_("Goodwill: late delivery of order 40102"),
            moment=NOW - timedelta(days=2),
            kind="info",
            amount="+200 Beans",
            amount_kind="plus",
            actor="Sam Support",
        ),
        TimelineEntry(
            icon="arrow-back-up",
            title=_("Order 39981 was returned"),
            moment=NOW - timedelta(days=9),
            kind="warning",
            amount="−35 Beans",
            amount_kind="minus",
        ),
    ]


def sample_days() -> Timeline:
    days = [NOW.date() + timedelta(days=day) for day in range(14)]
    spans = [
        Span(row=_("Double points"), first=1, last=4, color="good", text=_("Friday to Sunday")),
        Span(row=_("Birthday gift"), first=0, last=14, color="info", text=_("Always")),
    ]
    return Timeline("sample-days", _("What is live when"), days, spans, _("Two promotions."))


def sample_customers() -> list[SampleCustomer]:
    return [
        SampleCustomer("Ada Okafor", "ada@example.com", "active", 1250, Decimal("1840.50")),
        SampleCustomer("Jürgen Weiß", "juergen@example.com", "suspended", 90, Decimal("77.10")),
        SampleCustomer("林 美玲", "meiling@example.com", "active", 48210, Decimal("12903.00")),
    ]


def sample_context() -> dict[str, Any]:
    failed_form = SampleForm(
        {"name": "", "email": "not an address", "amount": "0"}, auto_id="failed_%s"
    )
    failed_form.is_valid()
    return {
        "unit": SAMPLE_UNIT,
        "charts": sample_charts(),
        "days": sample_days(),
        "notices": [
            Message(constants.SUCCESS, _("The rule is published."), extra_tags="undo:#notices"),
            Message(constants.ERROR, _("The file could not be read.")),
        ],
        "entries": sample_timeline(),
        "customers": sample_customers(),
        "page": Page(sample_customers(), "name", next_cursor="2", previous_cursor="1"),
        "states": list(STATES),
        "form": SampleForm(auto_id="free_%s"),
        "failed_form": failed_form,
        "fields_form": SampleForm(auto_id="fields_%s"),
        "condition_form": SampleConditionForm(initial={"when": SAMPLE_CONDITION}),
        "now": NOW,
        "tabs": [
            Tab(_("Overview"), "#", current=True),
            Tab(_("Earning rules"), "#", count=3),
            Tab(_("Settings"), "#"),
        ],
        "crumbs": [(_("Customers"), "#"), ("Ada Okafor", "#")],
    }


SAMPLE_FILE: ListFile[SampleCustomer] = ListFile(
    "samples",
    {
        "name": lambda row: row.name,
        "email": lambda row: row.email,
        "balance": lambda row: row.balance,
        "spent": lambda row: money_text(row.spent),
    },
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("home.view")
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component on one page; sent, the sample table as a file."""
    if request.method == "POST":
        return hand_out(request, SAMPLE_FILE, sample_customers())
    context = {**sample_context(), "file": SAMPLE_FILE.offered(request)}
    return render(request, "backoffice/styleguide.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("home.view")
def styleguide_dialog(request: HttpRequest) -> HttpResponse:
    """A dialog that is a page of its own without JavaScript; it saves nothing."""
    form = SampleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return dialog_done(
            request,
            url=reverse("backoffice:styleguide"),
            changed="sample",
            message=_("Nothing was saved: this is only a sample."),
        )
    status = 422 if form.is_bound else 200
    context = {"form": form, "title": _("Adjust Beans"), "back": reverse("backoffice:styleguide")}
    return render(request, "backoffice/styleguide_dialog.html", context, status=status)


@require_safe
@staff_view("home.view")
def styleguide_panel(request: HttpRequest, state: str) -> HttpResponse:
    """A panel that loads after the page; in the state "broken" it answers with an error."""
    if state == "broken" and is_htmx(request):
        raise Http404
    context = {
        "title": _("Wallet"),
        "panel_id": f"wallet-{state}",
        "panel_refresh": "sample-changed",
        "unit": SAMPLE_UNIT,
        "now": NOW,
    }
    return render(request, "backoffice/styleguide_panel.html", context)
