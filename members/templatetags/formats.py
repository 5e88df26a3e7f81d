"""Template filters and tags that write units, money, numbers and times for the reader."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from members import formatting
from members.phones import format_phone

register = template.Library()

Number = Decimal | int | float


def _number(value: Any) -> Decimal | None:
    """Read a number leniently: a template shows a dash for what is not there."""
    try:
        return None if value is None or value == "" else Decimal(str(value))
    except InvalidOperation:
        return None


def _zone(zone: tzinfo | str | None) -> tzinfo | None:
    if isinstance(zone, str):
        return ZoneInfo(zone) if zone else None
    return zone


@register.filter
def number(value: Number | None, digits: int | None = None) -> str:
    """`{{ 1234|number }}` → 1,234; `{{ 1.5|number:2 }}` → 1.50."""
    known = _number(value)
    return "–" if known is None else formatting.format_number(known, digits=digits)


@register.filter
def listed(items: Iterable[object]) -> str:
    """`{{ names|listed }}` → Tea, Coffee."""
    return formatting.format_list(items)


@register.filter
def compact(value: Number | None) -> str:
    """`{{ 12345|compact }}` → 12.3K."""
    known = _number(value)
    return "–" if known is None else formatting.format_compact(known)


@register.filter
def percent(value: Number | None, digits: int = 1) -> str:
    """`{{ 0.123|percent }}` → 12.3%."""
    known = _number(value)
    return "–" if known is None else formatting.format_percent(known, digits=digits)


@register.filter
def hundredths(value: Number | None) -> str:
    """`{{ 40|hundredths }}` → 40%: what is counted in percent already."""
    known = _number(value)
    return "–" if known is None else formatting.format_percent(known / 100)


@register.filter
def money(value: Number | None, currency: str) -> str:
    """`{{ amount|money:"EUR" }}`: an amount in major units."""
    known = _number(value)
    return "–" if known is None else formatting.format_money(known, currency)


@register.filter
def money_minor(value: int | None, currency: str) -> str:
    """`{{ cents|money_minor:"EUR" }}`: an integer amount in minor units."""
    known = _number(value)
    return "–" if known is None else formatting.format_money_minor(int(known), currency)


@register.filter
def points(value: int | None, scale: int = 0) -> str:
    """`{{ amount|points:wallet_type.scale }}`: the bare number of units."""
    known = _number(value)
    return "–" if known is None else formatting.format_points(int(known), scale)


@register.filter
def phone(value: str) -> str:
    """`{{ customer.phone|phone }}` → +60 12-345 6789."""
    return format_phone(value) if value else ""


@register.filter
def day(value: date | datetime | None, zone: tzinfo | str | None = None) -> str | SafeString:
    """`{{ order.placed_at|day }}` or `|day:program.time_zone`."""
    if not value:
        return "–"
    text = formatting.format_day(value, _zone(zone))
    local = formatting.to_zone(value, _zone(zone)).date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), text)


@register.filter
def month(value: date | None) -> str | SafeString:
    """`{{ cohort.month|month }}`: a month by any of its days."""
    if not value:
        return "–"
    text = formatting.format_short_month(value)
    return format_html('<time datetime="{}">{}</time>', value.isoformat()[:7], text)


@register.filter
def moment(value: datetime | None, zone: tzinfo | str | None = None) -> str | SafeString:
    """`{{ entry.at|moment }}`: day and time, the full form with its zone on hover."""
    if not value:
        return "–"
    return _time(value, formatting.format_moment(value, _zone(zone)), _zone(zone))


@register.filter
def start(value: datetime, zone: tzinfo | str | None = None) -> str | SafeString:
    """`{{ rule.starts_at|start:program.time_zone }}`: from when on; a day where it is midnight."""
    return _time(value, formatting.format_start(value, _zone(zone)), _zone(zone))


@register.filter
def end(value: datetime, zone: tzinfo | str | None = None) -> str | SafeString:
    """`{{ rule.ends_at|end:program.time_zone }}`: until when; the last day where it is midnight."""
    return _time(value, formatting.format_end(value, _zone(zone)), _zone(zone))


@register.filter
def moment_until(value: datetime, last: datetime) -> str | SafeString:
    """`{{ event.starts_at|moment_until:event.ends_at }}`: a day once where both are on it."""
    return _time(value, formatting.format_moments(value, last), None)


@register.filter
def ago(value: datetime | None) -> str | SafeString:
    """`{{ entry.at|ago }}` → 3 hours ago, the full form on hover."""
    if not value:
        return "–"
    return _time(value, formatting.format_relative(value), None)


@register.filter
def second(value: datetime | None, zone: tzinfo | str | None = None) -> str | SafeString:
    """`{{ line.at|second }}`: day and time to the second, the full form with its zone on hover."""
    if not value:
        return "–"
    return _time(value, formatting.format_second(value, _zone(zone)), _zone(zone))


@register.filter
def duration(value: timedelta | None) -> str:
    """`{{ job.took|duration }}` → 3 minutes."""
    return "–" if value is None else formatting.format_duration(value)


def _time(value: datetime, text: str, zone: tzinfo | None) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        formatting.to_zone(value, zone).isoformat(),
        formatting.format_full_moment(value, zone),
        text,
    )


@register.simple_tag
def units(amount: int, wallet_type: formatting.UnitNames, sign: bool = False) -> str:
    """`{% units balance wallet_type %}` → 1,250 Beans."""
    return formatting.format_units(amount, wallet_type, sign=sign)


@register.simple_tag
def amount_units(
    amount: int, wallet_type: formatting.UnitNames, sign: bool = True
) -> SafeString | str:
    """`{% amount_units movement wallet_type %}`: signed, and colored by direction."""
    direction = "plus" if amount > 0 else "minus" if amount < 0 else "zero"
    return format_html(
        '<span class="amount amount-{}">{}</span>',
        direction,
        formatting.format_units(amount, wallet_type, sign=sign),
    )
