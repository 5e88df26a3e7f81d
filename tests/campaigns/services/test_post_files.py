"""Posts in a program's file: what is exported makes the same elsewhere."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from campaigns.models import Post
from campaigns.services.posts import archive_post, translate_post
from loyalty.models import Program
from loyalty.program_files import dump_program, load_program
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.campaigns.community import GOLD, TIERS, make_post
from tests.loyalty.factories import NOW, make_program

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def program() -> Program:
    made = make_program(tiers=TIERS)
    bread = make_post(made, teaser="Bread", when=GOLD, pinned=True, opens_at=NOW + DAY)
    texts = {"title": "Roti pertama", "body": "Tepung"}
    translate_post(post=bread, language="ms", texts=texts, actor=SYSTEM)
    make_post(made, title="Soon", publish_at=NOW + DAY, by_message=True, comments_open=False)
    make_post(made, at=None, title="An idea")
    old = make_post(made, title="Old news")
    archive_post(post=old, actor=SYSTEM, now=NOW)
    return made


def states(program: Program) -> list[tuple[str, str]]:
    return list(Post.objects.filter(program=program).order_by("pk").values_list("title", "state"))


def bring(program: Program, *posts: Any) -> list[str]:
    definition = definition_of(program, NOW).model_copy(update={"posts": posts})
    return list(apply_definition(definition, actor=SYSTEM, now=NOW).changes)


def test_what_is_exported_makes_the_same_elsewhere(program: Program) -> None:
    text = dump_program(program, NOW)
    elsewhere = load_program(text.replace(f"code: {program.code}\n", "code: elsewhere\n", 1))
    applied = apply_definition(elsewhere, actor=SYSTEM, now=NOW)
    assert sum(change.startswith("New post: ") for change in applied.changes) == 3
    other = Program.objects.get(code="elsewhere")
    assert states(other) == [
        ("Your first loaf", "published"), ("Soon", "scheduled"), ("An idea", "draft"),
    ]  # fmt: skip
    assert definition_of(other, NOW).posts == definition_of(program, NOW).posts
    assert Post.objects.get(program=other, title="Your first loaf").texts["ms"]["body"] == "Tepung"
    assert apply_definition(elsewhere, actor=SYSTEM, now=NOW).changes == []
    assert bring(program, *definition_of(program, NOW).posts) == []


def test_what_it_names_is_changed_and_the_rest_stays(program: Program) -> None:
    loaf, soon, idea = definition_of(program, NOW).posts
    changed = bring(
        program,
        loaf.model_copy(update={"teaser": "Good bread", "texts": {}}),
        soon.model_copy(update={"publish_at": NOW + 2 * DAY}),
        idea.model_copy(update={"state": "published"}),
    )
    assert changed == [f"Post changed: {name}" for name in ("Your first loaf", "Soon", "An idea")]
    assert states(program)[:3] == [
        ("Your first loaf", "published"), ("Soon", "scheduled"), ("An idea", "published"),
    ]  # fmt: skip
    first, second = Post.objects.filter(program=program).order_by("pk")[:2]
    assert (first.teaser, first.texts) == ("Good bread", {})
    assert second.publish_at == NOW + 2 * DAY
    # Put away, it stays so; and a time that is taken back is a draft again.
    old = loaf.model_copy(update={"title": "Old news"})
    back = soon.model_copy(update={"state": "draft", "publish_at": None})
    assert bring(program, old, back) == ["Post changed: Soon"]
    assert states(program)[1] == ("Soon", "draft")
    assert states(program)[3] == ("Old news", "archived")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"state": "draft"}, "posts[0].state"),
        ({"item": "not-there"}, "posts[0].item"),
        ({"when": {"field": "membership.tier", "op": "is", "value": "lead"}}, "posts[0].when"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    program: Program, said: dict[str, Any], field: str
) -> None:
    loaf, *_others = definition_of(program, NOW).posts
    with pytest.raises(DomainError) as refused:
        bring(program, loaf.model_copy(update=said))
    assert [error.field for error in refused.value.errors] == [field]
