"""Amounts and days as people's systems write them: 1.234,50 € is a number, 31.03.2026 is a day."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Literal

Mark = Literal[".", ","]
DayOrder = Literal["ymd", "dmy", "mdy"]

_AROUND = re.compile(r"[^\d.,+\-()]")
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,10})?").fullmatch
_LAST_MARK = re.compile(r"([.,])(\d+)\D*$").search
_GROUPED = re.compile(r"\d{1,3}(([.,])\d{3})(\2\d{3})*").fullmatch
_DAY = re.compile(
    r"(\d{1,4})[./-](\d{1,2}|[A-Za-z]{3,9})[./-](\d{1,4})"
    r"(?:,?[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)? ?([AaPp])?\.?[Mm]?\.?"
    r" ?(Z|UTC|[+-]\d{2}:?\d{2})?)?"
).fullmatch
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def amount(text: str, mark: Mark) -> Decimal | None:
    """An amount with the mark before its decimals; None where there is none to read."""
    if mark == "." and _NUMBER(text):  # as nearly all are
        return Decimal(text)
    bare = _AROUND.sub("", text.strip().rstrip("."))
    negative = bare.startswith("(") and bare.endswith(")")
    bare = bare.strip("()")
    if bare.endswith("-"):  # as bookkeeping has it
        bare = f"-{bare[:-1]}"
    bare = bare.replace("," if mark == "." else ".", "").replace(",", ".")
    if not _NUMBER(bare):
        return None
    try:
        return -Decimal(bare) if negative else Decimal(bare)
    except InvalidOperation:  # pragma: no cover (the pattern admits numbers only)
        return None


def is_amount(text: str) -> bool:
    """Whether it is a number with hardly anything beside it: “€ 12,50”, not “Table 12”."""
    letters = sum(char.isalpha() for char in text)
    return letters <= 3 and (amount(text, ".") is not None or amount(text, ",") is not None)


def decimal_mark(texts: Iterable[str], *, otherwise: Mark = ".") -> Mark:
    """Which mark the amounts of a file have before their decimals. “1,234” alone says nothing."""
    said: Counter[str] = Counter()
    for text in texts:
        last = _LAST_MARK(text)
        if last is None:
            continue
        bare = _AROUND.sub("", text).strip("+-()")
        if text.count(last[1]) > 1:  # 1.234.567
            said["," if last[1] == "." else "."] += 1
        elif not _GROUPED(bare):
            said[last[1]] += 1
    if not said:
        return otherwise
    return "," if said[","] > said["."] else "."


def moment(text: str, order: DayOrder) -> dt.datetime | None:
    """A time, naive where the text has no offset; None where there is none to read."""
    found = _DAY(text.strip())
    if found is None:
        return None
    first, second, third, hour, minute, seconds, half, offset = found.groups()
    parts = _in_order(first, _month(second), third, order)
    if parts is None:
        return None
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half in "pP" else 0)
    try:
        at = dt.datetime(*parts, hours, int(minute or 0), int(seconds or 0))  # noqa: DTZ001
        return at.replace(tzinfo=_zone(offset)) if offset else at
    except ValueError:
        return None


def day_order(texts: Iterable[str]) -> DayOrder:
    """Whether days come first or months: a number above twelve shows it, and dots say days."""
    first_high = second_high = 0
    dotted = False
    for text in texts:
        found = _DAY(text.strip())
        if found is None:
            continue
        if len(found[1]) == 4:
            return "ymd"
        dotted = dotted or "." in text[: found.end(3)]
        first_high += int(found[1]) > 12
        second_high += found[2].isdigit() and int(found[2]) > 12
    if second_high > first_high:
        return "mdy"
    return "dmy" if first_high or dotted else "mdy"


def is_day(text: str) -> bool:
    return any(moment(text, order) is not None for order in ("ymd", "dmy", "mdy"))


def _month(text: str) -> str:
    if text.isdigit():
        return text
    known = text[:3].lower()
    return str(MONTHS.index(known) + 1) if known in MONTHS else "0"


def _in_order(first: str, second: str, third: str, order: DayOrder) -> tuple[int, int, int] | None:
    if len(first) == 4:  # whatever the others are: a year comes first in no other way
        return int(first), int(second), int(third)
    if order == "ymd" or len(third) not in {2, 4}:
        return None
    year = int(third) + (2000 if len(third) == 2 else 0)
    day, month = (first, second) if order == "dmy" else (second, first)
    return year, int(month), int(day)


def _zone(offset: str) -> dt.tzinfo:
    if offset in {"Z", "UTC"}:
        return dt.UTC
    sign = -1 if offset[0] == "-" else 1
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    return dt.timezone(sign * dt.timedelta(hours=hours, minutes=minutes))
