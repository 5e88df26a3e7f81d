"""The kinds of programs beside each other: what each does, costs, and when it fits."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _l


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
    Kind(
        "stars", _l("Stars or coins"), "star",
        _l("A star of your own for each so much spent; a few make a reward."),
        _l("1–5% of what members spend, as with points."),
        _l("Small orders, often: small numbers are easy to keep in mind."),
        _l("Large orders: the numbers become as large as points."),
    ),
    Kind(
        "gifts", _l("Save up for gifts"), "gift",
        _l("Points add up to gifts, or pay a share of an order."),
        _l("0.5–2%: a share that is paid with points protects the margin."),
        _l("Steady baskets all year, and a margin that cannot bear much."),
        _l("People come once or twice a year: nothing adds up."),
    ),
    Kind(
        "charity", _l("Points to give"), "heart",
        _l("Members give what they collect to a charity."),
        _l("1–2% of what members spend, and it is all used."),
        _l("The brand stands for something that its customers care about."),
        _l("Customers compare prices, and look for something of their own."),
    ),
    Kind(
        "stamps-item", _l("Stamp card by item"), "cup",
        _l("A stamp for each item; so many bring one free."),
        _l("One item in ten: 5–10% of what that item sells for."),
        _l("One thing is bought again and again, several at a time."),
        _l("A broad assortment: the items that count differ in price."),
    ),
    Kind(
        "stamps-amount", _l("Stamp card by amount"), "receipt-2",
        _l("A stamp for each so much spent; a full card brings something free."),
        _l("What the free item costs you, spread over a card: 3–8%."),
        _l("People come often, and their baskets differ."),
        _l("People buy once or twice a year: a card never fills."),
    ),
    Kind(
        "cashback-by-category", _l("Cashback by category"), "category",
        _l("Another percentage for each category."),
        _l("1–5%, less where the margin is thin."),
        _l("Margins differ much from one category to another."),
        _l("There is one category, or it must be said in one sentence."),
    ),
    Kind(
        "discount-by-order", _l("Discount by order value"), "discount",
        _l("Larger orders cost less."),
        _l("5–10% of large orders, nothing of small ones. Nothing is owed."),
        _l("Baskets differ, and each order has a cost of its own, such as delivery."),
        _l("The margin is thin, or all baskets are about the same."),
    ),
    Kind(
        "discount-by-purchase", _l("Discount card by purchase"), "credit-card",
        _l("The larger the purchase, the larger the percentage off all of it."),
        _l("5–15% of all that members buy, at once. Nothing is owed."),
        _l("Few purchases, and large ones, with a margin that bears it."),
        _l("Small baskets, or a thin margin."),
    ),
    Kind(
        "cashback-tiers", _l("Cashback with tiers"), "medal",
        _l("A percentage comes back, and more of it by tier."),
        _l("1–3%, and up to twice as much for the upper tiers."),
        _l("Customers want money, and a few of them bring in most of it."),
        _l("It must be explained in a sentence."),
    ),
    Kind(
        "paid-membership", _l("Paid membership"), "credit-card-pay",
        _l("Members pay a fee, and have lower prices, free shipping and more."),
        _l("5–10% of what its members buy, and shipping; their fees pay for a part or all of it."),
        _l("People buy often enough to have the fee back, and shipping or price keeps them away."),
        _l("People buy seldom: nobody pays for what they would hardly use."),
    ),
    Kind(
        "plan-credits", _l("Monthly credits"), "calendar-repeat",
        _l("A fee every month brings more than its worth in credit."),
        _l("What the credit is worth beyond the fee, as far as it is used."),
        _l("Something that is needed every month, with a margin that bears it."),
        _l("People buy a few times a year: credit that lapses makes them cancel."),
    ),
    Kind(
        "points-plan", _l("Free points and a paid plan"), "stars",
        _l("Points for all; whoever pays for the plan earns more."),
        _l("1–5% for all, and as much again for members of the plan; their fees pay for some."),
        _l("People come often, and a few would pay for having more."),
        _l("It should be as simple as can be."),
    ),
    Kind(
        "companies", _l("Companies, by quantity"), "building-warehouse",
        _l("Buyers of a company collect together; many pieces cost less."),
        _l("1% in points, and 5–8% of large orders."),
        _l("You sell to companies, in orders of very different size."),
        _l("You sell to people."),
    ),
    Kind(
        "companies-by-spend", _l("Companies, by yearly spending"), "building-skyscraper",
        _l("The more a company bought in the year, the less it pays."),
        _l("1% in points, and 2–5% of what the best accounts buy."),
        _l("You sell to companies that stay for years, and a few of them buy most."),
        _l("You sell to people."),
    ),
    Kind(
        "pledge", _l("A good deed for each order"), "plant-2",
        _l("You plant a tree for each order or friend; members see what came of it."),
        _l("What a tree costs, for each order, and 1–3% in units."),
        _l("Customers care what a brand does, and baskets bear a fixed amount."),
        _l("The margin is thin, or customers compare prices."),
    ),
    Kind(
        "games", _l("Points and a game"), "wheel",
        _l("Points for orders, and a wheel or a card with prizes to play for."),
        _l("1–5% for orders; what a play costs on average is shown with its odds."),
        _l("People come by often, and something new each day brings them back."),
        _l("People buy once a year, or it should be as simple as can be."),
    ),
    Kind(
        "referrals", _l("Members bring friends"), "user-plus",
        _l("Points for orders, and something for both sides once a friend has bought."),
        _l("10–20% of a friend’s first order, only where there is one; 1–5% of the others."),
        _l("People tell others about you, and a new customer is worth more than one order."),
        _l("The margin is thin: a first order does not bear what it brings."),
    ),
    Kind(
        "coalition", _l("Several brands, one program"), "affiliate",
        _l("Members earn and spend at partners too; each month is settled."),
        _l("1–2% of what is bought at yours; partners pay for theirs."),
        _l("People buy of you seldom, and of your neighbors often."),
        _l("It should be as simple as can be, or people come to you often anyway."),
    ),
    Kind(
        "experiences", _l("Experiences and recognition"), "confetti",
        _l("Status, events, early access and a library; nothing comes off the price."),
        _l("Your time and your room, little money. Nothing is owed in money."),
        _l("A brand that people want to belong to, with a few who bring in most of it."),
        _l("Customers compare prices, and ask what they save."),
    ),
)  # fmt: skip
