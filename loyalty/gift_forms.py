"""What a person says to give units away: the same form for staff and for members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.models import Account, Membership, Transfer, Wallet, WalletType
from loyalty.moving_forms import MovingForm
from loyalty.services.gifts import (
    LONGEST_MESSAGE,
    GiftPreview,
    donate_units,
    give_units,
    preview_donation,
    preview_gift,
)
from loyalty.unit_input import read_amount
from members.services.audit import Actor

# Chosen instead of a charity's code, none of which begins so.
MEMBER = "-"

Finder = Callable[[str], Membership | None]


class GiftForm(MovingForm):
    """For whom, how many, and a word with it. `find` says whose the typed address is."""

    too_few = gettext_lazy("Only %s can be given.")
    sent_before = gettext_lazy("This form was already sent once. Look at the balance; if more is to"
                               " be given, confirm again.")  # fmt: skip

    charity = forms.ChoiceField(label=gettext_lazy("For"))
    to = forms.CharField(
        label=gettext_lazy("Card number or e-mail address"),
        max_length=254,
        error_messages={"required": gettext_lazy("Say who is to be given something.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    units = forms.CharField(
        label=gettext_lazy("How many"),
        max_length=32,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    message = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=LONGEST_MESSAGE,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("They read it with the gift."),
    )

    reason = forms.CharField(
        label=gettext_lazy("Why you give it for them"),
        max_length=LONGEST_MESSAGE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self, *args: Any, wallet: Wallet, charities: Sequence[Account], find: Finder,
        asks_why: bool = False, **kwargs: Any,
    ) -> None:  # fmt: skip
        """`asks_why`: somebody else gives it to a charity for the member, and says why."""
        super().__init__(*args, **kwargs)
        self.wallet = wallet
        self.find = find
        terms = wallet.wallet_type
        self.charities = {item.code: item for item in charities if terms.gifts_to_charities}
        if not terms.gifts_to_members:
            del self.fields["to"], self.fields["message"]
        if terms.gifts_to_members and not self.charities:
            del self.fields["charity"]
        else:
            self._offer_charities()
        if not asks_why or "charity" not in self.fields:
            del self.fields["reason"]
        elif "to" in self.fields:
            self.fields["reason"].required = self.data.get("charity") in self.charities

    def _offer_charities(self) -> None:
        charity = self.fields["charity"]
        assert isinstance(charity, forms.ChoiceField)
        choices = [(code, item.name) for code, item in self.charities.items()]
        if "to" in self.fields:
            choices.insert(0, (MEMBER, _("Another member")))
            # A charity needs no address.
            self.fields["to"].required = self.data.get("charity") not in self.charities
        charity.choices = choices

    @property
    def chosen_charity(self) -> Account | None:
        """The charity that was chosen; None: another member."""
        return self.charities.get(self.cleaned_data.get("charity", ""))

    @property
    def receiver(self) -> Membership:
        return cast(Membership, self.cleaned_data["receiver"])

    @property
    def moved_type(self) -> WalletType:
        return self.wallet.wallet_type

    @property
    def amount(self) -> int:
        return cast(int, self.cleaned_data["amount"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "units" in cleaned:
            try:
                cleaned["amount"] = read_amount(cleaned["units"], self.wallet.wallet_type)
            except forms.ValidationError as error:
                self.add_error("units", error)
        if "to" in cleaned and self.chosen_charity is None:
            cleaned["receiver"] = self.find(cleaned["to"])
            if cleaned["receiver"] is None:
                self.add_error("to", _("Nobody in this program is known by this."))
        return cleaned

    def preview(self, *, now: dt.datetime, whole_limit: int | None = None) -> GiftPreview:
        """What giving it would do. Raises DomainError."""
        how: dict[str, Any] = {"wallet": self.wallet, "units": self.amount, "now": now}
        if self.chosen_charity is not None:
            return preview_donation(charity=self.chosen_charity, whole_limit=whole_limit, **how)
        return preview_gift(to=self.receiver, whole_limit=whole_limit, **how)

    def give(
        self, *, actor: Actor, source: str, now: dt.datetime, whole_limit: int | None = None
    ) -> Transfer:
        """Give it, once. Raises DomainError, which `refuse` puts into words."""
        how: dict[str, Any] = {
            "wallet": self.wallet, "units": self.amount, "actor": actor, "source": source,
            "now": now, "key": f"{source}:{self.cleaned_data['key']}", "whole_limit": whole_limit,
        }  # fmt: skip
        if self.chosen_charity is not None:
            note = self.cleaned_data.get("reason", "")
            return donate_units(charity=self.chosen_charity, note=note, **how)[0]
        return give_units(to=self.receiver, message=self.cleaned_data["message"], **how)[0]
