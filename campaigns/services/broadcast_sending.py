"""Broadcasts whose time has come: who gets it is written down in one statement, then each is
written to when it is their turn, page by page. A kill loses a page at most; the broadcast is held
while a page is worked on, and a message has the name of its reader, so nobody is told twice."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import (
    Broadcast,
    BroadcastRecipient,
    ContactPreference,
    Message,
    OccasionSetting,
)
from campaigns.news import News
from campaigns.selectors.broadcasts import audience_of, is_waiting, words_in_use, zone_of
from campaigns.services.broadcast_occasion import BROADCAST, occasion_of
from campaigns.services.broadcast_waiting import has_unsettled, settle_waiting
from campaigns.services.broadcasts import told_clock
from campaigns.services.messages import home_of, write_messages
from campaigns.time_zones import choose_zone
from campaigns.wording import read_wording
from loyalty.models import Membership
from loyalty.rules.calendar import localize
from members.formatting import format_number
from members.jobs import Work
from members.models import Customer, Job
from members.selectors.erased import erased_among
from members.selectors.merges import current
from members.services.interruptions import is_interruption
from members.services.job_runs import Step, run_in_chunks
from members.services.transactions import is_lost_race

KIND = "broadcasts"
DATED, TOLD = 1_000, 100
# A little less than until the next run.
RUNS_FOR = dt.timedelta(seconds=50)
# A page that loses so often in a row does not lose to others. Fewer than it is begun again.
RACES = 3
STOPPED_LATELY = dt.timedelta(days=2)
Status = Broadcast.Status
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """What a piece of work did: so many are to be told, so many had their turn, so many messages
    were written."""

    begun: int = 0
    done: int = 0
    told: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """What went wrong in this run, by broadcast, and how often in a row a page was lost; and those
    that had nothing to do in that state, which are not asked again before the next run."""

    broken: dict[int, Exception] = field(default_factory=dict)
    races: Counter[int] = field(default_factory=Counter)
    idle: set[tuple[int, str]] = field(default_factory=set)


def find_broadcasts(now: dt.datetime) -> Work | None:
    """Nothing where nothing is due."""
    if not any(_has_work(row, now) for row in _going(now)):
        return None
    # Always the same work: while one run is at it, no other begins.
    return Work(_("Broadcasts"), params={"now": now.isoformat()})


def run_broadcasts(job_id: int) -> Job | None:
    """They take turns, a page each; None when another run has it. One that breaks is passed over,
    and the run fails once it has done what it can of the others."""
    return run_in_chunks(job_id, partial(_advance, Run()))


def broadcast_words(job: Job) -> str:
    told = job.result.get("told", 0)
    words = ngettext("%s member was told.", "%s members were told.", told)
    return words % format_number(told)


def _going(now: dt.datetime) -> QuerySet[Broadcast]:
    """Of those that were stopped lately something may wait; a sender drops what comes back later
    still."""
    open_ones = Q(status__in=[Status.SCHEDULED, Status.SENDING, Status.PAUSED])
    stopped = Q(status=Status.STOPPED, ended_at__gte=now - STOPPED_LATELY)
    return Broadcast.objects.filter(open_ones | stopped).select_related("program")


def _has_work(row: Broadcast, now: dt.datetime) -> bool:
    if row.status == Status.SCHEDULED:
        return row.begins_at is not None and row.begins_at <= now
    if has_unsettled(row):
        return True
    if row.status != Status.SENDING:
        return False
    return _undated(row).exists() or _due(row, now).exists() or _is_over(row)


def _advance(run: Run, job: Job) -> Step | None:
    now = dt.datetime.fromisoformat(job.params["now"])
    found = None if _ran_long(job) else _next(job.checkpoint.get("broadcast", 0), run, now)
    if found is None:
        for error in run.broken.values():
            raise error
        return None
    told, done, total = job.result.get("told", 0), job.done, job.total
    try:
        with transaction.atomic():
            step = _go_on(found, now)
    except Exception as error:
        run.races[found.pk] += 1
        lost = is_lost_race(error) and run.races[found.pk] < RACES
        if lost or is_interruption(error):
            raise
        # Without what was said: it may name somebody.
        logger.error("broadcast %s is passed over: %s", found.pk, type(error).__name__)
        run.broken[found.pk], step = error, Page()
    else:
        run.races.pop(found.pk, None)
    return Step(
        checkpoint={"broadcast": found.pk}, done=done + step.done, total=total + step.begun,
        result={"told": told + step.told},
    )  # fmt: skip


def _ran_long(job: Job) -> bool:
    """The next run knows what is due by then."""
    return job.started_at is not None and timezone.now() - job.started_at >= RUNS_FOR


def _next(last: int, run: Run, now: dt.datetime) -> Broadcast | None:
    """Whose turn it is after this one."""
    for row in sorted(_going(now), key=lambda row: (row.pk <= last, row.pk)):
        if row.pk in run.broken or (row.pk, row.status) in run.idle:
            continue
        if _has_work(row, now):
            return row
        run.idle.add((row.pk, row.status))
    return None


def _go_on(found: Broadcast, now: dt.datetime) -> Page:
    # As it is once nobody else changes it.
    row = Broadcast.objects.select_for_update(of=("self",)).get(pk=found.pk)
    if not _has_work(row, now):
        return Page()
    if row.status == Status.SCHEDULED:
        return Page(begun=_begin(row, now))
    if settle_waiting(row, now):
        return Page()
    if _undated(row).exists():
        _date(row)
    elif page := list(_due(row, now)[:TOLD]):
        return Page(told=_tell(row, page, now), done=len(page))
    else:
        row.status, row.ended_at = Status.SENT, now
        row.save(update_fields=["status", "ended_at"])
    return Page()


def _begin(row: Broadcast, now: dt.datetime) -> int:
    """Who is in its audience, and who of them is kept aside: in one statement, however many they
    are. Returns how many are to be told."""
    row.status, row.begun_at = Status.SENDING, now
    row.save(update_fields=["status", "begun_at"])
    member = "pk" if row.program_id else None
    names = ["person", "drawn", *([member] if member else [])]
    found, values = audience_of(row, now).order_by().values_list(*names).query.sql_with_params()
    columns = "person, drawn, member" if member else "person, drawn"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_broadcastrecipient"
            " (broadcast_id, customer_id, membership_id, held_out, due_at, untold)"
            f" SELECT %s, x.person, {'x.member' if member else 'NULL::bigint'}, x.drawn < %s,"
            f" %s::timestamptz, '' FROM ({found}) AS x({columns}) ON CONFLICT DO NOTHING",
            [row.pk, row.holdout, None if row.by_member_clock else now, *values],
        )
    return row.recipients.filter(held_out=False).count()


def _undated(row: Broadcast) -> QuerySet[BroadcastRecipient]:
    return BroadcastRecipient.objects.filter(broadcast=row, due_at=None)


def _due(row: Broadcast, now: dt.datetime) -> QuerySet[BroadcastRecipient]:
    rows = BroadcastRecipient.objects.filter(
        broadcast=row, held_out=False, settled_at=None, due_at__lte=now
    )
    return _with_people(rows)


def _with_people(rows: QuerySet[BroadcastRecipient]) -> QuerySet[BroadcastRecipient]:
    return rows.select_related(
        "customer__merged_into", "membership__program", "membership__merged_into__program"
    ).order_by("due_at", "pk")


def _is_over(row: Broadcast) -> bool:
    """Whether everybody had their turn, and nothing waits to go out any more."""
    unsettled = Q(held_out=False, settled_at=None)
    return not row.recipients.filter(unsettled).exists() and not is_waiting(row)


def _date(row: Broadcast) -> None:
    """When the next of them have the time on their own clocks."""
    shown, zone = told_clock(row), str(zone_of(row))
    page = list(_undated(row).select_related("customer").order_by("pk")[:DATED])
    people = [item.customer_id for item in page]
    chosen = dict(
        ContactPreference.objects.filter(customer__in=people).values_list(
            "customer_id", "time_zone"
        )
    )
    for item in page:
        theirs = choose_zone(
            said=chosen.get(item.customer_id, ""), country=item.customer.country, otherwise=zone
        )
        item.due_at = localize(shown, theirs)
    BroadcastRecipient.objects.bulk_update(page, ["due_at"])


def _tell(row: Broadcast, page: Sequence[BroadcastRecipient], now: dt.datetime) -> int:
    """Returns how many messages were written."""
    page = _held(page)
    gone = erased_among(current(item.customer) for item in page)
    one_with = _one_with_another(row, page)
    for item in page:
        item.settled_at = now
        item.untold = _why_not(item, gone) or one_with.get(current(item.customer).pk, "")
    told = [item for item in page if not item.untold]
    named = _named_variables(row)
    setting = OccasionSetting(
        code=BROADCAST.code, channels=row.channels, only_first=row.only_first, topic=row.topic
    )
    news = [_news(item, now, says_more=named) for item in told]
    written = write_messages(occasion=occasion_of(row), setting=setting, news=news, now=now)
    BroadcastRecipient.objects.bulk_update(page, ["settled_at", "untold"])
    return len(written)


def _held(page: Sequence[BroadcastRecipient]) -> list[BroadcastRecipient]:
    """As they are once nobody is merged or erased any more until they were told."""
    people = Customer.objects.select_for_update(of=("self",)).filter(
        pk__in=[item.customer_id for item in page]
    )
    list(people.order_by("pk"))
    return list(
        _with_people(BroadcastRecipient.objects.filter(pk__in=[item.pk for item in page]))
    )  # fmt: skip


def _one_with_another(row: Broadcast, page: Sequence[BroadcastRecipient]) -> dict[int, str]:
    """Who has become one, since it began, with somebody who was told or is kept aside."""
    people = {current(item.customer).pk for item in page}
    told = Message.objects.filter(occasion=row.occasion, customer__in=people)
    aside = row.recipients.filter(
        Q(customer__in=people) | Q(customer__merged_into__in=people), held_out=True
    ).annotate(person=Coalesce("customer__merged_into", "customer"))
    return {
        **dict.fromkeys(told.values_list("customer", flat=True), "told_already"),
        **dict.fromkeys(aside.values_list("person", flat=True), "kept_aside"),
    }


def _why_not(item: BroadcastRecipient, gone: set[int]) -> str:
    """Who left since it began is told nothing, and nobody is told in place of who was erased."""
    if current(item.customer).pk in gone:
        return "erased"
    member = _member(item)
    if member is not None and member.status != Membership.Status.ACTIVE:
        return "not_member"
    return ""


def _member(item: BroadcastRecipient) -> Membership | None:
    return item.membership and (item.membership.merged_into or item.membership)


def _news(item: BroadcastRecipient, now: dt.datetime, *, says_more: bool) -> News:
    """Two who became one meanwhile are one."""
    person: Customer = current(item.customer)
    member = _member(item)
    values: Any = dict
    if member is not None and says_more and BROADCAST.values_now is not None:
        values = partial(BROADCAST.values_now, member, now)
    return News(
        customer=person, membership=member, occurrence=str(person.pk), values=values,
        link=home_of(member) if member else "",
    )  # fmt: skip


def _named_variables(row: Broadcast) -> bool:
    """Whether its words say more than who somebody is: that takes queries for each member."""
    known = {variable.name for variable in BROADCAST.variables}
    texts = (text for version in words_in_use(row)
             for text in (version.subject, version.body, version.text,
                          *version.approved.get("values", ())))  # fmt: skip
    return any(read_wording(text).names & known for text in texts)
