"""The forum: who signs in there, what it is told of them, and when it is told that they are gone;
against one on this machine that checks signatures and keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress

from campaigns.discourse import Person, SignInRequest
from campaigns.discourse_calls import ForumLine
from campaigns.models import Forum, ForumMember, ForumSignIn, ForumTask
from campaigns.selectors.forum import forum_figures, line_of, open_forum
from campaigns.services.community_names import choose_name
from campaigns.services.forum import test_forum as try_forum
from campaigns.services.forum_members import ForumRefusedError, agree, sign_in, take_back
from campaigns.services.forum_tasks import KIND, PAUSES, plan_task, signed_out, try_again
from loyalty.models import Membership, Program
from loyalty.services.leaving import leave_program
from members.errors import DomainError
from members.kept_secrets import revealed
from members.models import AuditEntry
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details, update_customer
from members.services.merging import merge_customers, undo_merge
from tests.campaigns.community import (
    GROUPS,
    KEY,
    SECRET,
    TIERS,
    Discourse,
    a_discourse,
    make_forum,
    told_in,
)
from tests.campaigns.factories import follow, work
from tests.factories import CustomerFactory
from tests.loyalty.factories import NOW, day, make_program, make_wallet, order, record
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


@pytest.fixture
def discourse() -> Iterator[Discourse]:
    with a_discourse() as found:
        yield found


made_once = shared(lambda: make_program(at=day(-9), tiers=TIERS))


@pytest.fixture
def club(made_once: Program, db: None) -> Program:
    return anew(made_once)


@pytest.fixture
def forum(club: Program, discourse: Discourse) -> Forum:
    return make_forum(club, discourse.url, groups=GROUPS)


@pytest.fixture
def mia(club: Program) -> Membership:
    customer = CustomerFactory(external_id="mia", email="mia@example.org", with_user=True)
    EmailAddress.objects.update_or_create(
        user=customer.user, email=customer.email, defaults={"verified": True}
    )
    member = make_wallet(club, "mia", at=day(-8)).account.membership
    choose_name(membership=member, name="Mia.K", now=NOW)
    return member


def enter(forum: Forum, member: Membership, nonce: str = "n1", at: dt.datetime = NOW) -> str:
    request = SignInRequest(nonce, f"{forum.url}/session/sso_login")
    return sign_in(forum=forum, request=request, membership=member, now=at)


def come(forum: Forum, member: Membership, discourse: Discourse) -> ForumMember:
    """As somebody does, so that the forum knows them."""
    agree(membership=member, actor=SYSTEM, now=NOW)
    said = told_in(enter(forum, member, nonce=str(uuid4())))
    discourse.people[said["external_id"]] = said
    return ForumMember.objects.get(membership=member)


def test_who_has_not_agreed_is_told_of_to_nobody(forum: Forum, mia: Membership) -> None:
    with pytest.raises(ForumRefusedError, match="not agreed"):
        enter(forum, mia)
    assert not ForumSignIn.objects.exists()


def test_who_agrees_signs_in_as_who_they_are(forum: Forum, mia: Membership) -> None:
    agree(membership=mia, actor=SYSTEM, now=NOW)
    agree(membership=mia, actor=SYSTEM, now=day(1))
    member = ForumMember.objects.get()
    assert told_in(enter(forum, mia)) == {
        "nonce": "n1", "external_id": str(member.external_id), "email": "mia@example.org",
        "username": "Mia.K", "name": "Mia.K", "require_activation": "false", "title": "Basic",
        "add_groups": "basic-members", "remove_groups": "gold-members",
    }  # fmt: skip
    entry = AuditEntry.objects.get(action="forum.agreed")
    assert (entry.after or {})["told"] == "email, name, tier"
    assert forum_figures().came == 1


def test_a_request_is_answered_once(forum: Forum, mia: Membership) -> None:
    agree(membership=mia, actor=SYSTEM, now=NOW)
    enter(forum, mia)
    with pytest.raises(ForumRefusedError, match="used already"):
        enter(forum, mia, at=day(1))
    enter(forum, mia, nonce="n2", at=day(3))
    assert [len(row.nonce) for row in ForumSignIn.objects.all()] == [64]


def test_who_is_no_member_stays_outside(forum: Forum, mia: Membership) -> None:
    agree(membership=mia, actor=SYSTEM, now=NOW)
    leave_program(membership=mia, actor=SYSTEM, now=NOW)
    mia.refresh_from_db()
    with pytest.raises(ForumRefusedError, match="for members"):
        enter(forum, mia)
    other = make_wallet(make_program("other"), "mia").account.membership
    agree(membership=other, actor=SYSTEM, now=NOW)
    with pytest.raises(ForumRefusedError, match="for members"):
        enter(forum, other)


def test_another_tier_is_told(forum: Forum, mia: Membership, discourse: Discourse) -> None:
    member = come(forum, mia, discourse)
    record(order("A", "150", at=day(-1), buyer="mia"))
    follow()
    assert ForumTask.objects.get().kind == "sync"
    assert work(KIND, dt.datetime.now(dt.UTC)) == 1
    known = discourse.people[str(member.external_id)]
    assert (known["title"], known["add_groups"]) == ("Gold", "gold-members")
    assert known["remove_groups"] == "basic-members"
    member.refresh_from_db()
    assert member.tier == "Gold"
    assert ForumTask.objects.get().state == "done"


def test_an_address_that_is_not_shown_to_be_theirs_is_told_as_such_whenever(
    forum: Forum, mia: Membership, discourse: Discourse
) -> None:
    """A forum gives whoever has a shown address the account of that address."""
    member = come(forum, mia, discourse)
    update_customer(customer=mia.customer, actor=SYSTEM, changes={"email": "admin@example.org"})
    plan_task(external_id=member.external_id, kind=ForumTask.Kind.SYNC, now=NOW)
    assert work(KIND, NOW) == 1
    known = discourse.people[str(member.external_id)]
    assert (known["email"], known["require_activation"]) == ("admin@example.org", "true")
    mia.refresh_from_db()
    assert told_in(enter(forum, mia, nonce="n2"))["require_activation"] == "true"


def test_what_happens_while_the_forum_is_told_is_told_as_well(
    forum: Forum, mia: Membership, discourse: Discourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = come(forum, mia, discourse)
    plan_task(external_id=member.external_id, kind=ForumTask.Kind.SYNC, now=NOW)
    told: list[str] = []
    sync = ForumLine.sync

    def slow(line: ForumLine, person: Person) -> None:
        if not told:
            record(order("A", "150", at=day(-1), buyer="mia"))
            follow()
        told.append(person.title)
        sync(line, person)

    monkeypatch.setattr(ForumLine, "sync", slow)
    work(KIND, NOW)
    assert told == ["Basic", "Gold"]
    assert discourse.people[str(member.external_id)]["title"] == "Gold"
    assert ForumTask.objects.get().state == "done"


def test_what_one_forum_knows_is_sent_to_no_other(club: Program) -> None:
    make_forum(club)
    for kept in ({"secret": ""}, {"api_key": ""}):
        with pytest.raises(DomainError) as caught:
            make_forum(club, "https://forum.example.net", **kept)
        assert [error.field for error in caught.value.errors] == list(kept)
    assert Forum.objects.get().url == "https://forum.example"
    make_forum(club, secret="", api_key="", api_user="setia")
    make_forum(club, "https://forum.example.net")
    assert Forum.objects.get().url == "https://forum.example.net"


def test_nobody_is_told_of_who_was_never_there(forum: Forum, mia: Membership) -> None:
    agree(membership=mia, actor=SYSTEM, now=NOW)
    record(order("A", "150", at=day(-1), buyer="mia"))
    follow()
    assert not ForumTask.objects.exists()


def test_a_forum_that_is_down_is_told_later(
    forum: Forum, mia: Membership, discourse: Discourse
) -> None:
    member = come(forum, mia, discourse)
    plan_task(external_id=member.external_id, kind=ForumTask.Kind.SYNC, now=NOW)
    plan_task(external_id=member.external_id, kind=ForumTask.Kind.SYNC, now=NOW)
    discourse.down = 503
    assert work(KIND, NOW) == 0
    task = ForumTask.objects.get()
    assert (task.state, task.attempts, task.due_at) == ("open", 1, NOW + PAUSES[0])
    assert task.problem.startswith("503")
    assert work(KIND, NOW) == 0
    task.refresh_from_db()
    assert task.attempts == 1
    discourse.down = 0
    assert work(KIND, NOW + PAUSES[0]) == 1
    task.refresh_from_db()
    assert (task.state, task.problem) == ("done", "")


def test_what_it_never_takes_is_left_to_people(
    forum: Forum, mia: Membership, discourse: Discourse
) -> None:
    member = come(forum, mia, discourse)
    plan_task(external_id=member.external_id, kind=ForumTask.Kind.SYNC, now=NOW)
    discourse.down, at = 500, NOW
    for pause in (*PAUSES, dt.timedelta()):
        work(KIND, at)
        at += pause
    task = ForumTask.objects.get()
    assert (task.state, task.attempts) == ("failed", len(PAUSES) + 1)
    assert forum_figures().failed == 1
    discourse.down = 0
    try_again(task=task, actor=SYSTEM, now=at)
    assert work(KIND, at) == 1


def test_a_wrong_key_or_secret_does_nothing(
    forum: Forum, mia: Membership, discourse: Discourse
) -> None:
    member = come(forum, mia, discourse)
    before = dict(discourse.people[str(member.external_id)])
    for wrong in ({"api_key": "guessed"}, {"api_key": KEY, "secret": "another, but long"}):
        make_forum(forum.program, discourse.url, groups=GROUPS, **wrong)
        plan_task(external_id=member.external_id, kind=ForumTask.Kind.SYNC, now=NOW)
        work(KIND, NOW)
        ForumTask.objects.all().delete()
    assert discourse.refused == 2
    assert discourse.people[str(member.external_id)] == before


def test_who_signs_out_here_is_signed_out_there(
    forum: Forum, mia: Membership, discourse: Discourse
) -> None:
    come(forum, mia, discourse)
    signed_out(mia.customer_id, NOW)
    assert work(KIND, NOW) == 1
    assert discourse.out == [1]


def test_who_leaves_the_program_is_in_no_group(
    forum: Forum, mia: Membership, discourse: Discourse
) -> None:
    member = come(forum, mia, discourse)
    leave_program(membership=mia, actor=SYSTEM, now=NOW)
    assert work(KIND, day(1)) == 1
    known = discourse.people[str(member.external_id)]
    assert (known["title"], known["add_groups"]) == ("", "")
    assert known["remove_groups"] == "basic-members,gold-members"
    assert work(KIND, day(2)) == 0


def test_who_takes_it_back_is_anonymous_there_and_somebody_new_later(
    forum: Forum, mia: Membership, discourse: Discourse
) -> None:
    first = come(forum, mia, discourse).external_id
    for _time in range(2):
        take_back(membership=mia, actor=SYSTEM, now=day(1))
    assert AuditEntry.objects.filter(action="forum.left").count() == 1
    with pytest.raises(ForumRefusedError):
        enter(forum, mia, nonce="n9")
    assert work(KIND, day(1)) == 2
    assert (discourse.out, discourse.anonymous) == ([1], [1])
    assert come(forum, mia, discourse).external_id != first


def test_who_is_erased_is_anonymous_there_however_long_it_takes(
    forum: Forum, mia: Membership, discourse: Discourse
) -> None:
    come(forum, mia, discourse)
    discourse.down = 502
    erase_customer_details(customer=mia.customer, actor=SYSTEM)
    at = dt.datetime.now(dt.UTC)
    work(KIND, at)
    assert (discourse.anonymous, forum_figures().waiting) == ([], 2)
    discourse.down = 0
    work(KIND, at + dt.timedelta(hours=1))
    assert discourse.anonymous == [1]
    assert ForumMember.objects.get().left_at is not None


def test_of_whom_the_forum_knows_nothing_nothing_is_left_to_do(
    forum: Forum, discourse: Discourse
) -> None:
    plan_task(external_id=uuid4(), kind=ForumTask.Kind.ANONYMIZE, now=NOW)
    assert work(KIND, NOW) == 1
    assert discourse.anonymous == []


def test_a_test_says_what_is_wrong(club: Program, discourse: Discourse) -> None:
    forum = make_forum(club, discourse.url, groups=GROUPS)
    assert try_forum(forum=forum, actor=SYSTEM, now=NOW).test_problem == ""
    discourse.groups = {"basic-members"}
    assert "gold-members" in try_forum(forum=forum, actor=SYSTEM, now=NOW).test_problem
    forum = make_forum(club, discourse.url, api_key="guessed")
    problem = try_forum(forum=forum, actor=SYSTEM, now=NOW).test_problem
    assert "403" in problem
    assert "guessed" not in problem
    Forum.objects.update(api_key=b"")
    forum.refresh_from_db()
    assert "key of its API" in try_forum(forum=forum, actor=SYSTEM, now=NOW).test_problem
    Forum.objects.update(secret=b"what no key of ours opens")
    forum.refresh_from_db()
    assert "secret" in try_forum(forum=forum, actor=SYSTEM, now=day(1)).test_problem
    assert not discourse.people


def test_secrets_are_kept_encrypted_and_stay_where_none_is_given(club: Program) -> None:
    forum = make_forum(club)
    assert SECRET.encode() not in bytes(forum.secret)
    forum = make_forum(club, secret="", api_key="", is_on=False)
    assert (revealed(forum.secret), revealed(forum.api_key)) == (SECRET, KEY)
    assert (Forum.objects.count(), open_forum()) == (1, None)
    line = line_of(forum)
    assert line is not None
    for entry in AuditEntry.objects.filter(action__startswith="forum."):
        assert SECRET not in str((entry.before, entry.after))
        assert KEY not in str((entry.before, entry.after))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"secret": "short"}, "secret"), ({"url": "ftp://forum.example"}, "url"),
        ({"url": "https://forum.example/?a=b"}, "url"), ({"secret": "", "is_on": True}, "secret"),
        ({"url": "https://10.0.0.7"}, "url"), ({"groups": {"pearl": "x"}}, "groups"),
        ({"groups": {"gold": "a,b"}}, "groups"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(club: Program, said: dict[str, object], field: str) -> None:
    with pytest.raises(DomainError) as caught:
        make_forum(club, **said)
    assert [error.field for error in caught.value.errors] == [field]
    assert not Forum.objects.exists()


def test_two_who_are_one_person_are_one_in_the_forum(
    forum: Forum, mia: Membership, discourse: Discourse
) -> None:
    kept = make_wallet(forum.program, "kept", at=day(-8)).account.membership
    member = come(forum, mia, discourse)
    merge, _before = merge_customers(
        kept=kept.customer, merged=mia.customer, actor=SYSTEM, source="api", now=day(1)
    )
    member.refresh_from_db()
    assert member.membership_id == kept.pk
    undo_merge(merge=merge, actor=SYSTEM, source="api", now=day(2))
    member.refresh_from_db()
    assert member.membership_id == mia.pk
