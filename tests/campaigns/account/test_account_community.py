"""Members read, say something, and go to the forum; nobody needs JavaScript for it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import ForumMember, ForumTask, Post, PostComment, PostReading
from campaigns.services.post_comments import decide_comment
from campaigns.services.posts import archive_post, translate_post
from loyalty.models import Membership, Program
from members.models import AuditEntry
from members.services.audit import SYSTEM
from tests.campaigns.community import (
    GOLD,
    GROUPS,
    TIERS,
    asked,
    make_forum,
    make_post,
    say,
    told_in,
)
from tests.factories import CustomerFactory
from tests.loyalty.factories import make_program
from tests.rewards.factories import make_member
from tests.rewards.services import test_events
from tests.sharing import anew, shared
from tests.sign_ins import signed_in

pytestmark = pytest.mark.django_db
SSO = "/community/discourse/sso"


made_once = shared(lambda: make_program(at=timezone.now() - dt.timedelta(days=9), tiers=TIERS))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def ana(club: Program) -> Membership:
    customer = CustomerFactory(external_id="ana", email="ana@example.org", with_user=True)
    EmailAddress.objects.update_or_create(
        user=customer.user, email=customer.email, defaults={"verified": True}
    )
    return make_member(0, "ana", club)


@pytest.fixture
def client_of_ana(ana: Membership) -> Client:
    return signed_in(ana.customer.user)


def own(name: str, *args: Any) -> str:
    return reverse(f"community_account:{name}", args=args)


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def test_the_feed_has_what_is_on_top_first_and_says_what_opens_the_rest(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    now = timezone.now()
    assert "Nothing to read yet" in page(client_of_ana, own("community"))
    make_post(club, at=now, title="The newest", teaser="Look at this.")
    make_post(club, at=now - dt.timedelta(days=3), title="On top for long", pinned=True)
    locked = make_post(club, at=now, title="For some", when=GOLD, body="What only gold reads.")
    make_post(club, at=None, title="Not written yet")
    feed = page(client_of_ana, own("community"))
    places = [feed.index(words) for words in ("On top for long", "For some", "The newest")]
    assert places == sorted(places)
    assert "Not written yet" not in feed
    assert "Only for this:" in feed
    assert "What only gold reads" not in feed
    assert feed.count(">New<") == 2
    refused = page(client_of_ana, own("post", ana.public_id, locked.public_id))
    assert "Only for this:" in refused
    assert "What only gold reads" not in refused
    assert not PostReading.objects.exists()


def test_events_are_in_the_feed(client_of_ana: Client, ana: Membership, club: Program) -> None:
    event = test_events.plan(
        club, starts_at=timezone.now() + dt.timedelta(days=2),
        ends_at=timezone.now() + dt.timedelta(days=2, hours=1),
    )  # fmt: skip
    feed = page(client_of_ana, own("community_of", ana.public_id))
    assert event.reward.name in feed
    assert reverse("rewards_account:event", args=[event.public_id]) in feed


def test_reading_is_noted_and_it_helps(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    post = make_post(club, at=timezone.now(), body="# Bread\n\n<script>alert(1)</script>")
    address = own("post", ana.public_id, post.public_id)
    text = page(client_of_ana, address)
    assert "<h2>Bread</h2>" in text
    assert "<script>alert(1)" not in text
    assert PostReading.objects.get().membership == ana
    act = own("post_act", ana.public_id, post.public_id)
    assert client_of_ana.post(act, {"act": "helpful"}).status_code == 302
    assert 'value="unhelpful"' in page(client_of_ana, address)
    assert "Helped 1 member" in page(client_of_ana, own("community"))
    client_of_ana.post(act, {"act": "unhelpful"})
    assert PostReading.objects.get().helpful_at is None
    assert client_of_ana.post(act, {"act": "else"}).status_code == 404
    archive_post(post=post, actor=SYSTEM, now=timezone.now())
    page(client_of_ana, address, 404)


def test_it_is_read_in_the_members_language(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    post = make_post(club, at=timezone.now())
    translate_post(post=post, language="el", texts={"title": "Ψωμί"}, actor=SYSTEM)
    ana.customer.locale = "el"
    ana.customer.save()
    assert "Ψωμί" in page(client_of_ana, own("post", ana.public_id, post.public_id))


def test_a_comment_under_a_name_of_ones_own(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    post = make_post(club, at=timezone.now())
    address, act = (own(name, ana.public_id, post.public_id) for name in ("post", "post_act"))
    sent = {"act": "comment", "form": str(uuid4()), "text": "It <b>worked</b>."}
    nameless = client_of_ana.post(act, sent)
    assert nameless.status_code == 422
    assert "Choose the name" in nameless.content.decode()
    assert "It &lt;b&gt;worked" in nameless.content.decode()
    for _time in range(2):
        assert client_of_ana.post(act, sent | {"name": "Ana.L"}).status_code == 302
    comment = PostComment.objects.get()
    text = page(client_of_ana, address)
    assert "We look at it before others read it" in text
    assert "It &lt;b&gt;worked" in text
    assert "You write as Ana.L" in text
    ben = make_member(0, "ben", club)
    other = say(post, ben, "Mine did not.", name="Ben2", at=timezone.now())
    assert "Mine did not" not in page(client_of_ana, address)
    decide_comment(comment=other, shown=True, actor=SYSTEM, now=timezone.now())
    shown = page(client_of_ana, address)
    assert "Mine did not" in shown
    assert "Ben2" in shown
    assert '<span class="badge badge-outline">Basic</span>' in shown
    client_of_ana.post(act, {"act": "report", "comment": str(other.public_id)})
    assert other.reports.count() == 1
    client_of_ana.post(act, {"act": "withdraw", "comment": str(other.public_id)})
    client_of_ana.post(act, {"act": "withdraw", "comment": str(comment.public_id)})
    states = PostComment.objects.values_list("state", flat=True).order_by("pk")
    assert list(states) == ["withdrawn", "shown"]
    for wrong in ({"act": "report", "comment": "x"}, {"act": "report"}):
        assert client_of_ana.post(act, wrong).status_code == 404


def test_nobody_reads_what_is_elsewhere(client_of_ana: Client, ana: Membership) -> None:
    other = make_member(0, "ben", make_program("other"))
    post = make_post(other.program, at=timezone.now())
    page(client_of_ana, own("community_of", other.public_id), 404)
    page(client_of_ana, own("post", other.public_id, post.public_id), 404)
    page(client_of_ana, own("post", ana.public_id, post.public_id), 404)
    act = own("post_act", ana.public_id, post.public_id)
    assert client_of_ana.post(act, {"act": "helpful"}).status_code == 404
    assert Client().get(own("community")).status_code == 302
    assert Client().get(reverse("community:picture", args=["none.png"])).status_code == 404


def test_who_signs_in_at_the_forum_agrees_first(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    make_forum(club, groups=GROUPS)
    address = f"{SSO}?{asked()}"
    first = page(client_of_ana, address)
    assert "ana@example.org" in first
    assert not ForumMember.objects.exists()
    refused = client_of_ana.post(address, {"name": "Ana.L"})
    assert refused.status_code == 422
    assert "Say that you agree" in refused.content.decode()
    assert client_of_ana.post(address, {"agree": "on"}).status_code == 422
    onwards = client_of_ana.post(address, {"agree": "on", "name": "Ana.L"})
    assert onwards.status_code == 200
    [link] = set(re.findall(r"https://forum\.example[^\"]+", onwards.content.decode()))
    said = told_in(link.replace("&amp;", "&"))
    assert (said["email"], said["username"]) == ("ana@example.org", "Ana.L")
    assert said["require_activation"] == "false"
    assert AuditEntry.objects.filter(action="forum.agreed").count() == 1
    again = client_of_ana.get(address)
    assert again.status_code == 403
    assert "used already" in again.content.decode()
    later = client_of_ana.get(f"{SSO}?{asked(nonce='n2')}")
    assert later.status_code == 302
    assert told_in(later["Location"])["nonce"] == "n2"


def test_an_address_that_is_not_proved_is_not_said_to_be(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    make_forum(club)
    EmailAddress.objects.update(verified=False)
    sent = {"agree": "on", "name": "Ana.L"}
    assert client_of_ana.post(f"{SSO}?{asked()}", sent).status_code == 200
    answer = client_of_ana.get(f"{SSO}?{asked(nonce='n2')}")
    assert told_in(answer["Location"])["require_activation"] == "true"


def test_a_stranger_signs_in_here_first_and_goes_on(ana: Membership, club: Program) -> None:
    make_forum(club)
    answer = Client().get(f"{SSO}?{asked()}")
    assert answer.status_code == 302
    place = urlsplit(answer["Location"])
    assert place.path == reverse("account_request_login_code")
    onwards = parse_qs(place.query)["next"][0]
    client = signed_in(ana.customer.user)
    client.post(onwards, {"agree": "on", "name": "Ana.L"})
    nonce = asked(nonce="n2")
    # After a form nothing may lead elsewhere by itself, so the page goes on.
    text = client.get(f"{SSO}?{nonce}&entered=1")
    assert text.status_code == 200
    assert 'http-equiv="refresh"' in text.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "", "sso=x&sig=y", asked(secret="somebody else's secret"),
        asked(back="https://evil.example/session/sso_login"), asked("https://evil.example"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_forum_is_refused_in_plain_words(
    client_of_ana: Client, club: Program, query: str
) -> None:
    make_forum(club)
    for client in (Client(), client_of_ana):
        answer = client.get(f"{SSO}?{query}")
        assert answer.status_code == 403
        assert "This does not lead to the forum" in answer.content.decode()
        assert "evil" not in answer.content.decode()


def test_there_is_no_forum_while_it_is_off(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    page(client_of_ana, f"{SSO}?{asked()}", 404)
    make_forum(club, is_on=False)
    page(client_of_ana, f"{SSO}?{asked()}", 404)
    page(client_of_ana, own("forum", ana.public_id), 404)


def test_who_is_no_member_of_its_program_stays_outside(club: Program) -> None:
    make_forum(club)
    customer = CustomerFactory(external_id="zoe", with_user=True)
    make_member(0, "zoe", make_program("other"))
    client = signed_in(customer.user)
    assert "for members of" in page(client, f"{SSO}?{asked()}", 403)


def test_so_many_in_a_minute(club: Program, settings: Any, monkeypatch: Any) -> None:
    from campaigns.account import forum
    from members.api.throttling import Allowance

    make_forum(club)
    monkeypatch.setattr(forum, "take", lambda *_args: Allowance(False, 1, 0, 30))
    assert Client().get(f"{SSO}?{asked()}").status_code == 429


def test_agreeing_on_the_own_page_and_taking_it_back(
    client_of_ana: Client, ana: Membership, club: Program
) -> None:
    make_forum(club)
    address = own("forum", ana.public_id)
    assert address in page(client_of_ana, own("community"))
    assert client_of_ana.post(address, {"name": "Ana.L"}).status_code == 422
    assert client_of_ana.post(address, {"name": "Ana.L", "agree": "on"}).status_code == 302
    assert "Go to the forum" in page(client_of_ana, address)
    client_of_ana.get(f"{SSO}?{asked()}")
    client_of_ana.post(address, {"act": "leave"})
    assert "I agree" in page(client_of_ana, address)
    kinds = ForumTask.objects.values_list("kind", flat=True).order_by("pk")
    assert list(kinds) == ["log_out", "anonymize"]


def test_signing_out_here_and_there(client_of_ana: Client, ana: Membership, club: Program) -> None:
    make_forum(club)
    client_of_ana.post(f"{SSO}?{asked()}", {"agree": "on", "name": "Ana.L"})
    asks = client_of_ana.get("/community/discourse/logout")
    assert asks["Location"] == reverse("account_logout")
    client_of_ana.post(reverse("account_logout"))
    assert ForumTask.objects.get().kind == "log_out"
    assert Client().get("/community/discourse/logout").status_code == 302


@pytest.mark.browser
def test_reading_and_commenting_on_a_phone(
    page: Any,
    live_server: Any,
    ana: Membership,
    club: Program,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    post = make_post(
        club, at=timezone.now(), title="Your first loaf", teaser="Four things, one pot.",
        body="## The evening before\n\nMix **flour** and water.\n\n- salt\n- time\n\n> A pot.",
    )  # fmt: skip
    make_post(club, at=timezone.now(), title="Only for some", when=GOLD)
    make_forum(club)
    ben = make_member(0, "ben", club)
    told = say(post, ben, "Mine did not rise.", name="Ben2", at=timezone.now())
    decide_comment(comment=told, shown=True, actor=SYSTEM, now=timezone.now())
    client = signed_in(ana.customer.user)
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}{own('community')}")
    expect(page.get_by_role("heading", name="Only for some")).to_be_visible()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Your first loaf").click()
    expect(page.get_by_role("heading", name="The evening before")).to_be_visible()
    expect(page.get_by_text("Mine did not rise.")).to_be_visible()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Helpful").click()
    expect(page.get_by_role("button", name="Helpful", pressed=True)).to_be_visible()
    page.get_by_label("The name that others read").fill("Ana.L")
    page.get_by_label("Your comment").fill("It worked on Sunday.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("We look at it before others read it.")).to_be_visible()
    assert_no_axe_violations(page)
    page.goto(f"{live_server.url}{own('forum', ana.public_id)}")
    page.get_by_label("I agree that the forum is told this.").check()
    page.get_by_role("button", name="Agree", exact=True).click()
    expect(page.get_by_role("link", name="Go to the forum")).to_be_visible()
    assert_no_axe_violations(page)
    assert Post.objects.count() == 2
