"""A paid plan as a form: what it costs, what it brings, and what becomes of unpaid invoices."""

from __future__ import annotations

from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.benefit_forms import BenefitsForm, benefits_initial
from loyalty.models import PlanVersion, Program
from loyalty.plan_definitions import PlanDefinition
from loyalty.tier_definitions import plain
from loyalty.unit_definitions import ExpiryDefinition


class PlanForm(BenefitsForm):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=60, help_text=gettext_lazy("As members read it.")
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    price = forms.DecimalField(
        label=gettext_lazy("Price"), max_digits=14, decimal_places=4,
        help_text=gettext_lazy("For one period. Who has the plan keeps theirs until it renews."),
    )  # fmt: skip
    period = forms.ChoiceField(label=gettext_lazy("Paid for a"), choices=PlanVersion.Period.choices)
    trial_days = forms.IntegerField(
        label=gettext_lazy("Days of trial"), min_value=0, max_value=365,
        help_text=gettext_lazy("0: none. A member has one trial in a program, ever."),
    )  # fmt: skip
    upgrade = forms.ChoiceField(
        label=gettext_lazy("Who has a cheaper plan gets this one"),
        choices=PlanVersion.Upgrade.choices,
        help_text=gettext_lazy("To a plan that costs less a month one changes at the renewal."),
    )  # fmt: skip
    offered = forms.BooleanField(
        label=gettext_lazy("Members can take it"), required=False,
        help_text=gettext_lazy("Without this, those who have it keep it."),
    )  # fmt: skip
    units = forms.DecimalField(
        label=gettext_lazy("Units that come with it"), required=False, min_value=0, max_digits=14,
        decimal_places=4,
    )  # fmt: skip
    wallet_type = forms.ChoiceField(label=gettext_lazy("Of which kind"), required=False)
    every = forms.ChoiceField(
        label=gettext_lazy("They come"), choices=PlanVersion.CreditsEvery.choices
    )
    last_days = forms.IntegerField(
        label=gettext_lazy("They last"), required=False, min_value=1, max_value=3650,
        help_text=gettext_lazy("Days. Empty: as such units usually do."),
    )  # fmt: skip
    retry_days = forms.CharField(
        label=gettext_lazy("Try a failed payment again"), required=False, max_length=60,
        help_text=gettext_lazy("Days after it was due, such as 1, 3, 7."),
    )  # fmt: skip
    grace_days = forms.IntegerField(
        label=gettext_lazy("Days of grace"), min_value=1, max_value=90,
        help_text=gettext_lazy("After them the plan ends; until then its benefits last."),
    )  # fmt: skip
    pay_days = forms.IntegerField(
        label=gettext_lazy("Days to pay an invoice"), min_value=0, max_value=90,
        help_text=gettext_lazy("Where nothing is collected by card."),
    )  # fmt: skip

    def __init__(
        self, *args: Any, program: Program, base: PlanDefinition | None, **kwargs: Any
    ) -> None:
        self.base = base
        super().__init__(*args, initial=_initial(base, program.currency), **kwargs)
        field = self.fields["wallet_type"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (item.code, item.plural)
            for item in program.wallet_types.filter(stored_value=False).order_by("pk")
        ]

    def clean_retry_days(self) -> list[int]:
        text: str = self.cleaned_data["retry_days"]
        parts = [part for part in text.replace(",", " ").split() if part]
        if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
            raise forms.ValidationError(_("Write numbers of days, such as 1, 3, 7."))
        return [int(part) for part in parts]

    def said(self) -> dict[str, Any]:
        """As a definition has it."""
        values, base = self.cleaned_data, self.base
        named = ("name", "description", "price", "period", "trial_days", "offered", "upgrade",
                 "retry_days", "grace_days", "pay_days")  # fmt: skip
        return {name: values[name] for name in named} | {
            "code": base.code if base else slugify(values["name"])[:32].strip("-_") or "plan",
            "credits": self._credits(),
            "benefits": list(self.benefits(base.benefits if base else ())),
        }

    def _credits(self) -> dict[str, Any] | None:
        values = self.cleaned_data
        if not values["units"]:
            return None
        expiry: Any = None
        if values["last_days"]:
            expiry = {"kind": "days", "length": values["last_days"]}
        elif (kept := _expiry(self.base)) is not None and kept.kind != "days":
            # Said in the program's file, and not asked here.
            expiry = kept
        return {
            "units": values["units"], "wallet_type": values["wallet_type"],
            "every": values["every"], "expiry": expiry,
        }  # fmt: skip


def _expiry(base: PlanDefinition | None) -> ExpiryDefinition | None:
    return base.credits.expiry if base and base.credits else None


def _initial(base: PlanDefinition | None, currency: str) -> dict[str, Any]:
    if base is None:
        return {
            "period": "month", "every": "month", "offered": True, "trial_days": 14,
            "upgrade": "renewal",
            "retry_days": "1, 3, 7", "grace_days": 10, "pay_days": 14,
        }  # fmt: skip
    named = ("name", "description", "period", "trial_days", "offered", "upgrade", "grace_days",
             "pay_days")  # fmt: skip
    expiry = _expiry(base)
    found = {name: getattr(base, name) for name in named} | {
        "price": f"{base.price:.{get_currency_precision(currency)}f}",
        "retry_days": ", ".join(map(str, base.retry_days)),
        "last_days": expiry.length if expiry and expiry.kind == "days" else None,
        **benefits_initial(base.benefits),
    }
    if base.credits:
        found |= {
            "units": plain(base.credits.units), "wallet_type": base.credits.wallet_type,
            "every": base.credits.every,
        }  # fmt: skip
    return found
