"""What staff fill in about bringing friends: who gets what, when, how much at most, in which
words."""

from __future__ import annotations

from decimal import Decimal
from heapq import merge
from operator import itemgetter
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from campaigns.models import Affiliate
from campaigns.referral_definitions import (
    MOST_STEPS,
    ReferralDefinition,
    ReferralGift,
    ReferralStep,
    ReferralTexts,
)
from campaigns.referral_words import unit_of
from loyalty.backoffice.program_fields import at_times, optional, plain
from loyalty.models import Program, WalletType
from rewards.models import Reward

KINDS = (
    ("none", _l("Nothing")), ("units", _l("So many units")),
    ("percent", _l("Percent of the first purchase, in units")), ("reward", _l("A reward")),
)  # fmt: skip
SIDES = ("advocate", "friend")
OF_SHARES = ("percent", "unit", "orders", "months", "most_per_order", "most")
PLAIN = ("least", "wait_days", "within_days", "newcomers_only", "most_per_day", "budget_units",
         "budget_money", "title", "text", "share", "friend_title", "friend_text")  # fmt: skip
TEXTS = {"title": 80, "text": 300, "share": 300, "friend_title": 80, "friend_text": 300}


class ReferralForm(forms.Form):
    """Both sides have the same four fields."""

    steps = forms.CharField(
        label=_l("More for more friends"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "3: 500"}),
        help_text=_l("In each line: from friend number so and so on, a colon, so many units."),
    )  # fmt: skip
    least = optional(_l("First purchase from"), _l("Empty: any purchase counts."))
    within_days = forms.IntegerField(
        label=_l("Days to buy"), min_value=1, max_value=730,
        help_text=_l("Counted from joining."),
    )  # fmt: skip
    wait_days = forms.IntegerField(
        label=_l("Days to wait"), min_value=0, max_value=180,
        help_text=_l("After the purchase, as long as it may go back. 0: it is given at once."),
    )  # fmt: skip
    newcomers_only = forms.BooleanField(
        label=_l("Only friends who have never bought here"), required=False
    )
    most_per_day = forms.IntegerField(
        label=_l("Friends a day without a look"), min_value=1, max_value=1000, required=False,
        help_text=_l("What is beyond goes into review. Empty: no limit."),
    )  # fmt: skip
    budget_units = optional(_l("Budget in units"), _l("Of both sides. Empty: no limit."))
    budget_money = optional(_l("Budget in money"), _l("Of both sides. Empty: no limit."))
    title = forms.CharField(label=_l("Title"), max_length=80, required=False)
    text = forms.CharField(
        label=_l("Text"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_l("Empty: what is promised, in words."),
    )  # fmt: skip
    share = forms.CharField(
        label=_l("What they send"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 2}), help_text=_l("The link comes after it."),
    )  # fmt: skip
    friend_title = forms.CharField(label=_l("Title for friends"), max_length=80, required=False)
    friend_text = forms.CharField(
        label=_l("Text for friends"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(
        self, data: Any = None, *, program: Program, definition: ReferralDefinition
    ) -> None:
        self.program, self.definition_before = program, definition
        super().__init__(data, initial=_initial(definition, program))
        units = [(unit.code, unit.plural) for unit in WalletType.objects.filter(program=program)]
        self.unit_codes = [code for code, _plural in units]
        if len(units) > 1:
            self.fields["steps"].help_text = _(
                "In each line: from friend number so and so on, a colon, so many units. Other units"
                " than those above by their code: 3: 500 %s."
            ) % units[-1][0]  # fmt: skip
        live = Reward.objects.filter(program=program, status=Reward.Status.LIVE)
        rewards = [(item.code, item.name) for item in live if not item.is_donation]
        for side in SIDES:
            self.fields |= _side_fields(side, units, rewards) | _share_fields(side, units)

    @property
    def further(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Of what the friend buys after the first purchase: the same for each side."""
        titles = {"advocate": _("Who brings a friend"), "friend": _("The friend")}
        names = {side: [f"{side}_further_{name}" for name in OF_SHARES] for side in SIDES}
        return [
            (titles[side], [self[name] for name in names[side] if name in self.fields])
            for side in SIDES
        ]  # fmt: skip

    @property
    def sides(self) -> list[tuple[str, list[forms.BoundField]]]:
        titles = {"advocate": _("Who brings a friend"), "friend": _("The friend")}
        names = ("kind", "units", "percent", "unit", "reward")
        return [
            (titles[side], [self[f"{side}_{name}"] for name in names
                            if f"{side}_{name}" in self.fields])
            for side in SIDES
        ]  # fmt: skip

    def clean_steps(self) -> list[dict[str, Any]]:
        found = []
        for line in self.cleaned_data["steps"].splitlines():
            if not line.strip():
                continue
            number, _colon, said = line.partition(":")
            units, _space, code = said.strip().partition(" ")
            if code.strip() and code.strip() not in self.unit_codes:
                raise forms.ValidationError(_("There are no units “%s”.") % code.strip())
            try:
                gift = {"kind": "units", "units": str(Decimal(units)), "unit": code.strip()}
                found.append({"friends": int(number), "gift": gift})
            except (ValueError, ArithmeticError) as error:
                message = _("Write each line as 3: 500, and not “%s”.") % line.strip()
                raise forms.ValidationError(message) from error
        if len(found) + len(self._unshown) > MOST_STEPS:
            raise forms.ValidationError(_("At most %s steps.") % MOST_STEPS)
        return found

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for side in SIDES:
            said = [data.get(f"{side}_further_{name}") for name in OF_SHARES if name != "unit"]
            if any(said) and not said[0] and f"{side}_further_percent" not in self.errors:
                self.add_error(f"{side}_further_percent", _("Say how many percent."))
        return data

    def definition(self) -> ReferralDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        data = self.cleaned_data
        said = self.definition_before.model_dump() | {name: data[name] for name in PLAIN}
        said |= {side: self._gift(side) for side in SIDES}
        said |= {f"{side}_further": self._share(side) for side in SIDES}
        said["steps"] = self._steps()
        try:
            return ReferralDefinition.model_validate(said)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self._add(item)
            return None

    @property
    def _unshown(self) -> list[ReferralStep]:
        """What a program file says beside units: it stays as it is."""
        return [step for step in self.definition_before.steps if step.gift.units is None]

    def _steps(self) -> list[dict[str, Any]]:
        """Where no unit is named they are those of who brings a friend."""
        unit = self.cleaned_data.get("advocate_unit", "")
        shown = [
            {**step, "gift": {**step["gift"], "unit": step["gift"]["unit"] or unit}}
            for step in self.cleaned_data["steps"]
        ]
        # Whoever writes them in a wrong order is still told.
        unshown = [step.model_dump() for step in self._unshown]
        return list(merge(unshown, shown, key=itemgetter("friends")))

    def _gift(self, side: str) -> dict[str, Any]:
        kind = self.cleaned_data[f"{side}_kind"]
        wanted = {"units": ("units", "unit"), "percent": ("percent", "unit"),
                  "reward": ("reward",)}.get(kind, ())  # fmt: skip
        said = {name: self.cleaned_data.get(f"{side}_{name}") for name in wanted}
        return {"kind": kind, **{name: value for name, value in said.items() if value}}

    def _share(self, side: str) -> dict[str, Any] | None:
        said = {name: self.cleaned_data.get(f"{side}_further_{name}") for name in OF_SHARES}
        return {name: value for name, value in said.items() if value} if said["percent"] else None

    def _add(self, item: Any) -> None:
        """An error at the field that it is about."""
        place = [str(part) for part in item["loc"]]
        message = str(item["msg"]).removeprefix("Value error, ")
        name = place[0] if place else ""
        if name in SIDES:
            kind = self.cleaned_data[f"{name}_kind"]
            name = f"{name}_{place[1] if len(place) > 1 else kind}"
            message = message.removeprefix(f"{kind}: ")
        elif name.endswith("_further"):
            name = f"{name}_{place[1] if len(place) > 1 else 'orders'}"
        self.add_error(name if name in self.fields else None, message)


class ReferralTextsForm(forms.Form):
    """What people read, in another language."""

    def __init__(
        self, data: Any = None, *, definition: ReferralDefinition, language: str,
        usual: dict[str, str],
    ) -> None:  # fmt: skip
        self.definition_before, self.language = definition, language
        super().__init__(data)
        known = definition.texts.get(language, ReferralTexts())
        for name, longest in TEXTS.items():
            self.fields[name] = forms.CharField(
                label=usual[name] or name, initial=getattr(known, name), max_length=longest,
                required=False,
            )  # fmt: skip

    def definition(self) -> ReferralDefinition:
        texts = {**self.definition_before.texts, self.language: ReferralTexts(**self.cleaned_data)}
        return self.definition_before.model_copy(update={"texts": texts})


class AffiliateForm(forms.Form):
    """Who they are, and what a friend of theirs brings them."""

    name = forms.CharField(label=_l("Name"), max_length=120)
    email = forms.EmailField(label=_l("E-mail"), max_length=254, required=False)
    per_friend = optional(_l("Money for each friend"), _l("Once their first purchase is kept."))
    percent = optional(_l("Percent of that purchase"))

    def __init__(self, data: Any = None, *, affiliate: Affiliate | None = None) -> None:
        names = ("name", "email", "per_friend", "percent")
        said = {name: getattr(affiliate, name) for name in names} if affiliate else {}
        shown = {
            name: plain(value) if isinstance(value, Decimal) else value
            for name, value in said.items()
        }
        super().__init__(data, initial=shown)

    def said(self) -> dict[str, Any]:
        data = self.cleaned_data
        rates = {name: data[name] or Decimal(0) for name in ("per_friend", "percent")}
        return {"name": data["name"], "email": data["email"], **rates}


def _side_fields(
    side: str, units: list[tuple[str, str]], rewards: list[tuple[str, str]]
) -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {
        f"{side}_kind": forms.ChoiceField(label=_l("Gets"), choices=KINDS),
        f"{side}_units": at_times(optional(_l("How many"))),
        f"{side}_percent": at_times(optional(_l("Percent"))),
        f"{side}_reward": at_times(
            forms.ChoiceField(label=_l("Which reward"), choices=[("", "–"), *rewards])
        ),
    }
    if len(units) > 1:
        found[f"{side}_unit"] = forms.ChoiceField(
            label=_l("Which units"), choices=units, required=False
        )
    return found


def _share_fields(side: str, units: list[tuple[str, str]]) -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {
        "percent": optional(_l("Percent"), _l("Empty: only the first purchase counts.")),
        "orders": forms.IntegerField(
            label=_l("Orders"), min_value=1, max_value=1000, required=False,
            help_text=_l("Of the first so many."),
        ),
        "months": forms.IntegerField(
            label=_l("Months"), min_value=1, max_value=60, required=False,
            help_text=_l("From the first purchase."),
        ),
        "most_per_order": optional(_l("Most for one order"), _l("In units.")),
        "most": optional(_l("Most in all"), _l("In units, for one friend.")),
    }  # fmt: skip
    if len(units) > 1:
        found["unit"] = forms.ChoiceField(label=_l("Which units"), choices=units, required=False)
    return {f"{side}_further_{name}": field for name, field in found.items()}


def _initial(definition: ReferralDefinition, program: Program) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(definition, name) for name in PLAIN}
    for side in SIDES:
        gift: ReferralGift = getattr(definition, side)
        found |= {f"{side}_{name}": value for name, value in gift.model_dump().items()}
        share = getattr(definition, f"{side}_further")
        said = share.model_dump() if share else {}
        found |= {f"{side}_further_{name}": value for name, value in said.items()}
    found["steps"] = "\n".join(
        f"{step.friends}: {plain(step.gift.units)}{_other_unit(step, definition, program)}"
        for step in definition.steps if step.gift.units is not None
    )  # fmt: skip
    return {
        name: plain(value) if isinstance(value, Decimal) else value for name, value in found.items()
    }


def _other_unit(step: ReferralStep, definition: ReferralDefinition, program: Program) -> str:
    """The code of a step's units where they are others than those of who brings a friend."""
    own, usual = unit_of(step.gift, program), unit_of(definition.advocate, program)
    return "" if own is None or own == usual else f" {own.code}"
