"""What stands behind a reward in a program's file: the event of a seat, the item of a content
reward, the days of the year on which it is given. A definition that does not name it leaves it
alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _

from members.errors import DomainError, FieldError
from members.services.audit import Actor
from rewards.definitions import RewardDefinition
from rewards.event_definitions import OWN
from rewards.models import ContentItem, Event, GiftDay, Reward
from rewards.part_definitions import ContentPart, GiftDayPart, SeatEvent
from rewards.selectors.events import events
from rewards.services.content import SAID, write_item
from rewards.services.event_waits import offer_seats
from rewards.services.events import write_event
from rewards.services.gift_days import start_gift_day, stop_gift_day


def with_part(definition: RewardDefinition, reward: Reward) -> RewardDefinition:
    """The reward as a file says it."""
    event, item = _event_of(reward), _item_of(reward)
    parts: dict[str, Any] = {"gift_days": tuple(map(_said_of, _running(reward)))}
    if event is not None:
        values = {name: getattr(event, name) for name in OWN}
        parts["event"] = SeatEvent.model_validate(values)
    if item is not None:
        values = {name: getattr(item, name) for name in (*SAID, "code")}
        parts["content"] = ContentPart.model_validate(values | {"file": item.file_name})
    return definition.model_copy(update=parts)


def without_parts(definition: RewardDefinition) -> RewardDefinition:
    """The reward itself."""
    return definition.model_copy(update={"event": None, "content": None, "gift_days": None})


def refuse_without_part(wanted: RewardDefinition) -> None:
    """Raises DomainError where a new seat is one of no event, or nothing would open."""
    if wanted.kind == "event_seat" and wanted.event is None:
        raise _wrong("event", _("Say of which event it is a seat."))
    if wanted.kind == "content" and wanted.content is None:
        raise _wrong("content", _("Say what of the library it opens."))


def apply_part(reward: Reward, wanted: RewardDefinition, actor: Actor, now: dt.datetime) -> bool:
    """Bring what stands behind it to what is said; whether anything changed. The caller holds the
    catalog. Raises DomainError naming the field."""
    changed = False
    if wanted.event is not None:
        known = _event_of(reward)
        if known is None or any(
            getattr(known, name) != getattr(wanted.event, name) for name in OWN
        ):
            _check_seats(wanted, wanted.event)
        changed = write_event(reward, wanted.event, actor)
    if wanted.content is not None:
        changed = _apply_content(reward, wanted.content, actor)
    if wanted.gift_days is not None:
        changed |= _apply_days(reward, wanted.gift_days, actor, now)
    event = events().filter(reward=reward, status=Event.Status.PLANNED).first()
    if event is not None:
        # There may be more seats now.
        offer_seats(event, now)
    return changed


def _check_seats(wanted: RewardDefinition, event: SeatEvent) -> None:
    if not wanted.stock:
        raise _wrong("stock", _("Say how many seats there are."))
    if wanted.ends_at != event.starts_at:
        raise _wrong("ends_at", _("Seats are booked until the event begins."))


def _apply_content(reward: Reward, wanted: ContentPart, actor: Actor) -> bool:
    item = _item_of(reward)
    if item is None:
        if ContentItem.objects.filter(program=reward.program, code=wanted.code).exists():
            raise _wrong("content.code", _("Another item of the library is called so."))
        item = ContentItem(program=reward.program, code=wanted.code, reward=reward)
    elif item.code != wanted.code:
        raise _wrong("content.code", _("It stays as it is. Make another reward instead."))
    if wanted.file and wanted.file != item.file_name:
        raise _wrong("content.file", _("Files are put in on the screen. Give a link instead."))
    return write_item(item, {name: getattr(wanted, name) for name in SAID}, actor)


def _running(reward: Reward) -> list[GiftDay]:
    # Sorted here: all rewards of a program are read with their days at once.
    found = [item for item in reward.gift_days.all() if item.stopped_at is None]
    return sorted(found, key=lambda item: item.pk)


def _said_of(gift_day: GiftDay) -> GiftDayPart:
    return GiftDayPart(**{name: getattr(gift_day, name) for name in GiftDayPart.model_fields})


def _apply_days(
    reward: Reward, wanted: Sequence[GiftDayPart], actor: Actor, now: dt.datetime
) -> bool:
    known = {item.day: item for item in GiftDay.objects.filter(reward=reward, stopped_at=None)}
    left = {day: gift_day for day, gift_day in known.items() if _said_of(gift_day) not in wanted}
    for gift_day in left.values():
        stop_gift_day(gift_day=gift_day, actor=actor, now=now)
    new = [item for item in wanted if item.day not in known or item.day in left]
    for item in new:
        try:
            start_gift_day(reward=reward, actor=actor, now=now, **item.model_dump())
        except DomainError as error:
            error.place_fields(f"gift_days[{wanted.index(item)}]")
            raise
    return bool(left or new)


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


def _wrong(field: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(field, message)])
