"""Seasons of the merchant's year: written, moved in one year, put away; campaigns begun in them;
last year's plan taken over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.calendar_entries import Span
from campaigns.campaign_definitions import definition_of_campaign
from campaigns.campaign_templates import CHALLENGE, TEMPLATES
from campaigns.models import Campaign, QuarterPlan, Season, SeasonDates
from campaigns.selectors.seasons import SeasonDays, days_of, planned_in, seasons
from campaigns.services.campaigns import change_campaign, create_campaign, create_from_template
from loyalty.models import Program
from loyalty.rules.calendar import add_days, end_of_day, start_of_day
from members.errors import DomainError, FieldError
from members.services.audit import Actor, record_audit

LONGEST = 120


@dataclass(frozen=True, slots=True)
class SeasonTerms:
    """What a season says; see `campaigns.season_days` for the rules."""

    name: str
    rule: str
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    nth: int | None = None
    shift: int = 0
    days: int = 1
    template: str = "points-weekend"


@transaction.atomic
def save_season(
    *, program: Program, terms: SeasonTerms, actor: Actor, season: Season | None = None
) -> Season:
    """A further season, or another wording of one. Raises DomainError naming the field."""
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    _check(program, terms, season)
    row = season or Season(program=program)
    for name in SeasonTerms.__dataclass_fields__:
        setattr(row, name, getattr(terms, name))
    row.save()
    action = "season.changed" if season else "season.created"
    record_audit(actor=actor, action=action, target=program, after={"season": row.name})
    return row


@transaction.atomic
def write_dates(
    *, season: Season, year: int, starts_on: dt.date, ends_on: dt.date, actor: Actor
) -> SeasonDates:
    """When it is in one year, whatever its rule says. Again changes nothing."""
    if ends_on < starts_on:
        raise _wrong("ends_on", _("Later than it begins."))
    if (ends_on - starts_on).days >= LONGEST:
        raise _wrong("ends_on", _("A season has %s days at most.") % LONGEST)
    if abs(starts_on.year - year) > 1:
        raise _wrong("starts_on", _("That is another year."))
    said = {"starts_on": starts_on, "ends_on": ends_on}
    row, created = SeasonDates.objects.get_or_create(season=season, year=year, defaults=said)
    if created or (row.starts_on, row.ends_on) != (starts_on, ends_on):
        row.starts_on, row.ends_on = starts_on, ends_on
        row.save()
        record_audit(
            actor=actor, action="season.moved", target=season.program,
            after={"season": season.name, "from": str(starts_on), "until": str(ends_on)},
        )  # fmt: skip
    return row


@transaction.atomic
def archive_season(*, season: Season, actor: Actor, now: dt.datetime) -> None:
    """Put it away; campaigns that were begun in it stay. Again changes nothing."""
    if Season.objects.filter(pk=season.pk, archived_at=None).update(archived_at=now):
        record_audit(
            actor=actor, action="season.archived", target=season.program,
            after={"season": season.name},
        )  # fmt: skip


@transaction.atomic
def begin_in_season(*, days: SeasonDays, actor: Actor, now: dt.datetime) -> Campaign:
    """A draft from the season's template, for its days. A second one is a further draft, with the
    year in both names."""
    season, zone = days.season, days.season.program.zone
    starts_at, ends_at = start_of_day(days.first, zone), end_of_day(days.last, zone)
    if ends_at <= now:
        raise _wrong("season", _("That season is over. Choose a later year."))
    draft = create_from_template(
        program=season.program, template=season.template, actor=actor, now=now
    )
    starts_at = max(starts_at, now)
    said = definition_of_campaign(draft).model_copy(
        update={
            "name": f"{season.name} {days.year}"[:80], "starts_at": starts_at, "ends_at": ends_at,
            "teased_at": max(now, starts_at - dt.timedelta(days=3)),
        }
    )  # fmt: skip
    return change_campaign(campaign=draft, definition=said, actor=actor, now=now)


@transaction.atomic
def copy_year(*, program: Program, year: int, actor: Actor, now: dt.datetime) -> list[Campaign]:
    """Drafts of what began in the year before: what began in a season begins as many days into it,
    the rest on the same weekday of the same week. What is there by name already, and what would be
    over, is left out, so again adds nothing."""
    last = Span(dt.date(year - 1, 1, 1), dt.date(year - 1, 12, 31))
    this = Span(dt.date(year, 1, 1), dt.date(year, 12, 31))
    known = {row.name for row, _began in _beginning_in(program, this)}
    pairs = [(days_of(item, year - 1), days_of(item, year)) for item in seasons(program)]
    made = []
    for row, began in _beginning_in(program, last):
        name = row.name.replace(str(year - 1), str(year))
        if row.template == CHALLENGE or name in known:
            continue
        shift = _shift(began, pairs)
        times = _shifted(row, shift)
        if times["ends_at"] <= now:
            continue
        times["starts_at"] = max(times["starts_at"], now)
        said = definition_of_campaign(row).model_copy(update={"name": name, **times})
        made.append(create_campaign(program=program, definition=said, actor=actor, now=now))
        known.add(name)
    return made


def _beginning_in(program: Program, span: Span) -> list[tuple[Campaign, dt.date]]:
    """With the days on which they begin; what went on from before is of an earlier plan."""
    found = [
        (row, row.starts_at.astimezone(program.zone).date())
        for row in planned_in(program, span)
        if row.starts_at is not None
    ]
    return [(row, began) for row, began in found if began >= span.first]


def _shift(first: dt.date, pairs: list[tuple[SeasonDays | None, SeasonDays | None]]) -> int:
    """So many days later."""
    for before, after in pairs:
        if before and after and before.first <= first <= before.last:
            return (after.first - before.first).days
    return 364


def _shifted(row: Campaign, shift: int) -> dict[str, dt.datetime]:
    zone = row.program.zone
    assert row.starts_at is not None
    assert row.ends_at is not None
    times = {"starts_at": row.starts_at, "ends_at": row.ends_at}
    if row.teased_at is not None:
        times["teased_at"] = row.teased_at
    return {name: add_days(at, shift, zone) for name, at in times.items()}


@transaction.atomic
def plan_quarter(
    *, program: Program, year: int, quarter: int, aim: str, revenue: Decimal | None,
    budget: Decimal | None, actor: Actor,
) -> QuarterPlan:  # fmt: skip
    """What a quarter shall come to, and what its campaigns may cost together."""
    if quarter not in (1, 2, 3, 4):
        raise _wrong("quarter", _("Between 1 and 4."))
    for name, amount in (("revenue", revenue), ("budget", budget)):
        if amount is not None and amount <= 0:
            raise _wrong(name, _("More than zero, or empty."))
    said = {"aim": aim.strip()[:200], "revenue": revenue, "budget": budget}
    row, _created = QuarterPlan.objects.update_or_create(
        program=program, year=year, quarter=quarter, defaults=said
    )
    record_audit(
        actor=actor, action="quarter.planned", target=program,
        after={"quarter": f"{year}/{quarter}", **{name: str(said[name] or "") for name in said}},
    )  # fmt: skip
    return row


def _check(program: Program, terms: SeasonTerms, season: Season | None) -> None:
    if not terms.name.strip():
        raise _wrong("name", _("Give it a name."))
    same = seasons(program).filter(name=terms.name).first()
    if same is not None and same != season:
        raise _wrong("name", _("The program has a season with this name."))
    known = TEMPLATES.get(terms.template)
    if known is None or known.own_pages:
        raise _wrong("template", _("There is no such template."))
    needed = {"day": ("month", "day"), "weekday": ("month", "weekday", "nth")}
    for name in needed.get(terms.rule, ()):
        if getattr(terms, name) is None:
            raise _wrong(name, _("This rule needs it."))
    if terms.rule not in Season.Rule.values:
        raise _wrong("rule", _("There is no such rule."))
    if terms.rule == "day":
        try:
            dt.date(2024, terms.month or 0, terms.day or 0)
        except ValueError as error:
            raise _wrong("day", _("There is no such day.")) from error
    if not 1 <= terms.days <= LONGEST:
        raise _wrong("days", _("Between 1 and %s.") % LONGEST)


def _wrong(name: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(name, message)])
