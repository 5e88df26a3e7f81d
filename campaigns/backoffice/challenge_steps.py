"""The steps of a challenge as staff fill them in: a sheet for each, and an empty one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns.challenges.steps import (
    MOST_STEPS,
    CategoriesStep,
    CollectionStep,
    CountStep,
    SpendStep,
    Step,
    StreakStep,
)
from loyalty.backoffice.program_fields import amount, optional, plain
from loyalty.rules.body_parts import LineFilter

NAMES = ("categories", "skus", "tags")
# By what is chosen: what a step says besides its figure.
KINDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "spend": ("amount", {"kind": "spend"}, ""),
    "spend_one": ("amount", {"kind": "spend", "in_one": True}, ""),
    "orders": ("number", {"kind": "count", "of": "orders"}, ""),
    "items": ("number", {"kind": "count", "of": "items"}, ""),
    "days": ("number", {"kind": "streak", "every": "day"}, ""),
    "weeks": ("number", {"kind": "streak", "every": "week"}, ""),
    "months": ("number", {"kind": "streak", "every": "month"}, ""),
    "categories": ("number", {"kind": "categories"}, ""),
    "each_sku": ("", {"kind": "collection", "of": "skus"}, "skus"),
    "each_category": ("", {"kind": "collection", "of": "categories"}, "categories"),
}
_CHOICES = (
    ("", _l("Nothing more")),
    ("spend", _l("Buy for so much, added up")),
    ("spend_one", _l("Buy for so much in one order")),
    ("orders", _l("Order so often")),
    ("items", _l("Buy so many items")),
    ("days", _l("Buy on so many days in a row")),
    ("weeks", _l("Buy in so many weeks in a row")),
    ("months", _l("Buy in so many months in a row")),
    ("categories", _l("Buy from so many different categories")),
    ("each_sku", _l("Buy each of these products")),
    ("each_category", _l("Buy something of each of these categories")),
)
_LINES: dict[str, Any] = {
    "widget": forms.Textarea(attrs={"rows": 2}), "required": False, "max_length": 8000,
}  # fmt: skip


class StepForm(forms.Form):
    """One thing to be done. Without a kind it is none."""

    kind = forms.ChoiceField(label=_l("What is to be done"), choices=_CHOICES, required=False)
    value = amount(_l("How much, or how many"), 2)
    more_than = forms.BooleanField(label=_l("The amount itself is too little"), required=False)
    least = optional(_l("In a row: orders from"), _l("Empty: every order."))
    categories = forms.CharField(
        label=_l("Categories"), help_text=_l("One in each line. Empty: everything."), **_LINES
    )
    skus = forms.CharField(label=_l("Products"), help_text=_l("SKUs, one in each line."), **_LINES)
    tags = forms.CharField(
        label=_l("Tags of products"), help_text=_l("One in each line."), **_LINES
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["value"].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind = data.get("kind", "")
        if kind and KINDS[kind][0] and data.get("value") is None and "value" not in self.errors:
            self.add_error("value", _("Say how much, or how many."))
        value = data.get("value")
        if kind and KINDS[kind][0] == "number" and value is not None and value % 1:
            self.add_error("value", forms.IntegerField.default_error_messages["invalid"])
        names = KINDS[kind][2] if kind else ""
        if names and len(_lines(data.get(names, ""))) < 2:
            self.add_error(names, _("Name at least two."))
        return data

    def step(self) -> dict[str, Any] | None:
        """What it says, as a definition has it; None: nothing."""
        data = self.cleaned_data
        if not data.get("kind"):
            return None
        figure, said, names = KINDS[data["kind"]]
        if names:
            return {**said, "names": _lines(data[names])}
        step = {**said, figure: data["value"]}
        if figure == "number":
            step[figure] = int(data["value"])
        if said["kind"] == "spend":
            step["more_than"] = data["more_than"]
        if said["kind"] == "streak":
            step["least"] = data["least"]
        only = {name: _lines(data[name]) for name in NAMES if _lines(data[name])}
        return {**step, "only": only} if only else step


StepSheets = forms.formset_factory(
    StepForm, extra=1, max_num=MOST_STEPS, absolute_max=MOST_STEPS, validate_max=True
)


def initial_of(step: Step) -> dict[str, Any]:
    """What its sheet shows."""
    found: dict[str, Any] = {}
    only = LineFilter()
    match step:
        case SpendStep():
            found = {"kind": "spend_one" if step.in_one else "spend", "value": plain(step.amount),
                     "more_than": step.more_than}  # fmt: skip
            only = step.only
        case CountStep():
            found, only = {"kind": step.of, "value": str(step.number)}, step.only
        case StreakStep():
            least = plain(Decimal(step.least)) if step.least is not None else ""
            found = {"kind": f"{step.every}s", "value": str(step.number), "least": least}
            only = step.only
        case CategoriesStep():
            found, only = {"kind": "categories", "value": str(step.number)}, step.only
        case CollectionStep():
            kind = "each_sku" if step.of == "skus" else "each_category"
            return {"kind": kind, step.of: "\n".join(step.names)}
    return found | {name: "\n".join(getattr(only, name)) for name in NAMES}


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
