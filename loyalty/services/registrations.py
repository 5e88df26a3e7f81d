"""Programs that take in every customer with their account in the shop."""

from __future__ import annotations

from collections.abc import Sequence

from loyalty.models import Membership, Program
from loyalty.services.admissions import enroll_admitted
from members.models import Customer, OutboxEvent


def follow_registrations(events: Sequence[OutboxEvent]) -> None:
    """Enroll whoever has a new account, as of when it was made; a launch that does not admit them
    yet keeps them out, and their first order after that brings them in."""
    people = {event.payload["customer"] for event in events}
    since = dict(
        Customer.objects.filter(pk__in=people, merged_into=None).values_list("pk", "created_at")
    )
    programs = Program.objects.filter(
        status=Program.Status.LIVE, enrollment=Program.Enrollment.ACCOUNT
    )
    for program in programs.order_by("pk"):
        if since:
            enroll_admitted(program_id=program.pk, enrolled=since, source=Membership.Source.ACCOUNT)
