"""Journeys to begin from. Each is an ordinary draft afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Body = dict[str, Any]
MORNING = {"kind": "clock", "time": "09:00"}
HAS_UNITS = {"field": "member.balance", "op": "more_than", "value": 0}


@dataclass(frozen=True, slots=True)
class ReadyJourney:
    code: str
    name: Promise
    description: Promise
    trigger: str
    body: Body


def _steps(*steps: Body) -> list[Body]:
    return [{**step, "key": f"s{number}"} for number, step in enumerate(steps, 1)]


def _tell(message: str) -> Body:
    return {"kind": "message", "message": message}


def _wait(days: int) -> Body:
    return {"kind": "wait", "days": days}


READY = (
    ReadyJourney(
        "welcome", _("Welcome series"),
        _("How to earn at once; after three days what units are for; after ten the next reward."),
        "joined",
        {"goal": "reward", "steps": _steps(
            _tell("welcome"), _wait(3), MORNING, _tell("getting_started"), _wait(7), MORNING,
            _tell("near_reward"))},
    ),
    ReadyJourney(
        "order", _("After an order"),
        _("The receipt of what was earned; after two weeks what they have now."), "order",
        {"again": 0, "steps": _steps(
            _tell("order_earned"), _wait(14), MORNING, _tell("order_after"))},
    ),
    ReadyJourney(
        "statement", _("Monthly statement"), _("What was earned and used in the month before."),
        "month", {"again": 0, "holdout": 0, "steps": _steps(MORNING, _tell("statement"))},
    ),
    ReadyJourney(
        "first-reward", _("First reward"), _("As soon as they have enough for one."), "reachable",
        {"goal": "reward", "steps": _steps(
            _tell("first_reward"), _wait(14), MORNING, _tell("first_reward"))},
    ),
    ReadyJourney(
        "near", _("Nearly there"), _("When four fifths of the next reward are reached."), "near",
        {"again": 30, "goal": "reward", "steps": _steps(_tell("near_reward"))},
    ),
    ReadyJourney(
        "near-tier", _("Nearly at the next tier"), _("When four fifths of it are reached."),
        "near_tier",
        {"again": 30, "goal": "order", "steps": _steps(MORNING, _tell("near_tier"))},
    ),
    ReadyJourney(
        "milestones", _("Milestones"), _("At 500, 1,000 and 2,500."), "balance",
        {"again": 0, "start": {"balances": [500, 1000, 2500]},
         "steps": _steps(_tell("milestone"))},
    ),
    ReadyJourney(
        "tier-up", _("A higher tier"), _("What it brings."), "tier_up",
        {"again": 0, "steps": _steps(_tell("tier_up"))},
    ),
    ReadyJourney(
        "tier-ends", _("A tier will be lost"), _("Thirty days before, and what keeps it."),
        "tier_ends",
        {"again": 0, "start": {"days": 30}, "goal": "order",
         "steps": _steps(_tell("tier_warning"))},
    ),
    ReadyJourney(
        "birthday", _("Birthday"),
        _("In the morning. What is given for it is told with it, once."), "birthday",
        {"again": 0, "holdout": 0, "steps": _steps(MORNING, _tell("birthday"))},
    ),
    ReadyJourney(
        "anniversary", _("Anniversary"), _("The day of joining comes back."), "enrollment",
        {"again": 0, "steps": _steps(MORNING, _tell("anniversary"))},
    ),
    ReadyJourney(
        "first-order", _("A year since the first order"), _("The day of it comes back."),
        "first_order",
        {"again": 0, "steps": _steps(MORNING, _tell("first_order"))},
    ),
    ReadyJourney(
        "expiring", _("Units expire"),
        _("60, 30 and 7 days before, with the amount in money. Choose other days, ways and words."),
        "expiring",
        {"again": 0, "holdout": 0, "start": {"distances": [60, 30, 7]},
         "steps": _steps(_tell("expiring"))},
    ),
    ReadyJourney(
        "quiet", _("Not seen for a while"),
        _("By the calendar: 60 and 90 days after the last order, the same for all who have units."),
        "quiet",
        {"again": 0, "start": {"days": 60}, "audience": HAS_UNITS, "goal": "order",
         "steps": _steps(MORNING, _tell("come_back"), _wait(30), _tell("come_back"))},
    ),
    ReadyJourney(
        "win-back", _("Win back"),
        _("By each one’s own rhythm: no order for twice as long as they usually take."), "overdue",
        {"again": 90, "start": {"factor": "2"}, "goal": "order",
         "steps": _steps(MORNING, _tell("win_back"))},
    ),
    ReadyJourney(
        "lapse", _("Before they lapse"),
        _("Earlier than winning back: no order for a third longer than they usually take."),
        "overdue",
        {"again": 90, "start": {"factor": "1.33"}, "goal": "order",
         "steps": _steps(MORNING, _tell("near_reward"))},
    ),
    ReadyJourney(
        "cart-left", _("Left a cart"),
        _("Four hours after the last change, of members who agreed that it is kept; in the day"
          " after once more."), "cart_left",
        {"again": 3, "start": {"hours": 4}, "goal": "order",
         "steps": _steps(_tell("cart_left"), _wait(1), MORNING, _tell("cart_left"))},
    ),
    ReadyJourney(
        "looked", _("Looked and did not buy"),
        _("A day after they looked at something, of members who agreed that it is kept. Say in its"
          " condition at what."), "looked",
        {"again": 14, "start": {"hours": 24}, "goal": "order",
         "steps": _steps(MORNING, _tell("looked_at"))},
    ),
    ReadyJourney(
        "year", _("Year in review"), _("In the first days of January."), "year",
        {"again": 0, "holdout": 0, "steps": _steps(_wait(3), MORNING, _tell("year_review"))},
    ),
)  # fmt: skip


def ready_journey(code: str) -> ReadyJourney | None:
    return next((item for item in READY if item.code == code), None)
