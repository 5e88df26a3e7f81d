"""Posts: who may read which from when on, who did, and what is told of them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.demo.community import show_community
from campaigns.models import Message, Post, PostComment, PostReading
from campaigns.post_words import told_post
from campaigns.selectors.posts import counted_posts, shown_posts, waiting_comments
from campaigns.services import post_clock
from campaigns.services.post_access import access_of, access_to, members_allowed
from campaigns.services.post_clock import find_changes
from campaigns.services.post_readings import PostClosedError, read_post, say_helpful
from campaigns.services.posts import (
    PostTerms,
    archive_post,
    change_post,
    delete_post,
    publish_post,
    restore_post,
    set_post_picture,
    translate_post,
    unschedule_post,
)
from loyalty.models import Membership, Program
from loyalty.services.leaving import leave_program
from members.errors import DomainError
from members.segment_uses import segment_uses
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from members.services.segments import create_segment
from tests.campaigns.community import GOLD, TIERS, make_post, say
from tests.campaigns.factories import switch_on
from tests.loyalty.factories import NOW, day, make_program, make_wallet, order, record
from tests.rewards.backoffice.test_reward_pictures import png
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(lambda: make_program(at=day(-9), tiers=TIERS))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def plain(club: Program) -> Membership:
    return make_wallet(club, "plain", at=day(-8)).account.membership


@pytest.fixture
def gold(club: Program) -> Membership:
    member = make_wallet(club, "gold", at=day(-8)).account.membership
    record(order("A", "150", at=day(-1), buyer="gold"))
    return member


def test_who_may_read_what(plain: Membership, gold: Membership, club: Program) -> None:
    everybody, some = make_post(club), make_post(club, when=GOLD)
    assert [access_of(post, gold, NOW).code for post in (everybody, some)] == ["allowed"] * 2
    assert [access_of(post, plain, NOW).code for post in (everybody, some)] == [
        "allowed", "not_for_you",
    ]  # fmt: skip
    assert "Gold" in access_of(some, plain, NOW).words
    assert members_allowed(some, [plain, gold], NOW) == {gold.pk}
    assert members_allowed(everybody, [plain, gold], NOW) == {plain.pk, gold.pk}


def test_a_tier_with_early_access_reads_it_so_many_hours_earlier(
    plain: Membership, gold: Membership, club: Program
) -> None:
    post = make_post(club, opens_at=day(2))
    early = day(2) - dt.timedelta(hours=24)
    before = early - dt.timedelta(seconds=1)
    assert access_of(post, gold, before).opens_at == early
    assert access_of(post, gold, before).code == "not_yet"
    assert access_of(post, gold, early).allowed
    assert access_of(post, plain, early).code == "not_yet"
    assert access_of(post, plain, day(2)).allowed
    assert members_allowed(post, [plain, gold], before) == set()
    assert members_allowed(post, [plain, gold], early) == {gold.pk}


def test_who_has_left_reads_nothing(plain: Membership, club: Program) -> None:
    post = make_post(club)
    leave_program(membership=plain, actor=SYSTEM, now=NOW)
    plain.refresh_from_db()
    assert access_of(post, plain, NOW).code == "not_active"
    assert members_allowed(post, [plain], NOW) == set()


def test_what_a_condition_named_and_is_gone_is_for_nobody(plain: Membership, club: Program) -> None:
    post = make_post(club)
    Post.objects.filter(pk=post.pk).update(when={"field": "nothing.known", "op": "is", "value": 1})
    post.refresh_from_db()
    assert access_of(post, plain, NOW).code == "not_for_you"
    assert members_allowed(post, [plain], NOW) == set()


def test_many_posts_cost_as_many_queries_as_one(plain: Membership, club: Program) -> None:
    for number in range(12):
        make_post(club, title=f"Post {number}", when=GOLD, opens_at=day(1))
    found = list(shown_posts(club, NOW))
    access_to(found, plain, NOW)  # what is kept of the program is read once
    counted = []
    for some in (found[:2], found):
        with CaptureQueriesContext(connection) as queries:
            assert len(access_to(some, plain, NOW)) == len(some)
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 20


def test_reading_is_noted_once_and_helps(plain: Membership, club: Program) -> None:
    post = make_post(club)
    first = read_post(post=post, membership=plain, now=NOW)
    again = read_post(post=post, membership=plain, now=day(1))
    assert (first.pk, again.first_at) == (again.pk, NOW)
    say_helpful(post=post, membership=plain, helpful=True, now=day(1))
    assert say_helpful(post=post, membership=plain, helpful=True, now=day(2)).helpful_at == day(1)
    counted = counted_posts().get(pk=post.pk)
    assert (counted.readers, counted.thanks) == (1, 1)
    say_helpful(post=post, membership=plain, helpful=False, now=day(2))
    assert counted_posts().get(pk=post.pk).thanks == 0


def test_readers_and_comments_are_each_counted_by_themselves(
    plain: Membership, gold: Membership, club: Program
) -> None:
    post, quiet = make_post(club), make_post(club)
    for member in (plain, gold):
        read_post(post=post, membership=member, now=NOW)
    for number in range(3):
        say(post, plain, f"Comment {number}.", name="Baker" if number == 0 else "")
    PostComment.objects.filter(text="Comment 1.").update(state=PostComment.State.WAITING)
    counts = {row.pk: (row.readers, row.thanks, row.said, row.waiting) for row in counted_posts()}
    shown = PostComment.objects.filter(state=PostComment.State.SHOWN).count()
    assert counts == {post.pk: (2, 0, shown, 3 - shown), quiet.pk: (0, 0, 0, 0)}


@pytest.mark.parametrize("said", [{"when": GOLD}, {"opens_at": day(1)}, {"at": None}])
def test_who_may_not_read_it_has_not_read_it(
    plain: Membership, club: Program, said: dict[str, object]
) -> None:
    post = make_post(club, **said)
    for act in (read_post, lambda **how: say_helpful(helpful=True, **how)):
        with pytest.raises(PostClosedError):
            act(post=post, membership=plain, now=NOW)
    assert not PostReading.objects.exists()


def test_another_programs_post_is_not_there(plain: Membership) -> None:
    with pytest.raises(PostClosedError, match="not there"):
        read_post(post=make_post(make_program("other")), membership=plain, now=NOW)


def test_the_life_of_a_post(club: Program) -> None:
    post = make_post(club, at=None, publish_at=day(1))
    assert not shown_posts(club, NOW).exists()
    publish_post(post=post, actor=SYSTEM, now=NOW)
    post.refresh_from_db()
    assert (post.state, post.published_at) == ("scheduled", None)
    assert not shown_posts(club, NOW).exists()
    assert shown_posts(club, day(1)).exists()
    assert unschedule_post(post=post, actor=SYSTEM).state == "draft"
    publish_post(post=post, actor=SYSTEM, now=NOW)
    done = publish_post(post=post, actor=SYSTEM, now=day(1))
    assert (done.state, done.published_at) == ("published", day(1))
    assert publish_post(post=post, actor=SYSTEM, now=day(3)).published_at == day(1)
    with pytest.raises(DomainError, match="Put it away"):
        delete_post(post=post, actor=SYSTEM)
    assert archive_post(post=post, actor=SYSTEM, now=day(2)).state == "archived"
    assert not shown_posts(club, day(2)).exists()
    with pytest.raises(DomainError, match="put away"):
        change_post(post=post, terms=PostTerms(title="Other"), actor=SYSTEM)
    back = restore_post(post=post, actor=SYSTEM)
    assert (back.state, back.published_at, back.archived_at) == ("published", day(1), None)
    draft = make_post(club, at=None)
    delete_post(post=draft, actor=SYSTEM)
    assert not Post.objects.filter(pk=draft.pk).exists()


def test_the_database_holds_it(club: Program) -> None:
    post = make_post(club)
    for change in ({"state": "draft", "published_at": None}, {"state": "archived"}):
        with pytest.raises(Exception, match=r"transition|post_state_of_its_times|Invalid"):  # noqa: SIM117
            with transaction.atomic():
                Post.objects.filter(pk=post.pk).update(**change)
    with pytest.raises(Exception, match=r"post_stays|Cannot delete"), transaction.atomic():
        Post.objects.filter(pk=post.pk).delete()


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"title": " "}, "title"), ({"body": "x" * 20_001}, "body"), ({"teaser": "\x00"}, "teaser"),
        ({"publish_at": day(2), "opens_at": day(1)}, "opens_at"),
        ({"when": {"field": "nothing", "op": "is", "value": 1}}, "when"),
        ({"when": {"field": "membership.tier", "op": "is", "value": "pearl"}}, "when"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(club: Program, said: dict[str, object], name: str) -> None:
    with pytest.raises(DomainError) as caught:
        make_post(club, at=None, **said)
    assert [error.field for error in caught.value.errors] == [name]
    assert not Post.objects.exists()


def test_an_empty_one_is_not_published(club: Program) -> None:
    with pytest.raises(DomainError) as caught:
        make_post(club, body=" ")
    assert caught.value.errors[0].field == "body"


def test_it_speaks_the_readers_language(club: Program) -> None:
    post = make_post(club, teaser="Four things.")
    texts = {"title": "Roti pertama", "teaser": "", "body": "Tepung."}
    post = translate_post(post=post, language="ms", texts=texts, actor=SYSTEM)
    told = told_post(post, "ms-my")
    assert (told.title, told.teaser, told.body) == ("Roti pertama", "Four things.", "Tepung.")
    assert told_post(post, "el").title == "Your first loaf"
    empty = translate_post(post=post, language="ms", texts={}, actor=SYSTEM)
    assert empty.texts == {}
    with pytest.raises(DomainError):
        translate_post(post=post, language="xx", texts=texts, actor=SYSTEM)


def test_a_picture_is_kept_and_thrown_away(
    club: Program, django_capture_on_commit_callbacks
) -> None:
    post = make_post(club)
    upload = SimpleUploadedFile("loaf.png", png(128, 64))
    post = set_post_picture(post=post, upload=upload, actor=SYSTEM)
    name, storage = str(post.picture.name), post.picture.storage
    assert storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        set_post_picture(post=post, upload=None, actor=SYSTEM)
    assert not storage.exists(name)
    wrong = SimpleUploadedFile("loaf.png", b"nothing of that kind")
    with pytest.raises(DomainError):
        set_post_picture(post=post, upload=wrong, actor=SYSTEM)


def test_what_is_due_appears_and_is_told_once_to_who_may_read_it(
    plain: Membership, gold: Membership, club: Program
) -> None:
    now = timezone.now()
    switch_on("post", "inbox", at=now - dt.timedelta(days=1))
    post = make_post(
        club, at=now - dt.timedelta(hours=2), publish_at=now - dt.timedelta(hours=1),
        opens_at=now + dt.timedelta(hours=5), by_message=True,
    )  # fmt: skip
    quiet = make_post(club, at=now, title="Not told")
    assert post.state == "scheduled"
    run_scheduled(kind=post_clock.KIND, now=now)
    post.refresh_from_db()
    assert (post.state, quiet.by_message) == ("published", False)
    told = Message.objects.filter(occasion="post")
    assert [row.membership_id for row in told] == [gold.pk]
    later = now + dt.timedelta(hours=6)
    run_scheduled(kind=post_clock.KIND, now=later)
    run_scheduled(kind=post_clock.KIND, now=later)
    assert sorted(told.values_list("membership", flat=True)) == sorted([plain.pk, gold.pk])
    assert find_changes(later) is None


def test_nobody_is_told_of_what_is_old(plain: Membership, club: Program) -> None:
    now = timezone.now()
    switch_on("post", "inbox", at=now - dt.timedelta(days=30))
    make_post(club, at=now - dt.timedelta(days=8), by_message=True)
    assert find_changes(now) is None
    assert not Message.objects.exists()


def test_the_demonstration_is_made_once(plain: Membership, gold: Membership, club: Program) -> None:
    for _time in range(2):
        show_community(club)
    states = sorted(Post.objects.values_list("state", flat=True))
    assert states == ["draft", "published", "published", "published"]
    some = Post.objects.get(title__startswith="Behind")
    now = timezone.now()
    assert members_allowed(some, [plain, gold], now) == {gold.pk}
    assert waiting_comments() + PostComment.objects.filter(state="shown").count() == 2


def test_a_segment_says_which_posts_ask_for_it(club: Program) -> None:
    asks = {"field": "customer.segments", "op": "has_any", "value": ["regulars"]}
    create_segment(actor=SYSTEM, name="Regulars", kind="static", code="regulars", now=NOW)
    post = make_post(club, when=asks)
    assert [use.kind for use in segment_uses()["regulars"]] == ["post"]
    archive_post(post=post, actor=SYSTEM, now=NOW)
    assert "regulars" not in segment_uses()
