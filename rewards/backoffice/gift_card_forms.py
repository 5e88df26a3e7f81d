"""What staff fill in about gift cards."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.backoffice.program_fields import amount, switch
from loyalty.models import Program
from members.models import Customer
from members.selectors.identities import having_any
from members.selectors.merges import current_ids
from rewards.backoffice.gift_cards import programs_with_cards
from rewards.services.gift_card_batches import LARGEST
from rewards.services.gift_cards import GiftCardPeople


class OfProgramForm(forms.Form):
    """Of which program; not asked where only one has gift cards."""

    program = forms.ModelChoiceField(
        Program.objects.none(), label=_l("Program"), empty_label=None, to_field_name="code"
    )
    amount = amount(_l("Amount"), 2, _l("In the program's currency."), least="0.01")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ids = programs_with_cards().values_list("program", flat=True)
        self.programs = list(Program.objects.filter(pk__in=ids).order_by("name"))
        choice = self.fields["program"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = Program.objects.filter(pk__in=ids)
        if len(self.programs) == 1:
            del self.fields["program"]

    @property
    def chosen_program(self) -> Program:
        found: Program = self.cleaned_data.get("program") or self.programs[0]
        return found


class IssueForm(OfProgramForm):
    """A card. Sent twice, it is one."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    buyer = forms.CharField(
        label=_l("Bought by"), max_length=254, required=False,
        help_text=_l("E-mail address or customer number. Empty: nobody whom we know."),
    )  # fmt: skip
    recipient_name = forms.CharField(label=_l("For"), max_length=120, required=False)
    recipient_email = forms.EmailField(
        label=_l("E-mail"), required=False, help_text=_l("With it the card is sent there.")
    )
    sender_name = forms.CharField(label=_l("From"), max_length=120, required=False)
    message = forms.CharField(
        label=_l("Message"), max_length=500, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def clean_buyer(self) -> Customer | None:
        text = self.cleaned_data["buyer"].replace("\x00", "").strip()
        if not text:
            return None
        found = (
            having_any(email=text) if "@" in text else having_any(external_ids=[text])
        )  # fmt: skip
        buyer = Customer.objects.filter(pk__in=current_ids(found)).first()
        if buyer is None:
            raise forms.ValidationError(_("There is no such customer."))
        return buyer

    def people(self) -> GiftCardPeople:
        names = ("recipient_name", "recipient_email", "message", "sender_name")
        return GiftCardPeople(
            buyer=self.cleaned_data["buyer"], **{name: self.cleaned_data[name] for name in names}
        )


class BatchForm(OfProgramForm):
    """Many cards of one amount."""

    name = forms.CharField(label=_l("Name"), max_length=80, help_text=_l("As Christmas cards."))
    count = forms.IntegerField(label=_l("How many"), min_value=1, max_value=LARGEST)
    active = switch(
        _l("They can be used at once"),
        _l("Otherwise only once a till has sold them, over the API."),
    )
    field_order = ("program", "name", "amount", "count", "active")


class AmountForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    amount = amount(_l("Amount"), 2, least="0.01")


class WhyForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    reason = forms.CharField(
        label=_l("Why"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
