"""What conditions can ask that campaigns know: which codes count for an order, what was offered to
its buyer alone, which challenges a member has done and what they looked at; and what activities are
about that come from challenges, surprises and surveys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy as _

from campaigns.browsing_fields import FIELDS as BROWSING_FIELDS
from campaigns.campaign_rules import BY_CODE, BY_OFFER, draw_of, subject_of
from campaigns.campaign_templates import CHALLENGE, TEMPLATES
from campaigns.campaign_words import told_campaign
from campaigns.challenge_fields import FIELDS as CHALLENGE_FIELDS
from campaigns.models import Campaign, Survey
from campaigns.selectors.browsing import browsed_by
from campaigns.selectors.challenge_levels import achieved_by
from campaigns.selectors.told_facts import told_to
from campaigns.survey_texts import told_title
from campaigns.told_fields import CONSENTS as CONSENT_FIELDS
from campaigns.told_fields import MESSAGES as MESSAGE_FIELDS
from loyalty.activity_subjects import register_subjects
from loyalty.asked_elsewhere import register_keeper
from members.conditions import values
from members.conditions.fields import (
    BROWSING,
    CHALLENGES,
    CODES,
    OFFERS,
    TOLD,
    Field,
    register_fields,
)


def register() -> None:
    register_fields("order", _("Order"), (_PROMOTIONS, _OFFERS))
    register_fields("challenges", _("Challenges"), CHALLENGE_FIELDS)
    register_fields("browsing", _("In the shop"), BROWSING_FIELDS)
    register_fields("consent", _("What they want to be told"), CONSENT_FIELDS)
    register_fields("messages", _("Messages"), MESSAGE_FIELDS)
    register_keeper(CHALLENGES, achieved_by)
    register_keeper(BROWSING, browsed_by)
    register_keeper(TOLD, told_to)
    register_subjects("campaigns", _campaigns)
    register_subjects("surveys", _surveys)


def promotions_by_code() -> Sequence[tuple[str, str]]:
    """By what conditions call them, with their names; newest first."""
    rows = Campaign.objects.exclude(codes={}).select_related("program")
    return [(draw_of(row), row.name) for row in rows]


def _campaigns() -> Iterable[tuple[str, str]]:
    """Of those that end in an activity, in the language of the page."""
    surprises = [code for code, template in TEMPLATES.items() if template.surprise]
    rows = Campaign.objects.filter(template__in=[CHALLENGE, *surprises]).select_related("program")
    return [(subject_of(row), told_campaign(row).title) for row in rows]


def _surveys() -> Iterable[tuple[str, str]]:
    return [(row.code, told_title(row)) for row in Survey.objects.exclude(activity_type=None)]


_PROMOTIONS = Field(
    BY_CODE, _("promotions by code"), values.LIST, CODES, lambda found: found,
    help=_("Promotions whose code came with the order and counts for it."),
    choices=promotions_by_code,
)  # fmt: skip
_OFFERS = Field(
    BY_OFFER, _("personal offers"), values.LIST, OFFERS, lambda found: found,
    help=_("What was offered to the buyer alone, and holds when the order is placed."),
)  # fmt: skip
