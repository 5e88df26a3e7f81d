"""Sealing the audit log: links over entries, in batches, some minutes after they were written.

Nothing is done where an entry is written, so that no write waits for another one's digest.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from members.models import AuditEntry, AuditSeal
from members.selectors.audit_seals import (
    AT_ONCE,
    START,
    content_digest,
    link_digest,
    unsealed,
    without_salt,
)

SALT_BYTES = 16
# A transaction that began before others may commit after them: so many entries back is looked for
# ones without a link.
LOOKED_BACK = 50_000


@transaction.atomic
def seal_entries(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Add links for entries that have none, and for those of which something was forgotten since;
    returns how many. One at a time; who comes second goes on where the first has ended."""
    _alone()
    last = AuditSeal.objects.order_by("-pk").first()
    digest = bytes(last.digest) if last else START
    seals = []
    for entry in _waiting(limit):
        salt = secrets.token_bytes(SALT_BYTES)
        content = content_digest(entry, salt)
        digest = link_digest(digest, entry, content)
        seals.append(
            AuditSeal(
                entry_id=entry.pk, salt=salt, content=content, digest=digest, sealed_at=now
            )
        )  # fmt: skip
    # One after the other: the order of their numbers is that of the chain.
    AuditSeal.objects.bulk_create(seals)
    return len(seals)


def forget_salts(entries: Collection[int]) -> None:
    """In the transaction that forgets what was in these entries, before it does: nobody seals
    meanwhile what is about to go."""
    _alone()
    AuditSeal.objects.filter(entry_id__in=entries).exclude(salt=None).update(salt=None)


def _alone() -> None:
    """Until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('members.audit_seals'))")


def _waiting(limit: int) -> list[AuditEntry]:
    furthest = AuditSeal.objects.aggregate(furthest=Max("entry_id"))["furthest"] or 0
    new = list(unsealed().filter(pk__gt=furthest - LOOKED_BACK)[:limit])
    room = limit - len(new)
    forgotten = without_salt().order_by("pk").values_list("entry_id", flat=True)[:room]
    return [*new, *AuditEntry.objects.filter(pk__in=list(forgotten)).order_by("pk")]
