"""What speaks for and against the kinds of programs that most shops think of, in the shop's own
figures. Pure."""

from __future__ import annotations

from django.utils.translation import gettext as _

from loyalty.shop_figures import Shop, margin_words, orders_words, top_words

# Points, and the reason where they apply; below zero it speaks against.
Reason = tuple[int, str]


def points(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(2, "")]
    match shop.frequency:
        case "seldom":
            found.append(
                (
                    -2,
                    _("Your buyers come %s times a year: points take long to add up.")
                    % orders_words(shop),
                )
            )
        case "sometimes" | "often":
            found.append(
                (
                    2,
                    _("Your buyers come %s times a year: often enough to save up for something.")
                    % orders_words(shop),
                )
            )
        case "always":
            found.append(
                (1, _("With %s orders a year, points add up quickly.") % orders_words(shop))
            )
    if shop.baskets == "mixed":
        found.append((1, _("Baskets differ, and points follow what was spent.")))
    if shop.profit == "thin":
        found.append((1, _("What is given back is spent here again, at the shelf price.")))
    return found


def tiered_points(shop: Shop) -> list[Reason]:
    found = points(shop)[:2]
    match shop.differences:
        case "steep":
            found.append(
                (
                    3,
                    _(
                        "The best fifth of your buyers brings in %s: worth a status that"
                        " they do not want to lose."
                    )
                    % top_words(shop),
                )
            )
        case "usual":
            found.append(
                (
                    1,
                    _("The best fifth brings in %s: enough for two or three tiers.")
                    % top_words(shop),
                )
            )
        case "even":
            found.append(
                (
                    -2,
                    _(
                        "The best fifth brings in only %s: tiers would hold nearly"
                        " everybody or nobody."
                    )
                    % top_words(shop),
                )
            )
    if shop.simplicity == "simple":
        found.append((-3, _("Tiers need explaining, and you want it simple.")))
    if shop.simplicity == "rich":
        found.append((1, _("Tiers give you something to build on.")))
    return found


def stamps_visit(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    match shop.frequency:
        case "seldom":
            found.append(
                (-3, _("At %s orders a year a card would take years to fill.") % orders_words(shop))
            )
        case "sometimes":
            found.append(
                (-1, _("At %s orders a year a card takes long to fill.") % orders_words(shop))
            )
        case "often":
            found.append(
                (
                    3,
                    _("At %s orders a year a card of ten is full in the year.")
                    % orders_words(shop),
                )
            )
        case "always":
            found.append(
                (4, _("At %s orders a year a card fills every few months.") % orders_words(shop))
            )
    if shop.baskets == "alike":
        found.append((2, _("Baskets are of about the same value, so each may count the same.")))
    else:
        found.append((-1, _("Baskets differ much, and each would stamp the same.")))
    if shop.simplicity == "simple":
        found.append((2, _("Everybody understands it without a word.")))
    if shop.simplicity == "rich":
        found.append((-1, _("There is little to add to it later.")))
    return found


def cashback(shop: Shop) -> list[Reason]:
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
                % margin_words(shop),
            )
        )
    if shop.simplicity == "rich":
        found.append((-1, _("It is about the price, and leaves little else to tell.")))
    return found


def cashback_by_spend(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(1, "")]
    match shop.differences:
        case "steep":
            found.append(
                (
                    3,
                    _("The best fifth brings in %s: they get more, and the others cost little.")
                    % top_words(shop),
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
                % margin_words(shop),
            )
        )
    return found


def discount_card(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(1, "")]
    match shop.profit:
        case "thin":
            found.append(
                (
                    -4,
                    _("A margin of %s does not bear a percentage off every order.")
                    % margin_words(shop),
                )
            )
        case "fat":
            found.append((2, _("A margin of %s bears a few percent off.") % margin_words(shop)))
    if shop.simplicity == "simple":
        found.append((3, _("Nothing to collect, nothing to explain, nothing owed.")))
    if shop.simplicity == "rich":
        found.append((-2, _("There is nothing to build on it.")))
    if shop.frequency == "seldom":
        found.append((1, _("Who buys seldom has something from it at once.")))
    elif shop.frequency in ("often", "always"):
        found.append((-1, _("It would be given on orders that come anyway.")))
    return found


def progressive_card(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(1, "")]
    match shop.profit:
        case "thin":
            found.append(
                (-3, _("A margin of %s does not bear discounts that grow.") % margin_words(shop))
            )
        case "fat":
            found.append((1, _("A margin of %s bears discounts that grow.") % margin_words(shop)))
    if shop.differences == "steep":
        found.append((2, _("The best fifth brings in %s, and would pay least.") % top_words(shop)))
    if shop.frequency == "seldom":
        found.append((-1, _("The first step comes late for who orders once or twice a year.")))
    if shop.simplicity == "simple":
        found.append((-1, _("Steps need explaining.")))
    return found


def points_actions(shop: Shop) -> list[Reason]:
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
    return found
