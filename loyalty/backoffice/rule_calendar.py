"""What is live when: the rules of a program over the next ninety days, as a picture and a table."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from loyalty.backoffice.rule_links import rule_tabs, rules_crumbs
from loyalty.models import EarningRule, EarningRuleVersion, Program
from loyalty.rule_checks import check_rule
from loyalty.rule_words import describe_kind
from loyalty.rules.bodies import parse_body
from loyalty.rules.calendar import start_of_day
from loyalty.selectors.rules import (
    DRAFT,
    WAITING,
    RuleRow,
    campaign_rows,
    rule_rows,
    standings,
    state_of,
)
from members.charts import Span, Timeline
from members.conditions.moments import Moment
from members.policy import is_allowed, staff_view

DAYS = 90


@dataclass(frozen=True, slots=True)
class Entry:
    """A wording in the days that are shown; `open`: it was there before, it goes on after."""

    rule: EarningRule
    version: EarningRuleVersion
    state: str
    sentence: str


@require_safe
@staff_view("programs.view")
def rule_calendar(request: HttpRequest, code: str) -> HttpResponse:
    """Every wording that is live at some time in the next ninety days."""
    program = get_object_or_404(Program, code=code)
    now = timezone.now()
    rows = [*rule_rows(program, now), *campaign_rows(program, now)]
    entries = [entry for row in rows for entry in _entries(row, program, now)]
    context = {
        "program": program,
        "title": _("Earning rules"),
        "breadcrumbs": rules_crumbs(program)[:-1],
        "tabs": rule_tabs(program, "calendar"),
        "entries": entries,
        "timeline": _timeline(entries, program, now) if entries else None,
        "days": DAYS,
        "conflicts": _conflicts(rows, program, now),
        "may_draft": is_allowed(request.user, "rules.draft"),
    }
    return render(request, "loyalty/backoffice/rule_calendar.html", context)


def _entries(row: RuleRow, program: Program, now: dt.datetime) -> list[Entry]:
    last = now + dt.timedelta(days=DAYS)
    shown = []
    for version in reversed(row.versions):
        state = state_of(version, now)
        over = version.ends_at is not None and version.ends_at <= now
        later = version.starts_at is not None and version.starts_at >= last
        if state in (DRAFT, WAITING) or over or later:
            continue
        sentence = describe_kind(parse_body(version.body), row.rule.wallet_type, program.currency)
        shown.append(Entry(row.rule, version, state, sentence))
    return sorted(shown, key=lambda entry: entry.version.starts_at or now)


def _conflicts(rows: list[RuleRow], program: Program, now: dt.datetime) -> list[str]:
    """Multipliers, and discounts, that count for the same orders at some time: who meets whom, and
    what becomes of it. Each pair once."""
    beside = standings(rows, now)
    found: dict[tuple[str, str], str] = {}
    for place, item in enumerate(beside):
        later = [other for other in beside[place + 1 :] if other.code != item.code]
        for other in later:
            checked = check_rule(
                item, [other], moment=Moment(now, program.zone), multiplying=program.multiplying,
                discounting=program.discounting,
            )  # fmt: skip
            said = [each for each in checked if each.code in ("multipliers", "discounts")]
            if said:
                found[item.name, other.name] = f"{item.name}: {said[0].message}"
    return list(found.values())


def _days_until(at: dt.datetime, first: dt.datetime) -> float:
    """By the clocks: a day of 23 or 25 hours is drawn as wide as the others."""
    return (at.astimezone(first.tzinfo) - first) / dt.timedelta(days=1)


def _timeline(entries: list[Entry], program: Program, now: dt.datetime) -> Timeline:
    today = now.astimezone(program.zone).date()
    days = [today + dt.timedelta(days=number) for number in range(DAYS + 1)]
    first, last = start_of_day(days[0], program.zone), start_of_day(days[-1], program.zone)
    spans = [
        Span(
            entry.rule.name,
            max(_days_until(entry.version.starts_at or first, first), 0),
            min(_days_until(entry.version.ends_at or last, first), DAYS),
            "good" if entry.state == "live" else "info",
            entry.sentence,
        )
        for entry in entries
    ]
    count = len({entry.rule.pk for entry in entries})
    summary = ngettext(
        "%(count)s rule is live at some time.", "%(count)s rules are live at some time.", count
    )
    return Timeline(
        id="rule-calendar",
        title=_("What is live in the next %s days") % DAYS,
        days=days,
        spans=spans,
        summary=summary % {"count": count},
    )
