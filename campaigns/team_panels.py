"""What the team reads of a program's promotions, challenges, games, friends and surveys: what is on
and what comes next, as it is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from campaigns.campaign_words import campaign_sentences
from campaigns.challenge_sentences import challenge_sentences
from campaigns.game_odds import odd_rows
from campaigns.game_words import plays_words
from campaigns.models import Campaign, Game
from campaigns.referral_definitions import definition_of
from campaigns.referral_words import promise_sentences
from campaigns.selectors.campaigns import promotions
from campaigns.selectors.challenges import challenges
from campaigns.selectors.games import playable_games
from campaigns.selectors.referrals import live_terms
from campaigns.selectors.survey_rewards import brings
from campaigns.selectors.surveys import open_surveys
from loyalty.models import Program
from loyalty.terms_panels import TermsItem, TermsPanel, register_team_panel
from members.formatting import format_percent

# What begins within so many days is asked about already.
SOON = dt.timedelta(days=30)
_STATES = [Campaign.Status.SCHEDULED, Campaign.Status.LIVE, Campaign.Status.PAUSED]


def promotion_panel(program: Program, now: dt.datetime) -> TermsPanel | None:
    found = promotions().filter(_on_or_soon(now), program=program, status__in=_STATES)
    return _panel(
        _("Promotions"), "speakerphone",
        (
            TermsItem(one.name, one.get_status_display(), campaign_sentences(one))
            for one in found.order_by("starts_at", "pk")
        ),
    )  # fmt: skip


def challenge_panel(program: Program, now: dt.datetime) -> TermsPanel | None:
    found = challenges().filter(
        _on_or_soon(now, "campaign__"), campaign__program=program, campaign__status__in=_STATES
    )
    return _panel(
        _("Challenges"), "target-arrow",
        (
            TermsItem(
                one.campaign.name, one.campaign.get_status_display(), challenge_sentences(one)
            )
            for one in found.order_by("campaign__starts_at", "pk")
        ),
    )  # fmt: skip


def game_panel(program: Program, now: dt.datetime) -> TermsPanel | None:
    found = playable_games(now).filter(program=program)
    return _panel(
        _("Games"), "dice",
        (TermsItem(one.name, one.get_kind_display(), _of_game(one, now)) for one in found),
    )  # fmt: skip


def referral_panel(program: Program, now: dt.datetime) -> TermsPanel | None:
    terms = live_terms(program)
    if terms is None:
        return None
    sentences = promise_sentences(definition_of(terms), program)
    return TermsPanel(
        _("Bringing friends"), "user-heart", [TermsItem(_("What is promised"), "", sentences)]
    )


def survey_panel(program: Program, now: dt.datetime) -> TermsPanel | None:
    found = [survey for survey in open_surveys(now) if survey.program_id == program.pk]
    return _panel(
        _("Surveys"), "message-question",
        (
            TermsItem(one.title, brings(one, now), [_("Each member may answer it once.")])
            for one in found
        ),
    )  # fmt: skip


def _on_or_soon(now: dt.datetime, way: str = "") -> Q:
    """`way`: from what is asked for to its campaign."""
    begins = Q(**{f"{way}starts_at": None}) | Q(**{f"{way}starts_at__lte": now + SOON})
    ends = Q(**{f"{way}ends_at": None}) | Q(**{f"{way}ends_at__gt": now})
    return begins & ends


def _of_game(game: Game, now: dt.datetime) -> list[str]:
    odds = [
        _("%(prize)s: %(share)s of all plays.")
        % {"prize": row.name, "share": format_percent(row.odd.share, digits=1)}
        for row in odd_rows(game, now)
    ]
    return [*(f"{words}." for words in plays_words(game)), *odds]


def _panel(title: str, icon: str, items: Iterable[TermsItem]) -> TermsPanel | None:
    found = list(items)
    return TermsPanel(title, icon, found) if found else None


def register() -> None:
    """Called once, when the application is ready."""
    register_team_panel("promotions", promotion_panel)
    register_team_panel("challenges", challenge_panel)
    register_team_panel("games", game_panel)
    register_team_panel("referrals", referral_panel)
    register_team_panel("surveys", survey_panel)
