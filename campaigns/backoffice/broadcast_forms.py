"""What staff fill in about a broadcast: whom it is for, by which ways, and when it is sent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from pydantic import ValidationError

from campaigns.backoffice.preferred_ways import PLACES, PreferredWays, preferred
from campaigns.broadcast_definitions import BroadcastDefinition
from campaigns.channels import all_channels
from campaigns.models import Broadcast
from campaigns.selectors.broadcasts import zone_of
from campaigns.selectors.policies import get_policy
from campaigns.selectors.ways import usable_channels
from campaigns.topics import choosable_topics
from loyalty.models import Program
from members.backoffice.condition_builder import ConditionField
from members.conditions.scopes import OF_CUSTOMERS
from members.program_scope import programs_in_scope
from rewards.backoffice.event_forms import MomentField

PLAIN = ("name", "holdout", "topic", "order_days", "only_first")


class BroadcastForm(PreferredWays):
    """`program` is asked as it is begun, and stays."""

    name = forms.CharField(
        label=_l("Name"), max_length=120, help_text=_l("For your lists: members do not read it.")
    )
    program = forms.ModelChoiceField(
        Program.objects.none(), label=_l("Program"), required=False, to_field_name="code",
        help_text=_l("Its members. It stays."),
    )  # fmt: skip
    audience = ConditionField(
        scopes=OF_CUSTOMERS, in_database=True, label=_l("For whom"),
        everything=_l("Everybody who may be told."),
    )  # fmt: skip
    holdout = forms.IntegerField(
        label=_l("Kept aside, in percent"), min_value=0, max_value=50, initial=0,
        help_text=_l("Drawn by chance, and told nothing: what they buy shows what it brings."),
    )  # fmt: skip
    channels = forms.MultipleChoiceField(
        label=_l("By which ways"), widget=forms.CheckboxSelectMultiple
    )
    topic = forms.ChoiceField(
        label=_l("As part of"), help_text=_l("Told to whoever wants to be told of it.")
    )
    order_days = forms.IntegerField(
        label=_l("Days for an order"), min_value=1, max_value=90,
        help_text=_l("An order so many days after it counts as one that followed it."),
    )  # fmt: skip

    field_order = ["name", "program", "audience", "holdout", "channels", "only_first", *PLACES]

    def __init__(self, broadcast: Broadcast | None, data: Any = None) -> None:
        super().__init__(data, initial=_initial(broadcast))
        program, channels = self.fields["program"], self.fields["channels"]
        topic = self.fields["topic"]
        assert isinstance(program, forms.ModelChoiceField)
        assert isinstance(channels, forms.MultipleChoiceField)
        assert isinstance(topic, forms.ChoiceField)
        if broadcast is not None:
            del self.fields["program"]
        else:
            program.queryset = Program.objects.exclude(status="archived").order_by("name")
            # Who works for some programs writes to the members of these.
            program.required = programs_in_scope() is not None
            program.initial = program.queryset.values_list("code", flat=True).first()
            program.empty_label = None if program.required else _("None: customers of all")
        known = set(broadcast.channels if broadcast else ()) | {w.key for w in usable_channels()}
        channels.choices = [(way.key, way.label) for way in all_channels() if way.key in known]
        self.offer(list(channels.choices))
        topic.choices = [(found.code, found.label) for found in choosable_topics()]

    def definition(self) -> BroadcastDefinition | None:
        """None where something is wrong, which is then on its field."""
        data = self.cleaned_data
        try:
            return BroadcastDefinition(
                **{name: data[name] for name in PLAIN}, channels=self.ordered(),
                audience=data["audience"] or {},
            )  # fmt: skip
        except ValidationError as error:
            for item in error.errors(include_url=False):
                place = str(item["loc"][0]) if item["loc"] else ""
                message = str(item["msg"]).removeprefix("Value error, ")
                self.add_error(place if place in self.fields else None, message)
            return None


class ScheduleForm(forms.Form):
    """Empty: now."""

    send_at = MomentField(label=_l("When"), required=False, help_text=_l("Empty: now."))
    by_member_clock = forms.BooleanField(
        label=_l("By each member's own clock"), required=False,
        help_text=_l(
            "Each gets it when it is that time where they live: all around the world within 26"
            " hours. Where it is later already, at once."
        ),
    )  # fmt: skip

    @classmethod
    def of(cls, broadcast: Broadcast) -> ScheduleForm:
        """As it is scheduled."""
        at = broadcast.send_at
        shown = at.astimezone(zone_of(broadcast)).replace(tzinfo=None) if at else None
        return cls(initial={"send_at": shown, "by_member_clock": broadcast.by_member_clock})


def _initial(broadcast: Broadcast | None) -> dict[str, Any]:
    if broadcast is None:
        return {
            "channels": ["email", "inbox"], "topic": "offers",
            "order_days": get_policy().order_days,
        }  # fmt: skip
    plain = {name: getattr(broadcast, name) for name in (*PLAIN, "audience", "channels")}
    return plain | preferred(broadcast.channels, only_first=broadcast.only_first)
