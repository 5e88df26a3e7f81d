"""Games, terms for bringing friends and posts of a program that is not there yet, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.game_definitions import GameDefinition, PrizeDefinition
from campaigns.game_words import ICONS, earning_words, free_words
from campaigns.post_definitions import ProgramPost
from campaigns.program_definitions import ProgramGame
from campaigns.referral_definitions import ReferralDefinition, ReferralGift, read_definition
from campaigns.referral_program_definitions import ProgramReferrals
from loyalty.descriptions import Unit
from loyalty.program_parts import PartWords
from loyalty.rule_words import units_in_words
from members.formatting import format_list, format_money, format_number, format_percent

if TYPE_CHECKING:
    from loyalty.definitions import ProgramDefinition


def game_parts(program: ProgramDefinition) -> Sequence[PartWords]:
    """How members come to plays, and what they win how often. Drafts are nobody's yet."""
    found = [
        item.definition
        for item in program.games
        if isinstance(item, ProgramGame) and item.state == "live"
    ]
    return [PartWords(game.title, ICONS[game.kind], list(_game(game, program))) for game in found]


def _game(game: GameDefinition, program: ProgramDefinition) -> Iterator[str]:
    unit = Unit(program.wallet_types[0])
    ways = [earning_words(item, program.currency) for item in game.earning]
    ways += free_words(game.free_plays, game.free_each)
    if game.price is not None:
        ways.append(_("a play costs %s") % units_in_words(game.price, unit))
    yield _("%(game)s: %(ways)s.") % {"game": game.title, "ways": format_list(ways)}
    whole = sum(prize.weight for prize in game.prizes)
    if whole:
        yield _("Won are: %s.") % format_list(_odds(prize, whole) for prize in game.prizes)
        yield _("A play costs you %s on average.") % format_money(
            _expected(game, program) / whole, program.currency
        )


def _odds(prize: PrizeDefinition, whole: int) -> str:
    chance = format_percent(Decimal(prize.weight) / whole, digits=2)
    return _("%(prize)s (%(chance)s)") % {"prize": prize.name, "chance": chance}


def _expected(game: GameDefinition, program: ProgramDefinition) -> Decimal:
    """What all prizes cost, each as often as its weight says."""
    unit = program.wallet_types[0].unit_value
    rewards: dict[str, Any] = {item.code: item for item in program.rewards}  # type: ignore[attr-defined]
    found = Decimal(0)
    for prize in game.prizes:
        if prize.units is not None:
            found += prize.units * unit * prize.weight
        elif prize.reward in rewards:
            cost = rewards[prize.reward].price * unit if prize.cost is None else prize.cost
            found += cost * prize.weight
    return found


def referral_parts(program: ProgramDefinition) -> Sequence[PartWords]:
    """What both sides get, and when. Drafts are nobody's yet."""
    found = [
        read_definition(dict(item.body))
        for item in program.referrals
        if isinstance(item, ProgramReferrals) and item.state == "live"
    ]
    return [PartWords(_("Friends"), "user-plus", list(_terms(item, program))) for item in found]


def _terms(terms: ReferralDefinition, program: ProgramDefinition) -> Iterator[str]:
    nothing = _("nothing")
    yield _("Who brings a friend gets: %s.") % (_gift(terms.advocate, program) or nothing)
    yield _("The friend gets: %s.") % (_gift(terms.friend, program) or nothing)
    share = terms.advocate_further
    if share is not None and share.months is not None:
        words = ngettext("For %(months)s month, %(share)s of what the friend buys further.",
                         "For %(months)s months, %(share)s of what the friend buys further.",
                         share.months)  # fmt: skip
        yield words % {"months": format_number(share.months),
                       "share": format_percent(share.percent / 100, digits=2)}  # fmt: skip
    if terms.least is not None:
        money = format_money(terms.least, program.currency)
        yield _("The friend’s first order counts from %s on.") % money
    if terms.wait_days:
        words = ngettext("It is given %s day after that order, if they keep it.",
                         "It is given %s days after that order, if they keep it.",
                         terms.wait_days)  # fmt: skip
        yield words % format_number(terms.wait_days)


def _gift(gift: ReferralGift, program: ProgramDefinition) -> str:
    units = {item.code: Unit(item) for item in program.wallet_types}
    unit = units.get(gift.unit) or Unit(program.wallet_types[0])
    if gift.units is not None:
        return units_in_words(gift.units, unit)
    if gift.percent is not None:
        words = {"share": format_percent(gift.percent / 100, digits=2), "units": unit.plural}
        return _("%(share)s of the first purchase in %(units)s") % words
    rewards: Sequence[Any] = program.rewards
    names: dict[str, str] = {item.code: item.name for item in rewards}
    return names.get(gift.reward, gift.reward)


def post_parts(program: ProgramDefinition) -> Sequence[PartWords]:
    """Only those that there is something to do about: they are drafts."""
    said = _("A post “%s” is begun for you to write.")
    return [
        PartWords(item.title, "news", [said % item.title])
        for item in program.posts
        if isinstance(item, ProgramPost) and item.state == "draft"
    ]
