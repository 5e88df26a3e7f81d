"""The panels of the home page, each with the room that it takes once it is there."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from loyalty.models import Goal
from loyalty.selectors.first_day import is_first_day
from loyalty.selectors.goals import SHOWN_AT_HOME
from members.panels import Room, register_home_panel

NAMESPACE = "loyalty_backoffice"


def register() -> None:
    """Called once, by the menu."""
    register_home_panel(
        "first-steps", _("First steps"), f"{NAMESPACE}:first_steps_panel", 1,
        icon="list-check", column="wide", rows=6, needed=is_first_day,
    )  # fmt: skip
    register_home_panel(
        "attention", _("Needs your attention"), f"{NAMESPACE}:attention_panel", 10,
        icon="bell", column="side",
    )  # fmt: skip
    register_home_panel(
        "goals", _("Goals"), f"{NAMESPACE}:goals_panel", 15, icon="target-arrow", column="wide",
        rows=goal_room,
    )  # fmt: skip
    register_home_panel(
        "figures", _("Figures"), f"{NAMESPACE}:figures_panel", 20, icon="chart-bar", column="wide",
        rows=Room(8, 10),
    )  # fmt: skip
    register_home_panel(
        "trend", _("Last 90 days"), f"{NAMESPACE}:trend_panel", 30,
        icon="chart-histogram", rows=9,
    )  # fmt: skip
    register_home_panel(
        "feed", _("Latest movements"), f"{NAMESPACE}:feed_panel", 40, icon="history", column="side",
        rows=8,
    )  # fmt: skip


def goal_room() -> Room:
    """Three goals stand beside each other, on a phone one below the other."""
    open_goals = Goal.objects.filter(state=Goal.State.OPEN)[:SHOWN_AT_HOME].count()
    if not open_goals:
        return Room(9, 10)
    beside = -(-open_goals // 3)
    return Room(3 if open_goals == 1 else 7 * beside, 6 * open_goals - 2)
