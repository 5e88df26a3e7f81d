"""What this application adds to the key figures of programs: what members say, and what promotions
and journeys brought that keep some of them aside."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from campaigns.selectors.controls import campaign_comparisons, journey_comparisons
from campaigns.selectors.opinions import measure_loyalty_index, measure_nps
from loyalty.goal_metrics import GoalMetric
from loyalty.insight_registry import Start, register_comparisons, register_insight

NPS = GoalMetric(
    "nps", "number", "up",
    _("Of the members who said in a survey of the last 365 days whether they would recommend the "
      "shop: the share of 9 and 10 less that of 0 to 6."),
    name=_("Net promoter score"),
)  # fmt: skip
LOYALTY = GoalMetric(
    "loyalty_index", "number", "up",
    _("The mean of three shares: who would recommend the shop (9 or 10), who bought at least twice "
      "in a year, and who bought from several categories."),
    most=100, name=_("Loyalty index"),
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_insight(NPS, measure_nps)
    register_insight(LOYALTY, measure_loyalty_index)
    register_comparisons(
        "campaigns", campaign_comparisons,
        Start(_("New promotion"), "campaigns_backoffice:campaign_gallery", "rules.draft"),
    )  # fmt: skip
    register_comparisons(
        "journeys", journey_comparisons,
        Start(_("New journey"), "messages_backoffice:journey_create", "journeys.edit"),
    )  # fmt: skip
