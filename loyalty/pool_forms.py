"""What a person says to move units between a member and their pool: the same form for staff and for
members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.amount_forms import AmountForm
from loyalty.models import PoolMember, Transfer, WalletType
from loyalty.services.adjustments import Preview
from loyalty.services.pool_moves import preview_pool_move, put_into_pool, take_from_pool
from members.services.audit import Actor

IN, OUT = "in", "out"


class PoolMoveForm(AmountForm):
    """Which way, what and how many."""

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
    field_order = ("direction", "wallet_type", "units", "key")

    def __init__(
        self, data: Any, *, wallet_types: Sequence[WalletType], may_take: bool = True
    ) -> None:
        super().__init__(data, wallet_types=wallet_types)
        if not may_take:
            del self.fields["direction"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        cleaned.setdefault("direction", IN)
        return cleaned

    @property
    def into(self) -> bool:
        """Whether units go into the pool."""
        return bool(self.cleaned_data["direction"] == IN)

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
