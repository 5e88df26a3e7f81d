"""What staff fill in about webhooks. The services check the values; these forms ask for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.selectors.webhooks import Wanted
from campaigns.services.webhook_endpoints import OVERLAPS
from campaigns.webhook_events import told_types
from loyalty.models import Program
from members.public_events import EventType, event_types

GROUPS = {
    "activity": _l("Activities"),
    "balance": _l("Balances"),
    "campaign": _l("Promotions"),
    "challenge": _l("Challenges"),
    "checkout": _l("Carts"),
    "consent": _l("What customers want to be told"),
    "customer": _l("Customers"),
    "event": _l("Events with seats"),
    "experiment": _l("Experiments"),
    "fulfillment": _l("Parcels"),
    "game": _l("Games"),
    "gift_card": _l("Gift cards"),
    "goal": _l("Goals"),
    "journey": _l("Journeys"),
    "membership": _l("Memberships"),
    "message": _l("Messages"),
    "offer": _l("Offers to one member"),
    "order": _l("Orders"),
    "plan": _l("Paid plans"),
    "points": _l("Points"),
    "post": _l("Posts"),
    "redemption": _l("Rewards"),
    "referral": _l("Referrals"),
    "refund": _l("Refunds"),
    "surprise": _l("Surprises"),
    "survey": _l("Surveys"),
    "tier": _l("Tiers"),
    "voucher": _l("Vouchers"),
}
OVERLAP_WORDS = {
    0: _l("At once: the secret before is known to somebody"),
    1: _l("After an hour"),
    24: _l("After a day"),
    72: _l("After three days"),
    168: _l("After a week"),
}


def grouped_types() -> list[tuple[str, list[EventType]]]:
    """The catalog by what the events are about."""
    found: dict[str, list[EventType]] = {}
    for item in event_types():
        found.setdefault(item.group, []).append(item)
    named = [(str(GROUPS.get(name, name.capitalize())), types) for name, types in found.items()]
    return sorted(named, key=lambda pair: pair[0])


class EndpointForm(forms.Form):
    """An endpoint; without a choice of events it gets all of them."""

    url = forms.CharField(
        label=_l("Address"), max_length=2000,
        widget=forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false"}),
        help_text=_l("Where each event is sent to, like https://shop.example/webhooks."),
    )  # fmt: skip
    description = forms.CharField(
        label=_l("What it is for"), max_length=200, required=False,
        help_text=_l("For colleagues, for example: balances for the shop."),
    )  # fmt: skip
    program = forms.ModelChoiceField(
        Program.objects.order_by("name"), label=_l("Program"), required=False,
        empty_label=_l("All programs"), to_field_name="code",
        help_text=_l("With one, nothing is sent that belongs to no program, such as orders."),
    )  # fmt: skip
    everything = forms.BooleanField(
        label=_l("All events, also those that a later version brings"), required=False
    )

    def __init__(self, data: Any = None, *, endpoint: WebhookEndpoint | None = None) -> None:
        initial: dict[str, Any] = {"everything": True}
        if endpoint:
            initial = {
                "url": endpoint.url, "description": endpoint.description,
                "program": endpoint.program.code if endpoint.program else None,
                "everything": not endpoint.types,
            }  # fmt: skip
        chosen = set(endpoint.types) if endpoint else set()
        super().__init__(data, initial=initial, auto_id="webhook_%s")
        self.groups: list[str] = []
        for label, types in grouped_types():
            name = f"types_{types[0].group}"
            self.groups.append(name)
            self.fields[name] = forms.MultipleChoiceField(
                label=label, required=False, widget=forms.CheckboxSelectMultiple,
                choices=[(item.name, item.sentence) for item in types],
                initial=[item.name for item in types if item.name in chosen],
            )  # fmt: skip

    def group_fields(self) -> Iterator[BoundField]:
        for name in self.groups:
            yield self[name]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not data.get("everything") and not any(data.get(name) for name in self.groups):
            self.add_error("everything", _("Choose what it is told: all events, or some of them."))
        return data

    def values(self) -> dict[str, Any]:
        """What was filled in, as the service takes it."""
        data = self.cleaned_data
        chosen = [item for name in self.groups for item in data[name]]
        return {
            "url": data["url"], "description": data["description"], "program": data["program"],
            "types": [] if data["everything"] else chosen,
        }  # fmt: skip


class RotationForm(forms.Form):
    overlap_hours = forms.TypedChoiceField(
        label=_l("The secret before ends"), coerce=int, initial=24, widget=forms.RadioSelect,
        choices=[(hours, OVERLAP_WORDS[hours]) for hours in reversed(OVERLAPS)],
    )  # fmt: skip


class ReplayForm(forms.Form):
    since = forms.DateField(
        label=_l("From"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_l("What was told since the beginning of this day and has not arrived. After 30"
                     " days it is forgotten."),
    )  # fmt: skip

    def moment(self) -> dt.datetime:
        day = self.cleaned_data["since"]
        return dt.datetime.combine(day, dt.time.min, timezone.get_current_timezone())


class DeliveryFilterForm(forms.Form):
    """Which deliveries a list shows. What the URL says that is no choice is passed over."""

    endpoint = forms.ChoiceField(
        label=_l("Webhook"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    type = forms.ChoiceField(
        label=_l("Event"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    state = forms.ChoiceField(
        label=_l("State"), required=False, widget=forms.Select(attrs={"class": "form-select"}),
        choices=[("", _l("Every state")), *WebhookDelivery.State.choices],
    )  # fmt: skip

    def __init__(self, data: Any, *, endpoints: list[WebhookEndpoint]) -> None:
        super().__init__(data)
        self._endpoints = {str(item.public_id): item for item in endpoints}
        self.fields["endpoint"].choices = [  # type: ignore[attr-defined]
            ("", _("All")),
            *((key, str(item)) for key, item in self._endpoints.items()),
        ]
        self.fields["type"].choices = [  # type: ignore[attr-defined]
            ("", _("Every event")),
            *((item.name, item.name) for item in told_types()),
        ]

    def wanted(self) -> Wanted:
        self.is_valid()
        data = self.cleaned_data
        return Wanted(
            endpoint=self._endpoints.get(data.get("endpoint", "")),
            type=data.get("type", ""), state=data.get("state", ""),
        )  # fmt: skip
