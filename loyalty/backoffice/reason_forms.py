"""Why something is done by hand: what every such dialog asks."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "data-focus": True}),
        help_text=gettext_lazy("For your colleagues. Customers do not see it."),
    )
