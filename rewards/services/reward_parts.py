"""What stands behind a reward in a program's file: the event of a seat, the item of a content
reward. A definition that does not name it leaves it alone."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError
from members.services.audit import Actor, record_audit
from rewards.definitions import RewardDefinition
from rewards.models import ContentItem, Event, Reward
from rewards.part_definitions import ContentPart, SeatEvent
from rewards.selectors.events import events
from rewards.services.event_waits import offer_seats

OF_EVENT = tuple(SeatEvent.model_fields)
OF_CONTENT = ("title", "summary", "status", "link")


def with_part(definition: RewardDefinition, reward: Reward) -> RewardDefinition:
    """The reward as a file says it."""
    event, item = _event_of(reward), _item_of(reward)
    if event is not None:
        values = {name: getattr(event, name) for name in OF_EVENT}
        return definition.model_copy(update={"event": SeatEvent.model_validate(values)})
    if item is not None:
        values = {name: getattr(item, name) for name in (*OF_CONTENT, "code")}
        part = ContentPart.model_validate(values | {"file": item.file_name})
        return definition.model_copy(update={"content": part})
    return definition


def refuse_without_part(wanted: RewardDefinition) -> None:
    """Raises DomainError where a new seat is one of no event, or nothing would open."""
    if wanted.kind == "event_seat" and wanted.event is None:
        raise _wrong("event", _("Say of which event it is a seat."))
    if wanted.kind == "content" and wanted.content is None:
        raise _wrong("content", _("Say what of the library it opens."))


def apply_part(reward: Reward, wanted: RewardDefinition, actor: Actor, now: dt.datetime) -> bool:
    """Bring what stands behind it to what is said; whether anything changed. The caller holds the
    catalogue. Raises DomainError naming the field."""
    changed = False
    if wanted.event is not None:
        changed = _apply_event(reward, wanted, wanted.event, actor)
    if wanted.content is not None:
        changed = _apply_content(reward, wanted.content, actor)
    event = _event_of(reward)
    if event is not None and event.status == Event.Status.PLANNED:
        # There may be more seats now.
        offer_seats(events().get(pk=event.pk), now)
    return changed


def _check_seats(wanted: RewardDefinition, event: SeatEvent) -> None:
    if not wanted.stock:
        raise _wrong("stock", _("Say how many seats there are."))
    if wanted.ends_at != event.starts_at:
        raise _wrong("ends_at", _("Seats are booked until the event begins."))


def _apply_event(
    reward: Reward, seat: RewardDefinition, wanted: SeatEvent, actor: Actor
) -> bool:  # fmt: skip
    known, values = _event_of(reward), {name: getattr(wanted, name) for name in OF_EVENT}
    if known is None:
        _check_seats(seat, wanted)
        Event.objects.create(reward=reward, **values)
        return True
    before = {name: getattr(known, name) for name in OF_EVENT}
    if before == values:
        return False
    if known.status == Event.Status.CANCELED:
        raise _wrong("event", _("It was called off."))
    _check_seats(seat, wanted)
    Event.objects.filter(pk=known.pk).update(**values)
    known.refresh_from_db(fields=list(OF_EVENT))
    _audit("event.changed", reward, before, values, actor)
    return True


def _apply_content(reward: Reward, wanted: ContentPart, actor: Actor) -> bool:
    item = _item_of(reward)
    fresh = item is None
    if item is None:
        if ContentItem.objects.filter(program=reward.program, code=wanted.code).exists():
            raise _wrong("content.code", _("Another item of the library is called so."))
        item = ContentItem(program=reward.program, code=wanted.code, reward=reward)
    elif item.code != wanted.code:
        raise _wrong("content.code", _("It stays as it is. Make another reward instead."))
    if wanted.file and wanted.file != item.file_name:
        raise _wrong("content.file", _("Files are put in on the screen. Give a link instead."))
    values = {name: getattr(wanted, name) for name in OF_CONTENT}
    before = {name: getattr(item, name) for name in OF_CONTENT}
    if not fresh and before == values:
        return False
    for name, value in values.items():
        setattr(item, name, value)
    if wanted.link:
        item.file, item.file_name = "", ""
    item.save()
    _audit("content.changed", reward, before, values, actor)
    return True


def _event_of(reward: Reward) -> Event | None:
    try:
        return reward.event
    except ObjectDoesNotExist:
        return None


def _item_of(reward: Reward) -> ContentItem | None:
    try:
        return reward.content_item
    except ObjectDoesNotExist:
        return None


def _audit(
    action: str, reward: Reward, before: dict[str, object], after: dict[str, object], actor: Actor
) -> None:
    changed = [name for name in after if after[name] != before[name]]
    record_audit(
        actor=actor, action=action, target=reward,
        before={name: str(before[name]) for name in changed},
        after={name: str(after[name]) for name in changed},
    )  # fmt: skip


def _wrong(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])
