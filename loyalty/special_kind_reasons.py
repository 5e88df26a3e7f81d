"""What speaks for and against the kinds of programs that suit some shops especially well: by item,
by category, for gifts, for a fee, for companies. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from loyalty.kind_reasons import Reason
from loyalty.shop_figures import Shop, margin_words, orders_words, top_words

FREQUENT = ("often", "always")


def stars(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    if shop.frequency in FREQUENT:
        said = _("At %s orders a year a few stars are together soon.") % orders_words(shop)
        found.append((3, said))
    elif shop.frequency == "seldom":
        said = _("At %s orders a year even a few stars take long.") % orders_words(shop)
        found.append((-2, said))
    if shop.baskets == "alike":
        found.append((1, _("Baskets are alike, so small numbers tell them apart well enough.")))
    else:
        found.append((-1, _("Baskets differ: large ones bring so many that points do as well.")))
    if shop.simplicity == "simple":
        found.append((1, _("Ten stars are easier to keep in mind than a thousand points.")))
    return found


def gifts(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    if shop.frequency == "seldom":
        said = _("At %s orders a year nothing adds up to a gift.") % orders_words(shop)
        found.append((-2, said))
    else:
        said = _("At %s orders a year it adds up to something by itself.") % orders_words(shop)
        found.append((2 if shop.frequency in FREQUENT else 1, said))
    if shop.profit == "thin":
        said = _("With a margin of %s only a share of an order is paid with points.")
        found.append((2, said % margin_words(shop)))
    if shop.simplicity == "simple":
        found.append((-1, _("Members have to learn from how many on, and for how much.")))
    return found


def charity(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    if shop.frequency == "seldom":
        found.append((1, _("What one order brings is enough to give: nothing has to add up.")))
    if shop.profit == "thin":
        said = _("With a margin of %s little can be given.") % margin_words(shop)
        found.append((-1, said))
    if shop.simplicity == "rich":
        found.append((2, _("It tells something about you that goes on after the purchase.")))
    elif shop.simplicity == "simple":
        found.append((-1, _("Members have to hear first whom it helps, and how.")))
    return found


def stamps_item(shop: Shop) -> list[Reason]:
    found = list(_card(shop))
    if shop.baskets == "alike":
        found.append((1, _("Baskets are alike: people buy the same again.")))
    else:
        found.append((-1, _("Baskets differ: only one thing among many would count.")))
    if shop.categories > 3:
        found.append((-1, _("You sell in several categories, and a card is about one.")))
    return found


def stamps_amount(shop: Shop) -> list[Reason]:
    found = list(_card(shop))
    if shop.baskets == "mixed":
        found.append((1, _("Baskets differ, and each stamps by what it comes to.")))
    else:
        found.append((-1, _("Baskets are alike: a stamp for each visit is simpler to say.")))
    return found


def _card(shop: Shop) -> Iterator[Reason]:
    match shop.frequency:
        case "seldom":
            yield -3, _("At %s orders a year a card would take years to fill.") % orders_words(shop)
        case "sometimes":
            yield -1, _("At %s orders a year a card takes long to fill.") % orders_words(shop)
        case "often" | "always":
            yield 2, _("At %s orders a year a card fills in the year.") % orders_words(shop)
    if shop.simplicity == "simple":
        yield 1, _("Everybody knows how a card fills.")
    elif shop.simplicity == "rich":
        yield -1, _("There is little to add to it later.")


def cashback_by_category(shop: Shop) -> list[Reason]:
    found: list[Reason] = []
    if shop.categories > 1:
        found.append((2, _("You sell in several categories: give more where more is left.")))
    else:
        found.append((-2, _("Your orders name no categories to tell apart.")))
    if shop.profit == "thin":
        said = _("With a margin of %s it matters what the percentage is on.")
        found.append((2, said % margin_words(shop)))
    if shop.simplicity == "simple":
        found.append((-2, _("A list of percentages needs explaining.")))
    return found


def discount_by_order(shop: Shop) -> list[Reason]:
    found = list(_bears(shop))
    if shop.baskets == "mixed":
        found.append((2, _("Baskets differ: there are small ones to make larger.")))
    else:
        found.append((-2, _("Baskets are alike: nearly all would have the same discount.")))
    if shop.frequency == "seldom":
        found.append((1, _("Who buys seldom has something from it at once.")))
    if shop.simplicity == "rich":
        found.append((-1, _("There is nothing to build on it.")))
    return found


def discount_by_purchase(shop: Shop) -> list[Reason]:
    found = list(_bears(shop))
    if shop.frequency == "seldom":
        said = _("At %s orders a year each one counts, and is worth winning.")
        found.append((2, said % orders_words(shop)))
    elif shop.frequency in FREQUENT:
        found.append((-1, _("It would be given on orders that come anyway.")))
    if shop.baskets == "mixed":
        found.append((1, _("Large purchases can be told from small ones.")))
    if shop.simplicity == "simple":
        found.append((-1, _("Steps need explaining.")))
    return found


def _bears(shop: Shop) -> Iterator[Reason]:
    if shop.profit == "thin":
        yield -3, _("A margin of %s does not bear it.") % margin_words(shop)
    elif shop.profit == "fat":
        yield 1, _("A margin of %s bears it.") % margin_words(shop)


def cashback_tiers(shop: Shop) -> list[Reason]:
    found: list[Reason] = [(2, "")]
    if shop.differences == "steep":
        said = _("The best fifth brings in %s: they get more back, and keep coming for it.")
        found.append((2, said % top_words(shop)))
    elif shop.differences == "even":
        said = _("The best fifth brings in only %s: tiers would tell hardly anybody apart.")
        found.append((-2, said % top_words(shop)))
    if shop.profit == "thin":
        found.append((1, _("It begins with a small percentage for all.")))
    if shop.simplicity == "simple":
        found.append((-3, _("Tiers need explaining, and you want it simple.")))
    return found


def paid_membership(shop: Shop) -> list[Reason]:
    found = list(_fee(shop))
    if shop.profit == "thin":
        said = _("With a margin of %s the fee is income that prices do not bring.")
        found.append((1, said % margin_words(shop)))
    if shop.differences == "steep":
        said = _("The best fifth brings in %s: enough who would have the fee back.")
        found.append((1, said % top_words(shop)))
    if shop.simplicity == "simple":
        found.append((-1, _("It has to be sold: people ask what they pay for.")))
    return found


def plan_credits(shop: Shop) -> list[Reason]:
    found = list(_fee(shop))
    if shop.baskets == "alike":
        found.append((1, _("Baskets are alike: a month’s credit can be about one of them.")))
    else:
        found.append((-1, _("Baskets differ: no credit fits most of them.")))
    if shop.profit == "fat":
        said = _("A margin of %s bears more credit than the fee.") % margin_words(shop)
        found.append((1, said))
    elif shop.profit == "thin":
        said = _("A margin of %s does not bear more credit than the fee.") % margin_words(shop)
        found.append((-2, said))
    return found


def points_plan(shop: Shop) -> list[Reason]:
    found = [*_fee(shop), (1, _("Everybody has something of it; nobody has to pay."))]
    if shop.differences == "steep":
        said = _("The best fifth brings in %s, and would pay for having more of it.")
        found.append((1, said % top_words(shop)))
    match shop.simplicity:
        case "simple":
            found.append((-3, _("Two ways to take part need explaining, and you want it simple.")))
        case "rich":
            found.append((1, _("The plan gives you something to build on.")))
    return found


def _fee(shop: Shop) -> Iterator[Reason]:
    match shop.frequency:
        case "seldom":
            yield -3, _("At %s orders a year nobody has the fee back.") % orders_words(shop)
        case "sometimes":
            yield -1, _("At %s orders a year few have the fee back.") % orders_words(shop)
        case "often":
            yield 1, _("At %s orders a year a fee can pay off for members.") % orders_words(shop)
        case "always":
            yield 2, _("At %s orders a year a fee pays off for members soon.") % orders_words(shop)


def companies(shop: Shop) -> list[Reason]:
    found = list(_for_companies(shop))
    if shop.baskets == "mixed":
        found.append((1, _("Orders differ in size, and large ones cost you less to send.")))
    return found


def companies_by_spend(shop: Shop) -> list[Reason]:
    found = list(_for_companies(shop))
    if shop.differences == "steep":
        said = _("The best fifth brings in %s: accounts worth a price of their own.")
        found.append((2, said % top_words(shop)))
    if shop.frequency == "seldom":
        found.append((-1, _("Who orders once or twice a year does not come to the next step.")))
    return found


def _for_companies(shop: Shop) -> Iterator[Reason]:
    match shop.customers:
        case "people":
            yield -4, _("You sell to people, and this is for companies with several buyers.")
        case "both":
            yield 2, _("You sell to companies too: they can have a program of their own.")
        case "companies":
            yield 6, _("You sell to companies: their buyers collect together, under limits.")
