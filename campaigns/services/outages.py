"""A provider that is down is left alone: what waits for it stays as it is, and one message now and
then finds out whether it is back."""

from __future__ import annotations

import datetime as dt
import logging

from django.db import transaction
from django.db.models import F

from campaigns.models import ChannelOutage
from members.prepared import KeptQuery

logger = logging.getLogger(__name__)

FIRST_PAUSE = dt.timedelta(seconds=15)
LONGEST_PAUSE = dt.timedelta(minutes=5)
# As long nobody else tries, while one does.
PROBE = dt.timedelta(minutes=1)
_OUTAGE: KeptQuery[ChannelOutage] = KeptQuery(
    lambda channel: ChannelOutage.objects.filter(pk=channel)
)


def outage_of(channel: str) -> ChannelOutage | None:
    return _OUTAGE.first(channel)


def is_my_turn(channel: str, now: dt.datetime) -> bool:
    """Whether this worker may find out; locked, so that nobody else does at the same time."""
    rows = ChannelOutage.objects.select_for_update(skip_locked=True)
    return rows.filter(pk=channel, retry_at__lte=now).first() is not None


def take_turn(channel: str, now: dt.datetime) -> None:
    """One is tried now. Nobody else tries for a while."""
    ChannelOutage.objects.filter(pk=channel).update(retry_at=now + PROBE)


def give_turn_back(channel: str, now: dt.datetime) -> None:
    """The one that was to be tried was not: the next may be."""
    ChannelOutage.objects.filter(pk=channel).update(retry_at=now)


@transaction.atomic
def note_outage(*, channel: str, detail: str, now: dt.datetime) -> None:
    """It did not take one. The first time it is tried again at once: a line may just break."""
    row, new = ChannelOutage.objects.select_for_update().get_or_create(
        channel=channel, defaults={"since": now, "failures": 1, "retry_at": now, "detail": detail}
    )
    if not new:
        ChannelOutage.objects.filter(pk=row.pk).update(
            failures=F("failures") + 1, retry_at=now + pause_after(row.failures + 1), detail=detail
        )
    logger.warning("channel %s does not take messages: %s", channel, detail)


def note_working(channel: str) -> None:
    """It answered."""
    ended, _by_model = ChannelOutage.objects.filter(pk=channel).delete()
    if ended:
        logger.warning("channel %s takes messages again", channel)


def pause_after(failures: int) -> dt.timedelta:
    if failures < 2:
        return dt.timedelta()
    doubled: int = 2 ** min(failures - 2, 16)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
