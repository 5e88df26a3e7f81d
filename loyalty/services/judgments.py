"""What every rule said about an order, and why those that gave nothing did not.

The order is judged again as it is now, under the versions, answers and room that were recorded when
it first was: what is said here is what the ledger holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.arithmetic import arithmetic
from loyalty.codes_asked import CodeAnswer, answers_from_json
from loyalty.models import Membership, Order, OrderEvaluation, Program, WalletType
from loyalty.program_words import why_nothing_earned
from loyalty.rules.basket import net_basket
from loyalty.rules.caps import rooms_from_json
from loyalty.rules.engine import Award, RuleVersion, evaluate
from loyalty.rules.exchange import as_counted
from loyalty.rules.facts import NOTHING, Occasion
from loyalty.rules.idle_multipliers import with_why_idle
from loyalty.selectors.absences import absent_at
from loyalty.selectors.exchange_rates import recorded_exchange
from loyalty.selectors.rulebooks import ProgramTerms, Terms, fresh_terms
from loyalty.selectors.stored_orders import as_return, order_occasion
from loyalty.selectors.wallet_types import wallet_types_of
from loyalty.services.contexts import context_from_json
from members.conditions.predicate import Condition
from members.conditions.sentences import sentence
from members.conditions.tree import Node, at
from members.formatting import format_day, format_units
from members.timeline_view import WhyStep

# By the step that says so; the first of these counts.
_WHY: dict[str, Promise] = {
    "given_way": gettext_lazy("Another rule of its group gives more."),
    "stopped": gettext_lazy("An earlier rule ends the list."),
    "outdone": gettext_lazy("A larger multiplier counts instead of it."),
    "no_base": gettext_lazy("No rate and no cashback gave anything that it could multiply."),
    "base_full": gettext_lazy("What it multiplies has reached its limit for an order."),
    "capped_order": gettext_lazy("Its limit is used up."),
    "capped_member": gettext_lazy("Its limit is used up."),
    "capped_budget": gettext_lazy("Its limit is used up."),
    "capped_money": gettext_lazy("Its limit is used up."),
}


@dataclass(frozen=True, slots=True)
class Given:
    """What a rule gave. `reason`: one sentence, why it gave nothing; empty where it gave
    something."""

    wallet_type: WalletType
    units: int
    reason: str

    @property
    def gave(self) -> bool:
        return self.units > 0

    @property
    def units_in_words(self) -> str:
        return format_units(self.units, self.wallet_type)


@dataclass(frozen=True, slots=True)
class Verdict(Given):
    """One rule's. `reason` also tells that it belongs to a window. `why`: its arithmetic."""

    version: RuleVersion
    why: tuple[WhyStep, ...]
    # False: it had no wording in force when the order was placed.
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class Judgment:
    """One program's. `reason`: why it did not judge the order at all; empty where it did."""

    program: ProgramTerms
    name: str
    reason: str
    verdicts: tuple[Verdict, ...] = ()
    # What was said of its codes when it was judged first.
    codes: tuple[CodeAnswer, ...] = ()

    @property
    def considered(self) -> list[Verdict]:
        """Of the rules that were in force; those that say the same by the same name, as the parts
        of a personal offer do, once."""
        return _each_once(found for found in self.verdicts if found.in_force)

    @property
    def out_of_force(self) -> list[Verdict]:
        """Of those that had not begun or were over, each once."""
        return _each_once(found for found in self.verdicts if not found.in_force)


def _each_once(verdicts: Iterable[Verdict]) -> list[Verdict]:
    found: dict[object, Verdict] = {}
    for verdict in verdicts:
        said = (verdict.version.rule_name, verdict.reason)
        found.setdefault(verdict.version.id if verdict.gave else said, verdict)
    return list(found.values())


def explain_order(order: Order) -> list[Judgment]:
    """What each program that is or was live, and that the reader sees, said about a stored order.
    A constant number of queries."""
    terms = fresh_terms()
    evaluations = {found.program_id: found for found in order.evaluations.all()}
    members = dict(
        Membership.objects.filter(customer=order.customer_id, program__in=terms.ids).values_list(
            "program", "status"
        )
    )
    names = dict(Program.objects.filter(pk__in=terms.ids).values_list("pk", "name"))
    return [
        Judgment(
            program, names[program.id], "",
            tuple(_verdicts(order, evaluations[program.id], program, terms)),
            answers_from_json(evaluations[program.id].context),
        )
        if program.id in evaluations
        else Judgment(
            program, names[program.id], _not_judged(order, program, members.get(program.id))
        )
        for program in terms.programs
        if program.id in names and (program.live or program.id in evaluations)
    ]  # fmt: skip


def _not_judged(order: Order, program: ProgramTerms, status: str | None) -> str:
    if order.customer_id is None:
        return _("A guest order: nobody is known to have bought it.")
    if order.currency != program.currency and not program.converts:
        return _("The program counts in %(currency)s.") % {"currency": program.currency}
    if status is None:
        if not program.times.earns_at(order.placed_at):
            return why_nothing_earned(program.times.state_at(order.placed_at))
        return _("The customer was no member.")
    if status != Membership.Status.ACTIVE:
        return _("The membership was not active.")
    if not program.times.earns_at(order.placed_at):
        return why_nothing_earned(program.times.state_at(order.placed_at))
    return (
        _took_no_part(order, program)
        or _no_rate(order, program)
        or _("The program was not live when the order came.")
    )


def _no_rate(order: Order, program: ProgramTerms) -> str:
    if order.currency == program.currency:
        return ""
    words = {"given": order.currency, "wanted": program.currency}
    if order.missing_rates.filter(program=program.id).exists():
        return (
            _("There was no exchange rate from %(given)s to %(wanted)s for its day when it came.")
            % words
        )
    return _("When it came the program counted orders in %(wanted)s only.") % words


def _took_no_part(order: Order, program: ProgramTerms) -> str:
    """Of an active member: why they did not earn when it was bought; nothing if they did."""
    member = Membership.objects.filter(customer=order.customer_id, program=program.id)
    if member.filter(absent_at(order.placed_at)).exists():
        return _("The customer took no part then: they were suspended, or had left.")
    # By their own decision, after the order.
    later = member.filter(earns_from__gt=order.placed_at)
    joined = later.values_list("earns_from", flat=True).first()
    if joined is None:
        return ""
    return _("The customer joined later, on %s.") % format_day(joined.astimezone(program.zone))


def _verdicts(
    order: Order, evaluation: OrderEvaluation, program: ProgramTerms, terms: Terms
) -> Iterator[Verdict]:
    wallet_types = wallet_types_of(terms)
    judged = judge_again(order, evaluation, program)
    for award in judged.awards:
        wallet_type = wallet_types[award.version.wallet_type_id]
        steps = [step for step in award.steps if step[0] != "not_met"]
        why = arithmetic(steps, wallet_type=wallet_type, currency=program.currency)
        yield Verdict(wallet_type, award.units, _reason(award, judged), award.version, tuple(why))
    versions = [award.version for award in judged.awards]
    yield from _out_of_force(order, versions, program, wallet_types)


@dataclass(frozen=True, slots=True)
class JudgedAgain:
    """What the rules say of an order as it is now, in their order of evaluation of then."""

    awards: tuple[Award, ...]
    occasion: Occasion
    answers: Mapping[int, str]

    def unmet(self, award: Award) -> Node:
        """The first part of its condition that was not so."""
        version = award.version
        assert isinstance(version.when, Condition)
        place = version.when.unmet(self.occasion, self.answers.get(version.id, ""))
        return at(version.when.root, place)


def judge_again(order: Order, evaluation: OrderEvaluation, program: ProgramTerms) -> JudgedAgain:
    """An order before the versions, answers and room that it was first judged by."""
    occasion = _as_it_is(order, program)
    context = context_from_json(evaluation.context)
    decision = evaluate(
        program.rulebook.named(evaluation.rule_versions),
        occasion,
        rooms_from_json(evaluation.context),
        context=context,
        multiplying=program.multiplying,
    )
    awards = with_why_idle(decision.awards, occasion.basket, program.multiplying)
    return JudgedAgain(awards, occasion, context.answers)


def _as_it_is(order: Order, program: ProgramTerms) -> Occasion:
    """The order with what was given back of it taken off."""
    occasion = order_occasion(order, program)
    basket = NOTHING if order.status in Order.VOID else occasion.basket
    if program.reconciles_linked and basket is not NOTHING:
        refunds = sorted(order.refunds.all(), key=lambda found: (found.refunded_at, found.pk))
        basket = net_basket(basket, [as_return(refund) for refund in refunds])
    exchange = recorded_exchange(order, program)
    return as_counted(replace(occasion, basket=basket), exchange)


def _reason(award: Award, judged: JudgedAgain) -> str:
    """Why it gave nothing, from the last step that says so."""
    if award.units:
        return ""
    codes = {code for code, *_values in award.steps}
    if "not_met" in codes:
        said = sentence(judged.unmet(award))
        return _("It asks for something that was not so: %(condition)s.") % {"condition": said}
    if award.counted:
        return _("It counts towards a goal that several orders reach together.")
    for code, words in _WHY.items():
        if code in codes:
            return str(words)
    for code, *values in award.steps:
        if code == "eligible" and values[0] == "0":
            return _("Nothing in the order is what it is for.")
    return _("What counts comes to too little.")


def _out_of_force(
    order: Order,
    versions: Sequence[RuleVersion],
    program: ProgramTerms,
    wallet_types: dict[int, WalletType],
) -> Iterator[Verdict]:
    """Rules of the program that had no wording in force when the order was placed."""
    judged = {version.rule_id for version in versions}
    others: dict[int, RuleVersion] = {}
    for version in program.rulebook.versions:
        if version.rule_id not in judged:
            others[version.rule_id] = version
    for version in others.values():
        yield Verdict(
            wallet_types[version.wallet_type_id], 0,
            _when_in_force(version, order.placed_at, program), version, (), in_force=False,
        )  # fmt: skip


def _when_in_force(version: RuleVersion, placed_at: dt.datetime, program: ProgramTerms) -> str:
    def day(at: dt.datetime) -> str:
        return format_day(at.astimezone(program.zone).date())

    if version.starts_at and placed_at < version.starts_at:
        return _("It began on %(day)s, after the order.") % {"day": day(version.starts_at)}
    if version.ends_at and placed_at >= version.ends_at:
        return _("It ended on %(day)s, before the order.") % {"day": day(version.ends_at)}
    return _("It was made after the order was first judged.")
