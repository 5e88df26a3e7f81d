"""Boxes that ask, beside whatever else a form asks, what somebody wants to be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import translation

from members.models import Customer
from members.told_consents import ConsentBox, ConsentSaid, consent_boxes


class ConsentForm(forms.Form):
    """`asked_of`: the details that the form asks for, or that are known of whom it is about."""

    asked_of: Sequence[str] = ("email", "phone")

    def __init__(self, *args: Any, asked_of: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.boxes: list[ConsentBox] = consent_boxes(
            having=self.asked_of if asked_of is None else asked_of
        )
        for box in self.boxes:
            self.fields[box.name] = forms.BooleanField(label=box.label, required=False)

    def said(self) -> list[ConsentSaid]:
        """A box that was left as it is says nothing."""
        return [
            ConsentSaid(
                box.channel, box.topic, wanted=True, wording=box.label,
                locale=translation.get_language() or "", field=box.name,
            )
            for box in self.boxes
            if self.cleaned_data.get(box.name)
        ]  # fmt: skip


def details_of(customer: Customer) -> list[str]:
    """Those by which somebody who is known can be written to."""
    return [name for name in ("email", "phone") if getattr(customer, name)]
