"""Writing about segments: made, changed, put away; and who is on a list."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from members.conditions.tree import ConditionError, dump
from members.errors import ConflictError, DomainError, FieldError
from members.free_codes import code_stem, first_free
from members.models import Customer, Segment, SegmentMember
from members.segment_uses import SegmentUse, register_segment_uses, segment_uses
from members.selectors.merges import refuse_merged
from members.selectors.segments import codes_in, named_by, read_condition
from members.services.audit import Actor, record_audit
from members.services.segment_jobs import queue_refresh
from members.services.segment_refresh import note_size

CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
NAME_LENGTH = 120
DESCRIPTION_LENGTH = 2000
_SHOWN = ("code", "name", "description", "kind", "condition")


@transaction.atomic
def create_segment(
    *, actor: Actor, name: str, kind: str = Segment.Kind.DYNAMIC, code: str = "",
    description: str = "", condition: Mapping[str, Any] | None = None, now: dt.datetime,
) -> Segment:  # fmt: skip
    """Make a segment. One by a condition is worked out by a worker at once; a list is empty."""
    segment = Segment(
        name=_name(name), kind=_kind(kind), description=_description(description),
        code=_code(code) if code else _free_code(name), created_by=actor.user,
    )  # fmt: skip
    segment.condition = _condition(segment, condition)
    if segment.kind == Segment.Kind.STATIC:
        segment.refreshed_at = now
    try:
        with transaction.atomic():
            segment.save()
    except IntegrityError as error:
        message = _("Another segment already has this code.")
        raise ConflictError(
            message, code="segment_exists", errors=[FieldError("code", message, "taken")]
        ) from error
    record_audit(actor=actor, action="segment.created", target=segment, after=_snapshot(segment))
    if segment.kind == Segment.Kind.DYNAMIC:
        queue_refresh(segment, actor=actor)
    return segment


@transaction.atomic
def change_segment(*, actor: Actor, segment: Segment, changes: Mapping[str, Any]) -> Segment:
    """Change name, description or condition. Who is in it stays until it is worked out anew."""
    unknown = set(changes) - {"name", "description", "condition"}
    if unknown:
        errors = [FieldError(each, _("This cannot be changed."), "unknown") for each in unknown]
        raise DomainError(_("Some fields cannot be changed."), errors=errors)
    row = Segment.objects.select_for_update().get(pk=segment.pk)
    _refuse_archived(row)
    before = _snapshot(row)
    if "name" in changes:
        row.name = _name(changes["name"])
    if "description" in changes:
        row.description = _description(changes["description"])
    if "condition" in changes:
        row.condition = _condition(row, changes["condition"])
    after = _snapshot(row)
    changed = [key for key in before if before[key] != after[key]]
    if not changed:
        return row
    asks_anew = "condition" in changed
    if asks_anew:
        row.refreshed_at = None
    row.save()
    record_audit(
        actor=actor, action="segment.updated", target=row,
        before={key: before[key] for key in changed}, after={key: after[key] for key in changed},
    )  # fmt: skip
    if asks_anew:
        queue_refresh(row, actor=actor)
    return row


@transaction.atomic
def archive_segment(*, actor: Actor, segment: Segment, now: dt.datetime) -> Segment:
    """Put a segment away; refused while something asks for it. Twice changes nothing."""
    row = Segment.objects.select_for_update().get(pk=segment.pk)
    if row.archived_at is not None:
        return row
    uses = segment_uses().get(row.code, [])
    if uses:
        names = ", ".join(f"{use.kind} “{use.label}”" for use in uses[:5])
        raise ConflictError(
            _("It is still used by: %(names)s. Change those first.") % {"names": names},
            code="segment_in_use",
        )
    row.archived_at = now
    row.save(update_fields=["archived_at", "updated_at"])
    record_audit(actor=actor, action="segment.archived", target=row)
    return row


@transaction.atomic
def restore_segment(*, actor: Actor, segment: Segment) -> Segment:
    """Take a segment back into use; one by a condition is worked out anew."""
    row = Segment.objects.select_for_update().get(pk=segment.pk)
    if row.archived_at is None:
        return row
    row.archived_at = None
    row.condition = _condition(row, row.condition)
    if row.kind == Segment.Kind.DYNAMIC:
        row.refreshed_at = None
    row.save()
    record_audit(actor=actor, action="segment.restored", target=row)
    if row.kind == Segment.Kind.DYNAMIC:
        queue_refresh(row, actor=actor)
    return row


@transaction.atomic
def add_to_list(
    *, actor: Actor, segment: Segment, customer: Customer, now: dt.datetime
) -> SegmentMember:
    """Put a customer on a list; who is on it already stays."""
    row = lock_list(segment)
    refuse_merged(customer)
    member, added = SegmentMember.objects.get_or_create(
        segment=row, customer=customer, defaults={"since": now}
    )
    if added:
        note_size(row, now=now, by=1)
        record_audit(
            actor=actor, action="segment.customer_added", target=row,
            after={"customer": str(customer)},
        )  # fmt: skip
    return member


@transaction.atomic
def remove_from_list(
    *, actor: Actor, segment: Segment, customer: Customer, now: dt.datetime
) -> bool:
    """Take a customer off a list; say whether they were on it."""
    row = lock_list(segment)
    gone, _rows = SegmentMember.objects.filter(segment=row, customer=customer).delete()
    if gone:
        note_size(row, now=now, by=-1)
        record_audit(
            actor=actor, action="segment.customer_removed", target=row,
            before={"customer": str(customer)},
        )  # fmt: skip
    return bool(gone)


def lock_list(segment: Segment) -> Segment:
    """The list, locked."""
    row = Segment.objects.select_for_update().get(pk=segment.pk)
    _refuse_archived(row)
    if row.kind != Segment.Kind.STATIC:
        raise ConflictError(
            _("Who is in this segment follows from its condition."), code="segment_by_condition"
        )
    return row


def _refuse_archived(segment: Segment) -> None:
    if segment.archived_at is not None:
        raise ConflictError(
            _("This segment is put away. Take it back into use first."), code="segment_archived"
        )


def _snapshot(segment: Segment) -> dict[str, Any]:
    return {name: getattr(segment, name) for name in _SHOWN}


def _kind(kind: str) -> str:
    if kind not in Segment.Kind.values:
        raise _wrong("kind", _("Write dynamic or static."))
    return kind


def _name(name: str) -> str:
    name = " ".join(str(name).replace("\x00", "").split())
    if not name:
        raise _wrong("name", _("Give the segment a name."))
    if len(name) > NAME_LENGTH:
        raise _wrong("name", _("At most %(most)s characters.") % {"most": NAME_LENGTH})
    return name


def _description(text: str) -> str:
    text = str(text).replace("\x00", "").strip()
    if len(text) > DESCRIPTION_LENGTH:
        raise _wrong(
            "description", _("At most %(most)s characters.") % {"most": DESCRIPTION_LENGTH}
        )
    return text


def _code(code: str) -> str:
    if not CODE.fullmatch(code):
        raise _wrong("code", _("Use lower-case letters, digits and hyphens."))
    return code


def _free_code(name: str) -> str:
    """A code after the name; with a number where that is taken."""
    base = code_stem(name, otherwise="segment")
    taken = Segment.objects.filter(code__startswith=base).values_list("code", flat=True)
    return first_free(base, set(taken))


def _condition(segment: Segment, said: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is asked, checked; it must not lead back to the segment itself."""
    if segment.kind == Segment.Kind.STATIC:
        if said:
            raise _wrong("condition", _("A list has no condition."))
        return {}
    if not said:
        raise _wrong("condition", _("Say who is in it: add at least one question."))
    try:
        node = read_condition(said)
    except ConditionError as error:
        errors = [
            FieldError(f"condition.{each.field}".rstrip("."), each.message, each.code)
            for each in error.errors
        ]
        raise ConditionError(error.message, errors=errors) from error
    circle = _circle(segment.code, set(codes_in(node)))
    if circle:
        raise _wrong(
            "condition",
            _("It would be part of itself: %(circle)s.") % {"circle": " → ".join(circle)},
        )
    return dump(node)


def _circle(code: str, named: set[str]) -> list[str]:
    """The way on which a segment leads back to itself; empty if there is none."""
    known = {each.code: named_by(each) for each in Segment.objects.exclude(code=code)}
    ways, seen = [[code, each] for each in sorted(named)], set()
    while ways:
        way = ways.pop()
        if way[-1] == code:
            return way
        if way[-1] in seen:
            continue
        seen.add(way[-1])
        ways += [[*way, each] for each in sorted(known.get(way[-1], ()))]
    return []


def _wrong(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message, "invalid")])


def _uses_of_segments() -> list[SegmentUse]:
    from django.urls import reverse

    return [
        SegmentUse(
            code, _("segment"), segment.name, reverse("backoffice:segment", args=[segment.code])
        )
        for segment in Segment.objects.filter(archived_at=None, kind=Segment.Kind.DYNAMIC)
        for code in sorted(named_by(segment))
    ]


def register() -> None:
    register_segment_uses("segments", _uses_of_segments)
