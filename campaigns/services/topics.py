"""What messages of the merchant's may be about besides what comes with Setia."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import MessagingPolicy, OwnTopic
from campaigns.models.consents import TOPIC_CODE, TOPIC_WORDS
from campaigns.topics import LEARNED, TOPICS
from members.errors import ConflictError, DomainError, FieldError
from members.services.audit import Actor, audit_changes, record_audit, snapshot

FIELDS = ["name", "sentence", "texts", "opt_in_only", "asked_at_join", "archived_at"]
TEXTS = {"name": 60, "sentence": 200}
# One page shows them all, with a box for each way.
MOST = 20


@transaction.atomic
def create_topic(*, code: str, actor: Actor, **said: Any) -> OwnTopic:
    """Raises DomainError naming the field that is wrong, ConflictError for a code that is taken."""
    code = code.strip()
    if not re.fullmatch(TOPIC_CODE, code) or len(code) > 16:
        raise DomainError(str(TOPIC_WORDS), errors=[FieldError("code", str(TOPIC_WORDS))])
    # What is said of opening messages and of the shop is kept beside the topics.
    reserved = code in TOPICS or code in LEARNED or code in ("at", "source")
    if reserved or OwnTopic.objects.filter(pk=code).exists():
        message = _("There is a topic of this code already.")
        raise ConflictError(message, errors=[FieldError("code", message, "taken")])
    if OwnTopic.objects.count() >= MOST:
        raise ConflictError(_("There are %s topics of your own already.") % MOST, code="too_many")
    row = OwnTopic(code=code, position=OwnTopic.objects.count(), **_clean(said))
    row.save(force_insert=True)
    record_audit(
        actor=actor, action="topic.created", target=row, after=snapshot(row, ["code", *FIELDS])
    )
    return row


@transaction.atomic
def change_topic(*, topic: OwnTopic, actor: Actor, **said: Any) -> OwnTopic:
    """What changes nothing leaves no trace. One that takes a yes from now on is not told any more
    to who has said nothing. Raises DomainError."""
    row = OwnTopic.objects.select_for_update().get(pk=topic.pk)
    before = snapshot(row, FIELDS)
    for name, value in _clean(said).items():
        setattr(row, name, value)
    _save(row, before, actor)
    if row.opt_in_only:
        _assume_no_more(row.code)
    return row


@transaction.atomic
def put_away(*, topic: OwnTopic, away: bool, actor: Actor, now: dt.datetime) -> OwnTopic:
    """Offered to nobody any more, or again. What people said of it stays."""
    row = OwnTopic.objects.select_for_update().get(pk=topic.pk)
    before = snapshot(row, FIELDS)
    if away != (row.archived_at is not None):
        row.archived_at = now if away else None
    _save(row, before, actor)
    if away:
        _assume_no_more(row.code)
    return row


def _save(row: OwnTopic, before: Mapping[str, Any], actor: Actor) -> None:
    if audit_changes(
        actor=actor, action="topic.changed", target=row, before=before, after=snapshot(row, FIELDS)
    ):
        row.save()


def _assume_no_more(code: str) -> None:
    for policy in MessagingPolicy.objects.select_for_update():
        if code in policy.assumed_topics:
            policy.assumed_topics = [one for one in policy.assumed_topics if one != code]
            policy.save(update_fields=["assumed_topics"])


def _clean(said: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(said)
    errors = []
    for name, longest in TEXTS.items():
        if name in found:
            found[name] = " ".join(str(found[name]).replace("\x00", "").split())
            if not found[name] or len(found[name]) > longest:
                words = _("Write between 1 and %s characters.") % longest
                errors.append(FieldError(name, words))
    if errors:
        raise DomainError(str(errors[0].message), errors=errors)
    if "texts" in found:
        found["texts"] = {
            language: {name: text[: TEXTS[name]] for name, text in texts.items() if text}
            for language, texts in found["texts"].items()
            if any(texts.values())
        }
    return found
