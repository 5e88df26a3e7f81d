"""What a person says to move units between a member and their pool: the same form for staff and for
members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.models import PoolMember, Transfer, WalletType
from loyalty.moving_forms import MovingForm
from loyalty.services.adjustments import Preview
from loyalty.services.pool_moves import preview_pool_move, put_into_pool, take_from_pool
from loyalty.unit_input import read_amount
from members.services.audit import Actor

IN, OUT = "in", "out"


class PoolMoveForm(MovingForm):
    """Which way, what and how many."""

    too_few = gettext_lazy("Only %s are there.")
    sent_before = gettext_lazy("This form was already sent once. Look at the balance; if more is to"
                               " be moved, confirm again.")  # fmt: skip

    direction = forms.ChoiceField(
        label=gettext_lazy("What to do"),
        choices=[
            (IN, gettext_lazy("Put into the pool")),
            (OUT, gettext_lazy("Take from the pool")),
        ],
        widget=forms.RadioSelect,
        initial=IN,
    )
    wallet_type = forms.ModelChoiceField(
        WalletType.objects.none(), label=gettext_lazy("Of what"), empty_label=None
    )
    units = forms.CharField(
        label=gettext_lazy("How many"),
        max_length=32,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(
        self, data: Any, *, wallet_types: Sequence[WalletType], may_take: bool = True
    ) -> None:
        super().__init__(data)
        kinds = self.fields["wallet_type"]
        assert isinstance(kinds, forms.ModelChoiceField)
        kinds.queryset = WalletType.objects.filter(pk__in=[item.pk for item in wallet_types])
        self.initial["wallet_type"] = wallet_types[0].pk
        self.only = wallet_types[0] if len(wallet_types) == 1 else None
        if self.only is not None:
            del self.fields["wallet_type"]
        if not may_take:
            del self.fields["direction"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["wallet_type"] = self.only or cleaned.get("wallet_type")
        cleaned.setdefault("direction", IN)
        if cleaned["wallet_type"] is not None and "units" in cleaned:
            try:
                cleaned["amount"] = read_amount(cleaned["units"], cleaned["wallet_type"])
            except forms.ValidationError as error:
                self.add_error("units", error)
        return cleaned

    @property
    def into(self) -> bool:
        """Whether units go into the pool."""
        return bool(self.cleaned_data["direction"] == IN)

    @property
    def chosen_type(self) -> WalletType:
        return cast(WalletType, self.cleaned_data["wallet_type"])

    @property
    def moved_type(self) -> WalletType:
        return self.chosen_type

    @property
    def amount(self) -> int:
        return cast(int, self.cleaned_data["amount"])

    def preview(self, member: PoolMember, now: dt.datetime) -> tuple[Preview, Preview]:
        """What the member and the pool could spend before and after. Raises DomainError."""
        return preview_pool_move(
            member=member, wallet_type=self.chosen_type, units=self.amount, into=self.into, now=now
        )

    def move(self, member: PoolMember, *, actor: Actor, source: str, now: dt.datetime) -> Transfer:
        """Move them, once. Raises DomainError, which `refuse` puts into words."""
        act = put_into_pool if self.into else take_from_pool
        return act(
            member=member, wallet_type=self.chosen_type, units=self.amount, actor=actor,
            key=f"{source}:{self.cleaned_data['key']}", source=source, now=now,
        )[0]  # fmt: skip
