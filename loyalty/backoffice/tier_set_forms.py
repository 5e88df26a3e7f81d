"""The tiers of a program as a form: its settings, and two to six steps with their benefits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.forms import formset_factory
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.models import ActivityType, Program, TierSet
from loyalty.tier_definitions import (
    COLORS,
    ICONS,
    BenefitDefinition,
    TierDefinition,
    TiersDefinition,
    plain,
)
from loyalty.tier_words import KINDS

# Benefits that are words alone; one a line, and several of a kind.
IN_WORDS = (
    "exclusive_products", "service_line", "concierge", "gift", "invitation", "custom",
)  # fmt: skip
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
        names = [(item.code, item.plural) for item in program.wallet_types.order_by("pk")]
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


class TierStepForm(forms.Form):
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
    factor = forms.DecimalField(
        label=gettext_lazy("Multiplier"), required=False, max_digits=8, decimal_places=4,
        help_text=gettext_lazy("1.5 gives half as much again on purchases."),
    )  # fmt: skip
    birthday = forms.DecimalField(
        label=gettext_lazy("Units for the birthday"), required=False, max_digits=14,
        decimal_places=4,
    )  # fmt: skip
    shipping = forms.BooleanField(label=gettext_lazy("Free shipping"), required=False)
    shipping_above = forms.DecimalField(
        label=gettext_lazy("Free shipping from"), required=False, min_value=0, max_digits=14,
        decimal_places=2, help_text=gettext_lazy("Of an order. Empty: always."),
    )  # fmt: skip
    returns = forms.BooleanField(label=gettext_lazy("Free returns"), required=False)
    early_access = forms.IntegerField(
        label=gettext_lazy("Hours of early access"), required=False, min_value=1, max_value=8760
    )
    more = forms.CharField(
        label=gettext_lazy("More benefits"), required=False, max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A step that is there is filled in, or removed.
        kwargs |= {"empty_permitted": False, "use_required_attribute": True}
        super().__init__(*args, **kwargs)
        known = ", ".join(str(KINDS[kind]) for kind in IN_WORDS if kind != "custom")
        self.fields["more"].help_text = (
            _(
                "One a line: what it is, and after a colon what members read. These the shop knows "
                "by kind: %s. Anything else is a perk of your own."
            )
            % known
        )

    def said(self, kept: TierDefinition | None) -> dict[str, Any]:
        """The step as a definition has it. `kept`: as it was, for what is not asked here."""
        values = self.cleaned_data
        return {
            "code": values["code"] or slugify(values["name"])[:32] or "tier",
            "name": values["name"], "color": values["color"], "icon": values["icon"],
            "threshold": values["threshold"],
            "benefits": list(self._benefits(kept.benefits if kept else ())),
        }  # fmt: skip

    def _benefits(self, before: Sequence[BenefitDefinition]) -> Iterator[dict[str, Any]]:
        values = self.cleaned_data
        units = {item.kind: item.wallet_type for item in before}
        if values["factor"]:
            kept = units.get("multiplier", "")
            yield {"kind": "multiplier", "factor": values["factor"], "wallet_type": kept}
        if values["birthday"]:
            kept = units.get("birthday_bonus", "")
            yield {"kind": "birthday_bonus", "units": values["birthday"], "wallet_type": kept}
        if values["shipping"]:
            yield {"kind": "free_shipping", "above": values["shipping_above"]}
        if values["returns"]:
            yield {"kind": "free_returns"}
        if values["early_access"]:
            yield {"kind": "early_access", "hours": values["early_access"]}
        yield from _from_lines(values["more"])


TierSteps = formset_factory(
    TierStepForm, extra=0, min_num=2, max_num=6, absolute_max=6, validate_min=True,
    validate_max=True,
)  # fmt: skip


def _from_lines(text: str) -> Iterator[dict[str, Any]]:
    kinds = {str(KINDS[kind]).casefold(): kind for kind in IN_WORDS}
    for line in text.splitlines():
        name, _colon, words = (part.strip() for part in line.partition(":"))
        kind = kinds.get(name.casefold(), "custom")
        if name:
            named = {"name": name} if kind == "custom" else {}
            yield {"kind": kind, "text": words} | named


def settings_initial(tiers: TiersDefinition) -> dict[str, Any]:
    said = tiers.model_dump(exclude={"tiers", "score"})
    lines = [f"{item.activity} {plain(item.points)}" for item in tiers.score]
    return said | {"score": "\n".join(lines)}


def steps_initial(tiers: TiersDefinition) -> list[dict[str, Any]]:
    return [_step(tier) for tier in tiers.tiers]


def _step(tier: TierDefinition) -> dict[str, Any]:
    by_kind: Mapping[str, BenefitDefinition] = {item.kind: item for item in tier.benefits}
    shipping = by_kind.get("free_shipping")
    return {
        "code": tier.code, "name": tier.name, "color": tier.color, "icon": tier.icon,
        "threshold": plain(tier.threshold),
        "factor": _plain(by_kind, "multiplier", "factor"),
        "birthday": _plain(by_kind, "birthday_bonus", "units"),
        "shipping": shipping is not None,
        "shipping_above": plain(shipping.above) if shipping and shipping.above else "",
        "returns": "free_returns" in by_kind,
        "early_access": by_kind["early_access"].hours if "early_access" in by_kind else None,
        "more": "\n".join(_line(item) for item in tier.benefits if item.kind in IN_WORDS),
    }  # fmt: skip


def _plain(by_kind: Mapping[str, BenefitDefinition], kind: str, name: str) -> str:
    found = by_kind.get(kind)
    return plain(getattr(found, name)) if found is not None else ""


def _line(item: BenefitDefinition) -> str:
    title = item.name if item.kind == "custom" else str(KINDS[item.kind])
    return f"{title}: {item.text}" if item.text else title
