"""Plans, pledges, partners and terms for companies of a program that is not there yet, in words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.definitions import CompanyTerms, ProgramDefinition
from loyalty.descriptions import Unit
from loyalty.giving_definitions import CharityDefinition, PledgeDefinition
from loyalty.partner_definitions import PartnerDefinition
from loyalty.plan_definitions import PlanDefinition
from loyalty.plan_words import price_words, trial_words
from loyalty.ready_activities import REFERRAL
from loyalty.rule_words import units_in_words
from loyalty.tier_words import benefit_words
from members.formatting import NamesOfUnit, format_list, format_money, format_number

# A unit is often worth less than the smallest coin.
HUNDRED = Decimal(100)


def describe_plan(plan: PlanDefinition, program: ProgramDefinition) -> list[str]:
    """What it costs, and what it brings."""
    price = price_words(plan, program.currency)
    words = {"plan": plan.name, "price": price, "trial": trial_words(plan.trial_days)}
    offer = _("%(plan)s: %(price)s, %(trial)s.") if plan.trial_days else _("%(plan)s: %(price)s.")
    brought = format_list(brought_by(plan, program))
    return [offer % words, *([_("It brings: %s.") % brought] if brought else [])]


def brought_by(plan: PlanDefinition, program: ProgramDefinition) -> Iterator[str]:
    """Units first, then benefits."""
    units = {item.code: Unit(item) for item in program.wallet_types}
    if plan.credits is not None:
        code = plan.credits.wallet_type or program.wallet_types[0].code
        every = {"month": _("%s every month"), "period": _("%s with every payment")}
        yield every[plan.credits.every] % units_in_words(plan.credits.units, units[code])
    names = {code: NamesOfUnit.of(unit) for code, unit in units.items()}
    for benefit in plan.benefits:
        yield benefit_words(benefit, program.currency, names)


def describe_pledge(pledge: PledgeDefinition, program: ProgramDefinition) -> list[str]:
    """What is given for what, and at most."""
    charity = next(item for item in program.charities if item.code == pledge.charity)
    words = {"amount": _given(pledge.amount, charity, program, pledge), "charity": charity.name}
    match pledge.event:
        case "order" if pledge.least is not None:
            words["least"] = format_money(pledge.least, program.currency)
            said = _("%(charity)s gets %(amount)s for each order from %(least)s.")
        case "order":
            said = _("%(charity)s gets %(amount)s for each order.")
        case "member":
            said = _("%(charity)s gets %(amount)s for each new member.")
        case _ if pledge.activity_type == REFERRAL:
            said = _("%(charity)s gets %(amount)s for each friend who is brought and buys.")
        case _:
            said = _("%(charity)s gets %(amount)s for each activity.")
    found = [said % words]
    if charity.thing_price is not None:
        cost = {"thing": charity.thing_singular,
                "money": format_money(charity.thing_price, program.currency)}  # fmt: skip
        found.append(_("One %(thing)s costs you %(money)s.") % cost)
    if pledge.budget is not None:
        most = _given(pledge.budget, charity, program, pledge)
        found.append(_("In all at most %s.") % most)
    return found


def _given(
    amount: Decimal,
    charity: CharityDefinition,
    program: ProgramDefinition,
    pledge: PledgeDefinition,
) -> str:
    if pledge.things is None:
        return format_money(amount, program.currency)
    name = charity.thing_singular if amount == 1 else charity.thing_plural
    return f"{format_number(amount.normalize())}\N{NO-BREAK SPACE}{name}"


def describe_partner(partner: PartnerDefinition, program: ProgramDefinition) -> list[str]:
    """Where it is earned and spent besides, and who pays whom for it."""
    found = [_("Members earn and spend at %s as well.") % partner.name]
    units = {item.code: Unit(item) for item in program.wallet_types}
    for rate in partner.rates:
        words = {
            "partner": partner.name, "units": units_in_words(HUNDRED, units[rate.wallet_type]),
            "issued": format_money(rate.issued * HUNDRED, program.currency),
            "taken_in": format_money(rate.taken_in * HUNDRED, program.currency),
        }  # fmt: skip
        found.append(_("%(partner)s pays you %(issued)s for %(units)s that are earned there, and"
                       " gets %(taken_in)s for as many that are spent there.") % words)  # fmt: skip
    return found


def describe_companies(program: ProgramDefinition) -> list[str]:
    """What companies have beside what everybody has; nothing where nothing is said of them."""
    terms = program.companies
    if terms == CompanyTerms():
        return []
    unit = Unit(program.wallet_types[0])
    found = [_("All buyers of a company collect in one wallet.")]
    if terms.most_at_once == 0:
        found.append(_("An approver decides whatever a buyer wants to use."))
    elif terms.most_at_once is not None:
        found.append(_("An approver decides what is more than %s at once.")
                     % units_in_words(Decimal(terms.most_at_once), unit))  # fmt: skip
    if terms.most_in_period is not None:
        said = {"day": _("An approver decides what is more than %s in a day."),
                "month": _("An approver decides what is more than %s in a month.")}  # fmt: skip
        found.append(said[terms.period] % units_in_words(Decimal(terms.most_in_period), unit))
    days = terms.answer_days
    words = ngettext(
        "They have %s day to answer.", "They have %s days to answer.", days
    ) % format_number(days)  # fmt: skip
    return [*found, words] if len(found) > 1 else found
