"""Posts: written, published at once or at a time, put away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Post
from campaigns.named_tiers import tiers_in
from campaigns.post_words import TEXTS
from loyalty.models import Program, Tier
from loyalty.rule_conditions import read_condition
from members.conditions.tree import ConditionError
from members.errors import DomainError, FieldError
from members.picture_files import keep_picture
from members.services.audit import Actor, audit_changes, record_audit
from rewards.models import ContentItem
from rewards.texts import LANGUAGES

State = Post.State
SAID = (
    "title", "teaser", "body", "when", "opens_at", "publish_at", "pinned", "comments_open",
    "by_message", "item",
)  # fmt: skip
LONGEST = 20_000
LEAST_SIDE = 64


@dataclass(frozen=True, slots=True)
class PostTerms:
    """What a post says, and to whom."""

    title: str
    teaser: str = ""
    body: str = ""
    when: Mapping[str, Any] = field(default_factory=dict)
    opens_at: dt.datetime | None = None
    publish_at: dt.datetime | None = None
    pinned: bool = False
    comments_open: bool = True
    by_message: bool = False
    item: ContentItem | None = None


@transaction.atomic
def create_post(*, program: Program, terms: PostTerms, actor: Actor) -> Post:
    """A further draft. Raises DomainError naming what is wrong."""
    post = Post(program=program)
    _write(post, terms)
    record_audit(actor=actor, action="post.created", target=post, after={"title": post.title})
    return post


@transaction.atomic
def change_post(*, post: Post, terms: PostTerms, actor: Actor) -> Post:
    """Bring it to what is said, also while members read it; nothing where it is put away."""
    found = _locked(post)
    if found.state == State.ARCHIVED:
        raise DomainError(_("It is put away. Show it again to change it."))
    before = {name: _plain(getattr(found, name)) for name in SAID}
    _write(found, terms)
    audit_changes(
        actor=actor,
        action="post.changed",
        target=found,
        before=before,
        after={name: _plain(getattr(found, name)) for name in SAID},
    )
    return found


@transaction.atomic
def translate_post(*, post: Post, language: str, texts: Mapping[str, str], actor: Actor) -> Post:
    """Say it in a further language; what is left empty is as in the first one."""
    if language not in LANGUAGES:
        raise _wrong("language", _("There is no such language."))
    found = _locked(post)
    said = {name: texts.get(name, "").strip() for name in TEXTS}
    _check_lengths(said)
    kept = {name: text for name, text in said.items() if text}
    before = found.texts.get(language, {})
    if kept == before:
        return found
    found.texts = {code: known for code, known in found.texts.items() if code != language}
    if kept:
        found.texts[language] = kept
    found.save(update_fields=["texts"])
    record_audit(actor=actor, action="post.translated", target=found, after={"language": language})
    return found


@transaction.atomic
def publish_post(*, post: Post, actor: Actor, now: dt.datetime) -> Post:
    """Let it appear: now, or at its time if that is still to come. Again changes nothing."""
    found = _locked(post)
    if found.state not in (State.DRAFT, State.SCHEDULED):
        return found
    if not found.body.strip() and found.item is None:
        raise _wrong("body", _("Write what members read, or choose something of the library."))
    later = found.publish_at is not None and found.publish_at > now
    if later and found.state == State.SCHEDULED:
        return found
    found.state = State.SCHEDULED if later else State.PUBLISHED
    found.published_at = None if later else now
    found.save(update_fields=["state", "published_at"])
    action = "post.scheduled" if later else "post.published"
    record_audit(actor=actor, action=action, target=found)
    return found


@transaction.atomic
def unschedule_post(*, post: Post, actor: Actor) -> Post:
    """It does not appear by itself any more. Again changes nothing."""
    found = _locked(post)
    if found.state == State.SCHEDULED:
        found.state = State.DRAFT
        found.save(update_fields=["state"])
        record_audit(actor=actor, action="post.unscheduled", target=found)
    return found


@transaction.atomic
def archive_post(*, post: Post, actor: Actor, now: dt.datetime) -> Post:
    """Members find it no more. Again changes nothing."""
    found = _locked(post)
    if found.state == State.PUBLISHED:
        found.state, found.archived_at = State.ARCHIVED, now
        found.save(update_fields=["state", "archived_at"])
        record_audit(actor=actor, action="post.archived", target=found)
    return found


@transaction.atomic
def restore_post(*, post: Post, actor: Actor) -> Post:
    """Members find it again, where it was. Again changes nothing."""
    found = _locked(post)
    if found.state == State.ARCHIVED:
        found.state, found.archived_at = State.PUBLISHED, None
        found.save(update_fields=["state", "archived_at"])
        record_audit(actor=actor, action="post.restored", target=found)
    return found


@transaction.atomic
def delete_post(*, post: Post, actor: Actor) -> None:
    """Throw a draft away."""
    found = _locked(post)
    if found.state not in (State.DRAFT, State.SCHEDULED):
        raise DomainError(_("Members have read it. Put it away instead."))
    record_audit(actor=actor, action="post.deleted", target=found)
    before, storage = found.picture.name or "", found.picture.storage
    found.delete()
    if before:
        transaction.on_commit(partial(storage.delete, before))


@transaction.atomic
def set_post_picture(*, post: Post, upload: File[bytes] | None, actor: Actor) -> Post:
    """Show this picture with it; None: go without one. Raises DomainError where the file is no
    picture that can serve."""
    found = _locked(post)
    before, storage = found.picture.name or "", found.picture.storage
    keep_picture(
        found.picture, upload, field="picture", of=found.public_id.hex, least_side=LEAST_SIDE
    )
    after = found.picture.name or ""
    if after == before:
        return found
    found.save(update_fields=["picture"])
    record_audit(
        actor=actor, action="post.picture_changed", target=found,
        before={"picture": bool(before)}, after={"picture": bool(after)},
    )  # fmt: skip
    if before:
        transaction.on_commit(partial(storage.delete, before))
    return found


def _write(post: Post, terms: PostTerms) -> None:
    _check(post, terms)
    for name in SAID:
        setattr(post, name, getattr(terms, name))
    post.when = dict(terms.when)
    post.save()


def _check(post: Post, terms: PostTerms) -> None:
    if not terms.title.strip():
        raise _wrong("title", _("Give it a title."))
    _check_lengths({name: getattr(terms, name) for name in TEXTS})
    if post.state == State.SCHEDULED and terms.publish_at is None:
        raise _wrong("publish_at", _("It is to appear by itself: say when."))
    if terms.opens_at and terms.publish_at and terms.opens_at < terms.publish_at:
        raise _wrong("opens_at", _("Not before it appears."))
    if terms.item is not None and terms.item.program_id != post.program_id:
        raise _wrong("item", _("It is in the library of another program."))
    if terms.when:
        try:
            read_condition(terms.when, "occasion")
        except ConditionError as error:
            raise _wrong("when", str(error)) from error
        own = Tier.objects.filter(tier_set__program=post.program_id)
        if strange := sorted(set(tiers_in(terms.when)) - set(own.values_list("code", flat=True))):
            raise _wrong("when", _("The program has no tier “%s”.") % strange[0])


def _check_lengths(said: Mapping[str, str]) -> None:
    longest = {"title": 120, "teaser": 300, "body": LONGEST}
    for name, text in said.items():
        if len(text) > longest[name]:
            raise _wrong(name, _("At most %s characters.") % longest[name])
        if "\x00" in text:
            raise _wrong(name, _("It has a character that cannot be kept."))


def _locked(post: Post) -> Post:
    rows = Post.objects.select_for_update(of=("self",)).select_related("program", "item")
    return rows.get(pk=post.pk)


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | dict) else str(value or "")


def _wrong(name: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(name, message)])
