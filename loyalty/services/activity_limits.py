"""How often activities of a type count for one person. The person is locked by the caller, so two
at once do not exceed a limit."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Activity, ActivityType
from loyalty.rules.calendar import add_months, period_start, start_of_day
from members.formatting import format_number
from members.selectors.merchants import get_merchant


def why_over_limit(
    kind: ActivityType, customer_id: int, subject: str, occurred_at: dt.datetime
) -> str:
    """Which limit a further activity would exceed, in words; empty: none. Activities that wait use
    up limits, those that were rejected or taken back do not."""
    theirs = Activity.objects.filter(
        customer=customer_id, type=kind, state__in=Activity.COUNTED
    ).order_by()
    if kind.once_per_subject and theirs.filter(subject=subject).exists():
        return _("It counts once for the same subject.")
    if kind.most is not None and _in_period(theirs, kind.period, occurred_at) >= kind.most:
        return _words(kind)
    return ""


def _in_period(theirs: QuerySet[Activity], period: str, at: dt.datetime) -> int:
    if period == ActivityType.Period.EVER:
        return theirs.count()
    zone = zoneinfo.ZoneInfo(get_merchant().time_zone)
    first = period_start(period, at, zone)
    later = {
        "day": first + dt.timedelta(days=1),
        "week": first + dt.timedelta(days=7),
        "month": add_months(first, 1),
    }[period]
    return theirs.filter(
        occurred_at__gte=start_of_day(first, zone), occurred_at__lt=start_of_day(later, zone)
    ).count()


def _words(kind: ActivityType) -> str:
    most = kind.most or 0
    words = {
        "day": ngettext("It counts %s time a day.", "It counts %s times a day.", most),
        "week": ngettext("It counts %s time a week.", "It counts %s times a week.", most),
        "month": ngettext("It counts %s time a month.", "It counts %s times a month.", most),
        "ever": ngettext("It counts %s time.", "It counts %s times.", most),
    }
    return words[kind.period] % format_number(most)
