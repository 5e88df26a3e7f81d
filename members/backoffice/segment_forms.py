"""What staff fill in about segments. The services check the values."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.backoffice.condition_builder import ConditionField
from members.conditions.scopes import OF_CUSTOMERS
from members.models import Segment
from members.services.segments import DESCRIPTION_LENGTH, NAME_LENGTH

LARGEST_FILE = _("CSV with one customer in each row: their number or e-mail address comes first.")


class SegmentForm(forms.Form):
    """Name and condition of a segment; a list has no condition, but may begin with a file."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH)
    description = forms.CharField(
        label=_("What it is for"), max_length=DESCRIPTION_LENGTH, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    condition = ConditionField(
        scopes=OF_CUSTOMERS, in_database=True, required=True,
        everything=_("Nobody asked about yet."), label=_("Who is in it"),
    )  # fmt: skip
    file = forms.FileField(label=_("File"), required=False, help_text=LARGEST_FILE)

    def __init__(
        self, data: Any = None, files: Any = None, *, kind: str, segment: Segment | None = None,
        **options: Any,
    ) -> None:  # fmt: skip
        if segment is not None:
            options["initial"] = {
                "name": segment.name, "description": segment.description,
                "condition": segment.condition,
            }  # fmt: skip
        super().__init__(data, files, auto_id="segment_%s", **options)
        if kind == Segment.Kind.STATIC:
            del self.fields["condition"]
        if kind == Segment.Kind.DYNAMIC or segment is not None:
            del self.fields["file"]

    def values(self) -> dict[str, Any]:
        """What the services take."""
        return {name: value for name, value in self.cleaned_data.items() if name != "file"}


class ListFileForm(forms.Form):
    file = forms.FileField(label=_("File"), help_text=LARGEST_FILE)
    replace = forms.BooleanField(label=_("Who is not in the file leaves the list"), required=False)


class ListCustomerForm(forms.Form):
    customer = forms.CharField(
        label=_("Customer"), max_length=254, help_text=_("Customer number, e-mail or phone.")
    )
