"""What is said of an experiment, for people."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.comparisons import LEAST_EACH
from campaigns.experiment_definitions import asked_by_experiment
from campaigns.experiment_plans import SHARES, Plan, PlanRow
from campaigns.models import Experiment
from campaigns.selectors.experiment_results import ArmResult, ExperimentResult
from members.conditions.sentences import sentence
from members.formatting import format_money, format_number, format_percent

Verdict = Experiment.Verdict


def measured(experiment: Experiment, value: float) -> str:
    """A mean of what it measures, as people write it; a difference of shares in percent too."""
    if experiment.measure in SHARES:
        return format_percent(round(value, 4), digits=1)
    if experiment.measure == Experiment.Measure.REVENUE:
        return format_money(Decimal(f"{value:.2f}"), experiment.program.currency)
    return format_number(round(value, 3))


def between(experiment: Experiment, arm: ArmResult) -> str:
    """What the difference of an arm against the first lies between."""
    if arm.against is None or arm.against.z is None:
        return ""
    low, high = (measured(experiment, number) for number in (arm.against.low, arm.against.high))
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def for_whom(experiment: Experiment) -> str:
    asked = asked_by_experiment(experiment)
    return _("Every member.") if asked is None else sentence(asked)


def verdict_words(experiment: Experiment, result: ExperimentResult | None = None) -> str:
    """What was declared, in a sentence or two; nothing before that."""
    arms = list(experiment.arms.all())
    match experiment.verdict:
        case Verdict.BETTER:
            assert experiment.winner is not None
            said = {"winner": arms[experiment.winner].name, "first": arms[0].name}
            words = _("%(winner)s is better than %(first)s.") % said
            known = between(experiment, result.arms[experiment.winner]) if result else ""
            more = _("The difference for each member is %s.") % known
            return f"{words} {more}" if known else words
        case Verdict.WORSE:
            return (
                _("%s is better: another arm is clearly below it, and none above.") % arms[0].name
            )
        case Verdict.NONE:
            return _("No difference was shown. That is not to say that there is none: it may be as "
                     "large as the intervals say.")  # fmt: skip
        case Verdict.FEW:
            return _("Too few members to say anything: it takes %s in each arm.") % format_number(
                LEAST_EACH
            )
        case Verdict.EARLY:
            return _("It was ended before its time. What the arms did until then may be chance, so "
                     "nothing is declared.")  # fmt: skip
    return ""


def plan_words(experiment: Experiment, plan: Plan) -> str:
    """How long it takes, or that it never is enough."""
    if not plan.rows and experiment.occasion:
        return _("Nobody of them was told it in the last weeks, so nobody can say how many members "
                 "it takes.")  # fmt: skip
    if not plan.rows and experiment.measure == Experiment.Measure.REDEEMED:
        return _("Nobody of them has taken a reward in the last weeks, so nobody can say how many "
                 "members it takes.")  # fmt: skip
    if not plan.rows:
        return _("Nobody of them has bought in the last weeks, so nobody can say how many members "
                 "it takes.")  # fmt: skip
    if plan.first is None:
        longest = plan.rows[-1]
        if longest.needed is None:
            return _("What they did in the last weeks says nothing of such a difference.")
        words = _("It will never be enough: even in %(weeks)s it takes %(needed)s members in each "
                  "arm, and the smallest has %(have)s. Look for a larger difference, ask more "
                  "members, or make the arms more equal.")  # fmt: skip
        return words % _numbers(plan, longest)
    words = _("It takes %(needed)s members in each arm and %(weeks)s; the smallest has %(have)s.")
    return words % _numbers(plan, plan.first)


def _numbers(plan: Plan, row: PlanRow) -> dict[str, str]:
    return {
        "needed": format_number(row.needed or 0), "weeks": weeks_words(row.weeks),
        "have": format_number(plan.have),
    }  # fmt: skip


def weeks_words(weeks: int) -> str:
    return ngettext("%s week", "%s weeks", weeks) % format_number(weeks)
