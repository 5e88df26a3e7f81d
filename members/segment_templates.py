"""Ready segments to begin from: what a shop usually wants to know, as conditions to be tuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.conditions.tree import ConditionError
from members.selectors.segments import read_condition


@dataclass(frozen=True, slots=True)
class SegmentTemplate:
    """A segment that somebody may begin from."""

    key: str
    icon: str
    name: Promise
    description: Promise
    condition: dict[str, Any]


def _asked(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


TEMPLATES = (
    SegmentTemplate(
        "best", "crown", _("Best customers"),
        _("The top fifth by what they spend."),
        {"all": [_asked("behavior.spend_percentile", "at_least", "80")]},
    ),
    SegmentTemplate(
        "at-risk", "alert-triangle", _("At risk"),
        _("They came regularly, and now it has been twice as long as they usually take."),
        {"all": [
            _asked("behavior.orders", "at_least", "3"),
            _asked("behavior.overdue", "between", ["2", "4"]),
        ]},
    ),
    SegmentTemplate(
        "lapsed", "moon", _("Lapsed"),
        _("Bought before, but not in the last half year."),
        {"all": [_asked("behavior.last_order_at", "before_last_days", 180)]},
    ),
    SegmentTemplate(
        "new", "sparkles", _("New customers"),
        _("Their first order was in the last 30 days."),
        {"all": [_asked("behavior.first_order_at", "in_last_days", 30)]},
    ),
    SegmentTemplate(
        "price-sensitive", "rosette-discount", _("Price-sensitive"),
        _("Discounts took off a fifth and more of what they bought."),
        {"all": [
            _asked("behavior.orders", "at_least", "2"),
            _asked("behavior.discount_share", "at_least", "20"),
        ]},
    ),
    SegmentTemplate(
        "advocates", "message-star", _("Advocates"),
        _("They bought, and wrote two reviews or more. Add the other ways in which people speak of "
          "you."),
        {"all": [
            _asked("behavior.orders", "at_least", "1"),
            _asked("behavior.activities.review", "at_least", "2"),
        ]},
    ),
    SegmentTemplate(
        "birthday", "cake", _("Birthday soon"),
        _("Their birthday is in the next 14 days."),
        {"all": [_asked("customer.birthday", "in_next_days", 14)]},
    ),
)  # fmt: skip


def segment_templates() -> list[SegmentTemplate]:
    """Those whose questions can be asked here."""
    return [template for template in TEMPLATES if _can_be_asked(template)]


def segment_template(key: str) -> SegmentTemplate | None:
    return next((found for found in segment_templates() if found.key == key), None)


def _can_be_asked(template: SegmentTemplate) -> bool:
    try:
        read_condition(template.condition)
    except ConditionError:
        return False
    return True
