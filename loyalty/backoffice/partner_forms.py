"""What staff fill in about partners, their rates and settlements."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from loyalty.backoffice.charity_forms import DefinedForm
from loyalty.backoffice.program_fields import amount, plain
from loyalty.models import Partner, Program, WalletType
from loyalty.partner_definitions import PartnerDefinition
from loyalty.selectors.partners import partner_definition, partners_in
from loyalty.selectors.wallet_types import earned_types
from members.free_codes import code_stem, first_free


def _day(label: Any, help_text: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip


class RatesForm(DefinedForm):
    """For each kind of units: what one costs the partner, and what one brings it."""

    def add_rates(self, program: Program, partner: Partner | None) -> None:
        self.units: list[WalletType] = earned_types(program)
        latest: dict[int, Any] = {}
        for rate in partner.rates.all() if partner else ():
            latest.setdefault(rate.wallet_type_id, rate)
        for unit in self.units:
            known = latest.get(unit.pk)
            for side, words in (
                ("issued", _("Earned there (%s): one costs the partner")),
                ("taken_in", _("Spent there (%s): one brings the partner")),
            ):
                field = amount(words % unit.plural, 6, least="0")
                field.initial = plain(getattr(known, side)) if known else "0"
                self.fields[f"{side}_{unit.code}"] = field

    @property
    def rate_fields(self) -> list[list[forms.BoundField]]:
        return [
            [self[f"{side}_{unit.code}"] for side in ("issued", "taken_in")] for unit in self.units
        ]

    def rates(self, from_on: dt.date) -> list[dict[str, Any]]:
        return [
            {
                "wallet_type": unit.code, "from_on": from_on,
                "issued": self.cleaned_data.get(f"issued_{unit.code}", Decimal(0)),
                "taken_in": self.cleaned_data.get(f"taken_in_{unit.code}", Decimal(0)),
            }
            for unit in self.units
        ]  # fmt: skip

    def read(self, said: dict[str, Any]) -> PartnerDefinition | None:
        try:
            return PartnerDefinition.model_validate(said)
        except ValidationError as error:
            self.refuse_definition(error)
            return None


class PartnerForm(RatesForm):
    """A partner; of a new one its first rates as well."""

    name = forms.CharField(label=_l("Name"), max_length=120)
    summary = forms.CharField(
        label=_l("It in a sentence"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_l("Members read it where they see at whose they earn and spend."),
    )  # fmt: skip
    website = forms.CharField(
        label=_l("Web address"), max_length=300, required=False,
        help_text=_l("Beginning with https."),
    )  # fmt: skip
    since = _day(_l("Settled from"), _l("The first day of the first statement."))

    def __init__(
        self, data: Any = None, *, program: Program, partner: Partner | None, today: dt.date
    ) -> None:
        self.program = program
        self.base = partner_definition(partner) if partner else None
        initial = self.base.model_dump() if self.base else {"since": today.replace(day=1)}
        super().__init__(data, initial=initial)
        self.units = []
        if partner is None:
            self.add_rates(program, None)

    def definition(self) -> PartnerDefinition | None:
        data = {name: self.cleaned_data[name] for name in ("name", "summary", "website", "since")}
        if self.base is not None:
            return self.read(self.base.model_dump() | data)
        taken = {item.code for item in partners_in(self.program)}
        code = first_free(code_stem(data["name"], otherwise="partner"), taken)
        return self.read({"code": code, "rates": self.rates(data["since"]), **data})


class PartnerRateForm(RatesForm):
    """Other rates, from a day on."""

    from_on = _day(_l("From"), _l("Days that are settled keep their rates."))

    def __init__(self, data: Any = None, *, partner: Partner, today: dt.date) -> None:
        self.base = partner_definition(partner)
        super().__init__(data, initial={"from_on": today})
        self.add_rates(partner.account.program, partner)

    def definition(self) -> PartnerDefinition | None:
        from_on = self.cleaned_data["from_on"]
        kept = [rate.model_dump() for rate in self.base.rates if rate.from_on != from_on]
        return self.read(self.base.model_dump() | {"rates": [*kept, *self.rates(from_on)]})
