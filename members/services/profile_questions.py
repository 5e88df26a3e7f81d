"""The merchant's own questions to people, for what they like and what they are after."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from members.errors import ConflictError, DomainError, FieldError
from members.models import ProfileQuestion
from members.models.profile_questions import QUESTION_CODE, QUESTION_WORDS
from members.services.audit import Actor, audit_changes, record_audit, snapshot

FIELDS = [
    "kind", "text", "choices", "texts", "completes", "position", "archived_at",
]  # fmt: skip
# One page asks them all.
MOST = 12
MOST_CHOICES = 30
LONGEST_TEXT, LONGEST_CHOICE = 200, 80


@transaction.atomic
def create_question(*, code: str, kind: str, actor: Actor, **said: Any) -> ProfileQuestion:
    """`said`: text, choices as [{"code", "text"}], texts, completes. Raises
    DomainError naming the field that is wrong, ConflictError for a code that is taken."""
    code = code.strip()
    if not re.fullmatch(QUESTION_CODE, code) or len(code) > 40:
        raise DomainError(str(QUESTION_WORDS), errors=[FieldError("code", str(QUESTION_WORDS))])
    if kind not in ProfileQuestion.Kind.values:
        words = _("Write one or many.")
        raise DomainError(words, errors=[FieldError("kind", words)])
    if ProfileQuestion.objects.filter(pk=code).exists():
        words = _("There is a question of this code already.")
        raise ConflictError(words, errors=[FieldError("code", words, "taken")])
    _refuse_more()
    last = ProfileQuestion.objects.order_by("-position").first()
    row = ProfileQuestion(
        code=code, kind=kind, position=last.position + 1 if last else 0, **_clean(said, [])
    )
    row.save(force_insert=True)
    after = snapshot(row, ["code", *FIELDS])
    record_audit(actor=actor, action="profile_question.created", target=row, after=after)
    return row


@transaction.atomic
def change_question(*, question: ProfileQuestion, actor: Actor, **said: Any) -> ProfileQuestion:
    """What changes nothing leaves no trace. A choice that is left out is offered no more. Raises
    DomainError."""
    row = ProfileQuestion.objects.select_for_update().get(pk=question.pk)
    before = snapshot(row, FIELDS)
    for name, value in _clean(said, row.choices).items():
        setattr(row, name, value)
    return _saved(row, before, actor)


@transaction.atomic
def put_question_away(
    *, question: ProfileQuestion, away: bool, actor: Actor, now: dt.datetime
) -> ProfileQuestion:
    """Asked no more, or again. What people said stays. Raises ConflictError where as many others
    are asked already."""
    row = ProfileQuestion.objects.select_for_update().get(pk=question.pk)
    before = snapshot(row, FIELDS)
    if away != (row.archived_at is not None):
        if not away:
            _refuse_more()
        row.archived_at = now if away else None
    return _saved(row, before, actor)


def _refuse_more() -> None:
    if ProfileQuestion.objects.filter(archived_at=None).count() >= MOST:
        raise ConflictError(_("There are %s questions already.") % MOST, code="too_many")


def _saved(row: ProfileQuestion, before: Mapping[str, Any], actor: Actor) -> ProfileQuestion:
    if audit_changes(
        actor=actor,
        action="profile_question.changed",
        target=row,
        before=before,
        after=snapshot(row, FIELDS),
    ):
        row.save()
    return row


def _clean(said: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`known`: the choices that there were."""
    found = dict(said)
    if "text" in found:
        found["text"] = _line(found["text"], "text", LONGEST_TEXT)
    if "choices" in found:
        found["choices"] = _choices(found["choices"], known)
    if "texts" in found:
        codes = {item["code"] for item in found.get("choices", known)}
        found["texts"] = _texts(found["texts"], codes)
    return found


def _choices(
    said: Sequence[Mapping[str, str]], known: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """As they are kept: those that are offered in their order, then those that were."""
    offered = [
        {"code": item["code"].strip(), "text": _line(item["text"], "choices", LONGEST_CHOICE),
         "offered": True}
        for item in said
    ]  # fmt: skip
    codes = [item["code"] for item in offered]
    if not 2 <= len(set(codes)) == len(codes):
        raise _wrong("choices", _("Give at least two different choices, each with its own code."))
    if not all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", str(code)) for code in codes):
        raise _wrong("choices", _("Codes of choices are lower-case letters, digits and hyphens."))
    before = [{**item, "offered": False} for item in known if item["code"] not in codes]
    if len(offered) + len(before) > MOST_CHOICES:
        raise _wrong("choices", _("At most %s choices are possible.") % MOST_CHOICES)
    return [*offered, *before]


def _texts(said: Mapping[str, Mapping[str, Any]], codes: Collection[str]) -> dict[str, Any]:
    """`codes`: of the choices that there are, and were."""
    kept: dict[str, Any] = {}
    for language, texts in said.items():
        if language not in dict(settings.KNOWN_LANGUAGES):
            raise _wrong("texts", _("There is no such language: %s.") % language)
        text = " ".join(str(texts.get("text", "")).replace("\x00", "").split())[:LONGEST_TEXT]
        choices = {
            code: words
            for code, each in (texts.get("choices") or {}).items()
            if (words := " ".join(str(each).replace("\x00", "").split())[:LONGEST_CHOICE])
        }
        if unknown := [code for code in choices if code not in codes]:
            raise _wrong("texts", _("There is no choice “%s”.") % unknown[0])
        if text or choices:
            kept[language] = {"text": text, "choices": choices}
    return kept


def _line(value: Any, field: str, longest: int) -> str:
    text = " ".join(str(value).replace("\x00", "").split())
    if not 1 <= len(text) <= longest:
        raise _wrong(field, _("Write between 1 and %s characters.") % longest)
    return text


def _wrong(field: str, words: str) -> DomainError:
    return DomainError(words, errors=[FieldError(field, words)])
