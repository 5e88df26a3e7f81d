"""Friends, games and surveys of a customer on their timeline."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.game_words import told_prize
from campaigns.models import GameDraw, SurveyResponse
from campaigns.selectors.referrals import referrals
from loyalty.selectors.selves import selves_of
from members.models import Customer
from members.selectors.merges import current
from members.timeline import register_timeline_source
from members.timeline_view import TimelineEntry

KIND = "campaigns"


def referral_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Whom they brought, and how far it is now."""
    rows = referrals().filter(link__membership__in=selves_of(customer))
    if before is not None:
        rows = rows.filter(came_at__lt=before)
    return [
        TimelineEntry(
            icon="user-heart",
            title=_("Brought %s") % current(row.friend),
            moment=row.came_at,
            badge=str(row.get_status_display()),
            url=reverse("referrals_backoffice:referral", args=[row.public_id]),
            id=f"referral-{row.pk}",
        )
        for row in rows.order_by("-came_at", "-pk")[:limit]
    ]


def game_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    rows = GameDraw.objects.filter(membership__in=selves_of(customer))
    if before is not None:
        rows = rows.filter(drawn_at__lt=before)
    return [
        TimelineEntry(
            icon="dice",
            title=_("Played %(game)s: %(prize)s")
            % {"game": row.game.name, "prize": told_prize(row.prize)},
            moment=row.drawn_at,
            url=reverse("games:draw", args=[row.public_id]),
            id=f"draw-{row.pk}",
        )
        for row in rows.select_related("game", "prize").order_by("-drawn_at", "-pk")[:limit]
    ]


def survey_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    rows = SurveyResponse.objects.filter(membership__in=selves_of(customer))
    if before is not None:
        rows = rows.filter(answered_at__lt=before)
    return [
        TimelineEntry(
            icon="message-question",
            title=_("Answered the survey %s") % row.survey,
            moment=row.answered_at,
            text=str(row.get_via_display()),
            url=reverse("surveys_backoffice:survey", args=[row.survey.public_id]),
            id=f"survey-{row.pk}",
        )
        for row in rows.select_related("survey").order_by("-answered_at", "-pk")[:limit]
    ]


def register() -> None:
    """Called once, when the application is ready."""
    for source in (referral_events, game_events, survey_events):
        register_timeline_source(source, KIND)
