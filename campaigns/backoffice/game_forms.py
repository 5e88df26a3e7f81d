"""What staff fill in about a game: how plays come about, what can be won, in which words."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from campaigns.fair_draws import MOST_WEIGHT
from campaigns.game_definitions import (
    MOST_PRIZES,
    Earning,
    GameDefinition,
    GameTexts,
    PrizeDefinition,
    definition_of_game,
)
from campaigns.models import Game, GamePrize
from loyalty.backoffice.program_fields import optional, plain
from loyalty.models import ActivityType
from loyalty.models.programs import code_validator
from members.backoffice.condition_builder import ConditionField
from members.conditions.scopes import OF_CUSTOMERS
from members.free_codes import code_stem, first_free
from rewards.backoffice.event_forms import MomentField, said_moment, shown_moment
from rewards.models import Reward

PLAIN = ("name", "kind", "title", "text", "price", "free_each", "play_days", "daily_plays",
         "guests", "budget_units", "budget_money")  # fmt: skip
PRIZE = ("kind", "name", "weight", "units", "cost", "stock", "per_day", "catches")


def _count(label: Any, hint: Any = "", most: int = 1000) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=1, max_value=most, required=False, help_text=hint
    )


class GameForm(forms.Form):
    """Itself; its prizes are a formset beside it."""

    name = forms.CharField(label=_l("Name"), max_length=80, help_text=_l("What staff call it."))
    kind = forms.ChoiceField(
        label=_l("How it looks"), choices=Game.Kind.choices,
        help_text=_l("All of them draw alike."),
    )  # fmt: skip
    title = forms.CharField(label=_l("Title"), max_length=80)
    text = forms.CharField(
        label=_l("Text"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    free_plays = forms.IntegerField(
        label=_l("Free plays"), min_value=0, max_value=20, required=False
    )
    free_each = forms.ChoiceField(label=_l("How often"), choices=Game.Period.choices,
                                  required=False)  # fmt: skip
    price = optional(_l("A play costs"), _l("In units. Empty: it is not sold."))
    order_plays = _count(_l("Plays for an order"), most=20)
    order_least = optional(_l("Orders from"), _l("Empty: every order."))
    activity = forms.ModelChoiceField(
        ActivityType.objects.none(), label=_l("For an activity"), required=False,
        to_field_name="code", empty_label=_l("None"),
    )  # fmt: skip
    activity_plays = _count(_l("Plays for it"), most=20)
    joined_plays = _count(_l("Plays for joining"), most=20)
    tier_up_plays = _count(_l("Plays for a higher tier"), most=20)
    play_days = _count(
        _l("Earned plays last, in days"), _l("Empty: as long as the game."), most=366
    )
    daily_plays = _count(_l("Most plays for one member in a day"), _l("Empty: no limit."))
    guests = forms.BooleanField(
        label=_l("Guests may play once"), required=False,
        help_text=_l("On the public page. They get what they drew once they have joined."),
    )  # fmt: skip
    claim_hours = _count(
        _l("Hours to claim it"), _l("Empty: 48. Then it can be won again."), most=720
    )
    audience = ConditionField(
        scopes=OF_CUSTOMERS, in_database=True, label=_l("For whom"),
        everything=_l("Every member."),
    )  # fmt: skip
    starts_at = MomentField(
        label=_l("Begins"), required=False, help_text=_l("Empty: as soon as it is published.")
    )
    ends_at = MomentField(label=_l("Ends"), required=False, help_text=_l("Empty: when you end it."))
    budget_units = optional(_l("Budget in units"), _l("Empty: no limit."))
    budget_money = optional(_l("Budget in money"), _l("Empty: no limit."))

    def __init__(self, data: Any = None, *, game: Game) -> None:
        self.game, self.program = game, game.program
        super().__init__(data, initial=_initial(game))
        choice = self.fields["activity"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = ActivityType.objects.filter(active=True).order_by("name")

    def definition(self, prizes: Iterable[PrizeDefinition]) -> GameDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        data = self.cleaned_data
        said = {name: data[name] for name in PLAIN} | {"free_plays": data["free_plays"] or 0}
        said["claim_hours"] = data["claim_hours"] or 48
        said |= {name: said_moment(data[name], self.program) for name in ("starts_at", "ends_at")}
        try:
            return GameDefinition.model_validate(said | {
                "earning": self._earning(), "audience": data["audience"] or {},
                "texts": self.game.texts, "prizes": list(prizes),
            })  # fmt: skip
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self._add(item)
            return None

    def _earning(self) -> list[Earning]:
        data, found = self.cleaned_data, []
        if data["order_plays"]:
            found.append(Earning(on="order", plays=data["order_plays"], least=data["order_least"]))
        if data["activity"]:
            plays = data["activity_plays"] or 1
            found.append(Earning(on="activity", plays=plays, activity=data["activity"].code))
        if data["joined_plays"]:
            found.append(Earning(on="joined", plays=data["joined_plays"]))
        if data["tier_up_plays"]:
            found.append(Earning(on="tier_up", plays=data["tier_up_plays"]))
        return found

    def _add(self, item: Any) -> None:
        """An error at the field that it is about."""
        message = str(item["msg"]).removeprefix("Value error, ")
        named, colon, rest = message.partition(": ")
        place = str(item["loc"][0]) if item["loc"] else ""
        if colon and named in self.fields:
            self.add_error(named, rest)
        else:
            self.add_error(place if place in self.fields else None, message)


class PrizeForm(forms.Form):
    """One prize; left without a name it is none."""

    code = forms.SlugField(
        max_length=48, required=False, widget=forms.HiddenInput, validators=[code_validator]
    )
    name = forms.CharField(label=_l("Prize"), max_length=80, required=False)
    kind = forms.ChoiceField(label=_l("What it is"), choices=GamePrize.Kind.choices)
    weight = forms.IntegerField(
        label=_l("Weight"), min_value=1, max_value=MOST_WEIGHT, required=False,
        help_text=_l("10 comes out twice as often as 5."),
    )  # fmt: skip
    units = optional(_l("Units"))
    reward = forms.ModelChoiceField(
        Reward.objects.none(), label=_l("Reward"), required=False, to_field_name="code",
        empty_label=_l("None"),
    )  # fmt: skip
    cost = optional(_l("One costs"), _l("Empty: what its price is worth."))
    stock = _count(_l("How many there are"), _l("Empty: no limit."), most=100_000_000)
    per_day = _count(_l("Most in a day"), _l("Empty: no limit."), most=100_000_000)
    catches = forms.BooleanField(
        label=_l("Given instead of a prize that has run out"), required=False
    )
    units.conditional = True  # type: ignore[attr-defined]
    reward.conditional = True  # type: ignore[attr-defined]

    def __init__(self, *args: Any, game: Game, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["reward"]
        assert isinstance(choice, forms.ModelChoiceField)
        live = Reward.objects.filter(program=game.program_id, status=Reward.Status.LIVE)
        choice.queryset = live.exclude(kind=Reward.Kind.CHARITY).order_by("name")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("name"):
            return data
        if not data.get("weight"):
            self.add_error("weight", _("Say how likely it is."))
        if data.get("kind") == GamePrize.Kind.UNITS and not data.get("units"):
            self.add_error("units", _("Say how many."))
        if data.get("kind") == GamePrize.Kind.REWARD and not data.get("reward"):
            self.add_error("reward", _("Choose one."))
        if data.get("catches") and (
            data.get("kind") != GamePrize.Kind.NOTHING or data.get("stock") or data.get("per_day")
        ):
            self.add_error("catches", _("This has to be nothing, without limits."))
        return data


PrizeFormSet = forms.formset_factory(
    PrizeForm, extra=1, can_order=True, can_delete=True, max_num=MOST_PRIZES, validate_max=True,
    absolute_max=MOST_PRIZES + 3,
)  # fmt: skip


def prizes_shown(game: Game) -> list[dict[str, Any]]:
    """The prizes as the formset shows them."""
    return [
        {name: _shown(getattr(prize, name)) for name in PRIZE}
        | {"code": prize.code, "reward": prize.reward.code if prize.reward else None,
           "cost": plain(prize.cost) if prize.reward and prize.cost else None}
        for prize in game.prizes.all()
    ]  # fmt: skip


def prizes_said(formset: Any, game: Game) -> list[PrizeDefinition]:
    """What the formset says, in the order that it says."""
    known = {prize.code: prize for prize in game.prizes.all()}
    said = [form.cleaned_data for form in formset.ordered_forms if form.cleaned_data.get("name")]
    taken, found = {data["code"] for data in said if data["code"]}, []
    for data in said:
        stem = code_stem(data["name"], otherwise="prize", longest=40)
        code = data["code"] or first_free(stem, taken)
        taken.add(code)
        old, kind = known.get(code), data["kind"]
        wins = kind == GamePrize.Kind.REWARD
        found.append(
            PrizeDefinition(
                code=code, kind=kind, name=data["name"], weight=data["weight"],
                units=data["units"] if kind == GamePrize.Kind.UNITS else None,
                reward=data["reward"].code if wins else None,
                cost=data["cost"] if wins else None, stock=data["stock"],
                per_day=data["per_day"], catches=data["catches"], texts=old.texts if old else {},
            )
        )  # fmt: skip
    return found


class GameTextsForm(forms.Form):
    """What members read, in another language: a field for each text."""

    def __init__(self, data: Any = None, *, game: Game, language: str) -> None:
        self.game, self.language = game, language
        super().__init__(data)
        said = game.texts.get(language, {})
        for name, longest in (("title", 80), ("text", 300)):
            if getattr(game, name):
                self._add(name, getattr(game, name), said.get(name, ""), longest)
        for prize in game.prizes.all():
            self._add(f"p-{prize.code}", prize.name, prize.texts.get(language, ""), 80)

    def _add(self, name: str, label: str, initial: str, longest: int) -> None:
        self.fields[name] = forms.CharField(
            label=label, initial=initial, max_length=longest, required=False
        )

    def definition(self) -> GameDefinition:
        known, data = definition_of_game(self.game), self.cleaned_data
        own = GameTexts(title=data.get("title", ""), text=data.get("text", ""))
        prizes = [
            prize.model_copy(
                update={"texts": {**prize.texts, self.language: data[f"p-{prize.code}"]}}
            )
            for prize in known.prizes
        ]
        texts = {**known.texts, self.language: own}
        return known.model_copy(update={"texts": texts, "prizes": prizes})


def _initial(game: Game) -> dict[str, Any]:
    found: dict[str, Any] = {name: _shown(getattr(game, name)) for name in PLAIN}
    found |= {"audience": game.audience, "free_plays": game.free_plays or None}
    found["claim_hours"] = game.claim_hours
    found |= {
        name: shown_moment(getattr(game, name), game.program) for name in ("starts_at", "ends_at")
    }
    for item in (Earning.model_validate(said) for said in game.earning):
        found[f"{item.on}_plays"] = item.plays
        if item.on == "order":
            found["order_least"] = _shown(item.least)
        if item.on == "activity":
            found["activity"] = item.activity
    return found


def _shown(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else value
