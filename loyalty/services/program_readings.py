"""Who of the staff has read what a program says: confirmed by each person, for each of its
revisions."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from loyalty.models import Program, ProgramReading
from members.models import User
from members.services.audit import Actor, record_audit


@transaction.atomic
def confirm_reading(*, program: Program, reader: User, revision: int, now: dt.datetime) -> bool:
    """Keep that somebody has read the program as it was at a revision. Whether it is new."""
    _reading, created = ProgramReading.objects.get_or_create(
        program=program, reader=reader, revision=revision, defaults={"read_at": now}
    )
    if created:
        record_audit(actor=Actor.of_user(reader), action="program.read", target=program)
    return created
