"""/posts, and what members read below /me."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from campaigns.models import CommentReport, PostComment, PostReading
from campaigns.services.post_comments import decide_comment
from campaigns.services.posts import archive_post
from loyalty.models import Membership, Program
from members.services.audit import SYSTEM
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.community import make_post, say
from tests.loyalty.factories import make_program, make_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all", "undone_when_refused")]
VIP = {"field": "customer.tags", "op": "has_any", "value": ["vip"]}


@pytest.fixture
def me(key_with: Callable[..., ApiClient], membership: Membership) -> ApiClient:
    shop = key_with("member_tokens:write")
    body = {"customer": {"external_id": "C-1"}}
    return ApiClient(shop.post("/member-tokens", body).json()["token"])


def test_a_shop_reads_what_a_member_finds_and_whether_they_may(
    key_with: Callable[..., ApiClient], program: Program, membership: Membership
) -> None:
    api, now = key_with("community:read"), timezone.now()
    make_post(program, at=now, title="Bread", teaser="Four things.", pinned=True)
    some = make_post(program, at=now, title="For some", when=VIP)
    draft = make_post(program, at=None)
    named = f"membership={membership.public_id}"
    found = api.get(f"/posts?{named}").json()["results"]
    assert [item["title"] for item in found] == ["Bread", "For some"]
    assert [item["access"]["code"] for item in found] == ["allowed", "not_for_you"]
    assert "html" not in found[0]
    access = api.get(f"/posts/{some.public_id}/access?{named}").json()
    assert (access["allowed"], access["code"]) == (False, "not_for_you")
    membership.customer.tags = ["vip"]
    membership.customer.save()
    assert api.get(f"/posts/{some.public_id}/access?{named}").json()["allowed"]
    shut = api.get(f"/posts/{draft.public_id}/access?{named}").json()
    assert shut["code"] == "not_published"
    archive_post(post=some, actor=SYSTEM, now=now)
    assert not api.get(f"/posts/{some.public_id}/access?{named}").json()["allowed"]
    other = make_wallet(make_program("other"), "c9").account.membership
    wrong = api.get(f"/posts/{some.public_id}/access?membership={other.public_id}")
    assert_problem(wrong, 422, "invalid_request", "membership")
    assert_problem(api.get(f"/posts/{other.public_id}/access?{named}"), 404, "not_found")
    assert_problem(key_with("rewards:read").get(f"/posts?{named}"), 403, "insufficient_scope")


def test_a_member_reads_and_says_something(
    me: ApiClient, program: Program, membership: Membership
) -> None:
    now = timezone.now()
    post = make_post(program, at=now, body="Flour and **time**.")
    base = f"/me/memberships/{membership.public_id}/posts"
    one = f"{base}/{post.public_id}"
    assert [item["id"] for item in me.get(base).json()["results"]] == [str(post.public_id)]
    found = me.get(one).json()
    assert "<strong>time</strong>" in found["html"]
    assert (found["read_at"], found["helpful"], found["comments"]) == (None, False, [])
    for _time in range(2):
        read = me.post(f"{one}/read", {"helpful": True}, Idempotency_Key="r1")
        assert read.json()["helpful"]
    assert me.post(f"{one}/read", {}, Idempotency_Key="r2").json()["helpful"]
    assert PostReading.objects.count() == 1
    said = {"text": "It worked.", "name": "Ana.L"}
    nameless = me.post(f"{one}/comments", {"text": "Hello"}, Idempotency_Key="k0")
    assert nameless.status_code in (409, 422)
    for _time in range(2):
        made = me.post(f"{one}/comments", said, Idempotency_Key="k1")
        assert made.status_code == 201
        assert (made.json()["name"], made.json()["state"]) == ("Ana.L", "waiting")
    comment = PostComment.objects.get()
    decide_comment(comment=comment, shown=True, actor=SYSTEM, now=now)
    [shown] = me.get(one).json()["comments"]
    assert (shown["text"], shown["own"], shown["state"]) == ("It worked.", True, "shown")
    for _time in range(2):
        assert me.request("DELETE", f"{one}/comments/{shown['id']}").status_code == 204
    comment.refresh_from_db()
    assert (comment.text, comment.state) == ("", PostComment.State.WITHDRAWN)
    again = me.post(f"{one}/comments/{shown['id']}/report", {}, Idempotency_Key="k2")
    assert_problem(again, 404, "not_found")


def test_a_member_reports_what_another_said_and_takes_back_nothing_of_theirs(
    me: ApiClient, program: Program, membership: Membership
) -> None:
    now = timezone.now()
    post = make_post(program, at=now)
    other = make_wallet(program, "c9").account.membership
    said = say(post, other, name="Mia.K", at=now)
    base = f"/me/memberships/{membership.public_id}/posts/{post.public_id}/comments"
    theirs = f"{base}/{said.public_id}"
    # Nobody else has read it yet.
    waiting = me.post(f"{theirs}/report", {}, Idempotency_Key="r0")
    assert waiting.status_code in (404, 409, 422)
    decide_comment(comment=said, shown=True, actor=SYSTEM, now=now)
    for key in ("r1", "r1", "r2"):
        assert me.post(f"{theirs}/report", {}, Idempotency_Key=key).json()["reported_at"]
    assert CommentReport.objects.filter(comment=said, membership=membership).count() == 1
    assert_problem(me.request("DELETE", theirs), 404, "not_found")
    said.refresh_from_db()
    assert said.state == PostComment.State.SHOWN


def test_what_is_locked_says_nothing(
    me: ApiClient, program: Program, membership: Membership
) -> None:
    post = make_post(program, at=timezone.now(), teaser="Look.", when=VIP, body="For VIPs.")
    one = f"/me/memberships/{membership.public_id}/posts/{post.public_id}"
    found = me.get(one)
    assert "For VIPs" not in found.content.decode()
    assert (found.json()["html"], found.json()["post"]["teaser"]) == (None, "Look.")
    read = me.post(f"{one}/read", {}, Idempotency_Key="r1")
    assert read.json()["code"] == "post_closed"
    other = make_post(make_program("other"), at=timezone.now())
    elsewhere = me.get(f"/me/memberships/{membership.public_id}/posts/{other.public_id}")
    assert_problem(elsewhere, 404, "not_found")
