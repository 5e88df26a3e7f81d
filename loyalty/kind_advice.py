"""Which kind of program fits a shop, and why: from how often people buy, what is left of the price,
how much the customers differ, and how simple it should be. Pure; a table of points for each kind.

The numbers are rules of thumb, said aloud as reasons: whoever knows the shop better overrules them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from loyalty.purchase_habits import Habits
from members.formatting import format_number, format_percent

Simplicity = Literal["simple", "balanced", "rich"]
Frequency = Literal["seldom", "sometimes", "often", "always"]
Margin = Literal["thin", "usual", "fat"]
Differences = Literal["even", "usual", "steep", "unknown"]
Baskets = Literal["alike", "mixed"]


@dataclass(frozen=True, slots=True)
class Shop:
    """What the advice is given on. `orders`: of a buyer in a year, on average; `margin`: of the
    price, between 0 and 1; `top_share`: of what the best fifth of the buyers brings in;
    `basket_ratio`: how many times a large basket is a small one. None: not known."""

    orders: Decimal
    margin: Decimal
    simplicity: Simplicity = "balanced"
    top_share: Decimal | None = None
    basket_ratio: Decimal | None = None

    @classmethod
    def of(cls, habits: Habits, margin: Decimal, simplicity: Simplicity) -> Shop:
        low, high = habits.basket.low, habits.basket.high
        return cls(
            orders=habits.in_a_year(habits.mean_orders),
            margin=margin,
            simplicity=simplicity,
            top_share=habits.top_share,
            basket_ratio=high / low if low > 0 and not habits.estimated else None,
        )

    @property
    def frequency(self) -> Frequency:
        if self.orders < Decimal("2.5"):
            return "seldom"
        if self.orders < 6:
            return "sometimes"
        return "often" if self.orders < 24 else "always"

    @property
    def profit(self) -> Margin:
        if self.margin < Decimal("0.15"):
            return "thin"
        return "usual" if self.margin < Decimal("0.5") else "fat"

    @property
    def differences(self) -> Differences:
        if self.top_share is None:
            return "unknown"
        if self.top_share < Decimal("0.45"):
            return "even"
        return "usual" if self.top_share < Decimal("0.65") else "steep"

    @property
    def baskets(self) -> Baskets:
        alike = self.basket_ratio is not None and self.basket_ratio <= Decimal("2.5")
        return "alike" if alike else "mixed"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of program beside the others. `code`: of the template that starts it."""

    code: str
    name: Promise
    icon: str
    does: Promise
    costs: Promise
    fits: Promise
    not_fits: Promise


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


KINDS = (
    Kind(
        "points", _l("Points"), "coins",
        _l("Every purchase brings points; enough of them make a reward."),
        _l("1–5% of what members spend, and only what is used. What is not is owed."),
        _l("People buy several times a year, in baskets of different size."),
        _l("People buy once a year: the reward is out of sight."),
    ),
    Kind(
        "tiered-points", _l("Points with tiers"), "stairs-up",
        _l("Points, and more of them for those who buy most; a status to keep."),
        _l("1–5%, and 0.5–2% more for the upper tiers."),
        _l("A few customers bring in most of it, and could go elsewhere."),
        _l("All customers buy about the same, or it must be explained in a sentence."),
    ),
    Kind(
        "stamps-visit", _l("Stamp card"), "rubber-stamp",
        _l("A stamp for each visit; a full card brings something free."),
        _l("What the free item costs you, spread over a card: 5–10% of its price."),
        _l("Small baskets of about the same value, many times a year."),
        _l("Baskets differ much: a small one stamps as much as a large one."),
    ),
    Kind(
        "cashback", _l("Cashback"), "percentage",
        _l("A percentage of each order comes back as credit for the next."),
        _l("The percentage, as far as the credit is used: 1–5% of what members spend."),
        _l("Customers compare prices and want money, not points."),
        _l("The brand is worth more than a price, and should not be talked about as one."),
    ),
    Kind(
        "cashback-by-spend", _l("Cashback by spending"), "chart-bar",
        _l("The more is spent in a year, the larger the percentage that comes back."),
        _l("Little for most, 3–8% for those who spend most."),
        _l("A few customers spend many times as much as the others."),
        _l("Hardly anybody comes beyond the first step."),
    ),
    Kind(
        "discount-card", _l("Discount card"), "id-badge-2",
        _l("Members pay a percentage less, at once and every time."),
        _l("The whole percentage of all that members buy, at once. Nothing is owed."),
        _l("The margin is large, and nothing may need explaining."),
        _l("The margin is thin: it comes off every order, also those that would come anyway."),
    ),
    Kind(
        "progressive-card", _l("Progressive discount card"), "discount",
        _l("The more somebody has spent, the larger their discount."),
        _l("Grows with every year: the best customers cost most. Nothing is owed."),
        _l("Customers stay for years, with a margin that bears it."),
        _l("The margin is thin, or customers are new every year."),
    ),
    Kind(
        "points-actions", _l("Points for buying and doing"), "message-star",
        _l("Points for orders, and for reviews, surveys and a profile."),
        _l("1–5% for orders; for what is done besides as much as you set."),
        _l("Months pass between two orders, and the brand has something to tell."),
        _l("It should be as simple as can be."),
    ),
)  # fmt: skip


def advise(shop: Shop) -> list[Advice]:
    """All kinds, the best first; of equals the simpler one."""
    found = [_judge(kind, shop) for kind in KINDS]
    return sorted(found, key=lambda advice: -advice.points)


# Points, and the reason where they apply; below zero it speaks against.
Reason = tuple[int, str]
Judge = Callable[[Shop], Sequence[Reason]]


def _judge(kind: Kind, shop: Shop) -> Advice:
    reasons = JUDGES[kind.code](shop)
    return Advice(
        kind,
        sum(points for points, _text in reasons),
        tuple(text for points, text in reasons if points > 0 and text),
        tuple(text for points, text in reasons if points < 0 and text),
    )


def _orders(shop: Shop) -> str:
    return format_number(shop.orders.quantize(Decimal("0.1")).normalize())


def _top(shop: Shop) -> str:
    return format_percent(shop.top_share or 0, digits=0)


def _margin(shop: Shop) -> str:
    return format_percent(shop.margin, digits=0)


def _points(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(2, "")]
    match shop.frequency:
        case "seldom":
            found.append(
                (
                    -2,
                    _("Your buyers come %s times a year: points take long to add up.")
                    % _orders(shop),
                )
            )
        case "sometimes" | "often":
            found.append(
                (
                    2,
                    _("Your buyers come %s times a year: often enough to save up for something.")
                    % _orders(shop),
                )
            )
        case "always":
            found.append((1, _("With %s orders a year, points add up quickly.") % _orders(shop)))
    if shop.baskets == "mixed":
        found.append((1, _("Baskets differ, and points follow what was spent.")))
    if shop.profit == "thin":
        found.append((1, _("What is given back is spent here again, at the shelf price.")))
    return found  # fmt: skip


def _tiered(shop: Shop) -> list[Reason]:
    found = _points(shop)[:2]
    match shop.differences:
        case "steep":
            found.append(
                (
                    3,
                    _(
                        "The best fifth of your buyers brings in %s: worth a status that"
                        " they do not want to lose."
                    )
                    % _top(shop),
                )
            )
        case "usual":
            found.append(
                (1, _("The best fifth brings in %s: enough for two or three tiers.") % _top(shop))
            )
        case "even":
            found.append(
                (
                    -2,
                    _(
                        "The best fifth brings in only %s: tiers would hold nearly"
                        " everybody or nobody."
                    )
                    % _top(shop),
                )
            )
    if shop.simplicity == "simple":
        found.append((-3, _("Tiers need explaining, and you want it simple.")))
    if shop.simplicity == "rich":
        found.append((1, _("Tiers give you something to build on.")))
    return found  # fmt: skip


def _stamps(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    match shop.frequency:
        case "seldom":
            found.append(
                (-3, _("At %s orders a year a card would take years to fill.") % _orders(shop))
            )
        case "sometimes":
            found.append((-1, _("At %s orders a year a card takes long to fill.") % _orders(shop)))
        case "often":
            found.append(
                (3, _("At %s orders a year a card of ten is full in the year.") % _orders(shop))
            )
        case "always":
            found.append(
                (4, _("At %s orders a year a card fills every few months.") % _orders(shop))
            )
    if shop.baskets == "alike":
        found.append((2, _("Baskets are of about the same value, so each may count the same.")))
    else:
        found.append((-1, _("Baskets differ much, and each would stamp the same.")))
    if shop.simplicity == "simple":
        found.append((2, _("Everybody understands it without a word.")))
    if shop.simplicity == "rich":
        found.append((-1, _("There is little to add to it later.")))
    return found  # fmt: skip


def _cashback(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(2, "")]
    if shop.simplicity == "simple":
        found.append((2, _("“5% back” says it all.")))
    if shop.frequency == "seldom":
        found.append((1, _("Credit is worth having after one order already.")))
    else:
        found.append((1, _("People come back, so the credit brings them back.")))
    if shop.profit == "thin":
        found.append(
            (
                1,
                _("With a margin of %s you can begin with 1%% and still say it in money.")
                % _margin(shop),
            )
        )
    if shop.simplicity == "rich":
        found.append((-1, _("It is about the price, and leaves little else to tell.")))
    return found  # fmt: skip


def _cashback_by_spend(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(1, "")]
    match shop.differences:
        case "steep":
            found.append(
                (
                    3,
                    _("The best fifth brings in %s: they get more, and the others cost little.")
                    % _top(shop),
                )
            )
        case "even":
            found.append(
                (
                    -2,
                    _(
                        "Your buyers spend about the same, so the steps would tell hardly"
                        " anybody apart."
                    ),
                )
            )
    if shop.frequency == "seldom":
        found.append((-1, _("Who orders once or twice does not climb.")))
    if shop.simplicity == "simple":
        found.append((-2, _("Steps need explaining.")))
    if shop.profit == "thin":
        found.append(
            (
                1,
                _("With a margin of %s it pays to give only to those who bring it in.")
                % _margin(shop),
            )
        )
    return found  # fmt: skip


def _discount_card(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(1, "")]
    match shop.profit:
        case "thin":
            found.append(
                (
                    -4,
                    _("A margin of %s does not bear a percentage off every order.") % _margin(shop),
                )
            )
        case "fat":
            found.append((2, _("A margin of %s bears a few percent off.") % _margin(shop)))
    if shop.simplicity == "simple":
        found.append((3, _("Nothing to collect, nothing to explain, nothing owed.")))
    if shop.simplicity == "rich":
        found.append((-2, _("There is nothing to build on it.")))
    if shop.frequency == "seldom":
        found.append((1, _("Who buys seldom has something from it at once.")))
    elif shop.frequency in ("often", "always"):
        found.append((-1, _("It would be given on orders that come anyway.")))
    return found  # fmt: skip


def _progressive(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(1, "")]
    match shop.profit:
        case "thin":
            found.append(
                (-3, _("A margin of %s does not bear discounts that grow.") % _margin(shop))
            )
        case "fat":
            found.append((1, _("A margin of %s bears discounts that grow.") % _margin(shop)))
    if shop.differences == "steep":
        found.append((2, _("The best fifth brings in %s, and would pay least.") % _top(shop)))
    if shop.frequency == "seldom":
        found.append((-1, _("The first step comes late for who orders once or twice a year.")))
    if shop.simplicity == "simple":
        found.append((-1, _("Steps need explaining.")))
    return found  # fmt: skip


def _actions(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(1, "")]
    if shop.frequency == "seldom":
        found.append((3, _("Months pass between two orders: there is something to do meanwhile.")))
    elif shop.frequency == "sometimes":
        found.append((1, _("It keeps you in mind between two orders.")))
    else:
        found.append((-1, _("People come by themselves; they need no other reason.")))
    match shop.simplicity:
        case "simple":
            found.append((-3, _("Much to set up and to explain, and you want it simple.")))
        case "rich":
            found.append((2, _("It is about more than buying, as you want it.")))
    return found  # fmt: skip


JUDGES: dict[str, Judge] = {
    "points": _points,
    "tiered-points": _tiered,
    "stamps-visit": _stamps,
    "cashback": _cashback,
    "cashback-by-spend": _cashback_by_spend,
    "discount-card": _discount_card,
    "progressive-card": _progressive,
    "points-actions": _actions,
}
