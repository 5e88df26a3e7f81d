"""What conditions can ask of an order that campaigns know: which codes count for it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from campaigns.campaign_rules import BY_CODE, draw_of
from campaigns.models import Campaign
from members.conditions import values
from members.conditions.fields import CODES, Field, register_fields


def register() -> None:
    register_fields("order", _("Order"), (_PROMOTIONS,))


def promotions_by_code() -> Sequence[tuple[str, str]]:
    """By what conditions call them, with their names; newest first."""
    rows = Campaign.objects.exclude(codes={}).select_related("program")
    return [(draw_of(row), row.name) for row in rows]


_PROMOTIONS = Field(
    BY_CODE, _("promotions by code"), values.LIST, CODES, lambda found: found,
    help=_("Promotions whose code came with the order and counts for it."),
    choices=promotions_by_code,
)  # fmt: skip
