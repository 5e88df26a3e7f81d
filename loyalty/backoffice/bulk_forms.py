"""What one fills in to move units for many at once, and the format that is explained beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.backoffice.adjustment_forms import reason_choices
from loyalty.backoffice.import_forms import Column
from loyalty.models import AdjustmentReason, BulkAdjustment, Program, WalletType
from loyalty.services.bulk_adjustments import LONGEST_MESSAGE, Plan
from loyalty.services.bulk_sources import Source, from_file, from_list, from_segment
from loyalty.unit_input import ADD, read_units
from members.models import Segment
from members.selectors.segments import list_segments

WHO = (
    Column("customer_id", _l("Your number of the customer, or one of the next three."), "C-17"),
    Column("email", _l("Their e-mail address."), "ann@example.com", required=False),
    Column("phone", _l("Their phone number."), "+60123456789", required=False),
    Column("card_number", _l("The number of their card."), "9110584758804729", required=False),
)
FORMATS: dict[str, tuple[Column, ...]] = {
    "adjustment": (
        *WHO,
        Column("units", _l("How many to add; with a minus sign, to take."), "250"),
        Column("note", _l("For your colleagues."), "Late parcel", required=False),
    ),
    "grant": (*WHO, Column("note", _l("For your colleagues."), "Top reviewer", required=False)),
}
SAMPLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "adjustment": (
        ("customer_id", "email", "phone", "card_number", "units", "note"),
        ("C-17", "", "", "", "250", "Late parcel"),
        ("", "ann@example.com", "", "", "-50", "Counted twice"),
        ("", "", "", "9110584758804729", "120", ""),
    ),
    "grant": (
        ("customer_id", "email", "phone", "card_number", "note"),
        ("C-17", "", "", "", "Top reviewer"),
        ("", "ann@example.com", "", "", ""),
        ("", "", "+60123456789", "", ""),
    ),
}


class UnitsChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: WalletType) -> str:
        return f"{obj.program.name} · {obj.plural}"


class BulkForm(forms.Form):
    """A file with who gets how many."""

    wallet_type = UnitsChoice(WalletType.objects.none(), label=_l("What"), empty_label=None)
    reason = forms.ChoiceField(label=_l("Reason"))
    file = forms.FileField(
        label=_l("The file"),
        widget=forms.FileInput(attrs={"accept": ".csv"}),
        help_text=_l("CSV in UTF-8, at most 200,000 rows."),
    )
    note = forms.CharField(
        label=_l("Note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_l("For your colleagues, on each row that has none of its own."),
    )

    def __init__(
        self, *args: Any, reasons: Sequence[AdjustmentReason], reason: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        units, choice = self.fields["wallet_type"], self.fields["reason"]
        assert isinstance(units, forms.ModelChoiceField)
        assert isinstance(choice, forms.ChoiceField)
        units.queryset = (
            WalletType.objects.filter(program__status=Program.Status.LIVE)
            .select_related("program")
            .order_by("program__name", "pk")
        )
        choice.choices = reason_choices(reasons)
        if reason in {item.code for item in reasons}:
            choice.initial = reason

    def plan(self) -> Plan:
        data = self.cleaned_data
        return Plan(
            BulkAdjustment.Kind.ADJUSTMENT.value,
            data["wallet_type"],
            data["reason"],
            data["note"],
        )

    def source(self) -> Source:
        """The rows. Raises DomainError on `file`."""
        file = self.cleaned_data["file"]
        return from_file(file.file, file.name, with_units=True)


class GrantForm(BulkForm):
    """The same for everybody in a file or a list."""

    amount = forms.CharField(label=_l("How many for each"), max_length=32)
    message = forms.CharField(
        label=_l("What they read"),
        max_length=LONGEST_MESSAGE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_l("Beside the gift on their own pages, like: Thank you for ten years with us."),
    )
    budget = forms.CharField(
        label=_l("Budget"),
        max_length=32,
        required=False,
        help_text=_l("The most that all of them may get together. More is not posted."),
    )
    customers = forms.CharField(
        label=_l("Or a list"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "class": "mono"}),
        help_text=_l("One in each line: customer number, e-mail, phone or card number."),
    )
    segment = forms.ModelChoiceField(
        Segment.objects.none(), label=_l("Or a segment"), required=False, to_field_name="code",
        help_text=_l("Whoever is in it now and an active member of the program."),
    )  # fmt: skip
    field_order = (
        "wallet_type", "amount", "message", "reason", "file", "customers", "segment", "budget",
        "note",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, reason="surprise", **kwargs)
        self.fields["file"].required = False
        segment = self.fields["segment"]
        assert isinstance(segment, forms.ModelChoiceField)
        segment.queryset = list_segments()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        wallet_type = cleaned.get("wallet_type")
        for name in ("amount", "budget"):
            text = cleaned.get(name)
            if wallet_type and text:
                self._read(name, text, wallet_type)
        given = (cleaned.get("file"), (cleaned.get("customers") or "").strip(),
                 cleaned.get("segment"))  # fmt: skip
        if sum(map(bool, given)) != 1:
            self.add_error(
                "file", _("Choose a file, paste a list or name a segment, one of the three.")
            )
        return cleaned

    def _read(self, name: str, text: str, wallet_type: WalletType) -> None:
        try:
            units = read_units(text, wallet_type, direction=ADD)
        except forms.ValidationError as error:
            self.add_error(name, error)
            return
        if units < 0:
            self.add_error(name, _("Give a number above zero."))
        self.cleaned_data[f"{name}_units"] = units

    def plan(self) -> Plan:
        data = self.cleaned_data
        return Plan(
            BulkAdjustment.Kind.GRANT.value,
            data["wallet_type"],
            data["reason"],
            data["note"],
            data["message"].strip(),
            data["amount_units"],
            data.get("budget_units"),
        )

    def source(self) -> Source:
        file = self.cleaned_data["file"]
        if file:
            return from_file(file.file, file.name, with_units=False)
        if self.cleaned_data["segment"]:
            program = self.cleaned_data["wallet_type"].program
            return from_segment(self.cleaned_data["segment"], program)
        lines = self.cleaned_data["customers"].split("\n")
        first = next(line.strip() for line in lines if line.strip())
        name = _("List that begins with %s") % first[:60]
        return from_list(self.cleaned_data["customers"], name)
