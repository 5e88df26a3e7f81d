"""What a program would promise, before there is one: its rules, tiers and units in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from loyalty.definitions import ProgramDefinition
from loyalty.descriptions import Unit, describe_definition, describe_units, describe_worth
from loyalty.program_parts import parts_in_words
from loyalty.promise_words import (
    describe_companies,
    describe_partner,
    describe_plan,
    describe_pledge,
)
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.rule_words import describe_discount_rule, describe_kind, describe_when
from loyalty.tier_words import benefit_words
from loyalty.unit_definitions import WalletTypeDefinition
from members.formatting import NamesOfUnit, format_list, format_money, format_sentences


@dataclass(frozen=True, slots=True)
class Section:
    """A rule, a ladder or a kind of units, in sentences."""

    title: str
    sentences: Sequence[str]


def in_brief(program: ProgramDefinition) -> list[str]:
    """What each rule gives, which tiers there are, what units are worth: a sentence each."""
    units = {item.code: Unit(item) for item in program.wallet_types}
    return [
        *(
            describe_kind(rule.body(), units[rule.wallet_type], program.currency)
            for rule in program.earning_rules
        ),
        *(discount_in_brief(rule, program.currency) for rule in program.discount_rules),
        *([_steps(program)] if program.tiers else []),
        *(format_sentences(describe_plan(plan, program)) for plan in program.plans),
        *(
            describe_worth(item, program.currency)
            for item in _awarded(program)
            if item.unit_value not in (0, 1)
        ),
        *(
            [format_sentences(describe_companies(program)[:2])]
            if describe_companies(program)
            else []
        ),
        *(describe_pledge(pledge, program)[0] for pledge in program.pledges),
        *(describe_partner(partner, program)[0] for partner in program.partners),
        *(said.sentences[0] for said in parts_in_words(program)),
    ]


def discount_in_brief(rule: DiscountRuleDefinition, currency: str) -> str:
    """What is taken off, and for whom if not for all."""
    body = rule.body()
    return format_sentences([describe_discount_rule(body, currency)[0], *describe_when(body)])


def _steps(program: ProgramDefinition) -> str:
    """ "Silver from $500.00, Gold from $1,500.00." """
    assert program.tiers is not None
    steps = (
        _("%(tier)s from %(money)s")
        % {"tier": tier.name, "money": format_money(tier.threshold, program.currency)}
        for tier in program.tiers.tiers
        if tier.threshold
    )
    return _("%s.") % format_list(steps)


def _awarded(program: ProgramDefinition) -> list[WalletTypeDefinition]:
    """The units that any rule or plan gives."""
    main = program.wallet_types[0].code
    codes = {rule.wallet_type for rule in program.earning_rules}
    codes |= {plan.credits.wallet_type or main for plan in program.plans if plan.credits}
    return [item for item in program.wallet_types if item.code in codes]


def in_full(program: ProgramDefinition) -> list[Section]:
    """Everything, rule by rule."""
    units = {item.code: Unit(item) for item in program.wallet_types}
    sections = [
        Section(rule.name, describe_definition(rule, units[rule.wallet_type], program.currency))
        for rule in program.earning_rules
    ]
    sections += [
        Section(rule.name, describe_discount_rule(rule.body(), program.currency))
        for rule in program.discount_rules
    ]
    if program.tiers is not None:
        sections.append(Section(_("Tiers"), _ladder(program)))
    sections += [Section(plan.name, describe_plan(plan, program)) for plan in program.plans]
    if describe_companies(program):
        sections.append(Section(_("Companies"), describe_companies(program)))
    sections += [Section(item.name, describe_pledge(item, program)) for item in program.pledges]
    sections += [Section(item.name, describe_partner(item, program)) for item in program.partners]
    sections += [Section(said.title, said.sentences) for said in parts_in_words(program)]
    charities = program.charity_names
    sections += [
        Section(
            capfirst(item.plural), describe_units(item, program.currency, charities, program.tiers)
        )
        for item in _awarded(program)
    ]
    return sections


def _ladder(program: ProgramDefinition) -> list[str]:
    """A sentence for each tier. Those of templates go by what is spent."""
    assert program.tiers is not None
    units = {item.code: NamesOfUnit.of(Unit(item)) for item in program.wallet_types}
    said = []
    for tier in program.tiers.tiers:
        words = {
            "tier": tier.name,
            "money": format_money(tier.threshold, program.currency),
            "benefits": format_list(
                benefit_words(item, program.currency, units) for item in tier.benefits
            ),
        }
        if not tier.threshold:
            said.append(_("%(tier)s from the beginning.") % words)
        elif tier.benefits:
            said.append(_("%(tier)s from %(money)s: %(benefits)s.") % words)
        else:
            said.append(_("%(tier)s from %(money)s.") % words)
    return said
