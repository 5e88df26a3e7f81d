"""What is asked where somebody's paid plan is sold, canceled, changed, paid or given back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.reason_forms import ReasonForm
from loyalty.models import Plan, PlanCharge, Subscription
from loyalty.services.plan_refunds import RefundPreview
from members.formatting import format_day, format_money

Choices = list[tuple[str, str]]


class PlanChoiceForm(forms.Form):
    """One of the plans that are offered, with what each costs."""

    plan = forms.ChoiceField(label=gettext_lazy("Plan"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, offers: dict[Plan, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offers = {plan.code: plan for plan in offers}
        field = self.fields["plan"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(plan.code, words) for plan, words in offers.items()]

    @property
    def chosen(self) -> Plan:
        return self.offers[self.cleaned_data["plan"]]


class ChangeForm(PlanChoiceForm):
    """Which plan, and from when on."""

    when = forms.ChoiceField(
        label=gettext_lazy("When"), widget=forms.RadioSelect, initial="renewal", required=False,
        choices=[
            ("renewal", gettext_lazy("When the present period is over; nothing is paid before")),
            ("now", gettext_lazy("Now; you see first what is paid or given back")),
        ],
    )  # fmt: skip


class AgreedForm(forms.Form):
    """A change at once, with the sums that were shown."""

    plan = forms.SlugField(widget=forms.HiddenInput)
    when = forms.CharField(widget=forms.HiddenInput)
    pays_now = forms.DecimalField(widget=forms.HiddenInput)
    gives_back = forms.DecimalField(widget=forms.HiddenInput)


class CancelForm(ReasonForm):
    """When it ends, and what is given back."""

    when = forms.ChoiceField(label=gettext_lazy("When"), widget=forms.RadioSelect)
    field_order = ("when", "reason")

    def __init__(
        self,
        *args: Any,
        subscription: Subscription,
        charge: PlanCharge | None,
        preview: RefundPreview | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["when"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(_ends(subscription, charge, preview))
        field.initial = field.choices[0][0]


class RefundForm(ReasonForm):
    how = forms.ChoiceField(label=gettext_lazy("Give back"), widget=forms.RadioSelect)
    field_order = ("how", "reason")

    def __init__(
        self, *args: Any, charge: PlanCharge, preview: RefundPreview, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["how"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = _amounts(charge, preview)


class PaidForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("Where the money was seen"), required=False, max_length=500,
        help_text=gettext_lazy("For your colleagues, as the number of the bank transfer."),
    )  # fmt: skip


def _ends(
    subscription: Subscription, charge: PlanCharge | None, preview: RefundPreview | None
) -> Choices:
    found: Choices = []
    waiting = subscription.state == Subscription.State.WAITING
    if subscription.period_end and not subscription.cancel_at_period_end and not waiting:
        day = format_day(subscription.period_end, subscription.membership.program.zone)
        found.append(("period_end", _("On %s, when the period ends") % day))
    found.append(("none", _("Now, and nothing is given back")))
    if charge is not None and preview is not None:
        found += [
            (how, _("Now, and give back %s") % words) for how, words in _amounts(charge, preview)
        ]
    return found


def _amounts(charge: PlanCharge, preview: RefundPreview) -> Choices:
    found: Choices = []
    if preview.pro_rata:
        part = format_money(preview.pro_rata, charge.currency)
        found.append(("pro_rata", _("%s for the days that are left") % part))
    whole = format_money(preview.whole, charge.currency)
    return [*found, ("whole", _("%s, all that was paid") % whole)]
