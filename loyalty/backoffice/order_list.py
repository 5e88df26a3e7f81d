"""All orders, whoever bought: narrowed by days, channel, state and program, and as a file."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from loyalty.backoffice.orders import order_rows, order_state
from loyalty.models import Order, Program
from loyalty.selectors.order_lists import ListedOrders, channels_in_use, list_orders
from members.list_files import ListFile, hand_out
from members.paging import Page, paginate
from members.plain_money import money_text
from members.policy import staff_view
from members.query_limits import TookTooLongError, limited_queries
from members.responses import is_htmx

ORDERINGS = {"-placed": ("-placed_at", "-pk"), "placed": ("placed_at", "pk")}
NEWEST = "-placed"
# Filters that hardly an order fits may have to look at very many: somebody waits.
MILLISECONDS = 4_000
FILE: ListFile[Order] = ListFile(
    "orders",
    {
        "source": lambda row: row.source,
        "order": lambda row: row.external_id,
        "placed_at": lambda row: row.placed_at,
        "state": lambda row: order_state(row, row.refunded),  # type: ignore[attr-defined]
        "channel": lambda row: row.channel,
        "store": lambda row: row.store,
        "customer": lambda row: row.customer.external_id if row.customer else "",
        "email": lambda row: row.customer.email if row.customer else "",
        "name": lambda row: row.customer.display_name if row.customer else "",
        "lines": lambda row: row.line_count,  # type: ignore[attr-defined]
        "currency": lambda row: row.currency,
        "total": lambda row: money_text(row.total),
        "discounts": lambda row: money_text(row.discount_total),
        "shipping": lambda row: money_text(row.shipping_total),
        "taxes": lambda row: money_text(row.tax_total),
        "given_back": lambda row: money_text(row.refunded),  # type: ignore[attr-defined]
    },
    personal=True,
)


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "form-select"})


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", "class": "form-control"})


class OrderFilterForm(forms.Form):
    """What the URL says that is no choice is passed over."""

    q = forms.CharField(
        label=_l("Search"), required=False, max_length=200,
        widget=forms.TextInput(attrs={
            "type": "search", "class": "form-control", "autocomplete": "off",
            "placeholder": _l("Order number or customer"),
        }),
    )  # fmt: skip
    since = forms.DateField(label=_l("From"), required=False, widget=_day())
    until = forms.DateField(label=_l("To"), required=False, widget=_day())
    state = forms.ChoiceField(
        label=_l("State"), required=False, choices=[("", _l("Every state")), *Order.Status.choices],
        widget=_select(),
    )  # fmt: skip
    channel = forms.ChoiceField(label=_l("Channel"), required=False, widget=_select())
    program = forms.ChoiceField(label=_l("Program"), required=False, widget=_select())

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        chosen = str(data.get("channel", ""))[:32].replace("\x00", "")
        channels = sorted({*channels_in_use(), chosen} - {""})
        self._choose("channel", [("", _("Every channel")), *((one, one) for one in channels)])
        programs = Program.objects.order_by("name").values_list("code", "name")
        self._choose("program", [("", _("Every program")), *programs])
        self.is_valid()

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def wanted(self) -> ListedOrders:
        said, zone = self.cleaned_data, timezone.get_current_timezone()
        since, until = said.get("since"), said.get("until")
        if until is not None and until < dt.date.max:
            until += dt.timedelta(days=1)
        return ListedOrders(
            text=said.get("q") or "", state=said.get("state") or "",
            channel=said.get("channel") or "", program=said.get("program") or "",
            since=dt.datetime.combine(since, dt.time.min, zone) if since else None,
            until=dt.datetime.combine(until, dt.time.min, zone) if until else None,
        )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def order_list(request: HttpRequest) -> HttpResponse:
    """The newest first, or from the first on; sent, as a file."""
    form = OrderFilterForm(request.GET)
    wanted = form.wanted()
    found = list_orders(wanted)
    if request.method == "POST":
        plain = found.prefetch_related(None)
        return hand_out(request, FILE, plain, orderings=ORDERINGS, default=NEWEST)
    page: Page[Order] = Page([])
    too_long = False
    try:
        with limited_queries(MILLISECONDS):
            page = paginate(found, request=request, orderings=ORDERINGS, default=NEWEST)
    except TookTooLongError:
        too_long = True
    context = {
        "form": form, "page": page, "rows": order_rows(page), "filtered": wanted.narrows,
        "too_long": too_long, "file": FILE.offered(request),
    }  # fmt: skip
    template = "loyalty/backoffice/order_list.html"
    return render(request, f"{template}#results" if is_htmx(request) else template, context)
