"""Trying a rule out while it is written: on one of the last orders, or on one that is made up."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.arithmetic import arithmetic
from loyalty.definitions import EarningRuleDefinition
from loyalty.models import EarningRule, Order, Program, WalletType
from loyalty.rules.bodies import WindowedBody
from loyalty.rules.calendar import localize
from loyalty.rules.engine import Award
from loyalty.rules.facts import Basket, Line, Occasion
from loyalty.selectors.orders import orders
from loyalty.services.trials import Trial, TrialRow, try_rule
from members.conditions.moments import Moment
from members.timeline_view import WhyStep

ZERO = Decimal(0)
NEWEST = 12


class TrialForm(forms.Form):
    """The order to try. A number wins; the other fields make an order up."""

    prefix = "try"

    number = forms.CharField(
        label=gettext_lazy("A real order"), max_length=128, required=False,
        widget=forms.TextInput(attrs={
            "list": "try-orders", "autocomplete": "off", "placeholder": gettext_lazy("Its number"),
        }),
    )  # fmt: skip
    goods = forms.DecimalField(
        label=gettext_lazy("Goods"), min_value=0, max_digits=12, required=False
    )
    quantity = forms.DecimalField(
        label=gettext_lazy("Quantity"), min_value=0, max_digits=9, required=False
    )
    category = forms.CharField(label=gettext_lazy("Category"), max_length=128, required=False)
    sku = forms.CharField(label=gettext_lazy("Product (SKU)"), max_length=128, required=False)
    tag = forms.CharField(label=gettext_lazy("Tag"), max_length=128, required=False)
    other = forms.DecimalField(
        label=gettext_lazy("Other goods"), min_value=0, max_digits=12, required=False
    )
    shipping = forms.DecimalField(
        label=gettext_lazy("Shipping"), min_value=0, max_digits=12, required=False
    )
    day = forms.DateField(
        label=gettext_lazy("Placed on"), required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )  # fmt: skip
    time = forms.TimeField(
        label=gettext_lazy("at"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )
    channel = forms.CharField(label=gettext_lazy("Channel"), max_length=64, required=False)
    store = forms.CharField(label=gettext_lazy("Store"), max_length=64, required=False)

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        for field in self.fields.values():
            css = field.widget.attrs.get("class", "")
            field.widget.attrs["class"] = f"{css} form-control form-control-sm".strip()
            if isinstance(field, forms.DecimalField):
                field.widget = forms.TextInput(
                    attrs={"inputmode": "decimal", "class": "form-control form-control-sm"}
                )

    def made_up(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name != "number"]

    def occasion(self, program: Program, now: dt.datetime) -> Occasion:
        """The order that is made up."""
        said = self.cleaned_data
        goods = said.get("goods")
        lines = [
            Line(
                1,
                ZERO if goods is None else goods,
                said.get("sku", ""),
                said.get("category", ""),
                (said["tag"],) if said.get("tag") else (),
                said.get("quantity") or Decimal(1),
            )
        ]
        if said.get("other"):
            lines.append(Line(2, said["other"]))
        return Occasion(
            Basket(tuple(lines), shipping_total=said.get("shipping") or ZERO),
            Moment(self._placed(program.zone, now), program.zone),
            currency=program.currency,
            channel=said.get("channel", ""),
            store=said.get("store", ""),
        )

    def _placed(self, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> dt.datetime:
        local = now.astimezone(zone)
        day: dt.date = self.cleaned_data.get("day") or local.date()
        time: dt.time = self.cleaned_data.get("time") or local.time().replace(second=0)
        return localize(dt.datetime.combine(day, time.replace(microsecond=0)), zone)


def trial_data(sent: QueryDict, currency: str) -> QueryDict | dict[str, str]:
    """What was sent; before anything was, a common order in the currency's own coins."""
    if any(name.startswith(f"{TrialForm.prefix}-") for name in sent):
        return sent
    goods = "100" if get_currency_precision(currency) else "10000"
    return {f"{TrialForm.prefix}-goods": goods, f"{TrialForm.prefix}-quantity": "1"}


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A rule's row with the arithmetic in words."""

    row: TrialRow
    why: tuple[WhyStep, ...]
    windowed: bool


@dataclass(frozen=True, slots=True)
class ShownTrial:
    """What the pane shows."""

    rows: tuple[ShownRow, ...]
    totals: list[tuple[WalletType, int, int]]
    order: Order | None
    of_nobody: bool


def shown_trial(
    form: TrialForm,
    *,
    program: Program,
    definition: EarningRuleDefinition,
    rule: EarningRule | None,
    now: dt.datetime,
) -> ShownTrial | None:
    """The trial that the form asks for; None, with an error, if there is no such order."""
    if not form.is_valid():
        return None
    number = form.cleaned_data.get("number", "").strip()
    order = find_order(program, number) if number else None
    if number and order is None:
        form.add_error("number", _("There is no order %s in this currency.") % number)
        return None
    tried = order or form.occasion(program, now)
    trial = try_rule(program=program, definition=definition, rule=rule, order=tried, now=now)
    return ShownTrial(
        tuple(_shown(trial, program.currency)),
        trial.totals(),
        order,
        of_nobody=order is None or order.customer_id is None,
    )


def _shown(trial: Trial, currency: str) -> Iterable[ShownRow]:
    for row in trial.rows:
        award = row.then or row.now
        assert award is not None
        body = award.version.body
        yield ShownRow(
            row,
            _words(award, row.wallet_type, currency),
            isinstance(body, WindowedBody) and body.windowed,
        )


def _words(award: Award, wallet_type: WalletType, currency: str) -> tuple[WhyStep, ...]:
    return tuple(arithmetic(award.steps, wallet_type=wallet_type, currency=currency))


def find_order(program: Program, number: str) -> Order | None:
    """By its whole number, the newest if several sources use it."""
    number = number.removeprefix("#").strip()
    if not number or "\x00" in number:
        return None
    spelled = {number, number.upper(), number.lower()}
    found = orders().filter(external_id__in=spelled, currency=program.currency)
    return found.order_by("-placed_at", "-pk").first()


def newest_orders(program: Program) -> list[Order]:
    """To choose from: the last that came."""
    found = Order.objects.select_related("customer").filter(currency=program.currency)
    return list(found.order_by("-pk")[:NEWEST])
