"""The merchant's questions as fields of a form, for staff and for customers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from members.models import Customer
from members.selectors.profile_questions import AskedQuestion, asked_questions

PREFIX = "answer_"


def add_questions(form: forms.Form, customer: Customer | None) -> None:
    """A field for each question that is asked, with what was said so far."""
    said = customer.answers if customer is not None else {}
    for question in asked_questions():
        form.fields[f"{PREFIX}{question.code}"] = _field(question, said.get(question.code, []))


def said_in(cleaned: dict[str, Any], names: Iterable[str]) -> dict[str, list[str]]:
    """The answers among the fields of these names, taken out of `cleaned`."""
    found: dict[str, list[str]] = {}
    for name in names:
        if name.startswith(PREFIX):
            value = cleaned.pop(name)
            chosen = value if isinstance(value, list) else [value]
            found[name.removeprefix(PREFIX)] = [code for code in chosen if code]
    return found


def _field(question: AskedQuestion, said: list[str]) -> forms.Field:
    # What somebody chose and is offered no more stays theirs to keep.
    offered = dict(question.choices)
    choices = [*question.choices, *((code, question.words[code]) for code in said
                                    if code in question.words and code not in offered)]  # fmt: skip
    if question.many:
        return forms.MultipleChoiceField(
            label=question.text, choices=choices, required=False, initial=said,
            widget=forms.CheckboxSelectMultiple,
        )  # fmt: skip
    return forms.ChoiceField(
        label=question.text, choices=[("", _("Not said")), *choices], required=False,
        initial=said[0] if said else "",
    )  # fmt: skip
