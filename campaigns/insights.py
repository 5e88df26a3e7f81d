"""What this application adds to the key figures of programs: what members say, and what promotions
and journeys brought that keep some of them aside."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext_lazy as _

from campaigns import touchpoints
from campaigns.selectors.controls import campaign_comparisons, journey_comparisons
from campaigns.selectors.opinions import (
    Kind,
    measure_likelihood,
    measure_loyalty_index,
    measure_nps,
)
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
    _("The mean of what members said in surveys of the last 365 days: how likely they are to "
      "recommend the shop, to buy again and to buy other things, each from 0 to 100."),
    most=100, name=_("Loyalty index"),
)  # fmt: skip
_LIKELIHOOD = _("The mean of all answers from 0 to 10, times ten.")
# The parts of the index, by the question that tells each.
PARTS = {
    Kind.NPS: GoalMetric(
        "loyalty_recommend", "number", "up", _LIKELIHOOD, most=100, name=_("To recommend you"),
    ),
    Kind.REPURCHASE: GoalMetric(
        "loyalty_repurchase", "number", "up", _LIKELIHOOD, most=100, name=_("To buy again"),
    ),
    Kind.OTHER_GOODS: GoalMetric(
        "loyalty_other_goods", "number", "up", _LIKELIHOOD, most=100,
        name=_("To buy other things"),
    ),
}  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    register_insight(NPS, measure_nps)
    register_insight(LOYALTY, measure_loyalty_index)
    for kind, part in PARTS.items():
        register_insight(part, partial(measure_likelihood, kind), "loyalty")
    touchpoints.register()
    register_comparisons(
        "campaigns", campaign_comparisons,
        Start(_("New promotion"), "campaigns_backoffice:campaign_gallery", "rules.draft"),
    )  # fmt: skip
    register_comparisons(
        "journeys", journey_comparisons,
        Start(_("New journey"), "messages_backoffice:journey_create", "journeys.edit"),
    )  # fmt: skip
