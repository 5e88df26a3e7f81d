"""Why a purchase earned what it earned, and why not more: as its buyer reads it.

What rules say is told in the words of the program's terms. What the shop keeps about its customers
(segments, tags, attributes, how they buy) and what is left of budgets is nobody's to read: a rule
that asks for something of the kind is told where it gave something, and else left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.base_words import describe_lines
from loyalty.codes_asked import CodeAnswer, answers_from_json
from loyalty.models import Membership, Order, Program
from loyalty.program_words import why_nothing_earned
from loyalty.rules.bodies import EarningBody
from loyalty.rules.body_parts import LineFilter
from loyalty.rules.engine import Award, RuleVersion
from loyalty.selectors.rulebooks import ProgramTerms, fresh_terms
from loyalty.selectors.wallet_types import wallet_types_of
from loyalty.services.judgments import Given, JudgedAgain, judge_again
from loyalty.told_conditions import may_be_told
from members.conditions.predicate import Condition
from members.conditions.sentences import sentence
from members.formatting import format_money

# By the step that says so; the first of these counts.
_WHY: dict[str, Promise] = {
    "given_way": gettext_lazy("Another one gave more instead."),
    "stopped": gettext_lazy("Another one came before it, in its place."),
    "outdone": gettext_lazy("Another one multiplies by more, and only the larger counts."),
    "no_base": gettext_lazy("There was nothing that it could multiply."),
    "base_full": gettext_lazy("What it multiplies had come to all that one purchase can earn."),
    "capped_member": gettext_lazy("You had been given all that one member can get by it."),
    "capped_budget": gettext_lazy("It was not to be had any more."),
    "capped_money": gettext_lazy("It was not to be had any more."),
}


@dataclass(frozen=True, slots=True)
class OwnVerdict(Given):
    """One rule's, as its buyer reads it."""

    name: str


@dataclass(frozen=True, slots=True)
class OwnJudgment:
    """`reason`: why no rule was asked at all; empty where they were."""

    reason: str
    verdicts: tuple[OwnVerdict, ...] = ()
    codes: tuple[CodeAnswer, ...] = ()


def explain_own_order(order: Order, membership: Membership) -> OwnJudgment:
    """What the rules of the member's program said of an order of theirs. A constant number of
    queries."""
    terms = fresh_terms()
    program = next((item for item in terms.programs if item.id == membership.program_id), None)
    if order.status in Order.VOID:
        return OwnJudgment(_("It was canceled, or came back as a whole: it earns nothing."))
    evaluation = order.evaluations.filter(program=membership.program_id).first()
    if program is None or evaluation is None:
        return OwnJudgment(_not_judged(order, membership, program))
    judged = judge_again(order, evaluation, program)
    wallet_types = wallet_types_of(terms)
    return OwnJudgment(
        "",
        tuple(
            OwnVerdict(
                wallet_types[award.version.wallet_type_id], award.units,
                "" if award.units else _reason(award, judged, membership.program.currency),
                award.version.rule_name,
            )
            for award in judged.awards
            if award.units or _may_be_told(award.version)
        ),
        answers_from_json(evaluation.context),
    )  # fmt: skip


def _may_be_told(version: RuleVersion) -> bool:
    """Whether a customer may read what a rule asks for."""
    return not isinstance(version.when, Condition) or may_be_told(version.when.root)


def _not_judged(order: Order, membership: Membership, terms: ProgramTerms | None) -> str:
    program = membership.program
    converts = program.foreign_orders == Program.ForeignOrders.CONVERT
    if order.currency != program.currency and not converts:
        return _("Only purchases in %(currency)s earn.") % {"currency": program.currency}
    if order.placed_at < membership.enrolled_at:
        return _("You were no member yet.")
    if membership.status != Membership.Status.ACTIVE:
        return _("Your membership was not active.")
    if terms is not None and not terms.times.earns_at(order.placed_at):
        return why_nothing_earned(terms.times.state_at(order.placed_at))
    if order.currency != program.currency:
        if order.missing_rates.filter(program=program).exists():
            return _("There was no exchange rate for its day.")
        return _("Only purchases in %(currency)s earned then.") % {"currency": program.currency}
    return _("The program had not begun yet.")


def _reason(award: Award, judged: JudgedAgain, currency: str) -> str:
    """Why it gave nothing, from the last step that says so."""
    codes = {code for code, *_values in award.steps}
    if "not_met" in codes:
        said = sentence(judged.unmet(award))
        return _("It is only for this: %(condition)s.") % {"condition": said}
    if award.counted:
        return _("It counts towards a goal that several purchases reach together.")
    for code, words in _WHY.items():
        if code in codes:
            return str(words)
    return "".join(_too_little(award, currency)) or _("What counts comes to too little.")


def _too_little(award: Award, currency: str) -> Iterator[str]:
    for code, *values in award.steps:
        if code == "eligible" and values[0] == "0":
            yield _nothing_for_it(award.version)
            return
        if code == "threshold":
            yield _("It is for %(goal)s; what counts comes to %(reached)s.") % {
                "goal": format_money(Decimal(values[0]), currency),
                "reached": format_money(Decimal(values[2]), currency),
            }
            return


def _nothing_for_it(version: RuleVersion) -> str:
    body = version.body
    named = body.include if isinstance(body, EarningBody) else LineFilter()
    if named.names_lines and not named.tags:
        return _("It is only for these: %s.") % describe_lines(named)
    return _("Nothing in the purchase is what it is for.")
