"""What staff fill in about what is sent."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _l

from members.models import StaffMember, User
from members.policy import roles_allowed
from rewards.address_forms import AddressForm
from rewards.models import FulfillmentTask

Kind = FulfillmentTask.Kind


class GiveForm(AddressForm):
    """A surprise gift or a note; its address may come later. Sent twice, it gives one."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    kind = forms.ChoiceField(
        label=_l("What it is"), widget=forms.RadioSelect, initial=Kind.NOTE.value,
        choices=[(item.value, item.label) for item in (Kind.NOTE, Kind.SURPRISE)],
    )  # fmt: skip
    what = forms.CharField(
        label=_l("What is sent"), max_length=200,
        help_text=_l("As “Thank-you card” or “Box of apple rings”."),
    )  # fmt: skip
    words = forms.CharField(
        label=_l("The words to write"), max_length=2000, required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_l("For a note, and for a card that goes with a gift."),
    )  # fmt: skip
    later = forms.BooleanField(
        label=_l("Ask the member for the address"), required=False,
        help_text=_l("They are asked on their own page. Nothing is sent until they answer."),
    )  # fmt: skip
    field_order = ("key", "kind", "what", "words", "later")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.data.get("later"):
            for name in AddressForm.base_fields:
                self.fields[name].required = False


class SendForm(forms.Form):
    carrier = forms.CharField(label=_l("Carrier"), max_length=64, required=False)
    tracking_number = forms.CharField(
        label=_l("Tracking number"), max_length=64, required=False,
        help_text=_l("The member sees both."),
    )  # fmt: skip


class WhyForm(forms.Form):
    reason = forms.CharField(
        label=_l("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


class DaysForm(forms.Form):
    days = forms.IntegerField(
        label=_l("Days to send it"), min_value=0, max_value=365,
        help_text=_l("From the day on which it can be sent; to the end of the last one."),
    )  # fmt: skip


class AssignForm(forms.Form):
    assignee = forms.ModelChoiceField(
        User.objects.none(), label=_l("Who sees to it"), required=False,
        empty_label=_l("Nobody yet"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["assignee"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = colleagues()


def colleagues() -> QuerySet[User]:
    """Who can be asked to send something."""
    staff = StaffMember.objects.filter(role__in=roles_allowed("fulfillment.work"))
    return User.objects.filter(staff_member__in=staff, is_active=True).order_by("email")
