"""Telling phones that a pass says something else than they show."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from loyalty.models import PassDevice, WalletPass
from loyalty.services.wallet_passes import (
    FOLLOWER,
    SAVED_WITHIN,
    keep_wishes,
    locked_passes,
    note_contents,
)
from loyalty.wallet_passes.contents import PassContents, contents_of
from loyalty.wallet_passes.google_line import (
    GoogleError,
    GoogleLine,
    NoGoogleLineError,
    google_line,
)
from loyalty.wallet_passes.push_line import (
    NoPushLineError,
    PushError,
    PushLine,
    push_line,
)
from members.models import EventWish

logger = logging.getLogger(__name__)

PIECE = 100
# So many are locked at a time where all are looked at.
LOCKED = 1_000
# While it runs nobody else looks at what a worker has taken; after that it is tried again.
LEASE = dt.timedelta(minutes=10)
# Whoever was given a link mostly saves by it soon.
SAVED_SOON = dt.timedelta(days=1)
# Phones are given so long to show that a pass is void; then it is forgotten who had it.
VOID_FOR = dt.timedelta(days=30)
DAY = dt.timedelta(days=1)


def tell_passes(*, now: dt.datetime) -> int:
    """Look at passes about which something has happened, and tell who has those that changed;
    returns how many were looked at."""
    kept = _claimed(now)
    if not kept:
        return 0
    contents = contents_of(kept, now)
    for one in kept:
        note_contents(one, contents[one.pk], now)
    news = [one for one in kept if one.apple_told_at < one.changed_at]
    apple, google = _told_apple(news, now), _told_google(kept, contents, now)
    _note_told(kept, {one.pk for one in news} - apple, google.told)
    # To a certificate that has ended Apple's line opens no sooner for being tried often.
    again = google.failed | (apple if _opens_apple(now) else set())
    # Unless something has happened meanwhile, the others are not looked at again.
    done = {one.pk for one in kept} - again
    _put_off(done - google.unsaved, None, now)
    _put_off(google.unsaved & done, now + DAY, now)
    return len(kept)


def look_over_passes(*, now: dt.datetime) -> int:
    """Have all passes that somebody has looked at: what becomes of them by time alone, or because
    the program or the merchant is called otherwise, is no event. Forget who had what is void."""
    gone = WalletPass.objects.filter(void_since__lt=now - VOID_FOR)
    PassDevice.objects.filter(wallet_pass__in=gone).delete()
    gone.filter(linked_at__isnull=False).update(linked_at=None)
    devices = PassDevice.objects.filter(wallet_pass=OuterRef("pk"))
    found = WalletPass.objects.filter(Exists(devices) | Q(linked_at__isnull=False))
    if found.exists():
        # Also where one came while this was about to forget them.
        keep_wishes()
    else:
        EventWish.objects.filter(follower=FOLLOWER).delete()
    _tell_programs(found.filter(linked_at__isnull=False, void_since=None), now)
    return _made_due(found.filter(due_at=None), now)


def _made_due(found: QuerySet[WalletPass], now: dt.datetime) -> int:
    """Some at a time, so that nobody waits long for one of them. Returns how many they were."""
    after, due = 0, 0
    keys = found.order_by("pk").values_list("pk", flat=True)
    while some := list(keys.filter(pk__gt=after)[:LOCKED]):
        with transaction.atomic():
            due += locked_passes(Q(pk__in=some, due_at=None)).update(due_at=now)
        after = some[-1]
    return due


@transaction.atomic
def _claimed(now: dt.datetime) -> list[WalletPass]:
    """The next that are due, for this worker alone."""
    due = WalletPass.objects.filter(due_at__lte=now).order_by("due_at")
    kept = list(
        due.select_for_update(of=("self",), skip_locked=True).select_related("membership")[:PIECE]
    )
    WalletPass.objects.filter(pk__in=[one.pk for one in kept]).update(due_at=now + LEASE)
    return kept


def _put_off(some: set[int], due_at: dt.datetime | None, now: dt.datetime) -> None:
    with transaction.atomic():
        locked_passes(Q(pk__in=some, due_at=now + LEASE)).update(due_at=due_at)


def _note_told(kept: Sequence[WalletPass], apple: set[int], google: set[int]) -> None:
    """Each has a mark of its own: what one does not take is not told again to the other."""
    told = [one for one in kept if one.pk in apple | google]
    for one in told:
        if one.pk in apple:
            one.apple_told_at = one.changed_at
        if one.pk in google:
            one.google_told_at = one.changed_at
    with transaction.atomic():
        locked_passes(Q(pk__in=[one.pk for one in told]))
        WalletPass.objects.bulk_update(told, ["apple_told_at", "google_told_at"])


def _opens_apple(now: dt.datetime) -> bool:
    keys = settings.APPLE_PASSES
    return keys is not None and keys.is_valid(now)


def _told_apple(news: Sequence[WalletPass], now: dt.datetime) -> set[int]:
    """Wake the phones that have these; answers with those passes of which some were not reached."""
    keys = settings.APPLE_PASSES
    devices = list(PassDevice.objects.filter(wallet_pass__in=news).order_by("pk"))
    if keys is None or not devices:
        return set()
    # Until they are reached; with another certificate that is as good as with this one.
    failed = {device.pk: device.wallet_pass_id for device in devices}
    if not _opens_apple(now):
        return set(failed.values())
    try:
        with push_line(keys) as line:
            for device in devices:
                if _woken(line, device):
                    del failed[device.pk]
    except NoPushLineError as error:
        logger.warning("no phone can be told of its pass: %s", error)
    return set(failed.values())


def _woken(line: PushLine, device: PassDevice) -> bool:
    try:
        told = line.tell(device.push_token)
    except NoPushLineError:
        raise
    except PushError as error:
        logger.warning("a phone was not told of its pass: %s", error)
        return False
    if told == "gone":
        PassDevice.objects.filter(pk=device.pk).delete()
    return True


@dataclass(frozen=True, slots=True)
class AtGoogle:
    """Which passes Google has taken as they are, which it was not told, and which nobody has saved
    though their link says what is not true any more: who saves by it later, saves that."""

    told: set[int]
    failed: set[int]
    unsaved: set[int]


def _told_google(
    kept: Sequence[WalletPass], contents: Mapping[int, PassContents], now: dt.datetime
) -> AtGoogle:
    """Have Google change what was saved."""
    keys = settings.GOOGLE_PASSES
    linked = [one for one in kept if _may_differ_at_google(one, now)]
    found = AtGoogle(set(), {one.pk for one in linked} if keys is not None else set(), set())
    if keys is None or not linked:
        return found
    try:
        with google_line(keys, now) as line:
            for one in linked:
                _tell_google(line, one, contents[one.pk], found, now)
    except NoGoogleLineError as error:
        logger.warning("Google cannot be told of passes: %s", error)
    # Phones that have one of these are told of it each hour, and Google with them.
    on_phones = PassDevice.objects.filter(wallet_pass__in=found.unsaved)
    found.unsaved.difference_update(on_phones.values_list("wallet_pass", flat=True))
    return found


def _may_differ_at_google(one: WalletPass, now: dt.datetime) -> bool:
    """A link says what was true when it was given; who saves by it, saves that. And what was saved
    long ago stays as it was then, whatever a later link says."""
    if one.linked_at is None:
        return False
    if one.linked_at > now - SAVED_SOON:
        return True
    return (one.google_told_at or one.linked_at) < one.changed_at


def _tell_google(
    line: GoogleLine, one: WalletPass, said: PassContents, found: AtGoogle, now: dt.datetime
) -> None:
    try:
        told = line.tell(said)
    except NoGoogleLineError:
        raise
    except GoogleError as error:
        logger.warning("Google was not told of a pass: %s", error)
        return
    found.failed.discard(one.pk)
    if told == "told":
        found.told.add(one.pk)
    elif not _forgot_link(one, now) and one.linked_at and one.linked_at <= now - SAVED_SOON:
        found.unsaved.add(one.pk)


def _forgot_link(one: WalletPass, now: dt.datetime) -> bool:
    """Whether it was given so long ago that nobody will save by it."""
    long_ago = WalletPass.objects.filter(pk=one.pk, linked_at__lt=now - SAVED_WITHIN)
    return bool(long_ago.update(linked_at=None))


def _tell_programs(saved: QuerySet[WalletPass], now: dt.datetime) -> None:
    """One pass of each program speaks for it."""
    keys = settings.GOOGLE_PASSES
    ones = saved.order_by("membership__program_id", "pk").distinct("membership__program_id")
    found = list(ones.select_related("membership")) if keys is not None else []
    if keys is None or not found:
        return
    contents = contents_of(found, now)
    try:
        with google_line(keys, now) as line:
            for one in found:
                _told_program(line, contents[one.pk])
    except NoGoogleLineError as error:
        logger.warning("Google cannot be told of programs: %s", error)


def _told_program(line: GoogleLine, said: PassContents) -> None:
    try:
        line.tell_program(said)
    except NoGoogleLineError:
        raise
    except GoogleError as error:
        logger.warning("Google was not told of the program %s: %s", said.program_code, error)
