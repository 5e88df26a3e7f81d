"""Choices are drawn as Django draws them."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates, get_default_renderer
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, override

from members.choices import time_zones
from members.form_renderer import Renderer

CHOICES: list[Any] = [
    ("", "---------"), (1, gettext_lazy("January")), (2500, 2500), ("<&'\">", "<Beans & \"more\">"),
    ("bold", SafeString("<b>kept</b>")), (None, "None"),
    ("Further", [("x", "X"), ("y", "Y")]), ("Others & all", [("z", "Z")]),
]  # fmt: skip


class Pictured(forms.Select):
    option_template_name = "django/forms/widgets/checkbox_option.html"


def test_forms_are_drawn_by_it() -> None:
    assert isinstance(get_default_renderer(), Renderer)


CHOOSING = (forms.Select, forms.SelectMultiple, forms.RadioSelect, Pictured)
WIDGETS = (
    *CHOOSING, forms.NullBooleanSelect, forms.TextInput, forms.NumberInput, forms.EmailInput,
    forms.URLInput, forms.PasswordInput, forms.HiddenInput,
    forms.FileInput, forms.ClearableFileInput, forms.DateInput, forms.DateTimeInput,
    forms.TimeInput, forms.ColorInput, forms.SearchInput, forms.TelInput, forms.CheckboxInput,
    forms.Textarea,
)  # fmt: skip
VALUES = (
    None, "", 1, "2500", "<&'\">", "y", "unknown", 1234.5, Decimal("1234.50"), True, False,
    SafeString("<b>"), gettext_lazy("January"), " of\nlines\n", dt.date(2026, 3, 4),
    dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC),
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "el", "ms"])
def test_it_draws_letter_for_letter_the_same(language: str) -> None:
    unlike = [
        (widget.__name__, value)
        for widget, value in itertools.product(WIDGETS, VALUES)
        if len(set(drawn_by_both(widget, value, language))) > 1
    ]
    assert unlike == []


def drawn_by_both(widget: Any, value: Any, language: str) -> list[str]:
    """By our own, and as Django does it."""
    more = {"choices": CHOICES} if widget in CHOOSING else {}
    attrs = {
        "class": "form-select", "required": True, "disabled": False, "data-x": '"<1>"',
        "step": 1234.5, "data-safe": SafeString("&amp;"), "aria-label": gettext_lazy("January"),
    }  # fmt: skip
    drawn = widget(attrs=attrs, **more)
    with override(language):
        return [
            drawn.render("unit & more", value, {"id": "id_unit"}, renderer=renderer)
            for renderer in (Renderer(), DjangoTemplates())
        ]


def test_long_choices_are_taken_as_they_are_and_drawn_as_a_list_is() -> None:
    zones = time_zones("Mars/Olympus")
    assert time_zones("Mars/Olympus") is zones
    field = forms.ChoiceField(choices=zones)
    assert field.choices is field.widget.choices is zones
    assert field.clean("Mars/Olympus") == "Mars/Olympus"
    with pytest.raises(forms.ValidationError):
        field.clean("Mars/Elysium")
    plain = forms.ChoiceField(choices=list(zones)).widget
    assert field.widget.render("zone", "UTC") == plain.render("zone", "UTC")
