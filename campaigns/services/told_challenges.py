"""What members are told about challenges that they take part in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _l

from campaigns.campaign_words import told_campaign
from campaigns.challenge_words import brings
from campaigns.models import ChallengeEntry, ChallengeWin
from campaigns.news import FRESH, News
from campaigns.occasions import Occasion, Variable
from campaigns.services.messages import watched, write_messages
from loyalty.lot_words import last_day
from loyalty.models import Membership
from members.formatting import format_day, format_list, format_percent
from members.selectors.merges import current

State = ChallengeEntry.State
_VARIABLES = (
    Variable("challenge", _l("The challenge's title"), "text", "Coffee week"),
    Variable("text", _l("What it says"), "text", "Buy five coffees in a week.", may_be_empty=True),
    Variable("percent", _l("How far they are"), "text", "80%"),
    Variable("brings", _l("What it brings"), "text", "100 points"),
    Variable("until", _l("Last day"), "day", "Jan 26, 2027"),
)


def _occasion(code: str, label: Promise, description: Promise, icon: str) -> Occasion:
    return Occasion(
        code=code, label=label, description=description, icon=icon, topic="offers",
        priority=35, variables=_VARIABLES, news_for=FRESH,
    )  # fmt: skip


STARTED = _occasion(
    "challenge_started", _l("Challenge begun"), _l("Somebody takes part in a challenge."),
    "target-arrow",
)  # fmt: skip
NEARLY = _occasion(
    "challenge_nearly", _l("Challenge nearly done"),
    _l("Somebody has done three quarters of a challenge."), "flame",
)  # fmt: skip
WON = _occasion(
    "challenge_won", _l("Challenge done"), _l("Somebody has done a challenge."), "trophy"
)
ENDED = _occasion(
    "challenge_ended", _l("Challenge over"),
    _l("The time of a challenge is over, and somebody has not done it."), "hourglass",
)  # fmt: skip
OCCASIONS = (STARTED, NEARLY, WON, ENDED)


def follow_begun(keys: Iterable[int], now: dt.datetime) -> None:
    """Tell those who take part from now on, each once."""
    _tell(STARTED, [(entry, f"entry:{entry.pk}") for entry in _entries(keys)], now)


def follow_entries(keys: Sequence[int], now: dt.datetime) -> None:
    """Tell of those that are nearly done, or over without having been done, each once."""
    found = _entries(keys) if keys else []
    for occasion, state in ((NEARLY, State.NEAR), (ENDED, State.ENDED)):
        named = [
            (entry, f"entry:{entry.pk}")
            for entry in found
            if entry.state == state and not (occasion is ENDED and entry.rounds)
        ]
        _tell(occasion, named, now)


def follow_wins(keys: Sequence[int], now: dt.datetime) -> None:
    """Tell what is theirs; nothing where it brought less than it says."""
    if not keys:
        return
    rows = ChallengeWin.objects.filter(
        pk__in=list(keys), state=ChallengeWin.State.WON, unrewarded="",
        entry__membership__status=Membership.Status.ACTIVE,
    ).select_related(
        "entry__challenge__campaign__program", "entry__challenge__reward",
        "entry__membership__customer__merged_into", "entry__membership__program",
    )  # fmt: skip
    _tell(WON, [(win.entry, f"win:{win.pk}:{win.attempt}") for win in rows.order_by("pk")], now)


def _entries(keys: Iterable[int]) -> Sequence[ChallengeEntry]:
    rows = ChallengeEntry.objects.filter(
        pk__in=list(keys), membership__status=Membership.Status.ACTIVE
    ).select_related(
        "challenge__campaign__program", "challenge__reward", "membership__customer__merged_into",
        "membership__program",
    )  # fmt: skip
    return list(rows.order_by("pk"))


def _tell(
    occasion: Occasion, found: Sequence[tuple[ChallengeEntry, str]], now: dt.datetime
) -> None:
    setting = watched(occasion) if found else None
    if setting is not None and setting.since is not None:
        news = [
            _news(entry, occurrence)
            for entry, occurrence in found
            # What is over for longer was only told late.
            if entry.ends_at > now - FRESH
        ]
        write_messages(occasion=occasion, setting=setting, news=news, now=now)


def _news(entry: ChallengeEntry, occurrence: str) -> News:
    member = entry.membership
    challenge = entry.challenge

    def values() -> dict[str, str]:
        told = told_campaign(challenge.campaign)
        return {
            "challenge": told.title, "text": told.text,
            "percent": format_percent(entry.percent / 100, digits=0),
            "brings": format_list(brings(challenge)),
            "until": format_day(last_day(entry.ends_at, member.program.zone)),
        }  # fmt: skip

    return News(
        customer=current(member.customer), membership=member, occurrence=occurrence,
        values=values, link=reverse("challenges_account:challenges_of", args=[member.public_id]),
    )  # fmt: skip
