"""What members say to posts is read by others once somebody has let it through."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest

from campaigns.models import CommunityName, PostComment
from campaigns.selectors.posts import comment_queue, comments_for, counted_posts, waiting_comments
from campaigns.services.community_names import choose_name
from campaigns.services.post_comments import (
    AT_MOST,
    TooManyCommentsError,
    decide_comment,
    report_comment,
    withdraw_comment,
    write_comment,
)
from campaigns.services.post_readings import PostClosedError
from loyalty.models import Membership, Program
from members.errors import DomainError
from members.models import AuditEntry, Merchant
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers, undo_merge
from tests.campaigns.community import GOLD, TIERS, make_post, say
from tests.loyalty.factories import NOW, day, make_program, make_wallet
from tests.rewards.services.racing import at_once
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(lambda: make_program(at=day(-9), tiers=TIERS))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def people(club: Program) -> list[Membership]:
    found = [make_wallet(club, f"p{number}", at=day(-8)).account.membership for number in range(5)]
    for number, member in enumerate(found):
        choose_name(membership=member, name=f"name{number}", now=NOW)
    return found


def seen(post: object, member: Membership) -> list[str]:
    return [row.text for row in comments_for(post, member)]


def test_a_comment_is_read_by_others_once_it_is_let_through(
    club: Program, people: list[Membership]
) -> None:
    ann, ben, *_others = people
    post = make_post(club)
    comment = say(post, ann)
    assert (seen(post, ann), seen(post, ben)) == (["It worked."], [])
    assert [row.pk for row in comment_queue()] == [comment.pk]
    assert waiting_comments() == 1
    decide_comment(comment=comment, shown=True, actor=SYSTEM, now=NOW)
    assert seen(post, ben) == ["It worked."]
    assert (counted_posts().get(pk=post.pk).said, waiting_comments()) == (1, 0)
    decide_comment(comment=comment, shown=True, actor=SYSTEM, now=NOW)
    decide_comment(comment=comment, shown=False, actor=SYSTEM, now=NOW)
    assert seen(post, ann) == seen(post, ben) == []
    actions = list(AuditEntry.objects.filter(action__startswith="post.comment").order_by("pk"))
    assert [entry.action for entry in actions] == ["post.comment_shown", "post.comment_hidden"]


def test_who_may_say_something(club: Program, people: list[Membership]) -> None:
    ann = people[0]
    with pytest.raises(PostClosedError):
        say(make_post(club, when=GOLD), ann)
    with pytest.raises(PostClosedError):
        say(make_post(club, comments_open=False), ann)
    nameless = make_wallet(club, "p9", at=day(-8)).account.membership
    with pytest.raises(DomainError) as caught:
        say(make_post(club), nameless)
    assert caught.value.errors[0].field == "name"
    for text in ("  ", "x" * 1001, "a\x00b"):
        with pytest.raises(DomainError) as caught:
            say(make_post(club), ann, text)
        assert caught.value.errors[0].field == "text"
    assert not PostComment.objects.exists()


def test_a_form_sent_twice_is_one_comment(club: Program, people: list[Membership]) -> None:
    post, form = make_post(club), uuid4()
    found = [
        write_comment(post=post, membership=people[0], text="Once.", form=form, now=NOW).pk
        for _time in range(2)
    ]
    assert found[0] == found[1]
    with pytest.raises(DomainError):
        write_comment(post=post, membership=people[1], text="Mine.", form=form, now=NOW)


def test_so_many_in_an_hour(club: Program, people: list[Membership]) -> None:
    post = make_post(club)
    for number in range(AT_MOST):
        say(post, people[0], f"No. {number}")
    with pytest.raises(TooManyCommentsError):
        say(post, people[0], "One more")
    say(post, people[1])
    say(post, people[0], "Later", at=NOW + dt.timedelta(hours=1, seconds=1))


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_counted_both() -> None:
    program = make_program(at=day(-9))
    member = make_wallet(program, "p0", at=day(-8)).account.membership
    choose_name(membership=member, name="name", now=NOW)
    post = make_post(program)

    came = at_once(lambda number: say(post, member, f"No. {number}"), 12)
    assert came == {"done": AT_MOST, TooManyCommentsError.code: 12 - AT_MOST}
    assert PostComment.objects.count() == AT_MOST


def test_complaints_take_it_away_until_somebody_has_looked(
    club: Program, people: list[Membership]
) -> None:
    post = make_post(club)
    comment = say(post, people[0])
    with pytest.raises(DomainError):
        report_comment(comment=comment, membership=people[1], now=NOW)
    decide_comment(comment=comment, shown=True, actor=SYSTEM, now=NOW)
    with pytest.raises(DomainError):
        report_comment(comment=comment, membership=people[0], now=NOW)
    for _time in range(2):
        report_comment(comment=comment, membership=people[1], now=NOW)
    [row] = comment_queue()
    assert (row.complaints, seen(post, people[4])) == (1, ["It worked."])
    for member in people[2:4]:
        report_comment(comment=comment, membership=member, now=NOW)
    assert seen(post, people[4]) == []
    decide_comment(comment=comment, shown=True, actor=SYSTEM, now=day(1))
    assert (seen(post, people[4]), waiting_comments()) == (["It worked."], 0)


def test_members_take_back_what_is_theirs(club: Program, people: list[Membership]) -> None:
    comment = say(make_post(club), people[0])
    with pytest.raises(DomainError):
        withdraw_comment(comment=comment, membership=people[1])
    for _time in range(2):
        withdraw_comment(comment=comment, membership=people[0])
    comment.refresh_from_db()
    assert (comment.state, comment.text, waiting_comments()) == ("withdrawn", "", 0)
    with pytest.raises(DomainError):
        decide_comment(comment=comment, shown=True, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    "name", ["", "ab", "with blank", "x" * 21, "Admin", "m.o.d", "-x-", "<b>bold</b>", "name1"]
)
def test_names_that_cannot_be(people: list[Membership], name: str) -> None:
    with pytest.raises(DomainError) as caught:
        choose_name(membership=people[0], name=name, now=NOW)
    assert caught.value.errors[0].field == "name"
    assert CommunityName.objects.get(membership=people[0]).name == "name0"


def test_a_name_is_taken_whatever_its_case_and_in_its_program_alone(
    people: list[Membership],
) -> None:
    with pytest.raises(DomainError, match="cannot be used"):
        choose_name(membership=people[0], name="NAME1", now=NOW)
    choose_name(membership=people[0], name="Μαρία", now=NOW)
    elsewhere = make_wallet(make_program("other"), "p0").account.membership
    assert choose_name(membership=elsewhere, name="name1", now=NOW).name == "name1"


def test_of_who_is_erased_no_word_stays(club: Program, people: list[Membership]) -> None:
    comment = say(make_post(club), people[0])
    decide_comment(comment=comment, shown=True, actor=SYSTEM, now=NOW)
    erase_customer_details(customer=people[0].customer, actor=SYSTEM)
    comment.refresh_from_db()
    assert (comment.state, comment.text) == ("withdrawn", "")
    assert not CommunityName.objects.filter(membership=people[0]).exists()


def test_two_who_are_one_person_have_one_name_and_both_their_words(
    club: Program, people: list[Membership]
) -> None:
    kept, merged = people[:2]
    post = make_post(club)
    say(post, kept, "As one.")
    say(post, merged, "As the other.")
    merge, _before = merge_customers(
        kept=kept.customer, merged=merged.customer, source="api", actor=SYSTEM, now=day(1)
    )
    assert seen(post, kept) == ["As one.", "As the other."]
    assert CommunityName.objects.get(membership=kept).name == "name0"
    undo_merge(merge=merge, source="api", actor=SYSTEM, now=day(2))
    assert (seen(post, kept), seen(post, merged)) == (["As one."], ["As the other."])


@pytest.mark.parametrize(
    "name", ["\uff41\uff44\uff4d\uff49\uff4e", "\u0430dmin", "Supp\u043ert", "s_e-t.ia", "My.Shop"]
)
def test_nobody_is_called_what_is_read_as_staff(people: list[Membership], name: str) -> None:
    """Wide letters, and those of other alphabets that look the same."""
    Merchant.objects.update_or_create(pk=1, defaults={"name": "My Shop"})
    with pytest.raises(DomainError, match="cannot be used"):
        choose_name(membership=people[0], name=name, now=NOW)


def test_a_name_that_looks_like_another_is_taken(people: list[Membership]) -> None:
    choose_name(membership=people[0], name="Oscar", now=NOW)
    with pytest.raises(DomainError, match="cannot be used"):
        choose_name(membership=people[1], name="\u041es\u0441ar", now=NOW)


def test_under_another_name_what_somebody_said_is_looked_at_again(
    club: Program, people: list[Membership]
) -> None:
    ann, ben, *_others = people
    post = make_post(club)
    comment = say(post, ann)
    decide_comment(comment=comment, shown=True, actor=SYSTEM, now=NOW)
    choose_name(membership=ann, name="name0", now=NOW)
    assert seen(post, ben) == ["It worked."]
    choose_name(membership=ann, name="buy.at.example", now=NOW)
    assert (seen(post, ann), seen(post, ben)) == (["It worked."], [])
    assert [row.pk for row in comment_queue()] == [comment.pk]
