"""What a broadcast is as a message: each has words of its own, and says what can be said of any
member at any time."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from campaigns.models import Broadcast
from campaigns.models.broadcasts import FAMILY
from campaigns.occasions import Occasion, occasion_named, register_family
from campaigns.services.member_words import MEMBER_VARIABLES, member_values

BROADCAST = Occasion(
    code=FAMILY,
    label=_("Broadcast"),
    description=_("You tell many something at once, in words of its own."),
    icon="send",
    topic="offers",
    priority=45,
    variables=MEMBER_VARIABLES,
    values_now=member_values,
)


def occasion_of(broadcast: Broadcast) -> Occasion:
    """One of no program says nothing of a membership: its readers may have none, or several."""
    found = occasion_named(broadcast.occasion)
    assert found is not None
    if broadcast.program_id is None:
        return replace(found, of_no_program=True, values_now=None)
    return found


def register() -> None:
    """Called once, when the application is ready."""
    register_family(BROADCAST)
