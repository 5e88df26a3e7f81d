"""What the rules of programs bring about on certain days, as the calendar shows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.calendar_entries import Entry, Span
from loyalty.models import (
    EarningRuleVersion,
    Goal,
    Partner,
    PartnerSettlement,
    Program,
    ProgramEnding,
    ProgramPause,
    Subscription,
)
from loyalty.rules.calendar import end_of_period, in_year, start_of_day
from loyalty.rules.lots import PERIODS
from loyalty.selectors.programs import wallet_type_definitions
from loyalty.selectors.rules import state_of
from loyalty.selectors.tier_sets import tiers_of
from loyalty.tier_definitions import TiersDefinition
from loyalty.unit_definitions import ExpiryDefinition
from members.formatting import format_number


def of_rules(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Published wordings of rules that people write."""
    rows = EarningRuleVersion.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=span.since),
        Q(starts_at=None) | Q(starts_at__lt=span.until),
        rule__program__in=programs, rule__source="",
        status=EarningRuleVersion.Status.PUBLISHED,
    ).select_related("rule__program")  # fmt: skip
    for row in rows:
        program = row.rule.program
        starts_at = row.starts_at or program.live_since or program.created_at
        if starts_at >= span.until or (row.ends_at and row.ends_at <= starts_at):
            continue
        state = state_of(row, now)
        yield Entry(
            "rule", f"{row.rule_id}-{row.number}", program, row.rule.name, starts_at, row.ends_at,
            state, reverse("loyalty_backoffice:rule_by_id", args=[row.rule_id]),
            facts={"rule": row.rule_id},
        )  # fmt: skip


def of_settlements(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """The first of each month: the month before is closed with each partner, or has been."""
    rows = Partner.objects.filter(account__program__in=programs).select_related("account__program")
    partners = list(rows)
    months = list(_months_before(span))
    settled = PartnerSettlement.objects.filter(partner__in=partners, since__lte=span.last)
    # A partner's first month begins as the partner does.
    closed = {
        (item.partner_id, item.since.replace(day=1)): item
        for item in settled.filter(until__gte=min(months, default=span.first))
    }
    for partner in partners:
        program = partner.account.program
        assert program is not None
        for month in months:
            item = closed.get((partner.pk, month))
            if item is None and not _is_settled(partner, month, program):
                continue
            at = start_of_day(_next_month(month), program.zone)
            url = reverse("loyalty_backoffice:partner", args=[program.code, partner.code])
            title = _("%(partner)s: settlement of %(month)s") % {
                "partner": partner.account.name, "month": date_format(month, "F Y"),
            }  # fmt: skip
            state = str(item.status) if item else ("pending" if at <= now else "scheduled")
            key = f"{partner.public_id}-{month:%Y-%m}"
            yield Entry("settlement", key, program, title, at, None, state, url, is_moment=True)


def _is_settled(partner: Partner, month: dt.date, program: Program) -> bool:
    """Whether there is anything of that month to settle."""
    ended = partner.ended_at
    last = ended.astimezone(program.zone).date() if ended else dt.date.max
    return partner.since < _next_month(month) and month <= last


def _months_before(span: Span) -> Iterator[dt.date]:
    """Those whose next one begins within the days."""
    month = (span.first.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    while _next_month(month) <= span.last:
        if _next_month(month) >= span.first:
            yield month
        month = _next_month(month)


def _next_month(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=31)).replace(day=1)


def of_days(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Days on which units expire and tiers are reviewed, by the terms that count now."""
    for program in programs:
        tiers = tiers_of(program, now)
        yield from _reviews(program, tiers, span, now)
        for item in wallet_type_definitions(program, tiers):
            for day in expiry_days(item.expiry, span):
                yield _moment(
                    "expiry", f"{program.code}-{item.code}-{day}", program,
                    _("Last day of %s") % item.plural, day, now,
                    reverse("loyalty_backoffice:program_page", args=[program.code]),
                )  # fmt: skip


def _reviews(
    program: Program, tiers: TiersDefinition | None, span: Span, now: dt.datetime
) -> Iterator[Entry]:
    """Of tiers by the calendar year: as a year begins."""
    if tiers is None or tiers.window != "calendar_year":
        return
    for year in range(span.first.year, span.last.year + 1):
        day = dt.date(year, 1, 1)
        if span.first <= day <= span.last:
            yield _moment(
                "tier", f"{program.code}-{year}", program, _("Tiers are reviewed"), day, now,
                reverse("loyalty_backoffice:tier_set_page", args=[program.code]),
            )  # fmt: skip


def expiry_days(said: ExpiryDefinition, span: Span) -> list[dt.date]:
    """The last days of units, where they are the same for all members."""
    if said.kind == "fixed_date":
        month, number = map(int, said.month_day.split("-"))
        years = range(span.first.year, span.last.year + 1)
        found = [in_year(month, number, year) for year in years]
    elif said.kind == "end_of_period":
        months, day, found = PERIODS[said.period], span.first, []
        while day <= span.last:
            found.append(end_of_period(day, months, 0))
            day = found[-1] + dt.timedelta(days=1)
    else:
        found = []
    return [day for day in found if span.first <= day <= span.last]


def of_plans(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Days on which paid plans renew, with how many of them."""
    for program in programs:
        rows = (
            Subscription.objects.filter(
                plan__program=program, ended_at=None, cancel_at_period_end=False,
                period_end__gte=span.since, period_end__lt=span.until,
            )
            .annotate(on=TruncDate("period_end", tzinfo=program.zone))
            .values_list("on")
            .annotate(Count("pk"))
            .order_by("on")
        )  # fmt: skip
        for day, count in rows:
            words = ngettext("%s plan renews", "%s plans renew", count) % format_number(count)
            yield _moment(
                "plan", f"{program.code}-{day}", program, words, day, now,
                reverse("loyalty_backoffice:plan_list", args=[program.code]),
            )  # fmt: skip


def of_programs(programs: Sequence[Program], span: Span, now: dt.datetime) -> Iterator[Entry]:
    """Pauses, the end of a program, and days by which goals are due."""
    for pause in ProgramPause.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=span.since), program__in=programs,
        starts_at__lt=span.until,
    ).select_related("program"):  # fmt: skip
        url = reverse("loyalty_backoffice:program_page", args=[pause.program.code])
        state = "scheduled" if pause.starts_at > now else "paused"
        yield Entry(
            "program", f"pause-{pause.pk}", pause.program, _("The program rests"),
            pause.starts_at, pause.ends_at, state, url,
        )  # fmt: skip
    endings = ProgramEnding.objects.filter(program__in=programs, called_off_at=None)
    for ending in endings.select_related("program"):
        url = reverse("loyalty_backoffice:program_page", args=[ending.program.code])
        for name, words in (("last_earning_day", _("Last day to earn")),
                            ("last_spending_day", _("Last day to spend"))):  # fmt: skip
            day = getattr(ending, name)
            yield _moment("program", f"{name}-{ending.pk}", ending.program, words, day, now, url)
    goals = Goal.objects.filter(program__in=programs, state="open")
    for goal in goals.filter(due_on__gte=span.first, due_on__lte=span.last).select_related(
        "program"
    ):
        words = _("Goal: %s") % goal.get_metric_display()
        url = reverse("loyalty_backoffice:goals_of", args=[goal.program.code])
        yield _moment("program", f"goal-{goal.pk}", goal.program, words, goal.due_on, now, url)


def _moment(
    kind: str, key: str, program: Program, title: str, day: dt.date, now: dt.datetime, url: str
) -> Entry:
    at = start_of_day(day, program.zone)
    state = "scheduled" if at > now else "done"
    return Entry(kind, key, program, title, at, None, state, url, is_moment=True)
