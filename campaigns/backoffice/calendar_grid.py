"""The days of the calendar and what is in them, as the page draws it."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from campaigns.selectors.calendar import Conflict, Entry, Span
from campaigns.selectors.outlooks import Outlook
from loyalty.rules.calendar import add_months

VIEWS = ("month", "quarter", "year")
MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAY = dt.timedelta(days=1)
# So many in one day before somebody asks for all of them.
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry, and why it conflicts with others."""

    entry: Entry
    reasons: list[str] = field(default_factory=list)
    may_move: bool = False
    outlook: Outlook | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """An entry on one of its days. `begins`, `ends`: whether it does on this day; `named`: whether
    it says what it is there."""

    shown: Shown
    begins: bool
    ends: bool
    named: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """`rest`: what is shown when somebody asks for all; `more`: how many of them there are."""

    day: dt.date
    inside: bool
    is_today: bool
    bars: list[Bar | None]
    rest: list[Bar | None]
    more: int


@dataclass(frozen=True, slots=True)
class Lane:
    """An entry as a bar over so many columns."""

    shown: Shown
    before: int
    width: int
    after: int
    opens: bool = True
    closes: bool = True

    @property
    def spills(self) -> bool:
        """Whether its name has room beside a bar that is too short for it."""
        return self.after * 5 > self.before + self.width + self.after


@dataclass(frozen=True, slots=True)
class Lanes:
    """`heads`: months, with over how many columns each goes; `step`: days of a column."""

    heads: list[tuple[str, int]]
    rows: list[Lane]
    step: int
    columns: int
    today: int | None

    @property
    def measure(self) -> range:
        """A row without anything, so that all columns are equally wide."""
        return range(self.columns)


def span_of(view: str, day: dt.date) -> Span:
    """The whole month, quarter or year that a day is in."""
    months = MONTHS[view]
    first = dt.date(day.year, (day.month - 1) // months * months + 1, 1)
    return Span(first, add_months(first, months) - DAY)


def beside(view: str, day: dt.date, by: int) -> dt.date:
    """The first day of the one before, or after."""
    return add_months(span_of(view, day).first, MONTHS[view] * by)


def title_of(view: str, span: Span) -> str:
    if view == "year":
        return str(span.first.year)
    if view == "quarter":
        said = {"number": (span.first.month + 2) // 3, "year": span.first.year}
        return _("Quarter %(number)s of %(year)s") % said
    return date_format(span.first, "F Y")


def shown_entries(
    entries: Iterable[Entry], conflicts: Sequence[Conflict], may_move: frozenset[str],
    outlooks: Mapping[str, Outlook],
) -> list[Shown]:  # fmt: skip
    """Each with the reasons it conflicts for; `may_move`: the kinds that the reader may move;
    `outlooks`: what some will likely cost, by key."""
    found = []
    for entry in entries:
        reasons = [item.message for item in conflicts if entry.key in item.keys]
        movable = entry.movable and entry.kind in may_move
        found.append(Shown(entry, reasons, movable, outlooks.get(entry.key)))
    return found


def weeks_of(shown: Sequence[Shown], span: Span, today: dt.date) -> list[list[Cell]]:
    """Whole weeks from Monday; what goes on over several days keeps its line within a week."""
    weeks = calendar.Calendar().monthdatescalendar(span.first.year, span.first.month)
    return [_week(days, shown, span, today) for days in weeks]


def _week(
    days: Sequence[dt.date], shown: Sequence[Shown], span: Span, today: dt.date
) -> list[Cell]:
    week = Span(days[0], days[-1])
    lines: list[list[Shown | None]] = []
    inside = [item for item in shown if item.entry.meets(week) and not item.entry.endless]
    for item in sorted(inside, key=lambda one: (one.entry.kind != "season", one.entry.first)):
        own = [place for place, day in enumerate(days) if item.entry.is_on(day)]
        line = next((row for row in lines if not any(row[place] for place in own)), None)
        if line is None:
            line = [None] * 7
            lines.append(line)
        for place in own:
            line[place] = item
    return [_cell(day, [line[place] for line in lines], span, today, place == 0)
            for place, day in enumerate(days)]  # fmt: skip


def _cell(
    day: dt.date, lines: Sequence[Shown | None], span: Span, today: dt.date, monday: bool
) -> Cell:
    bars = [_bar(item, day, monday) if item else None for item in lines]
    while bars and bars[-1] is None:
        bars.pop()
    more = sum(1 for bar in bars[SHOWN:] if bar)
    inside = span.first <= day <= span.last
    return Cell(day, inside, day == today, bars[:SHOWN], bars[SHOWN:], more)


def _bar(item: Shown, day: dt.date, monday: bool) -> Bar:
    entry = item.entry
    again = bool(entry.weekdays)
    begins = again or entry.first == day
    return Bar(item, begins, again or entry.last == day, begins or monday)


def lanes_of(shown: Sequence[Shown], span: Span, step: int, today: dt.date) -> Lanes:
    """A row for each, over columns of `step` days."""
    columns = -(-span.days // step)

    def column(day: dt.date) -> int:
        return min(max((day - span.first).days // step, 0), columns - 1)

    rows = []
    for item in shown:
        entry = item.entry
        if entry.endless:
            continue
        first, last = column(entry.first), column(min(entry.last, span.last))
        rows.append(
            Lane(item, first, last - first + 1, columns - last - 1,
                 entry.first >= span.first, entry.last <= span.last)
        )  # fmt: skip
    inside = span.first <= today <= span.last
    return Lanes(_heads(span, step, columns), rows, step, columns,
                 column(today) if inside else None)  # fmt: skip


def _heads(span: Span, step: int, columns: int) -> list[tuple[str, int]]:
    """A column belongs to the month of its first day."""
    found: list[tuple[str, int]] = []
    for number in range(columns):
        name = date_format(span.first + number * step * DAY, "M")
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + 1)
        else:
            found.append((name, 1))
    return found
