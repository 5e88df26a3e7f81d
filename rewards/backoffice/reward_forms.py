"""What staff fill in about rewards."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from loyalty.backoffice.program_fields import amount, at_times, optional, plain, switch
from loyalty.models import Program
from loyalty.rule_conditions import OCCASION_SCOPES
from loyalty.rules.calendar import localize
from loyalty.selectors.charities import charities_in
from loyalty.selectors.tier_sets import tier_set_at
from members.backoffice.condition_builder import ConditionField
from members.free_codes import code_stem
from members.selectors.merchants import get_merchant
from rewards.backoffice.first_reward import promised_reward
from rewards.backoffice.sale_choices import sale_choices
from rewards.definitions import OF_KINDS, RewardDefinition
from rewards.models import Reward
from rewards.selectors.rewards import definition_of
from rewards.texts import NAMES, other_languages
from rewards.voucher_terms import DEFAULT_TURN

# What kinds need, in words for people.
_NEEDED = {
    "amount": _l("Say how much."),
    "price": _l("Only gifts, experiences, events and content may cost nothing."),
    "percent": _l("Say how much."),
    "skus": _l("Name the products of which one is free."),
    "charity": _l("Choose whom it is given to."),
    "voucher_pool": _l("Choose the list that its codes come from."),
    "prizes": _l("Give at least one of the rewards a weight."),
}
_IN_MONEY = _l("For your figures. Empty: what it gives in money.")
# Of these it is the amount.
GIVING_MONEY = (Reward.Kind.AMOUNT_OFF, *Reward.STORED_VALUE)
LISTS = ("skus", "categories")
# Made and changed together with what they are about.
OWN_SCREENS = (Reward.Kind.EVENT_SEAT, Reward.Kind.CONTENT)
TIMES = ("starts_at", "ends_at")


def moment_field(label: Any, help_text: Any = "") -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, help_text=help_text, required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip


def _listed(label: Any, help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=4000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip


def _count(label: Any, help_text: Any, least: int = 1) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=help_text, required=False, min_value=least, max_value=100_000_000
    )


def _text_fields(language: str, name: str) -> dict[str, forms.Field]:
    """A reward in a further language."""
    in_it = {"lang": language}
    return {
        f"text_{language}_name": forms.CharField(
            label=_("Name, %s") % name, max_length=80, required=False,
            widget=forms.TextInput(attrs=in_it),
        ),
        f"text_{language}_summary": forms.CharField(
            label=_("In a sentence, %s") % name, max_length=200, required=False,
            widget=forms.TextInput(attrs=in_it),
        ),
        f"text_{language}_details": forms.CharField(
            label=_("What applies, %s") % name, max_length=2000, required=False,
            widget=forms.Textarea(attrs={"rows": 2, **in_it}),
        ),
    }  # fmt: skip


def _candidates(program: Program, reward: Reward | None) -> QuerySet[Reward]:
    """What can be in a mystery gift of the program, and whatever is in this one."""
    plain_ones = Reward.objects.filter(program=program, kind__in=Reward.DRAWN, sent=False)
    kept = Q(in_gifts__reward=reward) if reward else Q(pk__in=[])
    return plain_ones.filter(~Q(status=Reward.Status.ARCHIVED) | kept).distinct()


class RewardForm(forms.Form):
    """A reward; what it is is chosen once."""

    kind = forms.ChoiceField(
        label=_l("What it is"), widget=forms.RadioSelect,
        choices=[item for item in Reward.Kind.choices if item[0] not in OWN_SCREENS],
    )  # fmt: skip
    name = forms.CharField(
        label=_l("What members call it"), max_length=80, help_text=_l("As “5 off” or “Free cup”.")
    )
    summary = forms.CharField(label=_l("In a sentence"), max_length=200, required=False)
    details = forms.CharField(
        label=_l("What applies to it"), max_length=2000, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_l("What is said above is told to members by itself."),
    )  # fmt: skip
    wallet_type = forms.ChoiceField(label=_l("Taken for"))
    price = amount(
        _l("Price"), 4, _l("In whole units, as members count them; 0: nothing."),
        least="0",
    )  # fmt: skip
    amount = at_times(optional(_l("Money off")))
    # The same of what gives money.
    given = at_times(optional(_l("Amount"), _l("So much money to spend.")))
    charity = at_times(forms.ChoiceField(label=_l("Given to"), required=False))
    donated = at_times(
        optional(_l("So much money"), _l("Empty, and no things: what its units are worth there."))
    )
    things = at_times(
        optional(_l("Or so many things"), _l("Of what its work is counted in, as trees."))
    )
    percent = at_times(optional(_l("Percent off")))
    most = at_times(optional(_l("At most"), _l("So much money off one order.")))
    skus = at_times(_listed(_l("Products"), _l("Their SKUs, with commas between them.")))
    categories = at_times(_listed(_l("Categories"), _l("With commas between them. Empty: all.")))
    least = at_times(optional(_l("Only for orders from")))
    voucher_pool = at_times(
        forms.ChoiceField(
            label=_l("Codes"),
            help_text=_l("Made here, or taken one by one from a list that came from elsewhere."),
        )
    )
    code_prefix = forms.CharField(
        label=_l("Codes begin with"), max_length=8, required=False,
        help_text=_l("Capital letters and digits, as TEA."),
    )  # fmt: skip
    worth = optional(_l("Worth to a member"), _IN_MONEY, least="0")
    cost = optional(_l("Cost to you"), _IN_MONEY, least="0")
    valid_days = _count(_l("Days to use it"), _l("Empty: its code never runs out."))
    stock = _count(_l("How many there are"), _l("Empty: as many as are wanted."), least=0)
    per_member = _count(_l("For one member at most"), _l("Empty: no limit."))
    per_period = forms.ChoiceField(label=_l("In which time"), choices=Reward.Period.choices)
    starts_at = moment_field(_l("Can be taken from"))
    ends_at = moment_field(_l("Can be taken until"))
    window = forms.ChoiceField(
        label=_l("Comes with a sale"), required=False,
        help_text=_l("When it opens for a member, by tier or segment, until it closes."),
    )  # fmt: skip
    combines = switch(
        _l("Its voucher goes together with others"),
        _l("Else a cart has it alone, without any other voucher."),
    )
    stacking_group = forms.RegexField(
        r"^[a-z0-9-]{1,32}$", label=_l("Group"), required=False,
        help_text=_l("A short name, as money-off. Of one group a cart has one. Empty: none."),
    )  # fmt: skip
    applies = forms.IntegerField(
        label=_l("Its turn"), min_value=1, max_value=999, required=False,
        help_text=_l("1 to 999. Smaller ones take their part off a cart first. Empty: 100."),
    )  # fmt: skip
    only_given = switch(
        _l("Only given"),
        _l("Members do not find it on their shelf: staff give it, or a day of the year does."),
    )
    sent = switch(_l("It is sent to an address"), _l("The member is asked for it."))
    when = ConditionField(
        scopes=OCCASION_SCOPES, label=_l("Who may take it"), everything=_l("Every member."),
    )  # fmt: skip

    # Whether it begins with what the program's terms promise.
    is_promised = False
    only_unit = ""

    def __init__(
        self, data: Any = None, *, program: Program, reward: Reward | None, now: dt.datetime
    ) -> None:
        self.program, self.reward = program, reward
        self.base = definition_of(reward) if reward else None
        tier_set = tier_set_at(program, now)
        self.tiers = list(tier_set.tiers.all()) if tier_set else []
        super().__init__(data, initial=self._initial())
        wallet_type, pool = self.fields["wallet_type"], self.fields["voucher_pool"]
        assert isinstance(wallet_type, forms.ChoiceField)
        assert isinstance(pool, forms.ChoiceField)
        kinds = list(program.wallet_types.all())
        units = [item for item in kinds if not item.stored_value]
        self.lacks_stored_value = len(units) == len(kinds)
        wallet_type.choices = [(item.code, item.plural) for item in units]
        given_to, whom = self.fields["charity"], charities_in(program)
        assert isinstance(given_to, forms.ChoiceField)
        if reward is not None and reward.charity is not None:
            whom = [reward.charity]
        given_to.choices = [(item.code, item.account.name) for item in whom]
        pools = [(item.code, item.name) for item in program.voucher_pools.all()]
        pool.choices = [("", _("Made here")), *pools]
        sales = self.fields["window"]
        assert isinstance(sales, forms.ChoiceField)
        sales.choices = sale_choices(program, reward.window if reward else None)
        for tier in self.tiers:
            field = optional(_("Price for %s") % tier.name, _("Empty: the price above."))
            self.fields[f"tier_{tier.code}"] = field
        self.languages = other_languages(get_merchant().locale)
        for language, name in self.languages:
            self.fields |= _text_fields(language, name)
        self.candidates = list(_candidates(program, reward))
        for item in self.candidates:
            self.fields[f"prize_{item.code}"] = _count(item.name, "")
        if reward is not None:
            del self.fields["kind"], self.fields["wallet_type"]
        elif len(units) == 1:
            del self.fields["wallet_type"]
            self.only_unit = units[0].plural

    @property
    def unit(self) -> str:
        """What prices are counted in, where it is not chosen in the form."""
        if self.reward is not None:
            return self.reward.wallet_type.plural
        return "" if "wallet_type" in self.fields else self.only_unit

    @property
    def tier_fields(self) -> list[forms.BoundField]:
        return [self[f"tier_{tier.code}"] for tier in self.tiers]

    @property
    def text_fields(self) -> list[tuple[str, list[forms.BoundField], bool]]:
        """Of each further language; the last says whether something is in it."""
        found = []
        for language, name in self.languages:
            fields = [self[f"text_{language}_{part}"] for part in NAMES]
            found.append((name, fields, any(item.value() or item.errors for item in fields)))
        return found

    @property
    def prize_fields(self) -> list[forms.BoundField]:
        return [self[f"prize_{item.code}"] for item in self.candidates]

    def definition(self) -> RewardDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        try:
            return RewardDefinition.model_validate(self._said())
        except ValidationError as error:
            for item in error.errors(include_url=False):
                message = str(item["msg"]).removeprefix("Value error, ")
                own = item.get("ctx", {}).get("field", "")
                place = str(item["loc"][0]) if item["loc"] else own
                words = _NEEDED.get(place, message) if item["type"] == "needed" else message
                place = "code_prefix" if place == "prefix" else place
                if place == "amount" and self._kind() in Reward.STORED_VALUE:
                    place = "given"
                if place == "amount" and self._kind() == Reward.Kind.CHARITY:
                    place = "donated"
                if place == "texts" and len(item["loc"]) == 3:
                    place = f"text_{item['loc'][1]}_{item['loc'][2]}"
                self.add_error(place if place in self.fields else None, words)
            return None

    def _initial(self) -> dict[str, Any]:
        if self.base is None:
            promised = promised_reward(self.program)
            self.is_promised = bool(promised)
            return {"kind": Reward.Kind.AMOUNT_OFF.value, "per_period": "ever"} | promised
        found = self.base.model_dump()
        for name in LISTS:
            found[name] = ", ".join(found[name])
        for name in TIMES:
            if found[name] is not None:
                found[name] = found[name].astimezone(self.program.zone).replace(tzinfo=None)
        for name, value in found.items():
            if isinstance(value, Decimal):
                found[name] = plain(value)
        found["code_prefix"], found["given"] = found["prefix"], found["amount"]
        found["donated"] = found["amount"]
        found["only_given"] = not found["on_shelf"]
        return found | _initial_parts(self.base)

    def _kind(self) -> str:
        return self.base.kind if self.base else str(self.cleaned_data.get("kind", ""))

    def _said(self) -> dict[str, Any]:
        data, kind = dict(self.cleaned_data), self._kind()
        if kind in Reward.STORED_VALUE:
            data["amount"] = data["given"]
        if kind == Reward.Kind.CHARITY:
            data["amount"] = data["donated"]
        if not data["combines"]:
            data["stacking_group"] = ""
        data["applies"] = data["applies"] or DEFAULT_TURN
        said = {name: data[name] for name in RewardDefinition.model_fields if name in data}
        for name in LISTS:
            said[name] = tuple(part.strip() for part in data[name].split(",") if part.strip())
        for name in TIMES:
            if said[name] is not None:
                said[name] = localize(said[name].replace(tzinfo=None), self.program.zone)
        said["tier_prices"] = {
            tier.code: data[f"tier_{tier.code}"]
            for tier in self.tiers
            if data.get(f"tier_{tier.code}")
        }
        said["prizes"] = {
            item.code: data[f"prize_{item.code}"]
            for item in self.candidates
            if data.get(f"prize_{item.code}")
        }
        said["texts"] = {
            language: {part: data.get(f"text_{language}_{part}", "") for part in NAMES}
            for language, _name in self.languages
        }
        given = (data["amount"] if kind in GIVING_MONEY else None) or 0
        said["worth"] = given if said["worth"] is None else said["worth"]
        said["cost"] = given if said["cost"] is None else said["cost"]
        said["prefix"] = data["code_prefix"].strip().upper()
        said["on_shelf"] = not data["only_given"]
        first = self.program.wallet_types.order_by("pk").first()
        fixed = {
            "kind": kind,
            "code": self.base.code if self.base else code_stem(data["name"], otherwise="reward"),
            "status": self.base.status if self.base else "draft",
            "wallet_type": self.base.wallet_type if self.base
            else data.get("wallet_type") or (first.code if first else ""),
        }  # fmt: skip
        return _of_its_kind(said | fixed)


def _initial_parts(base: RewardDefinition) -> dict[str, Any]:
    """What has a field for each tier, prize and language."""
    texts = {
        f"text_{language}_{part}": words
        for language, text in base.texts.items()
        for part, words in text.model_dump().items()
    }
    prizes = {f"prize_{code}": weight for code, weight in base.prizes.items()}
    return texts | prizes | {f"tier_{code}": plain(p) for code, p in base.tier_prices.items()}


def _of_its_kind(said: dict[str, Any]) -> dict[str, Any]:
    """Without what was typed into fields that this kind does not show."""
    hidden = {name for name, kinds in OF_KINDS.items() if said["kind"] not in kinds}
    return {name: value for name, value in said.items() if name not in hidden}
