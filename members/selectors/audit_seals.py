"""The chain over the audit log: whether it holds, and where it was tampered with.

A link says what an entry said, with all links before it. Whoever changes an entry in spite of its
triggers breaks its link; whoever mends the link breaks the next one. Whoever makes the whole chain
anew gives it another head: so the head is printed, to be noted where they cannot reach.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from members.models import AuditEntry, AuditSeal

# Before the first link.
START = bytes(32)
# An entry has a seal by then, or sealing has stopped.
SEALED_WITHIN = timedelta(hours=1)
AT_ONCE = 2_000
SHOWN = 20
# How an entry that does not hold is spoken of.
CHANGED, REMOVED, UNSEALED, BROKEN, NOTED = "changed", "removed", "unsealed", "broken", "noted"


@dataclass(frozen=True, slots=True)
class Head:
    """The last link; who has noted it can tell later whether the chain is still the same one."""

    seal_id: int
    digest: str

    def __str__(self) -> str:
        return f"{self.seal_id}:{self.digest}"


@dataclass(frozen=True, slots=True)
class Flaw:
    """An entry that is not as it was sealed, or a link that is not the next one."""

    entry_id: int
    what: str


@dataclass(slots=True)
class Chain:
    """How far the chain has been followed, and what did not hold, in its order."""

    after: int = 0
    digest: bytes = START
    links: int = 0
    flaw_count: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    def note(self, flaw: Flaw) -> None:
        self.flaw_count += 1
        if len(self.flaws) < SHOWN:
            self.flaws.append(flaw)


def fixed_part(entry: AuditEntry) -> bytes:
    """What of an entry stays even when somebody is forgotten."""
    at = entry.at.astimezone(UTC).isoformat()
    said = [entry.pk, at, entry.actor_id, entry.action, entry.target]
    came = [entry.way, entry.way_name, entry.program]
    # Entries of before this was kept have none of it, and their links are as they were made.
    return _plain(said + came if any(came) else said)


def content_digest(entry: AuditEntry, salt: bytes) -> bytes:
    """Of what may be forgotten. Salted, or a name could be guessed from it."""
    erased = entry.erased_at.astimezone(UTC).isoformat() if entry.erased_at else None
    said = [
        entry.actor_label, entry.target_label, entry.before, entry.after, entry.reason, erased
    ]  # fmt: skip
    if entry.place:
        said.append(entry.place)
    return hashlib.sha256(salt + _plain(said)).digest()


def link_digest(before: bytes, entry: AuditEntry, content: bytes) -> bytes:
    return hashlib.sha256(before + fixed_part(entry) + content).digest()


def head() -> Head | None:
    """The link that was made last."""
    last = AuditSeal.objects.order_by("-pk").first()
    return Head(last.pk, bytes(last.digest).hex()) if last else None


def without_salt() -> QuerySet[AuditSeal]:
    """Links of what was forgotten since: their entries have none over what is left."""
    later = AuditSeal.objects.filter(entry_id=OuterRef("entry_id"), pk__gt=OuterRef("pk"))
    return AuditSeal.objects.filter(salt=None).exclude(Exists(later))


def unsealed() -> QuerySet[AuditEntry]:
    """Entries without any link, the oldest first."""
    own = AuditSeal.objects.filter(entry_id=OuterRef("pk"))
    return AuditEntry.objects.exclude(Exists(own)).order_by("pk")


def follow(chain: Chain, limit: int = AT_ONCE) -> bool:
    """Look at the next links; False when there was none left."""
    seals = list(AuditSeal.objects.filter(pk__gt=chain.after).order_by("pk")[:limit])
    entries = AuditEntry.objects.in_bulk([seal.entry_id for seal in seals])
    for seal in seals:
        what = _flaw_of(seal, entries.get(seal.entry_id), chain.digest)
        if what:
            chain.note(Flaw(seal.entry_id, what))
        # As it is written, so that one change is one flaw.
        chain.digest, chain.after = bytes(seal.digest), seal.pk
    chain.links += len(seals)
    return bool(seals)


def look_for_gaps(chain: Chain, now: datetime) -> None:
    """Entries that should have a link by now and have none: sealing stopped, or links went."""
    late = unsealed().filter(at__lt=now - SEALED_WITHIN)
    for pk in late.values_list("pk", flat=True).iterator(chunk_size=AT_ONCE):
        chain.note(Flaw(pk, UNSEALED))


def verify_chain(now: datetime, noted: Sequence[Head] = ()) -> Chain:
    """The whole of it; `noted`: heads of before that it must still contain."""
    chain = Chain()
    for known in noted:
        seal = AuditSeal.objects.filter(pk=known.seal_id).first()
        if seal is None or bytes(seal.digest).hex() != known.digest:
            chain.note(Flaw(seal.entry_id if seal else 0, NOTED))
    while follow(chain):
        pass
    look_for_gaps(chain, now)
    return chain


def _flaw_of(seal: AuditSeal, entry: AuditEntry | None, before: bytes) -> str:
    if entry is None:
        return REMOVED
    if bytes(seal.digest) != link_digest(before, entry, bytes(seal.content)):
        return BROKEN
    if seal.salt is None:
        # Forgotten since; the entry has a further link over what is left.
        return "" if entry.erased_at is not None else CHANGED
    same = content_digest(entry, bytes(seal.salt)) == bytes(seal.content)
    return "" if same else CHANGED


def _plain(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
