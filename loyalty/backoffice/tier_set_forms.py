"""The tiers of a program as a form: its settings, and two to six steps with their benefits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.benefit_forms import BenefitsForm, benefits_initial
from loyalty.models import ActivityType, Program, TierSet
from loyalty.tier_definitions import (
    COLORS,
    ICONS,
    TierDefinition,
    TiersDefinition,
    plain,
)

COLOR_WORDS = {
    "secondary": gettext_lazy("Gray"), "azure": gettext_lazy("Azure"),
    "blue": gettext_lazy("Blue"), "cyan": gettext_lazy("Cyan"), "green": gettext_lazy("Green"),
    "indigo": gettext_lazy("Indigo"), "lime": gettext_lazy("Lime"),
    "orange": gettext_lazy("Orange"), "pink": gettext_lazy("Pink"),
    "purple": gettext_lazy("Purple"), "red": gettext_lazy("Red"), "teal": gettext_lazy("Teal"),
    "yellow": gettext_lazy("Yellow"),
}  # fmt: skip
ICON_WORDS = {
    "award": gettext_lazy("Award"), "coin": gettext_lazy("Coin"), "crown": gettext_lazy("Crown"),
    "diamond": gettext_lazy("Diamond"), "flame": gettext_lazy("Flame"),
    "gift": gettext_lazy("Gift"), "heart": gettext_lazy("Heart"), "medal": gettext_lazy("Medal"),
    "rocket": gettext_lazy("Rocket"), "star": gettext_lazy("Star"),
    "trophy": gettext_lazy("Trophy"),
}  # fmt: skip


class TierSettingsForm(forms.Form):
    metric = forms.ChoiceField(label=gettext_lazy("What counts"), choices=TierSet.Metric.choices)
    wallet_type = forms.ChoiceField(
        label=gettext_lazy("Which units"), required=False,
        help_text=gettext_lazy("Asked where units count. Better a kind of its own than one that is "
                               "spent."),
    )  # fmt: skip
    score = forms.CharField(
        label=gettext_lazy("What activities count"), required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Asked where an activity score counts. One a line: review 5."),
    )  # fmt: skip
    window = forms.ChoiceField(label=gettext_lazy("Over"), choices=TierSet.Window.choices)
    counts_from = forms.ChoiceField(
        label=gettext_lazy("An order counts"), choices=TierSet.CountsFrom.choices
    )
    return_days = forms.IntegerField(
        label=gettext_lazy("Return window"), min_value=0, max_value=365,
        help_text=gettext_lazy("Days. What comes back by then was never bought: a tier that it "
                               "carried is lost at once."),
    )  # fmt: skip
    refunds_count_on = forms.ChoiceField(
        label=gettext_lazy("What comes back later counts"), choices=TierSet.RefundsCountOn.choices
    )
    downgrade = forms.ChoiceField(
        label=gettext_lazy("A tier that was not reached again falls"),
        choices=TierSet.Downgrade.choices,
    )
    grace_days = forms.IntegerField(
        label=gettext_lazy("Grace period"), min_value=0, max_value=180,
        help_text=gettext_lazy("Days after the review before the tier is lost."),
    )  # fmt: skip
    priced_by = forms.ChoiceField(
        label=gettext_lazy("An order is priced by"), choices=TierSet.PricedBy.choices
    )

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["wallet_type"]
        assert isinstance(field, forms.ChoiceField)
        names = [
            (item.code, item.plural)
            for item in program.wallet_types.filter(stored_value=False).order_by("pk")
        ]
        field.choices = [("", "–"), *names]

    def clean_score(self) -> list[dict[str, str]]:
        known = set(ActivityType.objects.values_list("code", flat=True))
        found = []
        for line in self.cleaned_data["score"].splitlines():
            activity, _space, points = line.strip().rpartition(" ")
            if not line.strip():
                continue
            if activity not in known:
                words = ", ".join(sorted(known)) or "–"
                raise forms.ValidationError(
                    _("There is no type of activity “%(code)s”. Types: %(known)s.")
                    % {"code": activity or points, "known": words}
                )
            found.append({"activity": activity, "points": points})
        return found

    def said(self) -> dict[str, Any]:
        """What the definition says of it; what the metric does not ask for is left out."""
        values = dict(self.cleaned_data)
        if values["metric"] != "units":
            values["wallet_type"] = ""
        if values["metric"] != "score":
            values["score"] = []
        return values


class TierStepForm(BenefitsForm):
    code = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    threshold = forms.DecimalField(
        label=gettext_lazy("From"), min_value=0, max_digits=14, decimal_places=4,
        help_text=gettext_lazy("So much of what counts; the first tier is everybody's, with 0."),
    )  # fmt: skip
    color = forms.ChoiceField(
        label=gettext_lazy("Color"), choices=[(code, COLOR_WORDS[code]) for code in COLORS]
    )
    icon = forms.ChoiceField(
        label=gettext_lazy("Icon"), choices=[(code, ICON_WORDS[code]) for code in ICONS]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A step that is there is filled in, or removed.
        kwargs |= {"empty_permitted": False, "use_required_attribute": True}
        super().__init__(*args, **kwargs)

    def said(self, kept: TierDefinition | None) -> dict[str, Any]:
        """The step as a definition has it. `kept`: as it was, for what is not asked here."""
        values = self.cleaned_data
        return {
            "code": values["code"] or slugify(values["name"])[:32] or "tier",
            "name": values["name"], "color": values["color"], "icon": values["icon"],
            "threshold": values["threshold"],
            "benefits": list(self.benefits(kept.benefits if kept else ())),
        }  # fmt: skip


TierSteps = formset_factory(
    TierStepForm, extra=0, min_num=2, max_num=6, absolute_max=6, validate_min=True,
    validate_max=True,
)  # fmt: skip


def settings_initial(tiers: TiersDefinition) -> dict[str, Any]:
    said = tiers.model_dump(exclude={"tiers", "score"})
    lines = [f"{item.activity} {plain(item.points)}" for item in tiers.score]
    return said | {"score": "\n".join(lines)}


def steps_initial(tiers: TiersDefinition) -> list[dict[str, Any]]:
    return [_step(tier) for tier in tiers.tiers]


def _step(tier: TierDefinition) -> dict[str, Any]:
    return {
        "code": tier.code, "name": tier.name, "color": tier.color, "icon": tier.icon,
        "threshold": plain(tier.threshold), **benefits_initial(tier.benefits),
    }  # fmt: skip
