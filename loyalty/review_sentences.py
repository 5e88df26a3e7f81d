"""Reviews in words: what each finding says, with its number, and what is proposed. Nothing of it
is kept: a review keeps numbers and names, and each reader has their language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from loyalty.goal_metrics import METRICS, GoalMetric
from loyalty.insight_registry import registered_insights
from loyalty.insight_sentences import advice_sentence, band_words, figure_sentence
from loyalty.quarters import Quarter, quarter_of
from loyalty.review_registry import use_kinds
from loyalty.target_bands import Band, State
from members.formatting import format_day, format_money, format_number

if TYPE_CHECKING:
    from loyalty.models import Program, ProgramReview, ReviewFinding

Text = str | Promise
Facts = Mapping[str, str | None]
# What is done where: the words of the link, by the name of the address.
_ACTIONS: Mapping[str, Text] = {
    "loyalty_backoffice:overview": _l("Open the figure"),
    "loyalty_backoffice:tier_set_page": _l("Open the tiers"),
    "loyalty_backoffice:rule_by_id": _l("Open the rule"),
    "loyalty_backoffice:goal_create": _l("Set a goal"),
    "loyalty_backoffice:goals_of": _l("Open the goals"),
}
GOAL_STATES: Mapping[str, Text] = {
    "on_track": _l("on track"), "behind": _l("behind"), "overdue": _l("overdue"),
    "reached": _l("reached"), "missed": _l("missed"), "given_up": _l("given up"),
    "unmeasured": _l("nothing to measure"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FindingWords:
    """`number`: what is behind it, short; `proposal`: what could be done, which nobody but people
    do."""

    title: str
    number: str
    proposal: str
    url: str
    action: str


def quarter_label(quarter: Quarter) -> str:
    return _("Quarter %(number)s of %(year)s") % {
        "number": quarter.number, "year": quarter.first.year,
    }  # fmt: skip


def review_title(review: ProgramReview) -> str:
    return quarter_label(quarter_of(review.quarter))


def finding_words(finding: ReviewFinding, program: Program) -> FindingWords:
    say = _SAYINGS.get(finding.rule.split("_")[0])
    title, number, proposal = say(finding, program) if say else (finding.key, "", "")
    url = _url(finding)
    action = str(_ACTIONS.get(finding.place, _("Open it")))
    return FindingWords(title, number, proposal, url, action if url else "")


def finding_title(finding: ReviewFinding, program: Program) -> str:
    return finding_words(finding, program).title


def _figure(finding: ReviewFinding, program: Program) -> tuple[str, str, str]:
    facts = finding.facts
    metric, value = _metric(facts["metric"]), _number(facts["value"])
    if metric is None or value is None:
        return finding.key, "", ""
    currency = program.currency
    title = figure_sentence(metric, value, currency)
    if facts["tier_code"]:
        title = _("%(share)s of the members are at %(tier)s.") % {
            "share": metric.in_words(value, currency), "tier": facts["tier"],
        }  # fmt: skip
    said = [metric.in_words(value, currency)]
    band = _band(facts)
    if band is not None:
        said.append(_("to be: %s") % band_words(metric, band, currency))
    before = _number(facts["before"])
    if before is not None:
        said.append(_("a quarter before: %s") % metric.in_words(before, currency))
    return title, " · ".join(said), _figure_advice(finding.rule, metric)


def _figure_advice(rule: str, metric: GoalMetric) -> str:
    if rule == "figure_better":
        return _("It is better than a quarter before: see what brought it, and keep it.")
    states: Mapping[str, State] = {
        "figure_inside": "inside", "figure_below": "below", "figure_above": "above",
        "figure_worse": "below" if metric.direction == "up" else "above",
    }  # fmt: skip
    return advice_sentence(metric, states[rule])


def _unused(finding: ReviewFinding, _program: Program) -> tuple[str, str, str]:
    facts, kind = finding.facts, use_kinds().get(finding.facts["kind"])
    days = int(facts["days"])
    number = ngettext("0 uses in %s day", "0 uses in %s days", days) % format_number(days)
    if kind is None:
        return facts["name"], number, ""
    said = {"name": facts["name"], "days": format_number(days)}
    return str(kind.unused) % said, number, str(kind.unused_advice)


def _dear(finding: ReviewFinding, program: Program) -> tuple[str, str, str]:
    facts, kind = finding.facts, use_kinds().get(finding.facts["kind"])
    cost, limit = (
        format_money(_number(facts[name]) or Decimal(0), program.currency)
        for name in ("cost", "limit")
    )
    number = _("%(cost)s each, to be at most %(limit)s; %(used)s uses") % {
        "cost": cost, "limit": limit, "used": format_number(int(facts["used"])),
    }  # fmt: skip
    if kind is None:
        return facts["name"], number, ""
    words = kind.dear_measured if facts["measured"] else kind.dear
    said = {"name": facts["name"], "cost": cost, "limit": limit}
    return str(words) % said, number, str(kind.dear_advice)


def _said(finding: ReviewFinding, _program: Program) -> tuple[str, str, str]:
    facts = finding.facts
    if finding.rule == "said_nobody":
        return (
            _("No member was asked anything, or nobody answered."),
            _("0 answers"),
            _("Ask a few members whether they would recommend you, and what they miss: one "
              "question is enough."),
        )  # fmt: skip
    count = int(facts["answers"])
    answers = ngettext("%s answer", "%s answers", count) % format_number(count)
    question = {"question": facts["question"], "survey": facts["survey"]}
    title = _("“%(question)s” (%(survey)s)") % question
    score = _number(facts["score"])
    if score is None:
        return (
            title,
            answers,
            _("Too few answered for a score: ask more members, or on their own pages too."),
        )
    if facts["scale"] == "nps":
        number = _("NPS %(score)s · %(answers)s") % {
            "score": format_number(round(score)), "answers": answers,
        }  # fmt: skip
    else:
        number = _("%(score)s of %(most)s · %(answers)s") % {
            "score": format_number(round(score, 1)), "most": facts["most"], "answers": answers,
        }  # fmt: skip
    return title, number, str(_OPINIONS[finding.tone])


_OPINIONS: Mapping[str, Text] = {
    "good": _l("Members are content: ask those who are whether they bring a friend."),
    "news": _l("Neither good nor bad: read what those miss who gave less."),
    "bad": _l("Many are not content: read what they wrote, and tell them what you change."),
}


def _goal(finding: ReviewFinding, program: Program) -> tuple[str, str, str]:
    facts = finding.facts
    if finding.rule == "goal_none":
        return (
            _("The program had no goal."),
            "",
            _("Say which figure is to be how high by when: what is not wanted is not missed."),
        )
    metric = _metric(facts["metric"])
    if metric is None:
        return finding.key, "", ""
    what = _("Members of %s or higher") % facts["tier"] if facts["tier"] else metric.label
    title = _("%(what)s: %(state)s") % {
        "what": what, "state": GOAL_STATES.get(facts["state"], facts["state"]),
    }  # fmt: skip
    number = _("%(value)s of %(target)s by %(day)s") % {
        "value": metric.in_words(_number(facts["value"]), program.currency),
        "target": metric.in_words(_number(facts["target"]), program.currency),
        "day": format_day(dt.date.fromisoformat(facts["due_on"])),
    }  # fmt: skip
    proposals: Mapping[str, Text] = {
        "good": _("Keep at it."),
        "bad": _("Do something for it, or want less: a goal that nobody believes in is none."),
    }
    return title, number, str(proposals.get(finding.tone, ""))


_SAYINGS = {
    "figure": _figure, "unused": _unused, "dear": _dear, "said": _said, "goal": _goal,
}  # fmt: skip


def _metric(code: str | None) -> GoalMetric | None:
    known = {metric.code: metric for metric, _measure in registered_insights()}
    return METRICS.get(code or "") or known.get(code or "")


def _band(facts: Facts) -> Band | None:
    low, high = _number(facts["low"]), _number(facts["high"])
    return None if low is None and high is None else Band(low, high)


def _number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _url(finding: ReviewFinding) -> str:
    """Empty: the page is not there any more."""
    if finding.place == "loyalty_backoffice:overview":
        anchor = finding.facts.get("metric", "")
        return f"{reverse(finding.place)}?program={finding.place_key}#{anchor}"
    try:
        return reverse(finding.place, args=finding.place_key.split("/")) if finding.place else ""
    except NoReverseMatch:
        return ""
