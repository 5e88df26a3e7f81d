"""The screens of the community: posts, comments, the forum."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import Forum, ForumTask, Post
from campaigns.services.community_names import choose_name
from campaigns.services.forum_tasks import plan_task
from campaigns.services.post_readings import read_post, say_helpful
from loyalty.models import Program
from members.kept_secrets import revealed
from tests.campaigns.community import (
    GOLD,
    KEY,
    SECRET,
    TIERS,
    Discourse,
    a_discourse,
    make_forum,
    make_post,
    say,
)
from tests.loyalty.factories import make_program
from tests.rewards.backoffice.test_reward_pictures import png
from tests.rewards.factories import make_member
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(lambda: make_program(at=timezone.now() - dt.timedelta(days=9), tiers=TIERS))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def administrator(client_of: Callable[[str], Client]) -> Client:
    return client_of("administrator")


@pytest.fixture
def discourse() -> Iterator[Discourse]:
    with a_discourse() as found:
        yield found


def url(name: str, *args: Any) -> str:
    return reverse(f"community_backoffice:{name}", args=args)


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_post_is_written_published_and_put_away(manager: Client, club: Program) -> None:
    assert "Nothing written yet" in page(manager, url("post_list"))
    create = url("post_create", club.code)
    sent = {"title": "Your first loaf", "teaser": "Four things.", "body": "Flour, **water**.",
            "when": "", "comments_open": "on"}  # fmt: skip
    assert manager.post(create, sent | {"title": ""}).status_code == 422
    wrong = SimpleUploadedFile("x.png", b"no picture")
    assert manager.post(create, sent | {"picture": wrong}).status_code == 422
    assert not Post.objects.exists()
    upload = SimpleUploadedFile("loaf.png", png(128, 64))
    saved = manager.post(create, sent | {"picture": upload})
    post = Post.objects.get()
    assert saved["Location"] == url("post", post.public_id)
    shown = page(manager, saved["Location"])
    assert "Flour, <strong>water</strong>." in shown
    picture = reverse("community:picture", args=[post.picture_name])
    assert picture in shown
    assert Client().get(picture)["Content-Type"] == "image/png"
    act = url("post_act", post.public_id)
    manager.post(act, {"act": "publish"})
    post.refresh_from_db()
    assert post.state == "published"
    edit = url("post_edit", post.public_id)
    changed = sent | {"no_picture": "on", "pinned": "on", "title": "Your second loaf"}
    assert manager.post(edit, changed).status_code == 302
    post.refresh_from_db()
    assert (post.title, post.pinned, post.picture_name) == ("Your second loaf", True, "")
    manager.post(act, {"act": "archive"})
    assert "Show it again" in page(manager, url("post", post.public_id))
    page(manager, edit, 404)
    manager.post(act, {"act": "restore"})
    manager.post(act, {"act": "delete"})
    assert Post.objects.get().state == "published"
    assert manager.post(act, {"act": "else"}).status_code == 404


def test_a_post_is_scheduled_and_taken_back(manager: Client, club: Program) -> None:
    later = (timezone.now() + dt.timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    manager.post(
        url("post_create", club.code),
        {"title": "Later", "body": "Soon.", "when": "", "publish_at": later},
    )
    post = Post.objects.get()
    assert "Schedule" in page(manager, url("post", post.public_id))
    act = url("post_act", post.public_id)
    manager.post(act, {"act": "publish"})
    post.refresh_from_db()
    assert (post.state, post.comments_open) == ("scheduled", False)
    manager.post(act, {"act": "unschedule"})
    manager.post(act, {"act": "delete"})
    assert not Post.objects.exists()


def test_it_is_written_in_another_language(manager: Client, club: Program) -> None:
    post = make_post(club)
    texts = url("post_texts", post.public_id) + "?language=ms"
    assert "Your first loaf" in page(manager, texts)
    assert manager.post(texts, {"title": "Roti", "body": "*Tepung*"}).status_code == 302
    assert "<em>Tepung</em>" in page(manager, url("post", post.public_id) + "?language=ms")
    page(manager, url("post_texts", post.public_id) + "?language=xx", 404)


def test_staff_see_who_reads_it_and_for_whom_it_is(agent: Client, club: Program) -> None:
    member = make_member(0, "ana", club)
    post, some = make_post(club), make_post(club, title="For some", when=GOLD)
    read_post(post=post, membership=member, now=timezone.now())
    say_helpful(post=post, membership=member, helpful=True, now=timezone.now())
    text = page(agent, url("post", post.public_id))
    assert re.search(r"Readers.{0,200}>1<", text)
    assert "Every member." in text
    assert "Gold" in page(agent, url("post", some.public_id))
    assert 'value="archive"' not in text
    Post.objects.filter(pk=some.pk).update(when={"field": "gone", "op": "is", "value": 1})
    assert "not there any more" in page(agent, url("post", some.public_id))


def test_comments_wait_until_somebody_lets_them_through(agent: Client, club: Program) -> None:
    assert "Nothing to look at" in page(agent, url("comment_list"))
    member = make_member(0, "ana", club)
    comment = say(make_post(club), member, "<i>Hello</i>", name="Ana.L", at=timezone.now())
    queue = page(agent, url("comment_list"))
    assert "&lt;i&gt;Hello" in queue
    assert '<span class="count">1</span>' in queue
    assert '<span class="badge badge-outline">Basic</span>' in queue
    badge = r"<span>Community</span><span class=\"shell-nav-badge\"><span aria-hidden=\"true\">1<"
    assert re.search(badge, page(agent, reverse("backoffice:home")))
    assert not re.search(badge, page(agent, reverse("surveys_backoffice:survey_list")))
    act = url("comment_act", comment.public_id)
    assert agent.post(act, {"act": "else"}).status_code == 404
    for step, state in (("show", "shown"), ("hide", "hidden"), ("show", "shown")):
        assert agent.post(act, {"act": step}).status_code == 302
        comment.refresh_from_db()
        assert comment.state == state
    assert "Decided last" in page(agent, url("comment_list"))
    assert 'name="name" value="Ana.L"' in page(agent, url("comment_list"))
    choose_name(membership=member, name="Rude.One", now=timezone.now())
    # The page was opened before.
    answer = agent.post(act, {"act": "show", "name": "Ana.L"}, follow=True)
    assert "has changed their name since" in answer.content.decode()
    comment.refresh_from_db()
    assert comment.state == "waiting"
    agent.post(act, {"act": "show", "name": "Rude.One"})
    comment.refresh_from_db()
    assert comment.state == "shown"


def test_the_forum_is_set_up_and_tested(
    administrator: Client, manager: Client, club: Program, discourse: Discourse
) -> None:
    assert "No forum yet" in page(administrator, url("forum"))
    edit = url("forum_edit")
    sent = {"program": club.code, "url": discourse.url, "api_user": "system", "is_on": "on",
            "group_gold": "gold-members"}  # fmt: skip
    refused = administrator.post(edit, sent | {"secret": "short"})
    assert refused.status_code == 422
    assert administrator.post(edit, sent | {"secret": SECRET, "api_key": KEY}).status_code == 302
    forum = Forum.objects.get()
    assert (forum.groups, forum.is_on) == ({"gold": "gold-members"}, True)
    shown = page(administrator, url("forum")) + page(administrator, edit)
    assert SECRET not in shown
    assert KEY not in shown
    assert "/community/discourse/sso" in shown
    assert administrator.post(edit, sent).status_code == 302
    assert revealed(Forum.objects.get().secret) == SECRET
    tested = administrator.post(url("forum_act"), {"act": "test"}, follow=True)
    assert "All is well" in tested.content.decode()
    discourse.groups = set()
    administrator.post(url("forum_act"), {"act": "test"})
    assert "no group" in page(manager, url("forum"))


def test_what_the_forum_was_not_told_is_told_again(
    administrator: Client, club: Program, discourse: Discourse
) -> None:
    forum = make_forum(club, discourse.url)
    plan_task(external_id=forum_id(), kind=ForumTask.Kind.SYNC, now=timezone.now())
    ForumTask.objects.update(state="failed", problem="503 for /admin", attempts=9)
    assert "503 for /admin" in page(administrator, url("forum"))
    task = ForumTask.objects.get()
    act = url("forum_act")
    administrator.post(act, {"act": "again", "task": task.pk})
    task.refresh_from_db()
    assert (task.state, task.attempts) == ("open", 0)
    for wrong in ({"act": "again", "task": "x"}, {"act": "else"}):
        assert administrator.post(act, wrong).status_code == 404
    forum.delete()
    assert administrator.post(act, {"act": "test"}).status_code == 404


def forum_id() -> Any:
    from uuid import uuid4

    return uuid4()


@pytest.mark.browser
def test_the_screens_can_be_used_by_everybody(
    sign_in: Callable[[str], Any],
    club: Program,
    assert_all_in_order: Callable[..., None],
) -> None:
    member = make_member(0, "ana", club)
    post = make_post(club, teaser="Four things.", body="## One\n\n- a\n- b")
    say(post, member, "It worked.", name="Ana.L", at=timezone.now())
    make_forum(club)
    screen = sign_in("administrator")
    addresses = (
        url("post_list"), url("post", post.public_id), url("post_edit", post.public_id),
        url("forum"), url("forum_edit"), url("comment_list"),
    )  # fmt: skip
    assert_all_in_order(screen, addresses)
    screen.get_by_role("button", name="Let it be read").first.click()
    expect(screen.get_by_text("Nothing to look at")).to_be_visible()
