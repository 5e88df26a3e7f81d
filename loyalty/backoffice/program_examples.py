"""A worked example of a rule that is being written: the real engine on an order one can change."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.utils.translation import gettext_lazy

from loyalty.descriptions import Unit
from loyalty.explanations import explain_transfer
from loyalty.models import Transfer, WalletType
from loyalty.rule_definitions import RateRule
from loyalty.rule_words import describe_rule
from loyalty.rules.body_parts import LineFilter
from loyalty.rules.engine import RuleVersion, evaluate
from loyalty.rules.facts import ZERO, Basket, Line, Occasion
from loyalty.rules.lots import LotTerms, OrderTimes, lot_times, matures_at
from loyalty.services.awards import explain_award
from loyalty.unit_definitions import WalletTypeDefinition
from members.conditions.moments import Moment
from members.timeline_view import WhyStep

GOODS, REST, SHIPPING = Decimal("49.90"), Decimal("10.00"), Decimal("5.00")
OTHER = "\N{EM DASH}"


@dataclass(frozen=True, slots=True)
class Example:
    """What an order would earn, why, and what becomes of it."""

    units: int
    unit: Unit
    worth: Decimal
    spendable_at: dt.datetime | None
    lapses_at: dt.datetime | None
    why: tuple[WhyStep, ...]
    sentences: list[str]


class ExampleForm(forms.Form):
    """The order of the example. `rest` is the part of it that the rule's lists leave out."""

    goods = forms.DecimalField(label=gettext_lazy("Goods"), min_value=0, max_digits=12)
    rest = forms.DecimalField(
        label=gettext_lazy("of these, left out by the lists"), min_value=0, max_digits=12
    )
    quantity = forms.DecimalField(label=gettext_lazy("Quantity"), min_value=0, max_digits=9)
    shipping = forms.DecimalField(label=gettext_lazy("Shipping"), min_value=0, max_digits=12)
    discount = forms.DecimalField(
        label=gettext_lazy("Discount on the order"), min_value=0, max_digits=12
    )
    tax = forms.DecimalField(label=gettext_lazy("Tax in the prices"), min_value=0, max_digits=12)
    gift_card = forms.DecimalField(
        label=gettext_lazy("Paid with a gift card"), min_value=0, max_digits=12
    )
    points = forms.DecimalField(label=gettext_lazy("Paid with points"), min_value=0, max_digits=12)

    prefix = "example"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False
            field.widget = forms.TextInput(
                attrs={
                    "inputmode": "decimal",
                    "autocomplete": "off",
                    "class": "form-control form-control-sm",
                }
            )

    def amount(self, name: str) -> Decimal:
        return self.cleaned_data.get(name) or ZERO


def example_initial(currency: str) -> dict[str, Decimal]:
    """A common small order, in the currency's own coins."""
    places = get_currency_precision(currency)
    scale = Decimal(1) if places else Decimal(100)
    exponent = Decimal(1).scaleb(-places)

    def money(amount: Decimal) -> Decimal:
        return (amount * scale).quantize(exponent)

    return {
        "goods": money(GOODS),
        "rest": money(REST),
        "quantity": Decimal(2),
        "shipping": money(SHIPPING),
        "discount": money(ZERO),
        "tax": money(ZERO),
        "gift_card": money(ZERO),
        "points": money(ZERO),
    }


def work_out(
    rule: RateRule,
    wallet_type: WalletTypeDefinition,
    *,
    currency: str,
    zone: zoneinfo.ZoneInfo,
    form: ExampleForm,
    now: dt.datetime,
) -> Example:
    """Price the example's order by the rule as it stands."""
    body = rule.body()
    version = RuleVersion(0, rule.name, 1, 0, wallet_type.decimals, body)
    award = evaluate([version], Occasion(_basket(form, rule), Moment(now, zone))).awards[0]
    unit = Unit(wallet_type)
    shown = Transfer(
        kind=Transfer.Kind.ACCRUAL,
        amount=award.units,
        explanation=explain_award(award, currency=currency),
        wallet_type=WalletType(
            singular=unit.singular,
            plural=unit.plural,
            scale=unit.scale,
            plural_language=unit.plural_language,
            plural_forms=unit.plural_forms,
        ),
    )
    terms = LotTerms(
        pending_from="placed", pending_days=wallet_type.pending_days,
        **wallet_type.expiry.model_dump(exclude={"renewed_by"}),
    )  # fmt: skip
    # The example's order goes through all its states at once.
    lot = lot_times(terms, now, matures_at(terms, OrderTimes(now), zone), zone)
    return Example(
        units=award.units,
        unit=unit,
        worth=award.units * wallet_type.unit_value / 10**wallet_type.decimals,
        spendable_at=lot.spendable_at if wallet_type.pending_days else None,
        lapses_at=lot.expires_at or lot.planned_expires_at,
        why=explain_transfer(shown).why,
        sentences=describe_rule(body, unit, currency),
    )


def has_lists(rule: RateRule) -> bool:
    return rule.include != LineFilter() or rule.exclude != LineFilter()


def _basket(form: ExampleForm, rule: RateRule) -> Basket:
    rest = min(form.amount("rest"), form.amount("goods")) if has_lists(rule) else ZERO
    quantity = form.amount("quantity")
    lines = [_line(1, form.amount("goods") - rest, quantity, rule.include)]
    if rest:
        lines.append(_line(2, rest, Decimal(1), rule.exclude))
    return Basket(
        lines=tuple(lines),
        tax_total=form.amount("tax"),
        shipping_total=form.amount("shipping"),
        discount_total=form.amount("discount"),
        paid_stored_value=form.amount("gift_card"),
        paid_units=form.amount("points"),
    )


def _line(number: int, total: Decimal, quantity: Decimal, like: LineFilter) -> Line:
    """A line that the filter matches; one that no filter matches where it names nothing."""
    return Line(
        line_no=number,
        total=total,
        quantity=quantity,
        category=like.categories[0] if like.categories else OTHER,
        sku=like.skus[0] if like.skus and not like.categories else OTHER,
        tags=like.tags[:1] if not like.categories and not like.skus else (),
    )
