"""What a chart shows, apart from how it is drawn: the same numbers make picture and table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from members.formatting import active_locale, format_day, format_number, format_short_day

Value = float | int | Decimal | None


@dataclass(frozen=True)
class Series:
    """One line or one set of bars."""

    name: str
    values: Sequence[Value]


@dataclass(frozen=True)
class Chart:
    """Numbers over labels. `summary` says in one sentence what the picture shows."""

    id: str
    title: str
    labels: Sequence[date | str]
    series: Sequence[Series]
    kind: Literal["line", "area", "bar", "stacked"] = "line"
    unit: str = ""
    summary: str = ""
    x_label: str = ""
    height: Literal["sm", "md", "lg"] = "md"
    colors: Sequence[str] = field(default=())

    def texts(self) -> list[str]:
        """The labels as the reader writes them."""
        return [format_day(item) if isinstance(item, date) else item for item in self.labels]

    def axis(self) -> list[str]:
        """The labels as an axis has room for them."""
        days = [item for item in self.labels if isinstance(item, date)]
        brief = bool(days) and (max(days) - min(days)).days < 365
        return [
            format_short_day(item) if brief and isinstance(item, date) else text
            for item, text in zip(self.labels, self.texts(), strict=True)
        ]

    @property
    def is_empty(self) -> bool:
        """Nothing is known, or all of it is nothing: an axis would only be in the way."""
        return not any(value for line in self.series for value in line.values)

    def payload(self) -> dict[str, Any]:
        """What the drawing script needs, ready for JSON."""
        return {
            "kind": self.kind,
            "labels": self.axis(),
            "unit": self.unit,
            "locale": str(active_locale()).replace("_", "-"),
            "colors": list(self.colors),
            "series": [
                {
                    "name": str(line.name),
                    "values": [None if value is None else float(value) for value in line.values],
                }
                for line in self.series
            ],
        }

    def rows(self) -> list[tuple[str, list[str]]]:
        """The table view: one row per label."""
        columns = [line.values for line in self.series]
        return [
            (
                text,
                [
                    "–" if column[index] is None else format_number(column[index] or 0)
                    for column in columns
                ],
            )
            for index, text in enumerate(self.texts())
        ]


@dataclass(frozen=True)
class Span:
    """Something that lasts from one day to another, counted from the first day that is shown."""

    row: str
    first: float
    last: float
    color: str
    text: str


@dataclass(frozen=True)
class Timeline:
    """What is the case when. The page that shows it has a table of its own beside it."""

    id: str
    title: str
    days: Sequence[date]
    spans: Sequence[Span]
    summary: str = ""

    def payload(self) -> dict[str, Any]:
        """What the drawing script needs, ready for JSON."""
        return {
            "kind": "timeline",
            "labels": [format_short_day(day) for day in self.days],
            "rows": list(dict.fromkeys(span.row for span in self.spans)),
            "spans": [
                {
                    "row": span.row,
                    "first": round(span.first, 3),
                    "last": round(span.last, 3),
                    "color": span.color,
                    "text": span.text,
                }
                for span in self.spans
            ],
        }

    @property
    def tall(self) -> bool:
        return len({span.row for span in self.spans}) > 8
