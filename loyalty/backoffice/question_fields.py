"""Form fields for the questions of a template: single values, and rows of several values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from loyalty.backoffice.program_fields import amount, plain
from loyalty.program_templates.questions import AskedQuestion

# Empty rows after those that are filled in, to write more; and how many there are at most.
SPARE, MOST = 2, 20


@dataclass(frozen=True, slots=True)
class Column:
    """One value of a row. `unit`: what is beside it: a sign, a word; "money": the currency."""

    name: str
    label: Promise
    unit: str | Promise = ""
    number: bool = True
    places: int = 4


ROWS: Mapping[str, tuple[Column, ...]] = {
    "brackets": (Column("above", _("Above"), "money"), Column("percent", _("Percentage"), "%")),
    "bulk_brackets": (
        Column("above", _("Above"), _("pieces")), Column("percent", _("Percentage"), "%"),
    ),
    "categories": (
        Column("category", _("Category"), number=False),
        Column("percent", _("Percentage"), "%"),
    ),
    "tiers": (
        Column("name", _("Tier"), number=False),
        Column("threshold", _("From"), "money"),
        Column("factor", _("Earns"), "×"),
    ),
    "actions": (
        Column("name", _("What it is called"), number=False),
        Column("activity", _("Short name"), number=False),
        Column("units", _("Brings")),
    ),
    "prizes": (Column("units", _("Wins")), Column("percent", _("In a hundred plays"), "%")),
    "partners": (
        Column("name", _("Partner"), number=False),
        Column("issued", _("Pays for one earned"), "money", places=6),
        Column("taken_in", _("Is paid for one spent"), "money", places=6),
    ),
}  # fmt: skip


class RowsWidget(forms.Widget):
    """Rows of inputs named FIELD-NUMBER-COLUMN, drawn by `wizard/rows.html`."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = columns

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        rows = []
        for number in range(MOST + SPARE):
            row = {
                column.name: _typed(data.get(f"{name}-{number}-{column.name}", ""))
                for column in self.columns
            }
            if any(row.values()):
                rows.append(row)
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-0-{self.columns[0].name}" not in data

    def id_for_label(self, id_: str, index: Any = None) -> str:
        """The first input takes the focus when the summary of errors leads here."""
        return f"{id_}-0-{self.columns[0].name}" if id_ else ""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return SafeString("")


def _typed(value: Any) -> str:
    """The database holds no NUL."""
    return str(value).replace("\x00", "").strip()


class RowsField(forms.Field):
    """Rows as mappings; what is in them is checked where the answers are read."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.columns = ROWS[kind]
        super().__init__(widget=RowsWidget(self.columns), **kwargs)

    def clean(self, value: Any) -> list[dict[str, Any]]:
        rows = []
        for number, row in enumerate(super().clean(value) or [], start=1):
            rows.append(self._row(row, number))
        return rows

    def _row(self, row: Mapping[str, str], number: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for column in self.columns:
            text = row[column.name]
            if not text and column.number:
                # Nothing said is nothing asked: 0 of a threshold, once of a factor.
                if column.name in ("above", "threshold"):
                    kept[column.name] = Decimal(0)
                elif column.name != "factor":
                    raise forms.ValidationError(
                        _("Row %(number)s: give a number for “%(column)s”.")
                        % {"number": number, "column": column.label}
                    )
                continue
            kept[column.name] = self._number(text, column, number) if column.number else text
        return kept

    def _number(self, text: str, column: Column, number: int) -> Decimal:
        try:
            found: Decimal = forms.DecimalField(max_digits=14, decimal_places=column.places).clean(
                text
            )
        except forms.ValidationError as wrong:
            raise forms.ValidationError(
                _("Row %(number)s, “%(column)s”: %(message)s")
                % {"number": number, "column": column.label, "message": wrong.messages[0]}
            ) from wrong
        return found


@dataclass(frozen=True, slots=True)
class Cell:
    """An input of a row."""

    name: str
    id: str
    heading: str
    label: str
    value: str
    unit: str
    number: bool


def shown_rows(name: str, field: RowsField, rows: Any, currency: str) -> list[list[Cell]]:
    """The rows there are, and spare ones."""
    rows = [*(rows or ()), *({} for _number in range(SPARE))][: MOST + SPARE]
    return [
        [
            Cell(
                f"{name}-{number}-{column.name}",
                f"id_{name}-{number}-{column.name}",
                str(column.label),
                f"{column.label} {number + 1}",
                _shown(row.get(column.name, "")),
                currency if column.unit == "money" else str(column.unit),
                column.number,
            )
            for column in field.columns
        ]
        for number, row in enumerate(rows)
    ]


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    text = str(value)
    return plain(Decimal(text)) if text.replace(".", "", 1).isdecimal() else text


class NamesField(forms.CharField):
    """A name on each line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:
        lines = str(super().clean(value) or "").splitlines()
        return [line.strip() for line in lines if line.strip()]


def question_field(asked: AskedQuestion) -> forms.Field:
    """How a question is asked in a form. Its label and help are the template's."""
    made = _MAKERS.get(asked.question.type)
    found = made(asked) if made else RowsField(asked.question.type, required=False)
    found.label, found.help_text = str(asked.label), str(asked.help)
    return found


def _number(places: int) -> Callable[[AskedQuestion], forms.Field]:
    def make(asked: AskedQuestion) -> forms.Field:
        least = "0" if asked.name in ZERO_TOO else "0.0001"
        return amount("", places, least=least)

    return make


def _text(asked: AskedQuestion) -> forms.Field:
    needed = asked.name not in ("unit_few", "unit_many")
    return forms.CharField(max_length=120, required=needed, widget=_plain_text())


def _whole(asked: AskedQuestion) -> forms.Field:
    most = 10**9 if asked.name in MANY else 100_000
    return forms.IntegerField(min_value=0, max_value=most, widget=_plain_text("numeric"))


def _choice(asked: AskedQuestion) -> forms.Field:
    choices = list(asked.question.choices)
    few = len(choices) <= 5
    return forms.ChoiceField(
        choices=choices, required=bool(choices and choices[0][0]),
        widget=forms.RadioSelect if few else forms.Select,
    )  # fmt: skip


def _plain_text(mode: str = "") -> forms.TextInput:
    return forms.TextInput(attrs={"autocomplete": "off", **({"inputmode": mode} if mode else {})})


def _link(asked: AskedQuestion) -> forms.Field:
    attrs = {"autocomplete": "off", "inputmode": "url", "placeholder": "https://"}
    return forms.CharField(max_length=500, required=False, widget=forms.TextInput(attrs=attrs))


def _date(asked: AskedQuestion) -> forms.Field:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(required=False, widget=widget)


MANY = ("company_at_once", "company_in_period")
ZERO_TOO = (
    "welcome_units", "birthday_units", "reward_worth", "plan_credits", "pledge_least",
    "pledge_budget", "game_least", "prize_reward", "further_percent", "friend_least",
    "event_units", "content_units",
)  # fmt: skip
_MAKERS: Mapping[str, Callable[[AskedQuestion], forms.Field]] = {
    "text": _text,
    "units": _number(4),
    "money": _number(4),
    "percent": _number(4),
    "factor": _number(4),
    "whole_number": _whole,
    "choice": _choice,
    "icon": _choice,
    "link": _link,
    "date": _date,
    "names": lambda _asked: NamesField(required=False),
}
