"""Whether a program asks anything, has anything to play, or thanks for friends: in one look for
all that ask."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from campaigns.models import ReferralProgram
from campaigns.selectors.games import playable_games
from campaigns.selectors.surveys import open_surveys
from loyalty.models import Membership, Program

_KEPT = "_campaigns_open_kinds"


@dataclass(frozen=True, slots=True)
class OpenKinds:
    surveys: bool
    games: bool
    referrals: bool


def open_kinds(member: Membership, now: dt.datetime) -> OpenKinds:
    """Kept with the member's row for as long as the page that it was read for is being made."""
    kept: dict[dt.datetime, OpenKinds] = member.__dict__.setdefault(_KEPT, {})
    if now not in kept:
        surveys = open_surveys(now).filter(program=OuterRef("pk"), on_page=True)
        games = playable_games(now).filter(program=OuterRef("pk"))
        friends = ReferralProgram.objects.filter(
            program=OuterRef("pk"), status=ReferralProgram.Status.LIVE
        )
        rows = Program.objects.filter(pk=member.program_id)
        kept[now] = OpenKinds(
            *rows.values_list(Exists(surveys), Exists(games), Exists(friends)).get()
        )
    return kept[now]
