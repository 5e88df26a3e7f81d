"""What a rule that is being written is tried on: an order, an activity, or a member on a day. A
real one, or one that is made up."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from babel.numbers import get_currency_precision
from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.models import Activity, Membership, Order, Program
from loyalty.order_texts import read_order_text
from loyalty.rule_definitions import ActivityRule, RuleDefinition
from loyalty.rules.calendar import localize, start_of_day
from loyalty.rules.facts import NOTHING, Basket, Deed, Line, Occasion
from loyalty.selectors.activities import activities
from loyalty.selectors.exchange_rates import counted_in
from loyalty.selectors.gifts import find_member
from loyalty.selectors.orders import orders
from loyalty.selectors.rulebooks import terms_of
from loyalty.services.order_inputs import CustomerRef
from loyalty.services.orders import occasion_of
from members.conditions.moments import Moment
from members.errors import DomainError
from members.formatting import format_day, format_money

ZERO = Decimal(0)
LONGEST_TEXT = 200_000
# What stands apart from what is made up.
APART = ("number", "pasted", "member")
NEWEST = 12
PREFIX = "try"

# What a rule can be tried on.
Tried = Order | Activity | Occasion


class TrialForm(forms.Form):
    """A number wins; without one the other fields make something up."""

    prefix = PREFIX
    title: ClassVar[Promise]
    # Where a real one can be named.
    hint: ClassVar[Promise | str] = ""
    made_up_title: ClassVar[Promise]
    made_up_words: Promise | str
    # Whether who is no member yet joins with what is made up.
    joins: ClassVar[bool] = True

    member = forms.CharField(
        label=gettext_lazy("Member"), max_length=254, required=False,
        widget=forms.TextInput(attrs={
            "autocomplete": "off", "placeholder": gettext_lazy("Card, number or e-mail"),
        }),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, program: Program, **options: Any) -> None:
        super().__init__(data, **options)
        self.program = program
        for field in self.fields.values():
            css = field.widget.attrs.get("class", "")
            field.widget.attrs["class"] = f"{css} form-control form-control-sm".strip()
            if isinstance(field, forms.DecimalField):
                field.widget = forms.TextInput(
                    attrs={"inputmode": "decimal", "class": "form-control form-control-sm"}
                )

    def made_up(self) -> list[forms.BoundField]:
        """The fields of what is made up, the member last."""
        return [self[name] for name in self.fields if name not in APART] + [self["member"]]

    def clean_member(self) -> Membership | None:
        text: str = self.cleaned_data["member"].strip()
        if not text:
            return None
        found = find_member(self.program, text)
        if found is None:
            raise forms.ValidationError(_("Nobody in this program is known by this."))
        return found

    @abstractmethod
    def tried(self, definition: RuleDefinition, now: dt.datetime) -> Tried | None:
        """What the rule is tried on; None, with an error, if what is named is not there."""

    def newest(self) -> list[tuple[str, str]]:
        """Numbers of real ones to choose from, with what they are."""
        return []

    def _number(self) -> str:
        number: str = self.cleaned_data.get("number", "").removeprefix("#").strip()
        return "" if "\x00" in number else number

    def _moment(self, now: dt.datetime) -> Moment:
        zone = self.program.zone
        local = now.astimezone(zone)
        day: dt.date = self.cleaned_data.get("day") or local.date()
        time: dt.time = self.cleaned_data.get("time") or local.time().replace(second=0)
        at = dt.datetime.combine(day, time.replace(microsecond=0))
        return Moment(localize(at, zone), zone)


def _number_field(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=128, required=False,
        widget=forms.TextInput(attrs={
            "list": "try-newest", "autocomplete": "off", "placeholder": gettext_lazy("Its number"),
        }),
    )  # fmt: skip


def _day_field(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


def _time_field() -> forms.TimeField:
    return forms.TimeField(
        label=gettext_lazy("at"), required=False, widget=forms.TimeInput(attrs={"type": "time"})
    )


class OrderTrialForm(TrialForm):
    title = gettext_lazy("The order to try")
    hint = gettext_lazy("One of the last is offered as you type. Empty: the order below.")
    made_up_title = gettext_lazy("Or one that is made up")
    made_up_words = gettext_lazy("The order that is made up below")
    # Whether orders in other currencies are left out, though the program counts them.
    own_currency = False

    number = _number_field(gettext_lazy("A real order"))
    pasted = forms.CharField(
        label=gettext_lazy("Or one that you paste"), max_length=LONGEST_TEXT, required=False,
        help_text=gettext_lazy("As your shop sends it: the JSON of an order or a basket."),
        widget=forms.Textarea(attrs={
            "rows": 3, "spellcheck": "false", "autocomplete": "off",
            "placeholder": '{"currency": "EUR", "total": "12.50", "lines": [...]}',
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
    day = _day_field(gettext_lazy("Placed on"))
    time = _time_field()
    channel = forms.CharField(label=gettext_lazy("Channel"), max_length=64, required=False)
    store = forms.CharField(label=gettext_lazy("Store"), max_length=64, required=False)

    def tried(self, definition: RuleDefinition, now: dt.datetime) -> Tried | None:
        number = self._number()
        if not number and self.cleaned_data["pasted"]:
            return self._of_text(self.cleaned_data["pasted"], now)
        if not number:
            return self._made_up(now)
        spelled = {number, number.upper(), number.lower()}
        known = orders().filter(self._counted(), external_id__in=spelled)
        # The newest if several sources use the number.
        found = known.order_by("-placed_at", "-pk").first()
        if found is None:
            words = _("There is no order %s that counts here.") % number
            if self.own_currency:
                words = _("There is no order %s in this currency.") % number
            self.add_error("number", words)
        return found

    def _counted(self) -> Q:
        own = Q(currency=self.program.currency)
        return own if self.own_currency else counted_in(self.program)

    def _of_text(self, text: str, now: dt.datetime) -> Occasion | None:
        """Its buyer, if it names a member, unless another one is named."""
        self.made_up_words = gettext_lazy("The order that was pasted")
        try:
            order = read_order_text(text, now)
        except DomainError as error:
            wrong = [f"{item.field}: {item.message}" for item in error.errors]
            self.add_error("pasted", wrong or str(error.message))
            return None
        if order.currency != self.program.currency:
            message = _("This program counts in %s.") % self.program.currency
            self.add_error("pasted", message)
            return None
        if order.customer and self.cleaned_data["member"] is None:
            self.cleaned_data["member"] = self._member(order.customer)
        return occasion_of(order, order.basket(), terms_of(self.program))

    def _member(self, buyer: CustomerRef) -> Membership | None:
        known = Q(customer__external_id=buyer.external_id)
        if buyer.key is not None:
            known = Q(customer=buyer.key)
        members = Membership.objects.select_related("customer").filter(program=self.program)
        return members.filter(known).first()

    def _made_up(self, now: dt.datetime) -> Occasion:
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
            self._moment(now),
            currency=self.program.currency,
            channel=said.get("channel", ""),
            store=said.get("store", ""),
        )

    def newest(self) -> list[tuple[str, str]]:
        known = Order.objects.select_related("customer").filter(self._counted())
        return [
            (
                order.external_id,
                ", ".join(
                    [
                        format_day(order.placed_at.astimezone(self.program.zone).date()),
                        format_money(order.total, order.currency),
                        *([str(order.customer)] if order.customer else []),
                    ]
                ),
            )
            for order in known.order_by("-pk")[:NEWEST]
        ]


class DiscountTrialForm(OrderTrialForm):
    # Money is taken off prices in the program's own.
    own_currency = True


class ActivityTrialForm(TrialForm):
    title = gettext_lazy("The activity to try")
    hint = gettext_lazy("One of the last is offered as you type. Empty: the activity below.")
    made_up_title = gettext_lazy("Or one that is made up")
    made_up_words = gettext_lazy("The activity that is made up below")

    number = _number_field(gettext_lazy("A real activity"))
    subject = forms.CharField(label=gettext_lazy("About"), max_length=128, required=False)
    told = forms.CharField(
        label=gettext_lazy("Its details, one a line"), max_length=2000, required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "kilometers = 10"}),
    )  # fmt: skip
    day = _day_field(gettext_lazy("Done on"))
    time = _time_field()

    def clean_told(self) -> dict[str, Any]:
        """Lines such as “stars = 5”; a dot leads into what is nested."""
        found: dict[str, Any] = {}
        for line in self.cleaned_data["told"].splitlines():
            if not line.strip():
                continue
            name, sign, value = line.partition("=")
            if not sign or not name.strip():
                raise forms.ValidationError(_("Write details like this: stars = 5"))
            *outer, last = name.strip().split(".")
            place = found
            for part in outer:
                inner = place.setdefault(part, {})
                if not isinstance(inner, dict):
                    raise forms.ValidationError(_("%s is named twice.") % part)
                place = inner
            place[last] = _value(value.strip())
        return found

    def tried(self, definition: RuleDefinition, now: dt.datetime) -> Tried | None:
        assert isinstance(definition, ActivityRule)
        number = self._number()
        if not number:
            return Deed(
                NOTHING, self._moment(now), activity=definition.activity,
                subject=self.cleaned_data["subject"], data=self.cleaned_data["told"],
            )  # fmt: skip
        known = activities().filter(external_id=number, type__code=definition.activity)
        found = known.order_by("-occurred_at", "-pk").first()
        if found is None:
            self.add_error("number", _("There is no such activity %s.") % number)
        return found

    def newest(self) -> list[tuple[str, str]]:
        return [
            (
                activity.external_id,
                ", ".join(
                    [
                        format_day(activity.occurred_at.astimezone(self.program.zone).date()),
                        str(activity),
                        str(activity.customer),
                    ]
                ),
            )
            for activity in activities().order_by("-pk")[:NEWEST]
        ]


class OccasionTrialForm(TrialForm):
    title = gettext_lazy("The member to try")
    made_up_title = gettext_lazy("Somebody whose day it is")
    made_up_words = gettext_lazy("As if the day had come")
    joins = False

    day = _day_field(gettext_lazy("Given on"))

    def tried(self, definition: RuleDefinition, now: dt.datetime) -> Tried | None:
        zone = self.program.zone
        day = self.cleaned_data.get("day") or now.astimezone(zone).date()
        return Deed(NOTHING, Moment(start_of_day(day, zone), zone))


TRIAL_FORMS: Mapping[str, type[TrialForm]] = {
    "activity": ActivityTrialForm,
    "occasion": OccasionTrialForm,
    "discount": DiscountTrialForm,
}


def trial_form(kind: str, sent: QueryDict, program: Program) -> TrialForm:
    """What is tried on with a rule of this kind, as it was sent."""
    form = TRIAL_FORMS.get(kind, OrderTrialForm)
    return form(_trial_data(sent, program.currency), program=program)


def _trial_data(sent: QueryDict, currency: str) -> QueryDict | dict[str, str]:
    """What was sent; before anything was, a common order in the currency's own coins."""
    if any(name.startswith(f"{PREFIX}-") for name in sent):
        return sent
    goods = "100" if get_currency_precision(currency) else "10000"
    return {f"{PREFIX}-goods": goods, f"{PREFIX}-quantity": "1"}


def _value(text: str) -> Any:
    """As it would come in JSON."""
    if text in ("true", "false"):
        return text == "true"
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text
