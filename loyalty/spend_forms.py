"""What buyers and approvers of a company fill in on their own pages."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.translation import gettext_lazy

from loyalty.amount_forms import AmountForm
from loyalty.models import PoolMember, SpendRequest
from loyalty.services.spend_requests import LONGEST_NOTE, ask_to_spend
from members.services.audit import Actor


class AskForm(AmountForm):
    """How much of the company's, and what for."""

    sent_before = gettext_lazy("This form was already sent once. Look at your requests; if you need"
                               " more, ask again.")  # fmt: skip

    note = forms.CharField(
        label=gettext_lazy("What for"),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Your approvers read it."),
    )

    def ask(
        self, member: PoolMember, *, actor: Actor, source: str, now: dt.datetime
    ) -> SpendRequest:
        """Ask, once. Raises DomainError, which `refuse` puts into words."""
        data = self.cleaned_data
        return ask_to_spend(
            member=member, wallet_type=self.chosen_type, units=self.amount, note=data["note"],
            key=f"{source}:ask:{data['key']}", source=source, actor=actor, now=now,
        )[0]  # fmt: skip


class DecisionForm(forms.Form):
    """What an approver says to whoever asked; to say no it is needed."""

    note = forms.CharField(
        label=gettext_lazy("A word to whoever asked"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("If you say no, say why."),
    )
