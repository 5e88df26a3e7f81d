"""What the merchant settles about messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.channels import channel_named
from campaigns.models import MessagingPolicy, OccasionSetting, ProgramMeasuring
from campaigns.occasions import Occasion
from campaigns.ready_texts import ready_text
from campaigns.topics import choosable_topics
from loyalty.models import Program
from members.errors import DomainError, FieldError
from members.services.audit import Actor, audit_changes, record_audit, snapshot

POLICY_FIELDS = [
    "quiet_from", "quiet_until", "cap", "cap_days", "double_opt_in", "assumed_topics",
    "track_clicks", "track_opens", "tracking_asks", "order_days",
]  # fmt: skip
MOST_ORDER_DAYS = 90


@transaction.atomic
def set_occasion(
    *, occasion: Occasion, is_on: bool, channels: Sequence[str], topic: str, actor: Actor,
    now: dt.datetime, only_first: bool = False,
) -> OccasionSetting:  # fmt: skip
    """Whether and how members are told of it from now on. What is on stays on since it was."""
    _check_occasion(occasion, is_on, channels, topic)
    row, _new = OccasionSetting.objects.select_for_update().get_or_create(
        code=occasion.code, defaults={"topic": occasion.topic}
    )
    before = _said(row)
    if is_on and not row.is_on:
        row.since = now
    row.is_on, row.channels, row.topic = is_on, list(channels), topic
    row.only_first = only_first
    if before == _said(row):
        return row
    row.save()
    record_audit(actor=actor, action="occasion.set", target=row, before=before, after=_said(row))
    return row


@transaction.atomic
def set_policy(*, changes: dict[str, Any], actor: Actor) -> MessagingPolicy:
    """Raises DomainError. What changes nothing leaves no trace."""
    MessagingPolicy.objects.get_or_create(pk=1)
    row = MessagingPolicy.objects.select_for_update().get(pk=1)
    before = snapshot(row, POLICY_FIELDS)
    for name, value in changes.items():
        setattr(row, name, value)
    known = {topic.code for topic in choosable_topics() if not topic.opt_in_only}
    if not set(row.assumed_topics) <= known:
        message = _("There is no such topic.")
        raise DomainError(message, errors=[FieldError("assumed_topics", message)])
    check_order_days("order_days", row.order_days)
    if audit_changes(
        actor=actor,
        action="messaging.policy",
        target=row,
        before=before,
        after=snapshot(row, POLICY_FIELDS),
    ):
        row.save()
    return row


@transaction.atomic
def set_measuring(
    *, program: Program, is_off: bool, order_days: int | None, actor: Actor
) -> ProgramMeasuring | None:
    """What a program counts otherwise than the policy says; nothing of it: as the policy does.
    Raises DomainError. What changes nothing leaves no trace."""
    if order_days is not None:
        check_order_days("order_days", order_days)
    Program.objects.select_for_update().get(pk=program.pk)
    known = ProgramMeasuring.objects.filter(program=program).first()
    before = _measures(known)
    row = None
    if is_off or order_days is not None:
        row, _new = ProgramMeasuring.objects.update_or_create(
            program=program, defaults={"is_off": is_off, "order_days": order_days}
        )
    elif known:
        known.delete()
    if before != _measures(row):
        record_audit(
            actor=actor, action="messaging.measuring", target=program, before=before,
            after=_measures(row),
        )  # fmt: skip
    return row


def check_order_days(name: str, days: int) -> None:
    """Raises DomainError."""
    if not 1 <= days <= MOST_ORDER_DAYS:
        message = _("Between 1 and %s days.") % MOST_ORDER_DAYS
        raise DomainError(message, errors=[FieldError(name, message)])


def _measures(row: ProgramMeasuring | None) -> dict[str, Any]:
    return {"counted": not (row and row.is_off), "order_days": row.order_days if row else None}


def _check_occasion(occasion: Occasion, is_on: bool, channels: Sequence[str], topic: str) -> None:
    usable = [key for key in channels if channel_named(key) and ready_text(occasion.code, key)]
    if len(usable) != len(channels) or (is_on and not channels):
        message = _("Choose at least one way to tell them.")
        raise DomainError(message, errors=[FieldError("channels", message)])
    # Nobody can decline what is needed, so an occasion is that by its nature alone.
    fits = topic == occasion.topic or topic in {one.code for one in choosable_topics()}
    if not fits:
        message = _("Choose one of the topics.")
        raise DomainError(message, errors=[FieldError("topic", message)])


def _said(row: OccasionSetting) -> dict[str, Any]:
    return {
        "is_on": row.is_on, "channels": list(row.channels), "only_first": row.only_first,
        "topic": row.topic,
    }  # fmt: skip
