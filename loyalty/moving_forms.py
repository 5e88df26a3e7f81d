"""Forms that move units once, however often they arrive; and what they say when nothing moved."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise

from loyalty.errors import InsufficientBalanceError, KeyReusedError
from loyalty.models import WalletType
from members.errors import DomainError
from members.formatting import format_units
from members.forms import add_domain_errors


class MovingForm(forms.Form):
    """With a key that is minted with the form. `too_few` is said, with the units there are, where
    they do not suffice; `sent_before` where the form came back changed."""

    too_few: Promise
    sent_before: Promise

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Last: what a person typed is complained about first.
        self.fields["key"] = self.fields.pop("key")
        self.initial.setdefault("key", uuid.uuid4())

    @property
    @abstractmethod
    def moved_type(self) -> WalletType:
        """What it moves."""

    def refuse(self, error: DomainError) -> None:
        """Say at its field why nothing was moved."""
        if isinstance(error, InsufficientBalanceError):
            spendable = format_units(error.spendable, self.moved_type)
            self.add_error("units", str(self.too_few) % spendable)
        elif isinstance(error, KeyReusedError):
            # It had been sent before and came back changed: say so, and start afresh.
            data = cast(QueryDict, self.data).copy()
            data["key"] = str(uuid.uuid4())
            self.data = data
            self.add_error(None, str(self.sent_before))
        else:
            add_domain_errors(self, error)
