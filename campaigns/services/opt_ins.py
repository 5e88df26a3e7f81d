"""That somebody wants to be written to, told as an activity that rules can reward."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.utils import timezone

from campaigns.models import Consent, ConsentChange
from loyalty.services.own_activities import OwnDeed, is_told, tell_own
from members.models import OutboxEvent
from members.selectors.merges import current

# The outbox event that follows a yes.
GRANTED = "consents.granted"


def opt_in_type(channel: str) -> str:
    """The short name of the type of activity: email-opt-in."""
    return f"{channel}-opt-in"


def follow_grants(events: Sequence[OutboxEvent]) -> None:
    """Once for each customer and channel, whatever topics they choose, and however often."""
    named = {pk for event in events for pk in event.payload["changes"]}
    rows = ConsentChange.objects.filter(pk__in=named).select_related("customer__merged_into")
    by_channel: defaultdict[str, dict[int, OwnDeed]] = defaultdict(dict)
    for row in rows.order_by("at", "pk"):
        customer, code = current(row.customer), opt_in_type(row.channel)
        if _is_still_wanted(customer.pk, row.channel):
            deed = OwnDeed(f"{code}:{customer.public_id}", customer.pk, row.at, row.topic)
            by_channel[code].setdefault(customer.pk, deed)
    for code, deeds in sorted(by_channel.items()):
        if is_told(code):
            tell_own(code, list(deeds.values()), now=timezone.now())


def _is_still_wanted(customer_id: int, channel: str) -> bool:
    found = Consent.objects.filter(customer=customer_id, channel=channel)
    return found.filter(state=Consent.State.GRANTED).exists()
