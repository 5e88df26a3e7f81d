"""What saving a program would change, in words, and from when it counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from loyalty.definitions import ProgramDefinition
from loyalty.descriptions import (
    Unit,
    describe_definition,
    describe_expiry,
    describe_gifts,
    describe_pending,
    describe_spending,
    describe_tier_values,
    describe_units,
    describe_worth,
)
from loyalty.models import Program
from loyalty.rule_definitions import EarningRuleDefinition
from loyalty.unit_definitions import WalletTypeDefinition
from loyalty.unit_names import ICON_NAMES


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would be different: what, before, after, and for whom or from when."""

    what: str
    before: str
    after: str
    effect: str = ""


def changes_between(before: ProgramDefinition, after: ProgramDefinition) -> list[Change]:
    """Everything in which the two differ, the settings first."""
    changes = list(_settings(before, after))
    kinds = {item.code: item for item in before.wallet_types}
    for new in after.wallet_types:
        old = kinds.get(new.code)
        if old is None:
            changes.append(_new_kind(new, after))
            continue
        changes += _units(old, new, before.currency, after.currency)
        changes += _tier_values(before, old, after, new)
    unit = Unit(after.wallet_types[0])
    for number, rule in enumerate(after.earning_rules):
        known = before.earning_rules[number] if number < len(before.earning_rules) else None
        changes += _rule(known, rule, unit, after)
    return changes


def _settings(before: ProgramDefinition, after: ProgramDefinition) -> Iterator[Change]:
    at_once = _("At once, everywhere.")
    choices: dict[str, dict[str, Any]] = {
        "enrollment": dict(Program.Enrollment.choices),
        "joinable": {"True": _("yes"), "False": _("no")},
        "unlinked_returns": dict(Program.UnlinkedReturns.choices),
        "linked_returns": dict(Program.LinkedReturns.choices),
        "debt_policy": dict(Program.Debt.choices),
        "clawback_order": dict(Program.ClawbackOrder.choices),
        "multiplying": dict(Program.Multiplying.choices),
        "discounting": dict(Program.Discounting.choices),
        "foreign_orders": dict(Program.ForeignOrders.choices),
    }
    effects = {
        "name": at_once,
        "description": at_once,
        "currency": _("Its amounts and prices are in it from now on."),
        "time_zone": _("For days to come; what has happened keeps its day."),
        "enrollment": _("For orders from now on. Members stay members."),
        "joinable": at_once,
        "unlinked_returns": _("For returns from now on."),
        "linked_returns": _("For returns from now on."),
        "debt_policy": _("For refunds from now on."),
        "clawback_order": _("For refunds from now on."),
        "multiplying": _("For orders placed from now on."),
        "discounting": _("For quotes from now on."),
        "foreign_orders": _("For orders that come from now on. What was counted stays."),
    }
    for name, effect in effects.items():
        old, new = str(getattr(before, name)), str(getattr(after, name))
        if old != new:
            words = choices.get(name, {})
            label = str(Program._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
            yield Change(
                label[:1].upper() + label[1:],
                str(words.get(old, old)),
                str(words.get(new, new)),
                effect,
            )


def _new_kind(new: WalletTypeDefinition, program: ProgramDefinition) -> Change:
    said = describe_units(new, program.currency, program.charity_names, program.tiers)
    return Change(
        _("New kind: %s") % new.plural,
        "",
        " ".join(said),
        _("At once: every member has a wallet for them, with nothing in it."),
    )


def _units(
    old: WalletTypeDefinition, new: WalletTypeDefinition, currency: str, new_currency: str
) -> Iterator[Change]:
    if _names(old) != _names(new):
        yield Change(
            _("What is collected"),
            _names(old),
            _names(new),
            _("At once, everywhere: members read the new name, also in their history."),
        )
    if old.decimals != new.decimals:
        yield Change(_("Decimals"), str(old.decimals), str(new.decimals))
    if old.unit_value != new.unit_value:
        yield Change(
            pgettext("of a unit, in money", "Worth"),
            describe_worth(old, currency),
            describe_worth(new, new_currency),
            _("At once, and for what members hold already."),
        )
    if (old.pending_from, old.pending_days) != (new.pending_from, new.pending_days):
        yield Change(
            _("When they can be spent"),
            describe_pending(old),
            describe_pending(new),
            _("For what is earned from now on; those that wait keep their day."),
        )
    if old.expiry != new.expiry:
        yield Change(
            _("When they expire"),
            describe_expiry(old.expiry),
            describe_expiry(new.expiry),
            _("For what is earned from now on; those that members hold keep their day."),
        )
    if old.spending != new.spending:
        yield Change(
            _("How they are used"),
            _spending(old),
            _spending(new),
            _("For what is used from now on."),
        )
    if old.gifts != new.gifts:
        yield Change(
            _("What members may give away"),
            _gifts(old),
            _gifts(new),
            _("For gifts from now on."),
        )


def _tier_values(
    before: ProgramDefinition, old: WalletTypeDefinition, after: ProgramDefinition,
    new: WalletTypeDefinition,
) -> Iterator[Change]:  # fmt: skip
    if old.tier_values != new.tier_values:
        same = _("The same in all tiers.")
        yield Change(
            _("What they pay by tier"),
            " ".join(describe_tier_values(old, before.currency, before.tiers)) or same,
            " ".join(describe_tier_values(new, after.currency, after.tiers)) or same,
            _("For what is paid from now on; what was paid stays."),
        )


def _names(wallet_type: WalletTypeDefinition) -> str:
    """All of its names, and its picture."""
    further = wallet_type.plural_forms.forms.values()
    icon = ICON_NAMES[wallet_type.icon]
    return ", ".join(map(str, (wallet_type.singular, wallet_type.plural, *further, icon)))


def _spending(wallet_type: WalletTypeDefinition) -> str:
    said = describe_spending(wallet_type.spending, Unit(wallet_type))
    return " ".join(said) or _("Any number, for all of an order.")


def _gifts(wallet_type: WalletTypeDefinition) -> str:
    sentences = describe_gifts(wallet_type.gifts, Unit(wallet_type))
    if not wallet_type.gifts.to_charities:
        sentences.append(_("Members cannot give them to charities."))
    return " ".join(sentences)


def _rule(
    old: EarningRuleDefinition | None,
    new: EarningRuleDefinition,
    unit: Unit,
    program: ProgramDefinition,
) -> Iterator[Change]:
    if old is not None and old.body() == new.body():
        return
    sentences = describe_definition(new, unit, program.currency)
    known = describe_definition(old, unit, program.currency) if old else []
    effect = (
        _("For orders placed from now on. Earlier orders, and their refunds, keep the rule they "
          "were judged by.")
        if program.status != "draft"
        else ""
    )  # fmt: skip
    yield Change(
        _("Rule “%s”") % new.name,
        " ".join(text for text in known if text not in sentences),
        " ".join(text for text in sentences if text not in known),
        effect,
    )
