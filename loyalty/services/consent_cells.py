"""What a row of a people file says of what somebody wants to be told: consent_email_offers and its
like, with a word, a day, or both."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.utils.translation import gettext as _

from loyalty.rules.calendar import localize
from members.errors import DomainError, FieldError
from members.told_consents import ConsentSaid, understood_consent

PREFIX = "consent_"
# Of all that a row says: when, and how it is known.
WHEN, WHENCE = "consent_at", "consent_source"


def consents_in(
    cells: dict[str, str], *, zone: zoneinfo.ZoneInfo, now: dt.datetime
) -> list[ConsentSaid]:
    """Take them out of the row. A cell is yes, no, or the day of a yes; a day behind the word is
    that of the word. Raises DomainError for what is none of these."""
    taken = {name: cells.pop(name).strip() for name in [*cells] if name.startswith(PREFIX)}
    usual, evidence = taken.pop(WHEN, ""), taken.pop(WHENCE, "")
    found = []
    for name, cell in taken.items():
        if not cell:
            continue
        channel, _between, topic = name.removeprefix(PREFIX).partition("_")
        word, _blank, moment = cell.partition(" ")
        wanted = understood_consent(word)
        if wanted is None:
            wanted, moment = True, cell
        at = read_moment(moment or usual, zone=zone, now=now, field=name)
        found.append(ConsentSaid(channel, topic, wanted, at, evidence[:200], field=name))
    return found


def read_moment(
    text: str, *, zone: zoneinfo.ZoneInfo, now: dt.datetime, field: str
) -> dt.datetime | None:
    """A day or time in the past, by the clock of the zone; None where there is none."""
    if not text:
        return None
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is not None and at.tzinfo is None:
        at = localize(at, zone)
    if at is None or not at.year >= 1900 or at > now:
        words = _("Write a day in the past such as 2026-03-31.")
        raise DomainError(words, errors=[FieldError(field, words)])
    return at
