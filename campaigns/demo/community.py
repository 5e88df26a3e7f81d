"""The demonstration's community: posts for everybody and for some, one that opens earlier for the
best, a draft, and what members said to them."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.utils import timezone

from campaigns.models import Post, PostReading
from campaigns.services.community_names import choose_name
from campaigns.services.post_access import members_allowed
from campaigns.services.post_comments import decide_comment, write_comment
from campaigns.services.posts import PostTerms, create_post, publish_post, translate_post
from loyalty.demo.parts import register_demo_part
from loyalty.models import Membership, Program
from loyalty.selectors.tier_sets import tier_set_at
from members.services.audit import SYSTEM

# After rewards and events, in the order of names.
PART = "told_community"
READERS = 90
_FORM = UUID("0b1f4c0e-63f1-4a38-9f0c-6f1f3a1a7d55")
NAMES = ("breadfan", "Mia.K", "oakwood", "tea_and_toast", "Jonas7", "sunday-cook")
SAID = (
    "Tried it on Sunday. The crust was wonderful.", "Does it work with spelt as well?",
    "My children ate the whole loaf before it was cold.", "Thank you, the tip with the pot helped.",
    "More like this, please!", "Buy followers at cheap-likes dot example",
)  # fmt: skip
BREAD = """A loaf needs four things: flour, water, salt and time.

## The evening before

1. Mix **500 g flour**, 350 g water, 10 g salt and a pinch of yeast.
2. Cover it, and go to bed.

## The morning after

Fold it twice, let it rest for an hour, and bake it in a closed pot:

- 30 minutes with the lid
- 15 minutes without

> A pot that was heated before makes the crust.
"""
TOUR = """You asked how we choose our coffee. Come along to the roaster in the harbor.

## What we saw

- green beans from three farms
- a drum from 1962 that still runs
- the cupping, where *forty* spoons went round

Next spring some of you can come with us: seats are under **Events**.
"""
NEW = """The winter tea is here: **apple, cinnamon, a little pepper**.

It is on the shelves from next week. You can order it now.
"""


def register() -> None:
    """Called once, when the application is ready."""
    register_demo_part(PART, show_community)


def show_community(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    if Post.objects.filter(program=program).exists():
        return
    now = timezone.now()
    rows = Membership.objects.filter(program=program, status="active", merged_into=None)
    rows = rows.exclude(customer__email=settings.SETIA_DEMO_CUSTOMER)
    people = list(rows.select_related("program", "customer").order_by("pk")[:READERS])
    chance = random.Random(17)
    bread = _post(program, now - dt.timedelta(days=9), title="Your first loaf", body=BREAD,
                  teaser="Four things, one pot, no kneading.", pinned=True)  # fmt: skip
    translate_post(
        post=bread, language="ms", actor=SYSTEM,
        texts={"title": "Roti pertama anda", "teaser": "Empat bahan, satu periuk, tanpa menguli."},
    )  # fmt: skip
    posts = [bread, *_for_some(program, now)]
    create_post(
        program=program,
        actor=SYSTEM,
        terms=PostTerms(title="What we learned from your answers", body="Still to be written."),
    )
    for post in posts:
        _read(post, people, chance, now)
    _talk(bread, people, now)


def _for_some(program: Program, now: dt.datetime) -> list[Post]:
    """For those of the highest tier, and earlier for some."""
    tier_set = tier_set_at(program, now)
    tiers = list(tier_set.tiers.all()) if tier_set else []
    when: dict[str, Any] = (
        {"field": "membership.tier", "op": "at_least", "value": tiers[-1].code} if tiers else {}
    )
    return [
        _post(program, now - dt.timedelta(days=4), title="Behind the scenes: our roaster",
              body=TOUR, teaser="A morning in the harbor, with forty spoons.", when=when),
        _post(program, now - dt.timedelta(days=1), title="Winter tea, before it is on the shelf",
              body=NEW, teaser="Apple, cinnamon, and who may have it first.",
              opens_at=now + dt.timedelta(days=2)),
    ]  # fmt: skip


def _post(program: Program, at: dt.datetime, **said: Any) -> Post:
    post = create_post(program=program, terms=PostTerms(**said), actor=SYSTEM)
    return publish_post(post=post, actor=SYSTEM, now=at)


def _read(post: Post, people: list[Membership], chance: random.Random, now: dt.datetime) -> None:
    """As they came by in the days since."""
    assert post.published_at is not None
    span = (now - post.published_at).total_seconds()
    allowed = members_allowed(post, people, now)
    rows = []
    for member in people:
        at = post.published_at + dt.timedelta(seconds=chance.uniform(0, span))
        helped = at if chance.random() < 0.4 else None
        if member.pk in allowed and chance.random() < 0.7:
            rows.append(PostReading(post=post, membership=member, first_at=at, helpful_at=helped))
    PostReading.objects.bulk_create(rows)


def _talk(post: Post, people: list[Membership], now: dt.datetime) -> None:
    """Some of it was let through, the rest waits."""
    for number, (member, name, text) in enumerate(zip(people, NAMES, SAID, strict=False)):
        at = now - dt.timedelta(hours=60 - 9 * number)
        choose_name(membership=member, name=name, now=at)
        comment = write_comment(
            post=post, membership=member, text=text, form=uuid5(_FORM, f"{post.pk}:{number}"),
            now=at,
        )  # fmt: skip
        if number < 4:
            decide_comment(comment=comment, shown=True, actor=SYSTEM, now=at)
