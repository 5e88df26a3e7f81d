"""What a person types to move units by hand, read in their own number format."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.models import AdjustmentReason, Program, WalletType
from loyalty.selectors.adjustment_reasons import reason_label
from loyalty.unit_input import ADD, TAKE, read_units
from members.consent_forms import ConsentForm


def reason_choices(reasons: Sequence[AdjustmentReason]) -> list[tuple[str, str]]:
    """The reasons to choose from; one that wants a note says so."""
    texts = [
        _("%s (with a note)") % reason_label(reason.label)
        if reason.note_required
        else reason_label(reason.label)
        for reason in reasons
    ]
    codes = [reason.code for reason in reasons]
    return [("", _("Choose a reason")), *zip(codes, texts, strict=True)]


class AdjustmentForm(forms.Form):
    """Which way, how much, and why."""

    direction = forms.ChoiceField(
        label=gettext_lazy("What to do"),
        choices=[(ADD, gettext_lazy("Add")), (TAKE, gettext_lazy("Take away"))],
        widget=forms.RadioSelect,
        initial=ADD,
    )
    amount = forms.CharField(
        label=gettext_lazy("How many"),
        max_length=32,
        widget=forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off"}),
    )
    reason = forms.ChoiceField(label=gettext_lazy("Reason"))
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For your colleagues. Customers do not see it."),
    )
    # Minted with the form: however often it arrives, it moves units once.
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        wallet_type: WalletType,
        reasons: Sequence[AdjustmentReason],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.wallet_type = wallet_type
        self.fields["amount"].widget.attrs["data-focus"] = True
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ChoiceField)
        reason.choices = reason_choices(reasons)
        self.initial.setdefault("key", uuid.uuid4())

    def renew(self, name: str, value: str) -> None:
        """Give a hidden field another value for the next time the form is sent."""
        data = cast(QueryDict, self.data).copy()
        data[name] = value
        self.data = data

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "amount" in cleaned and "direction" in cleaned:
            try:
                cleaned["units"] = read_units(
                    cleaned["amount"], self.wallet_type, direction=cleaned["direction"]
                )
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return cleaned


class EnrollmentForm(ConsentForm):
    """Which program a customer joins, at once or if they accept an invitation."""

    program = forms.ModelChoiceField(
        Program.objects.none(), label=gettext_lazy("Program"), empty_label=None
    )
    how = forms.ChoiceField(
        label=gettext_lazy("How"),
        choices=[
            ("enroll", gettext_lazy("Enroll at once")),
            ("invite", gettext_lazy("Invite by e-mail; they decide")),
        ],
        initial="enroll",
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, programs: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        program = self.fields["program"]
        assert isinstance(program, forms.ModelChoiceField)
        program.queryset = programs
