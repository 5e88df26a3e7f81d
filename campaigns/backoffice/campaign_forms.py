"""What staff fill in about a campaign: what it gives, to whom, when, how much, in which words."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from campaigns.campaign_definitions import (
    TELLINGS,
    CampaignDefinition,
    CampaignTexts,
    codes_of,
    definition_of_campaign,
    offer_of,
)
from campaigns.campaign_rules import template_of
from campaigns.models import Campaign
from campaigns.offers import Offer
from loyalty.backoffice.program_fields import amount, optional, plain
from loyalty.bundle_texts import BundleField, bundle_text
from loyalty.models import Program
from members.backoffice.condition_builder import ConditionField
from members.conditions.scopes import OF_CUSTOMERS
from members.conditions.values import WEEKDAY, WEEKDAYS
from rewards.backoffice.event_forms import MomentField, said_moment, shown_moment
from rewards.models import Reward

TIMES = ("starts_at", "ends_at", "teased_at")
NAMES = ("categories", "skus", "tags")
PLAIN = ("name", "goal", "metric", "target", "holdout", "budget_units", "budget_money", "title",
         "text", "teaser")  # fmt: skip
_LINES = {"widget": forms.Textarea(attrs={"rows": 2}), "required": False, "max_length": 2000}


class ClockField(forms.TimeField):
    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        super().__init__(required=False, input_formats=["%H:%M", "%H:%M:%S"], widget=widget,
                         **kwargs)  # fmt: skip


class CampaignForm(forms.Form):
    """Only what the template of the campaign asks for is there."""

    name = forms.CharField(
        label=_l("Name"), max_length=80,
        help_text=_l("Quotes, explanations and history call it by this."),
    )  # fmt: skip
    goal = forms.CharField(
        label=_l("What it is for"), max_length=200, required=False,
        widget=forms.TextInput(attrs={"placeholder": _l("More orders on a quiet weekend")}),
    )  # fmt: skip
    metric = forms.ChoiceField(
        label=_l("Measured by"), choices=Campaign.Metric.choices, required=False
    )
    target = optional(_l("Aim"), _l("What that shall reach."))
    factor = amount(_l("Times"), 2, _l("2: twice the points."), "1.01")
    units = amount(_l("Bonus"), 4)
    expire_days = forms.IntegerField(
        label=_l("They last so many days"), min_value=1, max_value=1096, required=False,
        help_text=_l("From when they can be spent. Empty: as long as what else is earned."),
    )  # fmt: skip
    reach = amount(_l("Orders from"), 4)
    number = forms.IntegerField(
        label=_l("Which order"), min_value=2, max_value=1000,
        help_text=_l("Counted from when it begins; 3: the third."),
    )  # fmt: skip
    percent = amount(_l("Percent off"), 2, least="0.01")
    brackets = forms.CharField(
        label=_l("Percent off, by basket"), max_length=500, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_l("In each line: more than so much, a colon, so many percent. As 50: 5"),
    )  # fmt: skip
    least = optional(_l("Baskets from"), _l("Empty: every basket."))
    every = forms.IntegerField(
        label=_l("Of so many pieces"), min_value=2, max_value=100,
        help_text=_l("3: three for two."),
    )  # fmt: skip
    bundle = BundleField()
    price = amount(_l("Their price together"), 2)
    times = forms.IntegerField(
        label=_l("So often in one order"), min_value=1, max_value=1000, required=False,
        help_text=_l("Empty: as often as there are pieces for it."),
    )  # fmt: skip
    weekdays = forms.MultipleChoiceField(
        label=_l("On these days"), required=False, widget=forms.CheckboxSelectMultiple
    )
    from_time = ClockField(label=_l("From"))
    until_time = ClockField(label=_l("Until"))
    categories = forms.CharField(
        label=_l("Categories"),
        help_text=_l("One in each line."),
        **_LINES,  # type: ignore[arg-type]
    )
    skus = forms.CharField(
        label=_l("Products"),
        help_text=_l("SKUs, one in each line."),
        **_LINES,  # type: ignore[arg-type]
    )
    tags = forms.CharField(
        label=_l("Tags of products"),
        help_text=_l("One in each line."),
        **_LINES,  # type: ignore[arg-type]
    )
    picks = forms.ChoiceField(
        label=_l("What each is offered"), choices=[
            ("favorite", _l("The category that they buy most often")),
            ("birthday", _l("The same, around their birthday")),
            ("next", _l("Where they most likely buy next")),
        ],
    )  # fmt: skip
    bought = forms.IntegerField(
        label=_l("Bought so often"), min_value=1, max_value=1000,
        help_text=_l("Orders, at least; of the next best offer in any category."),
    )  # fmt: skip
    within = forms.IntegerField(label=_l("Within so many days"), min_value=1, max_value=1096)
    missing = forms.IntegerField(
        label=_l("Missing, at most"), min_value=1, max_value=20,
        help_text=_l("Of the set; the first one that is missing is offered."),
    )  # fmt: skip
    lasts = forms.IntegerField(
        label=_l("Theirs for so many days"), min_value=1, max_value=366,
        help_text=_l("From when it is offered to a member."),
    )  # fmt: skip
    again = forms.BooleanField(
        label=_l("Another one when that is over"), required=False,
        help_text=_l("Else once for each member."),
    )  # fmt: skip
    margins = forms.CharField(
        label=_l("What a category is worth"),
        help_text=_l("Its margin in percent, one in each line, as COFFEE: 35. Empty: all alike."),
        **_LINES,  # type: ignore[arg-type]
    )
    choose = forms.ChoiceField(
        label=_l("Who gets it"), choices=[
            ("number", _l("So many, drawn by chance")),
            ("share", _l("A share, drawn by chance")), ("all", _l("Everybody it is for")),
        ],
    )  # fmt: skip
    winners = forms.IntegerField(label=_l("How many"), min_value=1, max_value=1_000_000)
    share = amount(_l("Percent of them"), 4)
    rounds = forms.ChoiceField(
        label=_l("How often"), choices=[
            ("once", _l("Once, as it begins")), ("week", _l("Every week until it ends")),
            ("month", _l("Every month until it ends")),
        ],
    )  # fmt: skip
    reward = forms.ChoiceField(label=_l("A reward instead"), required=False)
    per_member = optional(_l("Most for one member"), _l("Empty: no limit."))
    audience = ConditionField(
        scopes=OF_CUSTOMERS, in_database=True, label=_l("For whom"),
        everything=_l("Every member."),
    )  # fmt: skip
    holdout = forms.IntegerField(
        label=_l("Percent kept aside"), min_value=0, max_value=50,
        help_text=_l("They do not get it, so that you see what it brings. 0: nobody."),
    )  # fmt: skip
    code_kind = forms.ChoiceField(
        label=_l("Does it take a code?"), required=False, choices=[
            ("", _l("No: everybody whom it is for gets it")),
            ("shared", _l("One word that everybody types")),
            ("single", _l("Many codes, each is used once")),
        ],
        help_text=_l("At the checkout, at the till or told with the order."),
    )  # fmt: skip
    code_word = forms.CharField(
        label=_l("The word"), max_length=48, required=False,
        help_text=_l("As STUDENT10. Capitals, spaces and dashes do not matter."),
    )  # fmt: skip
    code_uses = forms.IntegerField(
        label=_l("How often in all"), min_value=1, max_value=1_000_000, required=False,
        help_text=_l("Of the word. Empty: no limit."),
    )  # fmt: skip
    code_per_member = forms.IntegerField(
        label=_l("How often for one member"), min_value=1, max_value=1_000, required=False,
        help_text=_l("Empty: no limit."),
    )  # fmt: skip
    code_shown = forms.BooleanField(
        label=_l("Members read of it on their pages"), required=False,
        help_text=_l("Else only who has the code from elsewhere knows."),
    )  # fmt: skip
    starts_at = MomentField(label=_l("Begins"))
    ends_at = MomentField(label=_l("Ends"))
    budget_units = optional(_l("Budget in units"), _l("Empty: no limit."))
    budget_money = optional(_l("Budget in money"), _l("Empty: no limit."))
    title = forms.CharField(label=_l("Title"), max_length=80)
    text = forms.CharField(
        label=_l("Text"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    teaser = forms.CharField(
        label=_l("Before it begins"), max_length=200, required=False,
        help_text=_l("Shown from the time beside it. Empty: the title."),
    )  # fmt: skip
    tells = forms.MultipleChoiceField(
        label=_l("Tell members by a message"), required=False,
        widget=forms.CheckboxSelectMultiple, choices=[
            ("teaser", _l("The teaser, when it is announced")),
            ("begun", _l("When it has begun")),
            ("last_day", _l("On its last day")),
        ],
        help_text=_l("Each once, who wants offers; by the ways that are on for it under Messages."
                     " Who is kept aside reads nothing."),
    )  # fmt: skip
    teased_at = MomentField(
        label=_l("Announced from"), required=False, help_text=_l("Empty: not announced.")
    )

    def __init__(self, data: Any = None, *, campaign: Campaign) -> None:
        self.campaign, self.program = campaign, campaign.program
        super().__init__(data, initial=_initial(campaign))
        template = template_of(campaign)
        for name in Offer.model_fields:
            if name not in template.asks:
                del self.fields[name]
        if not template.limits_units:
            del self.fields["budget_units"]
            if not template.takes_off:
                del self.fields["budget_money"]
        self._name_units()
        if (reward := self.fields.get("reward")) is not None:
            assert isinstance(reward, forms.ChoiceField)
            reward.choices = [("", _("None: units")), *_rewards(self.program, offer_of(campaign))]
        if (days := self.fields.get("weekdays")) is not None:
            assert isinstance(days, forms.MultipleChoiceField)
            days.choices = [(code, WEEKDAY.words(place)) for place, code in enumerate(WEEKDAYS)]

    def _name_units(self) -> None:
        """In the program's own word for what it collects."""
        unit = self.program.wallet_types.order_by("pk").first()
        if unit is None:
            return
        words = {"budget_units": _("Budget in %s"), "per_member": _("Most for one member, in %s"),
                 "units": _("Bonus, in %s")}  # fmt: skip
        for name, label in words.items():
            if name in self.fields:
                self.fields[name].label = label % unit.plural

    @property
    def offer_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in template_of(self.campaign).asks]

    @property
    def budget_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("budget_units", "budget_money") if name in self.fields]

    def clean_brackets(self) -> list[dict[str, Decimal]]:
        found = []
        for text in _lines(self.cleaned_data["brackets"]):
            above, _colon, percent = text.partition(":")
            try:
                item = {"above": Decimal(above.strip()), "percent": Decimal(percent.strip(" %"))}
                finite = all(number.is_finite() for number in item.values())
            except InvalidOperation:
                finite = False
            if not finite:
                raise forms.ValidationError(_("Write each line as 50: 5, and not “%s”.") % text)
            found.append(item)
        return sorted(found, key=lambda item: item["above"])

    def clean_margins(self) -> dict[str, Decimal]:
        found = {}
        for text in _lines(self.cleaned_data["margins"]):
            name, _colon, percent = text.rpartition(":")
            try:
                found[name.strip()] = Decimal(percent.strip(" %"))
            except InvalidOperation:
                name = ""
            if not name.strip():
                raise forms.ValidationError(_("Write each line as COFFEE: 35, not “%s”.") % text)
        return found

    def definition(self) -> CampaignDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        data, known = self.cleaned_data, definition_of_campaign(self.campaign)
        said = known.model_dump() | {name: data[name] for name in PLAIN if name in data}
        said["metric"] = data["metric"] or ""
        said["audience"] = data["audience"] or {}
        said |= {name: said_moment(data[name], self.program) for name in TIMES}
        said["offer"] = said["offer"] | self._offer()
        said["codes"] = self._codes()
        said["tells"] = tuple(name for name in TELLINGS if name in data["tells"])
        try:
            return CampaignDefinition.model_validate(said)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self._add(item)
            return None

    def _offer(self) -> dict[str, Any]:
        asked = template_of(self.campaign).asks
        said = {name: self.cleaned_data[name] for name in asked}
        return said | {name: _lines(said[name]) for name in NAMES if name in said}

    def _codes(self) -> dict[str, Any]:
        data, kind = self.cleaned_data, self.cleaned_data["code_kind"]
        if not kind:
            return {}
        of_word = {"word": data["code_word"].strip(), "most_uses": data["code_uses"]}
        said = {"kind": kind, "per_member": data["code_per_member"], "shown": data["code_shown"]}
        return said | (of_word if kind == "shared" else {})

    def _add(self, item: Any) -> None:
        """An error at the field that it is about."""
        message = str(item["msg"]).removeprefix("Value error, ")
        named, colon, rest = message.partition(": ")
        places = [str(part) for part in item["loc"] if str(part) in self.fields]
        if colon and named in self.fields:
            self.add_error(named, rest)
        else:
            self.add_error(places[-1] if places else None, message)


class CampaignTextsForm(forms.Form):
    """What members read, in another language."""

    def __init__(self, data: Any = None, *, campaign: Campaign, language: str) -> None:
        self.campaign, self.language = campaign, language
        super().__init__(data)
        said = campaign.texts.get(language, {})
        for name, longest in (("title", 80), ("text", 300), ("teaser", 200)):
            if getattr(campaign, name):
                self.fields[name] = forms.CharField(
                    label=getattr(campaign, name), initial=said.get(name, ""), max_length=longest,
                    required=False,
                )  # fmt: skip

    def definition(self) -> CampaignDefinition:
        known = definition_of_campaign(self.campaign)
        own = CampaignTexts(**self.cleaned_data)
        return known.model_copy(update={"texts": {**known.texts, self.language: own}})


def _initial(campaign: Campaign) -> dict[str, Any]:
    offer = offer_of(campaign)
    found: dict[str, Any] = {name: getattr(campaign, name) for name in PLAIN}
    found |= {"audience": campaign.audience, **offer.model_dump()}
    found |= {name: shown_moment(getattr(campaign, name), campaign.program) for name in TIMES}
    found |= {name: "\n".join(getattr(offer, name)) for name in NAMES}
    found["tells"] = list(campaign.tells)
    found["margins"] = "\n".join(f"{name}: {plain(it)}" for name, it in offer.margins.items())
    codes = codes_of(campaign)
    found |= {"code_kind": codes.kind, "code_word": codes.word, "code_uses": codes.most_uses,
              "code_per_member": codes.per_member, "code_shown": codes.shown}  # fmt: skip
    found["bundle"] = bundle_text(offer.bundle)
    found["brackets"] = "\n".join(
        f"{plain(item.above)}: {plain(item.percent)}" for item in offer.brackets
    )
    return {
        name: plain(value) if isinstance(value, Decimal) else value for name, value in found.items()
    }


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _rewards(program: Program, offer: Offer) -> list[tuple[str, str]]:
    """What can be given, and what was chosen before."""
    rows = Reward.objects.filter(program=program)
    rows = rows.filter(Q(status=Reward.Status.LIVE) | Q(code=offer.reward))
    return [(row.code, row.name) for row in rows.order_by("name") if not row.is_donation]
