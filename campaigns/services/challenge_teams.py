"""The teams of a challenge that members do together: made by the first, joined by a code."""

from __future__ import annotations

import datetime as dt
import secrets

from django.utils.translation import gettext as _

from campaigns.models import Challenge, ChallengeEntry, ChallengeTeam
from loyalty.models import Membership
from members.errors import DomainError, FieldError

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LENGTH = 6


def team_for(challenge: Challenge, code: str, name: str, now: dt.datetime) -> ChallengeTeam:
    """The one with this code, held until the caller's transaction ends so that it never has too
    many; without a code a new one. Raises DomainError naming the field."""
    if code.strip():
        return _known(challenge, code)
    named = " ".join(name.replace("\x00", "").split())[:40]
    if not named:
        message = _("Give your team a name, or the code of one.")
        raise DomainError(message, errors=[FieldError("team_name", message, "required")])
    return ChallengeTeam.objects.create(
        challenge=challenge, name=named, created_at=now, code=_fresh_code()
    )


def members_of(team: ChallengeTeam) -> int:
    """Who has not left, and is still a member."""
    rows = team.entries.filter(membership__status=Membership.Status.ACTIVE)
    return rows.exclude(state=ChallengeEntry.State.LEFT).count()


def _known(challenge: Challenge, code: str) -> ChallengeTeam:
    wanted = code.replace("\x00", "").strip().upper()
    rows = ChallengeTeam.objects.select_for_update().filter(challenge=challenge, code=wanted)
    team = rows.first()
    if team is None:
        message = _("There is no team with this code.")
        raise DomainError(message, errors=[FieldError("team_code", message, "not_found")])
    if team.entries.filter(rounds__gt=0).exists():
        message = _("This team has done it already.")
        raise DomainError(message, errors=[FieldError("team_code", message)])
    assert challenge.team_size is not None
    if members_of(team) >= challenge.team_size:
        message = _("This team is full.")
        raise DomainError(message, errors=[FieldError("team_code", message)])
    return team


def _fresh_code() -> str:
    """Not to be guessed, and easily read out."""
    while True:
        code = "".join(secrets.choice(LETTERS) for _number in range(LENGTH))
        if not ChallengeTeam.objects.filter(code=code).exists():
            return code
