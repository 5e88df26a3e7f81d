"""A member's stamp cards and discount cards in words: what there is, and what is missing."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.discount_words import describe_discount, taken_off
from loyalty.rule_words import describe_reach, describe_stamp, describe_when, units_in_words
from loyalty.services.member_cards import Cards, CashbackCard, DiscountCard, StampCard
from loyalty.told_conditions import told_sentence
from members.formatting import (
    format_money,
    format_number,
    format_percent,
    format_sentences,
)


def stamp_title(card: StampCard) -> str:
    """ "7 of 10 stamps" """
    words = {"stamps": format_number(card.stamps), "all": format_number(card.body.full_at)}
    return (
        ngettext("%(stamps)s of %(all)s stamp", "%(stamps)s of %(all)s stamps", card.body.full_at)
        % words
    )


def stamp_sentences(card: StampCard, currency: str) -> list[str]:
    """What is missing for what, and what brings a stamp."""
    more = ngettext(
        "%(number)s more brings %(units)s.",
        "%(number)s more bring %(units)s.",
        int(card.missing),
    ) % {
        "number": format_number(card.missing),
        "units": units_in_words(card.body.units, card.wallet_type),
    }
    return [more, describe_stamp(card.body, currency), *describe_when(card.body, told_sentence)]


def discount_title(card: DiscountCard, currency: str) -> str:
    """What the member gets now: "You get 10% off"."""
    body = card.version.body
    if card.spent is not None:
        if card.bracket is None:
            return _("Nothing off yet")
        return _("You get %s off") % taken_off(card.bracket, currency)
    if body.brackets or body.off != "order":
        return describe_discount(body, currency)[0]
    return _("You get %s off") % taken_off(body, currency)


def discount_sentences(card: DiscountCard, currency: str) -> list[str]:
    """What is missing to more, and what it is for."""
    said = describe_reach(card.version.body, told_sentence)
    if card.above is None or card.missing is None:
        return said
    words = {
        "money": format_money(card.missing, currency),
        "off": taken_off(card.above, currency),
    }
    more = (
        _("Spend more than %(money)s more this year to get %(off)s off.")
        if card.version.body.brackets_by == "spent_year"
        else _("Spend more than %(money)s more to get %(off)s off.")
    )
    return [more % words, *said]


def cashback_title(card: CashbackCard) -> str:
    """What comes back of what is bought next."""
    if card.bracket is None or not card.bracket.percent:
        return _("Nothing comes back yet")
    return _("You get %s back") % format_percent(card.bracket.percent / 100, digits=2)


def cashback_sentences(card: CashbackCard, currency: str) -> list[str]:
    """How much of the year's spending is missing to more."""
    said = describe_when(card.version.body, told_sentence)
    if card.above is None or card.missing is None:
        return said
    words = {
        "money": format_money(card.missing, currency),
        "percent": format_percent(card.above.percent / 100, digits=2),
    }
    more = _("After %(money)s more this year you get %(percent)s back of what follows.")
    return [more % words, *said]


def card_summaries(cards: Cards, currency: str) -> list[tuple[str, str]]:
    """Each card's name, and all there is to say of it."""
    stamps = (
        (card.version.rule_name, [_("%s.") % stamp_title(card), *stamp_sentences(card, currency)])
        for card in cards.stamps
    )
    discounts = (
        (
            card.version.rule_name,
            [_ended(discount_title(card, currency)), *discount_sentences(card, currency)],
        )
        for card in cards.discounts
    )
    cashback = (
        (
            card.version.rule_name,
            [_("%s.") % cashback_title(card), *cashback_sentences(card, currency)],
        )
        for card in cards.cashback
    )
    return [(name, format_sentences(said)) for name, said in (*stamps, *discounts, *cashback)]


def _ended(title: str) -> str:
    return title if title.endswith((".", "。")) else _("%s.") % title
