"""What staff fill in about a challenge: what is to be done, what it brings, and all that campaigns
say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from campaigns.backoffice.campaign_forms import PLAIN, TIMES, CampaignForm
from campaigns.backoffice.challenge_steps import StepSheets, initial_of
from campaigns.challenge_definitions import ChallengeDefinition, definition_of_challenge
from campaigns.models import Challenge
from loyalty.backoffice.program_fields import optional, plain
from rewards.backoffice.event_forms import said_moment
from rewards.models import Reward

OWN = ("in_order", "opt_in", "days", "team_size", "badge", "badge_icon")
WHO = (("join", _l("Who joins it")), ("all", _l("Everybody whom it is for, without joining")))


class ChallengeForm(CampaignForm):
    """With a sheet for each step."""

    who = forms.ChoiceField(
        label=_l("Who takes part"), choices=WHO, widget=forms.RadioSelect,
        help_text=_l("Of who joins, only what they buy from then on counts."),
    )  # fmt: skip
    in_order = forms.BooleanField(label=_l("One step after the other"), required=False)
    days = forms.IntegerField(
        label=_l("Days for each member"), min_value=1, max_value=366, required=False,
        help_text=_l("From their own beginning on. Empty: the whole time of the challenge."),
    )  # fmt: skip
    repeats = forms.IntegerField(
        label=_l("Can be done so often"), min_value=1, max_value=100,
        help_text=_l("Each time brings the reward."),
    )  # fmt: skip
    team_size = forms.IntegerField(
        label=_l("Members in a team"), min_value=2, max_value=100, required=False,
        help_text=_l("At most so many do it together. Empty: each alone."),
    )  # fmt: skip
    prize = optional(_l("Units"), _l("Empty: none."))
    gift = forms.ChoiceField(label=_l("Reward"), required=False)
    badge = forms.CharField(
        label=_l("Badge"), max_length=40, required=False, help_text=_l("Its name. Empty: none.")
    )
    badge_icon = forms.ChoiceField(label=_l("Its picture"), choices=Challenge.Icon.choices)

    def __init__(self, data: Any = None, *, challenge: Challenge) -> None:
        self.challenge = challenge
        self.steps_errors: list[str] = []
        super().__init__(data, campaign=challenge.campaign)
        for name in ("metric", "target"):
            del self.fields[name]
        known = definition_of_challenge(challenge)
        rewards = Reward.objects.filter(
            program=challenge.campaign.program, status=Reward.Status.LIVE
        ).exclude(kind=Reward.Kind.CHARITY)  # fmt: skip
        choices = [("", _l("None")), *rewards.order_by("name").values_list("code", "name")]
        field = self.fields["gift"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        self.initial.update({name: getattr(known, name) for name in OWN if name != "opt_in"})
        self.initial["who"] = "join" if known.opt_in else "all"
        self.initial["prize"] = plain(known.units) if known.units is not None else ""
        self.initial["repeats"] = known.times
        self.initial["gift"] = known.reward
        self.sheets = StepSheets(
            data, prefix="steps", initial=[initial_of(step) for step in known.steps]
        )

    def is_valid(self) -> bool:
        """With all of its sheets."""
        own = super().is_valid()
        return self.is_bound and self.sheets.is_valid() and own

    def _add(self, item: Any) -> None:
        """An error about the steps stands above their sheets."""
        if item["loc"][:1] != ("steps",):
            super()._add(item)
            return
        missing = item["type"] == "too_short"
        words = _("Say what is to be done.") if missing else str(item["msg"])
        self.steps_errors.append(words.removeprefix("Value error, "))
        self.add_error(None, self.steps_errors[-1])

    def challenge_definition(self) -> ChallengeDefinition | None:
        """What the form says; None where something in it is wrong, which is then on its field."""
        data, known = self.cleaned_data, definition_of_challenge(self.challenge)
        said = known.model_dump()
        said |= {name: data[name] for name in PLAIN if name in data}
        said |= {name: said_moment(data[name], self.program) for name in TIMES}
        said |= {name: data[name] for name in OWN if name in data}
        said |= {
            "audience": data["audience"] or {}, "opt_in": data["who"] == "join",
            "units": data["prize"], "times": data["repeats"], "reward": data["gift"],
            "steps": [step for sheet in self.sheets if (step := sheet.step())],
        }  # fmt: skip
        try:
            return ChallengeDefinition.model_validate(said)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                self._add(self._placed(item))
            return None

    @staticmethod
    def _placed(item: Any) -> Any:
        """The form calls what it brings another name than promotions call theirs."""
        message, loc = str(item["msg"]).removeprefix("Value error, "), item["loc"]
        for ours, theirs in (("units", "prize"), ("times", "repeats"), ("reward", "gift")):
            if message.startswith(f"{ours}: "):
                message = f"{theirs}: " + message.removeprefix(f"{ours}: ")
            if loc[:1] == (ours,):
                loc = (theirs,)
        return {**item, "msg": message, "loc": loc}
