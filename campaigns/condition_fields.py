"""What conditions can ask that campaigns know: which codes count for an order, what was offered to
its buyer alone, and which challenges a member has done."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from campaigns.campaign_rules import BY_CODE, BY_OFFER, draw_of
from campaigns.challenge_fields import FIELDS as CHALLENGE_FIELDS
from campaigns.models import Campaign
from campaigns.selectors.challenge_levels import achieved_by
from loyalty.asked_elsewhere import register_keeper
from members.conditions import values
from members.conditions.fields import CHALLENGES, CODES, OFFERS, Field, register_fields


def register() -> None:
    register_fields("order", _("Order"), (_PROMOTIONS, _OFFERS))
    register_fields("challenges", _("Challenges"), CHALLENGE_FIELDS)
    register_keeper(CHALLENGES, achieved_by)


def promotions_by_code() -> Sequence[tuple[str, str]]:
    """By what conditions call them, with their names; newest first."""
    rows = Campaign.objects.exclude(codes={}).select_related("program")
    return [(draw_of(row), row.name) for row in rows]


_PROMOTIONS = Field(
    BY_CODE, _("promotions by code"), values.LIST, CODES, lambda found: found,
    help=_("Promotions whose code came with the order and counts for it."),
    choices=promotions_by_code,
)  # fmt: skip
_OFFERS = Field(
    BY_OFFER, _("personal offers"), values.LIST, OFFERS, lambda found: found,
    help=_("What was offered to the buyer alone, and holds when the order is placed."),
)  # fmt: skip
