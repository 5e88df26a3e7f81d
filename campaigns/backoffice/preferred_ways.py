"""The part of a form that says whether members are told by all of some ways, or by the first that
reaches them, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _l

PLACES = ("first_way", "second_way", "third_way")


class PreferredWays(forms.Form):
    """Beside a field `channels`, in which they are ticked."""

    only_first = forms.BooleanField(
        label=_l("Only by the first that reaches them"), required=False,
        help_text=_l("That they want, and where they have an address. In this order:"),
    )  # fmt: skip
    first_way = forms.ChoiceField(label=_l("First"), required=False)
    second_way = forms.ChoiceField(label=_l("Second"), required=False)
    third_way = forms.ChoiceField(label=_l("Third"), required=False)

    def offer(self, ways: Sequence[Any]) -> None:
        """Those that can be ticked."""
        for name in PLACES:
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "–"), *ways]

    def ordered(self) -> list[str]:
        """Those that are ticked: first as they are preferred, then as they are listed."""
        data = self.cleaned_data
        ticked: list[str] = data["channels"]
        if not data["only_first"]:
            return ticked
        chosen = [data[name] for name in PLACES if data[name]]
        return list(dict.fromkeys([*chosen, *ticked]))


def preferred(channels: Sequence[str], *, only_first: bool) -> dict[str, Any]:
    """What the fields say of ways in this order."""
    named = channels if only_first else ()
    return {"only_first": only_first, **dict(zip(PLACES, named, strict=False))}
