"""Who of the staff has read what a program says now, and who something older or nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import F

from loyalty.models import Program, ProgramReading
from members.models import StaffMember


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody of the staff. `read_at`: when they last confirmed; `current`: what is true now."""

    name: str
    role: str
    read_at: dt.datetime | None
    current: bool


def readers_of(program: Program) -> list[Reader]:
    """Everybody who works here, by name; two queries."""
    latest = {
        reading.reader_id: reading
        for reading in ProgramReading.objects.filter(program=program).order_by("revision")
    }
    team = StaffMember.objects.select_related("user").filter(user__is_active=True)
    return [
        Reader(
            str(person.user),
            str(person.get_role_display()),
            reading.read_at if (reading := latest.get(person.user_id)) else None,
            reading is not None and reading.revision == program.revision,
        )
        for person in team.order_by(F("user__name"), "pk")
    ]
