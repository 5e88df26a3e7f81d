"""What can be asked of a field, by its type; in Python and in the database, with the same answer.

What is not known (no birthday, no order yet, an empty country) answers no to every question but
"is empty" and those that ask for something else (`is_not`, `none_of`, `has_none`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Literal

from django.db.models import DateField, DecimalField, IntegerField, Q, Transform, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.conditions import values
from members.conditions.moments import Moment, days_of_month, month_days

Takes = Literal["nothing", "one", "many", "range", "days"]
TestOf = Callable[[Any, Any, Moment], bool]
QueryOf = Callable[[str, Any, Moment], Q]


@DateField.register_lookup
class MonthDay(Transform):
    """A date's place in the year: month × 100 + day."""

    lookup_name = "month_day"
    template = (
        "(EXTRACT(MONTH FROM %(expressions)s) * 100 + EXTRACT(DAY FROM %(expressions)s))::int"
    )
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class Operator:
    """A question; in the label of one about days `%s` is their number. `test` is given a known
    value, what it is compared with and the moment; `query` the column instead of the value.
    `unknown`: the answer where nothing is known. `timeless`: the test without the moment, where
    that does not matter."""

    code: str
    label: Promise
    takes: Takes
    test: TestOf
    query: QueryOf
    unknown: bool = False
    timeless: Callable[[Any, Any], bool] | None = None

    @property
    def name(self) -> str:
        """To pick it from a list."""
        return str(self.label).replace("%s", "…")


def _lookup(name: str) -> QueryOf:
    return lambda column, operand, _moment: Q(**{f"{column}__{name}": _uncut(operand)})


def _uncut(operand: Any) -> Any:
    """A column of whole numbers would cut 8.5 to 8. What has no fraction stays as it is, so that an
    index is used."""
    if isinstance(operand, tuple):
        return tuple(map(_uncut, operand))
    if isinstance(operand, Decimal) and operand != operand.to_integral_value():
        return Value(operand, output_field=DecimalField())
    return operand


def _not(query: QueryOf) -> QueryOf:
    return lambda column, operand, moment: ~query(column, operand, moment)


def _plain(
    code: str, label: Promise, takes: Takes, test: Callable[[Any, Any], bool], query: QueryOf,
    *, unknown: bool = False,
) -> Operator:  # fmt: skip
    """A question to which the moment does not matter."""
    return Operator(
        code, label, takes, lambda value, operand, _moment: test(value, operand), query, unknown,
        test,
    )  # fmt: skip


_IS = _plain(
    "is", _("is"), "one", eq, _lookup("exact"),
)  # fmt: skip
_IS_NOT = _plain(
    "is_not", _("is not"), "one", ne, _not(_lookup("exact")), unknown=True,
)  # fmt: skip
_ONE_OF = _plain(
    "one_of", _("is one of"), "many",
    lambda value, operand: value in operand, _lookup("in"),
)  # fmt: skip
_NONE_OF = _plain(
    "none_of", _("is none of"), "many",
    lambda value, operand: value not in operand, _not(_lookup("in")), unknown=True,
)  # fmt: skip
_EMPTY = Operator(
    "empty", _("is not known"), "nothing",
    lambda _value, _operand, _moment: False, lambda _column, _operand, _moment: Q(pk__in=()),
    unknown=True,
)  # fmt: skip
_NOT_EMPTY = Operator(
    "not_empty", _("is known"), "nothing",
    lambda _value, _operand, _moment: True, lambda _column, _operand, _moment: Q(),
)  # fmt: skip

_TEXTS = (
    _IS, _IS_NOT, _ONE_OF, _NONE_OF,
    Operator(
        "starts_with", _("starts with"), "one",
        lambda value, operand, _moment: value.startswith(operand), _lookup("startswith"),
    ),
    Operator(
        "contains", _("contains"), "one",
        lambda value, operand, _moment: operand in value, _lookup("contains"),
    ),
    _EMPTY, _NOT_EMPTY,
)  # fmt: skip

_NUMBERS = (
    _plain(
        "at_least", _("is at least"), "one", ge, _lookup("gte"),
    ),
    _plain(
        "more_than", _("is more than"), "one", gt, _lookup("gt"),
    ),
    _plain(
        "at_most", _("is at most"), "one", le, _lookup("lte"),
    ),
    _plain(
        "less_than", _("is less than"), "one", lt, _lookup("lt"),
    ),
    Operator(
        "between", _("is between"), "range",
        lambda value, operand, _moment: bool(operand[0] <= value <= operand[1]), _lookup("range"),
    ),
    _IS, _IS_NOT, _EMPTY, _NOT_EMPTY,
)  # fmt: skip


def _in_days(
    first: Callable[[Any, Moment], dt.date | None], last: Callable[[Any, Moment], dt.date | None],
    *, instants: bool,
) -> tuple[TestOf, QueryOf]:  # fmt: skip
    """Whether a day, or the day of an instant, is in [first, last]; None: without an end."""

    def test(value: Any, operand: Any, moment: Moment) -> bool:
        day = moment.day_of(value) if instants else value
        begins, ends = first(operand, moment), last(operand, moment)
        return (begins is None or begins <= day) and (ends is None or day <= ends)

    def query(column: str, operand: Any, moment: Moment) -> Q:
        begins, ends = first(operand, moment), last(operand, moment)
        found = Q()
        if begins is not None:
            found &= Q(**{f"{column}__gte": moment.start_of(begins) if instants else begins})
        if ends is not None and instants:
            found &= Q(**{f"{column}__lt": moment.start_of(ends + dt.timedelta(days=1))})
        elif ends is not None:
            found &= Q(**{f"{column}__lte": ends})
        return found

    return test, query


def _dates(*, instants: bool) -> tuple[Operator, ...]:
    def ranged(
        code: str, label: Promise, takes: Takes,
        first: Callable[[Any, Moment], dt.date | None],
        last: Callable[[Any, Moment], dt.date | None],
    ) -> Operator:  # fmt: skip
        return Operator(code, label, takes, *_in_days(first, last, instants=instants))

    one_day = dt.timedelta(days=1)
    return (
        ranged("in_last_days", _("is in the last %s days"), "days",
               lambda days, moment: moment.day(-days), lambda _days, moment: moment.today),
        ranged("before_last_days", _("is longer ago than %s days"), "days",
               lambda _days, _moment: None, lambda days, moment: moment.day(-days - 1)),
        ranged("in_next_days", _("is in the next %s days"), "days",
               lambda _days, moment: moment.today, lambda days, moment: moment.day(days)),
        ranged("on", _("is on"), "one", lambda day, _moment: day, lambda day, _moment: day),
        ranged("on_or_after", _("is on or after"), "one",
               lambda day, _moment: day, lambda _day, _moment: None),
        ranged("before", _("is before"), "one",
               lambda _day, _moment: None, lambda day, _moment: day - one_day),
        ranged("between", _("is between"), "range",
               lambda days, _moment: days[0], lambda days, _moment: days[1]),
        _EMPTY, _NOT_EMPTY,
    )  # fmt: skip


def _yearly(
    code: str, label: Promise, takes: Takes, chosen: Callable[[Any, Moment], frozenset[int]]
) -> Operator:
    return Operator(
        code, label, takes,
        lambda day, operand, moment: day.month * 100 + day.day in chosen(operand, moment),
        lambda column, operand, moment: Q(
            **{f"{column}__month_day__in": sorted(chosen(operand, moment))}
        ),
    )  # fmt: skip


_ANNIVERSARIES = (
    _yearly("today", _("is today"), "nothing",
            lambda _operand, moment: month_days(moment.today, moment.today)),
    _yearly("this_month", _("is this month"), "nothing",
            lambda _operand, moment: days_of_month(moment.today)),
    _yearly("in_next_days", _("is in the next %s days"), "days",
            lambda days, moment: month_days(moment.today, moment.day(days))),
    _yearly("in_last_days", _("was in the last %s days"), "days",
            lambda days, moment: month_days(moment.day(-days), moment.today)),
    _EMPTY, _NOT_EMPTY,
)  # fmt: skip

# What is held is a text that knows what it has `reached`; the database's answer is the field's own.
_TIERS = (
    _IS, _IS_NOT,
    Operator(
        "at_least", _("is at least"), "one",
        lambda value, operand, _moment: operand in value.reached, _lookup("exact"),
    ),
    _ONE_OF, _NONE_OF, _EMPTY, _NOT_EMPTY,
)  # fmt: skip

# An empty list is known to be empty: nothing here is unknown. Lists are named in the plural.
_LISTS = (
    Operator(
        "has_any", _("include one of"), "many",
        lambda value, operand, _moment: not operand.isdisjoint(value),
        lambda column, operand, _moment: Q(**{f"{column}__overlap": sorted(operand)}),
    ),
    Operator(
        "has_all", _("include all of"), "many",
        lambda value, operand, _moment: operand.issubset(value),
        lambda column, operand, _moment: Q(**{f"{column}__contains": sorted(operand)}),
    ),
    Operator(
        "has_none", _("include none of"), "many",
        lambda value, operand, _moment: operand.isdisjoint(value),
        lambda column, operand, _moment: ~Q(**{f"{column}__overlap": sorted(operand)}),
        unknown=True,
    ),
    Operator(
        "empty", _("are empty"), "nothing",
        lambda value, _operand, _moment: not value,
        lambda column, _operand, _moment: Q(**{f"{column}__len": 0}),
        unknown=True,
    ),
    Operator(
        "not_empty", _("are not empty"), "nothing",
        lambda value, _operand, _moment: bool(value),
        lambda column, _operand, _moment: Q(**{f"{column}__len__gt": 0}),
    ),
)  # fmt: skip

_CLOCKS = (
    # From 22:00 to 02:00 goes over midnight; the end itself is not in it.
    Operator(
        "between", _("is between"), "range",
        lambda value, operand, _moment: (
            operand[0] <= value < operand[1]
            if operand[0] <= operand[1]
            else value >= operand[0] or value < operand[1]
        ),
        _lookup("range"),
    ),
)  # fmt: skip

_FLAGS = (
    Operator("yes", _("is so"), "nothing", lambda value, _operand, _moment: bool(value),
             lambda column, _operand, _moment: Q(**{column: True})),
    Operator("no", _("is not so"), "nothing", lambda value, _operand, _moment: not value,
             lambda column, _operand, _moment: Q(**{column: False}), unknown=True),
)  # fmt: skip

_OPERATORS: Mapping[str, tuple[Operator, ...]] = {
    values.TEXT.code: _TEXTS,
    values.NUMBER.code: _NUMBERS,
    values.MONEY.code: _NUMBERS,
    values.SHARE.code: _NUMBERS,
    values.TIER.code: _TIERS,
    values.LIST.code: _LISTS,
    values.DAY.code: _dates(instants=False),
    values.INSTANT.code: _dates(instants=True),
    values.ANNIVERSARY.code: _ANNIVERSARIES,
    values.WEEKDAY.code: (_ONE_OF, _NONE_OF),
    values.CLOCK.code: _CLOCKS,
    values.YES_NO.code: _FLAGS,
}


def operators_of(kind: values.ValueType) -> tuple[Operator, ...]:
    return _OPERATORS[kind.code]


def operator_named(kind: values.ValueType, code: object) -> Operator | None:
    return next((found for found in operators_of(kind) if found.code == code), None)


def is_unknown(value: Any) -> bool:
    """Whether there is nothing to compare: NULL, or a text without content."""
    return value is None or value == ""


def unknown_query(kind: values.ValueType, column: str) -> Q:
    """Rows in which nothing is known."""
    found = Q(**{f"{column}__isnull": True})
    return found | Q(**{column: ""}) if kind is values.TEXT else found


def compared(kind: values.ValueType, operator: Operator, raw: Any) -> Any:
    """What a condition compares with, read by the operator's own shape. Raises ValueError."""
    match operator.takes:
        case "nothing":
            if raw is not None:
                raise ValueError(_("This question takes no value."))
            return None
        case "days":
            return values.days(raw)
        case "many":
            return _many(kind, raw)
        case "range":
            return _range(kind, raw)
    return kind.parse(raw)


def _many(kind: values.ValueType, raw: Any) -> frozenset[Any]:
    if not isinstance(raw, list | tuple | set | frozenset) or not raw:
        raise ValueError(_("Write a list with at least one value."))
    if len(raw) > values.LONGEST_LIST:
        raise ValueError(
            _("At most %(most)s values; for more, make a segment of them.")
            % {"most": values.LONGEST_LIST}
        )
    return frozenset(kind.parse(each) for each in raw)


def _range(kind: values.ValueType, raw: Any) -> tuple[Any, Any]:
    if not isinstance(raw, list | tuple) or len(raw) != 2:
        raise ValueError(_("Write a list of two values, from and to."))
    first, last = kind.parse(raw[0]), kind.parse(raw[1])
    if kind is not values.CLOCK and first > last:
        raise ValueError(_("The first value is larger than the second."))
    return first, last


def dumped(kind: values.ValueType, operator: Operator, operand: Any) -> Any:
    """What `compared` reads back."""
    match operator.takes:
        case "nothing" | "days":
            return operand
        case "many":
            return [kind.dump(each) for each in sorted(operand)]
        case "range":
            return [kind.dump(each) for each in operand]
    return kind.dump(operand)
