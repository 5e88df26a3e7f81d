"""What people did themselves beside buying: what they said, played, wrote, took up, whom they
brought."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.models import (
    BoardName,
    CommentReport,
    CommunityName,
    ConsentChange,
    ForumMember,
    GamePlay,
    PersonalOffer,
    PostComment,
    PostReading,
    Referral,
    SurveyResponse,
)
from loyalty.own_signs import register_own_sign

Source = ConsentChange.Source
# Not those that colleagues, programs and merges wrote down.
_THEMSELVES = (
    Source.JOIN, Source.ACCOUNT, Source.LINK, Source.ONE_CLICK, Source.CONFIRMED, Source.COMPLAINT,
    Source.REPLY,
)  # fmt: skip


def said_what_they_want(customers: Collection[int], since: dt.datetime) -> Collection[int]:
    found = ConsentChange.objects.filter(
        customer__in=customers, at__gte=since, source__in=_THEMSELVES
    )
    return found.values_list("customer", flat=True)


def answered(customers: Collection[int], since: dt.datetime) -> Collection[int]:
    return _whose(SurveyResponse.objects.filter(answered_at__gte=since), customers)


def played(customers: Collection[int], since: dt.datetime) -> Collection[int]:
    return _whose(GamePlay.objects.filter(used_at__gte=since), customers)


def took_up_offers(customers: Collection[int], since: dt.datetime) -> Collection[int]:
    return _whose(PersonalOffer.objects.filter(taken_at__gte=since), customers)


def took_part(customers: Collection[int], since: dt.datetime) -> Collection[int]:
    """In the community, and on leaderboards by a name."""
    found = (
        PostComment.objects.filter(written_at__gte=since),
        PostReading.objects.filter(helpful_at__gte=since),
        CommentReport.objects.filter(at__gte=since),
        CommunityName.objects.filter(changed_at__gte=since),
        ForumMember.objects.filter(agreed_at__gte=since),
        BoardName.objects.filter(since__gte=since),
    )
    return {pk for rows in found for pk in _whose(rows, customers)}


def brought_friends(customers: Collection[int], since: dt.datetime) -> Collection[int]:
    return _whose(Referral.objects.filter(came_at__gte=since), customers, "link__membership")


def _whose(
    rows: QuerySet[Any], customers: Collection[int], member: str = "membership"
) -> Collection[int]:
    found = rows.filter(**{f"{member}__customer__in": customers})
    return set(found.values_list(f"{member}__customer", flat=True))


def register() -> None:
    """Called once, when the application is ready."""
    register_own_sign("consents", _("They said what they want to be told."), said_what_they_want)
    register_own_sign("surveys", _("They answered a survey."), answered)
    register_own_sign("games", _("They have played a game."), played)
    register_own_sign("offers", _("They took up an offer."), took_up_offers)
    register_own_sign("community", _("They took part in the community."), took_part)
    register_own_sign("referrals", _("They have brought a friend."), brought_friends)
