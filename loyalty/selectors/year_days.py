"""A day of a member's year: which one it is, and why nothing was given for it, whatever that would
have been: units by a rule, or a reward."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.models import Absence, Membership, Order
from loyalty.rules.anniversaries import APART, MISSED, DueDay, due_days
from loyalty.rules.calendar import end_of_day, start_of_day
from members.audit import target_of
from members.formatting import format_day
from members.models import AuditEntry, Customer

OCCASIONS = {
    "birthday": gettext_lazy("Birthday"),
    "enrollment": gettext_lazy("Day of joining"),
    "first_purchase": gettext_lazy("Day of the first purchase"),
}
# More than a year, so that every day of the year is in it, also February 29.
YEAR = 370


@dataclass(frozen=True, slots=True)
class YearDay:
    """One day of the year before one member, and so many days ahead of it. `kept`: the days for
    which they were looked at."""

    on: str
    days_before: int
    member: Membership
    zone: zoneinfo.ZoneInfo
    since: dt.date | None
    told_at: dt.datetime | None
    absences: tuple[Absence, ...]
    kept: tuple[dt.date, ...]
    now: dt.datetime

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(self.zone).date()

    def day_of(self, at: dt.datetime) -> str:
        return format_day(at.astimezone(self.zone).date())

    def days(self, first: dt.date, last: dt.date) -> list[DueDay]:
        """Theirs, from the first time on that it is kept."""
        since = self.since
        if since is None:
            return []
        key = since.month * 100 + since.day
        found = due_days(first, last, self.days_before)
        return [due for due in found if key in due.keys and due.day > since]

    def last_day(self) -> DueDay | None:
        found = self.days(self.today - dt.timedelta(days=YEAR), self.today)
        return found[-1] if found else None

    def coming(self) -> str:
        """The next one, if all stays as it is."""
        if self.member.status != Membership.Status.ACTIVE:
            return ""
        ahead = self.days(
            self.today + dt.timedelta(days=1), self.today + dt.timedelta(days=2 * YEAR)
        )
        free = (due for due in ahead if not any(is_same_day(day, due) for day in self.kept))
        due = next(free, None)
        if due is None:
            return ""
        if due.day == due.given_on:
            return _("Next: %s.") % format_day(due.given_on)
        return _("Next: %(given)s, for %(day)s.") % {
            "given": format_day(due.given_on),
            "day": format_day(due.day),
        }


def is_same_day(day: dt.date, due: DueDay) -> bool:
    """Days so near to each other are the same one, corrected."""
    return abs((day - due.day).days) < APART


class Kept(Protocol):
    """What is known of one day for which a member was looked at."""

    @property
    def day(self) -> dt.date: ...
    @property
    def recorded_at(self) -> dt.datetime: ...


K = TypeVar("K", bound=Kept)


def said_of(
    year: YearDay, kept: Iterable[K], tell: Callable[[DueDay, K], tuple[bool, str]],
    reasons: Iterable[Callable[[DueDay], str]],
) -> tuple[bool, str]:  # fmt: skip
    """Whether something was given for the last such day, and a sentence: what `tell` says of what
    was kept last of it, or else the first of the reasons that has something to say."""
    if year.since is None:
        return False, unknown(year)
    due = year.last_day()
    if due is None:
        return False, _("The first one is still to come.")
    near = [one for one in kept if is_same_day(one.day, due)]
    if near:
        return tell(due, max(near, key=lambda one: one.recorded_at))
    return False, next(filter(None, (why(due) for why in reasons)))


@dataclass(frozen=True, slots=True)
class YearFacts:
    """What is known of the person and of all their memberships."""

    customer: Customer
    first_purchase: dt.datetime | None
    told_at: dt.datetime | None
    absences: dict[int, list[Absence]]

    @classmethod
    def of(cls, customer: Customer, members: Sequence[Membership]) -> YearFacts:
        absences: dict[int, list[Absence]] = defaultdict(list)
        for absence in Absence.objects.filter(membership__in=members):
            absences[absence.membership_id].append(absence)
        bought = Order.objects.filter(customer=customer).exclude(status__in=Order.VOID)
        told = AuditEntry.objects.filter(
            target=target_of(customer), after__has_key="birthday"
        ).order_by("-pk")
        return cls(
            customer, bought.aggregate(first=Min("placed_at"))["first"],
            told.values_list("at", flat=True).first(), absences,
        )  # fmt: skip

    def day(
        self, on: str, days_before: int, member: Membership, kept: Sequence[dt.date],
        now: dt.datetime,
    ) -> YearDay:  # fmt: skip
        zone = member.program.zone
        since = self.customer.birthday
        if on != "birthday":
            at = member.enrolled_at if on == "enrollment" else self.first_purchase
            since = at.astimezone(zone).date() if at is not None else None
        return YearDay(
            on, days_before, member, zone, since, self.told_at,
            tuple(self.absences[member.pk]), tuple(kept), now,
        )  # fmt: skip


def unknown(case: YearDay) -> str:
    if case.on == "birthday":
        return _("No birthday is known. They can tell it on their page, once, or you note it here.")
    return _("They have not bought anything yet.")


def not_active(case: YearDay) -> str:
    if case.member.status == Membership.Status.ACTIVE:
        return ""
    return _("The membership is not active: nothing is given meanwhile.")


def joined_later(case: YearDay, due: DueDay) -> str:
    if case.member.enrolled_at < end_of_day(due.given_on, case.zone):
        return ""
    return _("They joined on %(joined)s, after %(day)s, when it was given.") % {
        "joined": case.day_of(case.member.enrolled_at),
        "day": format_day(due.given_on),
    }


def absent(case: YearDay, due: DueDay) -> str:
    at = max(start_of_day(due.given_on, case.zone), case.member.enrolled_at)
    for span in case.absences:
        if span.began_at <= at and (span.ended_at is None or span.ended_at > at):
            return _("They took no part on %s: they were suspended, or had left.") % format_day(
                due.given_on
            )
    return ""


def still_coming(case: YearDay, due: DueDay) -> str:
    if (case.today - due.given_on).days > MISSED:
        return ""
    return _("It is due since %s, and comes within the hour.") % format_day(due.given_on)


def told_late(case: YearDay, due: DueDay) -> str:
    words = {"day": format_day(due.given_on), "days": MISSED}
    last = end_of_day(due.given_on + dt.timedelta(days=MISSED), case.zone)
    if case.on == "birthday" and case.told_at is not None and case.told_at > last:
        words["told"] = case.day_of(case.told_at)
        return (
            _(
                "The birthday was told on %(told)s. It was due on %(day)s, and is given for at most"
                " %(days)s days after that."
            )
            % words
        )
    return _("It was due on %(day)s, and was not given within %(days)s days of it.") % words
