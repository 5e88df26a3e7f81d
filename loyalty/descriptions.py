"""What a program promises, in plain sentences: the same words for staff, members and the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from babel.dates import format_skeleton
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.definitions import ProgramDefinition
from loyalty.models import LotPolicy, Program
from loyalty.rule_definitions import EarningRuleDefinition, RuleDefinition
from loyalty.rule_words import describe_rule, units_in_words
from loyalty.rules.bodies import ActivityBody, AnniversaryBody, RuleBody
from loyalty.tier_definitions import TiersDefinition
from loyalty.unit_definitions import (
    FULL,
    ExpiryDefinition,
    GiftsDefinition,
    PendingDefinition,
    SpendingDefinition,
    WalletTypeDefinition,
)
from members.formatting import (
    UnitNames,
    active_locale,
    format_list,
    format_money,
    format_percent,
    format_sentences,
)


class Unit:
    """The names of a unit as the formatting functions read them, before any is stored."""

    def __init__(self, definition: WalletTypeDefinition) -> None:
        self.singular = definition.singular
        self.plural = definition.plural
        self.scale = definition.decimals
        self.plural_language = definition.plural_forms.language
        self.plural_forms = definition.plural_forms.forms


def describe_units(
    wallet_type: WalletTypeDefinition,
    currency: str,
    charities: Sequence[str] = (),
    tiers: TiersDefinition | None = None,
) -> list[str]:
    """What a unit is worth, when it can be spent and when it is gone, and to whom it may be given.
    `charities`: the names of those that the program has; `tiers`: its tiers, where it has some."""
    sentences = [
        describe_worth(wallet_type, currency),
        *describe_tier_values(wallet_type, currency, tiers),
        *describe_lots(wallet_type),
        *describe_spending(wallet_type.spending, Unit(wallet_type)),
        *describe_gifts(wallet_type.gifts, Unit(wallet_type)),
    ]
    if charities and wallet_type.gifts.to_charities:
        sentences.append(_("Members may give them to %s.") % format_list(charities))
    return sentences


def describe_lots(wallet_type: WalletTypeDefinition) -> list[str]:
    """When units can be spent and when they are gone."""
    return [describe_pending(wallet_type), describe_expiry(wallet_type.expiry)]


def describe_spending(spending: SpendingDefinition, unit: UnitNames) -> list[str]:
    """How many can be used at once, and how much of an order they pay."""
    sentences = []
    least, step = spending.least, spending.step
    if least is not None and least != step:
        sentences.append(_("They can be used from %s on.") % units_in_words(least, unit))
    if step is not None:
        sentences.append(_("They are used in multiples of %s.") % units_in_words(step, unit))
    if spending.share < FULL:
        sentences.append(
            _("They pay %s of an order at most.") % format_percent(spending.share / 100, digits=2)
        )
    return sentences


def describe_gifts(gifts: GiftsDefinition, unit: UnitNames) -> list[str]:
    """Whether members may give to each other, and how many."""
    if not gifts.to_members:
        return [_("Members cannot give them to each other.")]
    sentences = [_("Members may give them to each other, %s or more at once.")
                 % units_in_words(gifts.least, unit)]  # fmt: skip
    if gifts.step is not None:
        sentences.append(_("Gifts are multiples of %s.") % units_in_words(gifts.step, unit))
    if gifts.most_per_day is not None:
        sentences.append(
            _("In a day a member may give %s at most.") % units_in_words(gifts.most_per_day, unit)
        )
    if gifts.most_received_per_day is not None:
        sentences.append(
            _("In a day a member may be given %s at most.")
            % units_in_words(gifts.most_received_per_day, unit)
        )
    return sentences


def describe_tier_values(
    wallet_type: WalletTypeDefinition, currency: str, tiers: TiersDefinition | None
) -> list[str]:
    """What units pay in tiers, from the first tier on."""
    values, count = wallet_type.tier_values, 1 if wallet_type.unit_value >= 1 else 100
    said = _("In %(tier)s %(units)s pays %(money)s.") if count == 1 else _(
        "In %(tier)s %(units)s pay %(money)s."
    )  # fmt: skip
    units = units_in_words(Decimal(count), Unit(wallet_type))
    return [
        said
        % {
            "tier": tier.name,
            "units": units,
            "money": format_money(values[tier.code] * count, currency),
        }
        for tier in (tiers.tiers if tiers else ())
        if tier.code in values
    ]


def describe_worth(wallet_type: WalletTypeDefinition, currency: str) -> str:
    if not wallet_type.unit_value:
        return _("%s have no worth in money.") % capfirst(wallet_type.plural)
    # A unit is often worth less than the smallest coin; a hundred are worth something one can say.
    count = 1 if wallet_type.unit_value >= 1 else 100
    said = _("%(units)s is worth %(money)s.") if count == 1 else _("%(units)s are worth %(money)s.")
    return said % {
        "units": units_in_words(Decimal(count), Unit(wallet_type)),
        "money": format_money(wallet_type.unit_value * count, currency),
    }


def describe_pending(pending: PendingDefinition) -> str:
    """ "They can be spent 14 days after the order was fulfilled." """
    days = pending.pending_days
    event = dict(LotPolicy.PendingFrom.choices)[pending.pending_from]
    if not days:
        if pending.pending_from == "placed":
            return _("They can be spent as soon as they are earned.")
        return _("They can be spent as soon as %(event)s.") % {"event": event}
    return ngettext(
        "They can be spent %(days)s day after %(event)s.",
        "They can be spent %(days)s days after %(event)s.",
        days,
    ) % {"days": days, "event": event}


def describe_own_terms(
    body: RuleBody, pending: PendingDefinition | None, expiry: ExpiryDefinition | None
) -> list[str]:
    """When the units of a rule with terms of its own can be spent, and when they are gone."""
    sentences = []
    if pending is not None:
        without_order = isinstance(body, ActivityBody | AnniversaryBody)
        sentences.append(_wait(pending) if without_order else describe_pending(pending))
    if expiry is not None:
        sentences.append(describe_expiry(expiry))
    return sentences


def _wait(pending: PendingDefinition) -> str:
    """There is no order to wait for."""
    if not pending.pending_days:
        return _("They can be spent as soon as they are earned.")
    return ngettext(
        "They can be spent %(days)s day after they were earned.",
        "They can be spent %(days)s days after they were earned.",
        pending.pending_days,
    ) % {"days": pending.pending_days}


def describe_definition(rule: RuleDefinition, unit: UnitNames, currency: str) -> list[str]:
    """All that a rule says, its own terms too."""
    body = rule.body()
    said = describe_rule(body, unit, currency)
    if isinstance(rule, EarningRuleDefinition):
        said += describe_own_terms(body, rule.pending, rule.expiry)
    return said


def describe_expiry(expiry: ExpiryDefinition) -> str:
    """When units are gone, and on what conditions."""
    if expiry.kind == "never":
        return _("They never expire.")
    sentences = [_last_day(expiry)]
    if expiry.last_day == "end_of_day":
        sentences.append(_("The last day can be used to its end."))
    else:
        sentences.append(_("They are gone when the last day begins."))
    if expiry.warned_days:
        sentences.append(
            ngettext(
                "They expire %(days)s day after a warning at the earliest, and not without one.",
                "They expire %(days)s days after a warning at the earliest, and not without one.",
                expiry.warned_days,
            )
            % {"days": expiry.warned_days}
        )
    if expiry.restored_days:
        sentences.append(
            ngettext(
                "What comes back when a redemption is undone can be used for %(days)s day more"
                " at least.",
                "What comes back when a redemption is undone can be used for %(days)s days more"
                " at least.",
                expiry.restored_days,
            )
            % {"days": expiry.restored_days}
        )
    return format_sentences(sentences)


def _last_day(expiry: ExpiryDefinition) -> str:
    length = expiry.length or 0
    event = str(dict(LotPolicy.CountedFrom.choices)[expiry.counted_from])
    match expiry.kind:
        case "end_of_period":
            return _end_of_period(expiry.period, length, event)
        case "fixed_date":
            return _("They expire every year on %(day)s.") % {"day": _month_day(expiry.month_day)}
        case "inactivity":
            return ngettext(
                "They expire after %(months)s month without activity (%(kinds)s).",
                "They expire after %(months)s months without activity (%(kinds)s).",
                length,
            ) % {"months": length, "kinds": format_list(map(_renewal, expiry.renewals))}
        case "days":
            sentence = ngettext(
                "They expire %(length)s day after %(event)s.",
                "They expire %(length)s days after %(event)s.",
                length,
            )
        case "years":
            sentence = ngettext(
                "They expire %(length)s year after %(event)s.",
                "They expire %(length)s years after %(event)s.",
                length,
            )
        case _:
            sentence = ngettext(
                "They expire %(length)s month after %(event)s.",
                "They expire %(length)s months after %(event)s.",
                length,
            )
    return sentence % {"length": length, "event": event}


def _end_of_period(period: str, later: int, event: str) -> str:
    named = {"period": dict(LotPolicy.Period.choices)[period], "event": event, "count": later}
    if later == 0:
        return _("They expire at the end of the %(period)s in which %(event)s.") % named
    if later == 1:
        return (
            _("They expire at the end of the %(period)s after the one in which %(event)s.") % named
        )
    return (
        _("They expire at the end of the %(period)s %(count)s after the one in which %(event)s.")
        % named
    )


def _month_day(month_day: str) -> str:
    month, day = map(int, month_day.split("-"))
    # A leap year, so that 29 February can be said.
    return format_skeleton(
        "MMMMd", dt.datetime(2024, month, day, tzinfo=dt.UTC), locale=active_locale()
    )


def _renewal(kind: str) -> str:
    words = {
        "accrual": _("earning"),
        "redemption": _("redeeming"),
        "gift": _("giving"),
        "pool": _("sharing in a pool"),
    }
    return words[kind]


def describe_terms(program: ProgramDefinition | Program) -> list[str]:
    """Who takes part, and what happens to returns and debts."""
    return [
        _taking_part(program),
        _("A return that names no order takes back what its own amount would earn.")
        if program.unlinked_returns == "own_amount"
        else _("A return that names no order takes nothing back."),
        _("A return of an order takes back what the rest of the order no longer earns.")
        if program.linked_returns == "reconcile"
        else _("A return of an order takes back what its own amount would earn."),
        describe_debt(program.debt_policy),
    ]


def _taking_part(program: ProgramDefinition | Program) -> str:
    if program.enrollment == "automatic":
        return _("Every customer joins with their first order.")
    if program.enrollment == "account":
        return _("Every customer joins with their account in the shop, or their first order.")
    if program.joinable:
        return _("Whoever wants to can join; what is bought before earns nothing.")
    return _("Only customers who were enrolled take part.")


def describe_debt(policy: str) -> str:
    """What becomes of what a refund takes beyond what there is."""
    words = {
        "carry": _("What was spent already when a refund takes it back is owed, and repaid by what"
                   " is earned next."),
        "write_off": _("What was spent already when a refund takes it back is written off."),
        "refuse_redemption_only": _("What was spent already when a refund takes it back is owed;"
                                    " until it is settled nothing can be redeemed."),
    }  # fmt: skip
    return words[policy]
