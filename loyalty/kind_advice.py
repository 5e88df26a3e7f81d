"""Which kind of program fits a shop, and why: from how often people buy, what is left of the price,
how much the customers differ, and how simple it should be. Pure; a table of points for each kind.

The numbers are rules of thumb, said aloud as reasons: whoever knows the shop better overrules them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty import further_kind_reasons, kind_reasons, special_kind_reasons
from loyalty.kind_reasons import Reason
from loyalty.kind_table import KINDS, Kind
from loyalty.shop_figures import Shop

Judge = Callable[[Shop], Sequence[Reason]]


@dataclass(frozen=True, slots=True)
class Advice:
    """How well a kind fits: `points` over those of the others, and what speaks for and against."""

    kind: Kind
    points: int
    pros: tuple[str, ...]
    cons: tuple[str, ...]

    @property
    def fit(self) -> str:
        if self.points >= 4:
            return _("Fits well")
        return _("Possible") if self.points >= 1 else _("Rather not")


def advise(shop: Shop) -> list[Advice]:
    """All kinds, the best first; of equals the simpler one."""
    found = [_judge(kind, shop) for kind in KINDS]
    return sorted(found, key=lambda advice: -advice.points)


def _judge(kind: Kind, shop: Shop) -> Advice:
    reasons = JUDGES[kind.code](shop)
    return Advice(
        kind,
        sum(points for points, _text in reasons),
        tuple(text for points, text in reasons if points > 0 and text),
        tuple(text for points, text in reasons if points < 0 and text),
    )


JUDGES: Mapping[str, Judge] = {
    "points": kind_reasons.points,
    "tiered-points": kind_reasons.tiered_points,
    "stamps-visit": kind_reasons.stamps_visit,
    "cashback": kind_reasons.cashback,
    "cashback-by-spend": kind_reasons.cashback_by_spend,
    "discount-card": kind_reasons.discount_card,
    "progressive-card": kind_reasons.progressive_card,
    "points-actions": kind_reasons.points_actions,
    "stars": special_kind_reasons.stars,
    "gifts": special_kind_reasons.gifts,
    "charity": special_kind_reasons.charity,
    "stamps-item": special_kind_reasons.stamps_item,
    "stamps-amount": special_kind_reasons.stamps_amount,
    "cashback-by-category": special_kind_reasons.cashback_by_category,
    "discount-by-order": special_kind_reasons.discount_by_order,
    "discount-by-purchase": special_kind_reasons.discount_by_purchase,
    "cashback-tiers": special_kind_reasons.cashback_tiers,
    "paid-membership": special_kind_reasons.paid_membership,
    "plan-credits": special_kind_reasons.plan_credits,
    "points-plan": special_kind_reasons.points_plan,
    "companies": special_kind_reasons.companies,
    "companies-by-spend": special_kind_reasons.companies_by_spend,
    "pledge": further_kind_reasons.pledge,
    "games": further_kind_reasons.games,
    "referrals": further_kind_reasons.referrals,
    "coalition": further_kind_reasons.coalition,
    "experiences": further_kind_reasons.experiences,
}
