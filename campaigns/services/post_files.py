"""Posts in a program's definition: read from it, and brought to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from campaigns.models import Post
from campaigns.post_definitions import PostTextsPart, ProgramPost
from campaigns.selectors.posts import posts
from campaigns.services.posts import (
    PostTerms,
    change_post,
    create_post,
    publish_post,
    translate_post,
    unschedule_post,
)
from loyalty.models import Program
from loyalty.services.applied import Applied
from members.errors import ConflictError, DomainError, FieldError
from members.prepared import KeptQuery
from members.services.audit import Actor
from rewards.models import ContentItem

State = Post.State
SAID = ("teaser", "body", "when", "publish_at", "opens_at", "pinned", "comments_open", "by_message")


def posts_of(program: Program) -> list[ProgramPost]:
    """In the order in which they were written, but for those that are put away."""
    rows = sorted(_known(program).values(), key=lambda row: row.pk)
    return [_item(row) for row in rows if row.state != State.ARCHIVED]


def apply_posts(
    applied: Applied, wanted: Sequence[ProgramPost], actor: Actor, now: dt.datetime
) -> None:
    """Posts that the definition names are made, changed, and published if it says so. Raises
    DomainError naming the place."""
    known = _known(applied.program) if wanted else {}
    for index, item in enumerate(wanted):
        try:
            _apply(applied, known.get(item.title), item, actor, now)
        except DomainError as error:
            error.place_fields(f"posts[{index}]")
            raise


_posts: KeptQuery[Post] = KeptQuery(lambda program: posts().filter(program=program).order_by("-pk"))


def _known(program: Program) -> dict[str, Post]:
    """By title; of several with the same the oldest that is not put away."""
    rows = _posts.rows(program.pk)
    rows.sort(key=lambda row: row.state != State.ARCHIVED)
    return {row.title.strip(): row for row in rows}


def _apply(
    applied: Applied, found: Post | None, wanted: ProgramPost, actor: Actor, now: dt.datetime
) -> None:
    before = _item(found) if found else None
    if before == wanted or (found is not None and found.state == State.ARCHIVED):
        return
    terms = _terms(applied.program, wanted)
    if found is None:
        found = create_post(program=applied.program, terms=terms, actor=actor)
        applied.changes.append(_("New post: %s") % wanted.title)
    else:
        found = _taken_back(found, wanted, actor)
        found = change_post(post=found, terms=terms, actor=actor)
        applied.changes.append(_("Post changed: %s") % wanted.title)
    for language in sorted({*found.texts, *wanted.texts}):
        texts = wanted.texts.get(language, PostTextsPart()).model_dump()
        translate_post(post=found, language=language, texts=texts, actor=actor)
    if wanted.state == "published":
        publish_post(post=found, actor=actor, now=now)


def _taken_back(found: Post, wanted: ProgramPost, actor: Actor) -> Post:
    """What waits for its time is a draft again, where that is wanted."""
    if wanted.state == "draft" and found.state == State.PUBLISHED:
        message = _("Members read it. It can only be put away.")
        raise ConflictError(message, errors=[FieldError("state", message)])
    if found.state == State.SCHEDULED and wanted.publish_at != found.publish_at:
        return unschedule_post(post=found, actor=actor)
    if found.state == State.SCHEDULED and wanted.state == "draft":
        return unschedule_post(post=found, actor=actor)
    return found


def _terms(program: Program, wanted: ProgramPost) -> PostTerms:
    item = None
    if wanted.item is not None:
        item = ContentItem.objects.filter(program=program, code=wanted.item).first()
        if item is None:
            message = _("There is nothing of this code in the library.")
            raise DomainError(message, errors=[FieldError("item", message)])
    said = {name: getattr(wanted, name) for name in SAID}
    return PostTerms(title=wanted.title, item=item, **said)


def _item(post: Post) -> ProgramPost:
    said = {name: getattr(post, name) for name in SAID}
    state = "draft" if post.state == State.DRAFT else "published"
    return ProgramPost.model_validate({
        "title": post.title, "state": state, "texts": post.texts,
        "item": post.item.code if post.item else None, **said,
    })  # fmt: skip
