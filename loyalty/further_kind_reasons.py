"""What speaks for and against the kinds of programs that are about more than what one buys: good
deeds, games, friends, partners, experiences. Pure."""

from __future__ import annotations

from django.utils.translation import gettext as _

from loyalty.kind_reasons import Reason
from loyalty.shop_figures import Shop, margin_words, orders_words, top_words


def pledge(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    if shop.profit == "thin":
        said = _("With a margin of %s a fixed amount for each order weighs much.")
        found.append((-2, said % margin_words(shop)))
    elif shop.profit == "fat":
        found.append((1, _("A margin of %s bears a good deed for each order.")
                      % margin_words(shop)))  # fmt: skip
    if shop.frequency == "seldom":
        found.append((1, _("Who buys seldom sees something come of one order already.")))
    if shop.baskets == "mixed":
        found.append((-1, _("Baskets differ, and a small one costs you as much as a large one.")))
    else:
        found.append((1, _("Baskets are alike: each bears the same good deed.")))
    if shop.simplicity == "rich":
        found.append((1, _("What came of it is something to tell all year.")))
    return found


def games(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    match shop.frequency:
        case "seldom":
            said = _("At %s orders a year nobody comes by to play.")
            found.append((-2, said % orders_words(shop)))
        case "often" | "always":
            said = _("At %s orders a year people come by often enough to play.")
            found.append((2, said % orders_words(shop)))
    match shop.simplicity:
        case "simple":
            found.append((-2, _("Prizes and odds need explaining, and you want it simple.")))
        case "rich":
            found.append((1, _("There is always something to discover.")))
    return found


def referrals(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(1, "")]
    if shop.profit == "thin":
        said = _("A margin of %s hardly bears a tenth of a friend’s first order.")
        found.append((-3, said % margin_words(shop)))
    elif shop.profit == "fat":
        said = _("A margin of %s bears what a new customer costs.") % margin_words(shop)
        found.append((1, said))
    if shop.frequency in ("often", "always"):
        said = _("A friend who stays buys %s times a year.") % orders_words(shop)
        found.append((1, said))
    elif shop.frequency == "seldom":
        found.append((-1, _("A friend who comes once or twice may not bring back what they cost.")))
    return found


def coalition(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    if shop.frequency == "seldom":
        said = _("At %s orders a year little adds up here alone; at partners it does.")
        found.append((2, said % orders_words(shop)))
    elif shop.frequency == "always":
        found.append((-1, _("People come to you so often that you need nobody beside you.")))
    match shop.simplicity:
        case "simple":
            found.append((-3, _("Partners need contracts, rates and settling each month.")))
        case "rich":
            found.append((1, _("Each partner is a further reason to take part.")))
    return found


def experiences(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    if shop.profit == "thin":
        said = _("With a margin of %s it helps that nothing comes off the price.")
        found.append((1, said % margin_words(shop)))
    if shop.differences == "steep":
        said = _("The best fifth brings in %s: they are worth meeting.") % top_words(shop)
        found.append((1, said))
    match shop.simplicity:
        case "simple":
            found.append((-3, _("Events and a library want to be looked after.")))
        case "rich":
            found.append((1, _("There is a lot to build on it.")))
    return found
