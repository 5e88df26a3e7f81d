"""Passes in the wallets of phones: given, registered by devices that have them, and looked at anew
when something about their member has happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import Membership, PassDevice, Transfer, WalletPass
from loyalty.selectors.wallet_passes import wallets_offered
from loyalty.wallet_passes.apple import pass_file
from loyalty.wallet_passes.contents import PassContents, contents_of
from loyalty.wallet_passes.google import save_link
from members.errors import NotFoundError
from members.models import EventWish, OutboxEvent
from members.models.telling import rows_told

FOLLOWER = "wallet-passes"
# Told only while somebody has a pass; the rest of what passes say is told in any case.
WISHES = ("told.transfers", "told.memberships")
# Phones that one member has it on; more are forgotten, the oldest first.
MOST_DEVICES = 20
# What somebody waits for goes before the passes that are all looked at once an hour.
AHEAD = dt.timedelta(hours=1)
# Whoever was given a link hardly ever saves by it after a month.
SAVED_WITHIN = dt.timedelta(days=30)


def apple_pass_file(membership: Membership, now: dt.datetime) -> bytes:
    """The member's signed pass as it is now. Raises NotFoundError where there is none to be had."""
    keys = settings.APPLE_PASSES
    if keys is None or not wallets_offered(membership, now).apple:
        raise NotFoundError(_("There are no such passes here."))
    _kept, contents = _given(membership, now)
    return pass_file(contents, keys)


def google_link(membership: Membership, now: dt.datetime) -> str:
    """Where the member saves the pass; from now on Google is told what changes. Raises
    NotFoundError."""
    keys = settings.GOOGLE_PASSES
    if keys is None or not wallets_offered(membership, now).google:
        raise NotFoundError(_("There are no such passes here."))
    kept, contents = _given(membership, now)
    # What is saved at Google already stays as it is, whatever the link says.
    WalletPass.objects.filter(pk=kept.pk).update(
        linked_at=now, due_at=now - AHEAD, google_told_at=_saved_there(kept, now)
    )
    keep_wishes()
    return save_link(contents, keys, now)


def _saved_there(kept: WalletPass, now: dt.datetime) -> dt.datetime | None:
    """What Google has of it at least. By an earlier link it may be saved as it was before a change,
    also long after a newer link was given: so it counts as saved by the earlier one."""
    earlier = kept.linked_at
    if kept.google_told_at is not None or earlier is None or earlier <= now - SAVED_WITHIN:
        return kept.google_told_at
    return earlier if earlier < kept.changed_at else None


def pass_now(kept: WalletPass, now: dt.datetime) -> PassContents:
    """What it says now, which is written down where it is news."""
    contents = contents_of([kept], now)[kept.pk]
    note_contents(kept, contents, now)
    return contents


def note_contents(kept: WalletPass, contents: PassContents, now: dt.datetime) -> None:
    """Each change has a second of its own, by which phones ask."""
    if kept.digest == contents.digest:
        return
    changed_at = max(_second(now), kept.changed_at + dt.timedelta(seconds=1))
    kept.digest, kept.changed_at = contents.digest, changed_at
    kept.void_since = (kept.void_since or now) if contents.void else None
    kept.save(update_fields=["digest", "changed_at", "void_since"])


@transaction.atomic
def register_device(
    *, kept: WalletPass, device: str, push_token: str, now: dt.datetime
) -> bool:  # fmt: skip
    """Have a device told of changes; whether it was not before."""
    _row, new = PassDevice.objects.update_or_create(
        wallet_pass=kept, device=device,
        defaults={"push_token": push_token}, create_defaults={
            "push_token": push_token, "registered_at": now,
        },
    )  # fmt: skip
    if new:
        latest = kept.devices.order_by("-registered_at", "-pk").values("pk")[:MOST_DEVICES]
        kept.devices.exclude(pk__in=list(latest.values_list("pk", flat=True))).delete()
        # What happened between making the pass and this.
        WalletPass.objects.filter(pk=kept.pk).update(due_at=now - AHEAD)
        keep_wishes()
    return new


def unregister_device(*, kept: WalletPass, device: str) -> None:
    """The pass was removed from it."""
    PassDevice.objects.filter(wallet_pass=kept, device=device).delete()


def keep_wishes() -> None:
    """Have it written down what happens to members, while anybody has a pass."""
    EventWish.objects.bulk_create(
        (EventWish(follower=FOLLOWER, kind=kind) for kind in WISHES), ignore_conflicts=True
    )


def follow_customers(events: Sequence[OutboxEvent]) -> None:
    """Who is called otherwise, or was erased."""
    customers = {pk for event in events for pk in event.payload["customers"]}
    _look_at("customer", customers)


def follow_tiers(events: Sequence[OutboxEvent]) -> None:
    """Who has another tier."""
    _look_at("pk", {event.payload["membership"] for event in events})


def follow_memberships(events: Sequence[OutboxEvent]) -> None:
    """Who joined anew, left, or was merged."""
    _look_at("pk", {row.id for event in events for row in rows_told(event.payload)})


def follow_transfers(events: Sequence[OutboxEvent]) -> None:
    """Who has more or less."""
    moved = {row.id for event in events for row in rows_told(event.payload)}
    owners = Transfer.objects.filter(pk__in=moved).values_list("wallet__account", flat=True)
    _look_at("account", set(owners))


def _look_at(by: str, keys: set[int]) -> None:
    """Soon, at the passes of the members with these keys, and at those that show them since a
    merge."""
    theirs = set(Membership.objects.filter(**{f"{by}__in": keys}).values_list("pk", flat=True))
    merged = Membership.objects.filter(merged_into__in=theirs).values_list("pk", flat=True)
    shown = Q(membership__in=theirs.union(merged))
    with transaction.atomic():
        locked_passes(shown).update(due_at=timezone.now() - AHEAD)


def locked_passes(which: Q) -> QuerySet[WalletPass]:
    """Locked in the order of their keys, so that of two who want many neither waits for the
    other's."""
    rows = WalletPass.objects.filter(which).select_for_update().order_by("pk")
    return WalletPass.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))


def _given(membership: Membership, now: dt.datetime) -> tuple[WalletPass, PassContents]:
    kept, _new = WalletPass.objects.select_related("membership").get_or_create(
        membership=membership,
        defaults={"digest": "", "changed_at": _second(now), "apple_told_at": _second(now)},
    )
    contents = contents_of([kept], now)[kept.pk]
    if not kept.digest:
        # Nobody has seen it yet.
        WalletPass.objects.filter(pk=kept.pk).update(digest=contents.digest)
        kept.digest = contents.digest
    note_contents(kept, contents, now)
    return kept, contents


def _second(moment: dt.datetime) -> dt.datetime:
    return moment.replace(microsecond=0)
