"""Undoing an enrollment from a file: who has done nothing since leaves, nobody is deleted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.services.community_names import choose_name
from campaigns.services.consents import set_consents
from campaigns.services.referral_links import link_of
from loyalty.models import EnrollmentBatch, Membership, Program
from loyalty.selectors.enrollment_undos import preview_enrollment_undo
from loyalty.services import enrollment_undoing
from loyalty.services.enrollment_files import run_enrollment_import, start_enrollment_import
from loyalty.services.enrollment_undoing import (
    enrollment_undo_words,
    run_enrollment_undo,
    start_enrollment_undo,
)
from loyalty.services.leaving import leave_program
from loyalty.services.suspensions import suspend_membership
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer, Job, JobError, User
from members.services.audit import SYSTEM
from members.services.customers import add_note
from members.services.jobs import retry_job
from members.services.merging import merge_customers
from members.services.personal_packages import request_package
from rewards.models import AutoTake
from rewards.services.gifts import give_reward
from rewards.services.wishes import choose_goal
from tests.campaigns.community import make_post, say
from tests.campaigns.games import live_game, play
from tests.campaigns.referrals import bring, promise
from tests.factories import CustomerFactory
from tests.loyalty.factories import adjust, make_program, order, record, wallet_of
from tests.loyalty.services import giving
from tests.rewards.factories import offer
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]

_made_once, club = of_each_test(make_program)


def enroll(club: Program, folder: Path, *numbers: str) -> Job:
    path = folder / f"{'-'.join(numbers[:3])}.csv"
    path.write_text("external_id,given_name\n" + "".join(f"{one},Ann\n" for one in numbers))
    job = start_enrollment_import(program=club, path=path, name="people.csv", actor=SYSTEM)
    run_enrollment_import(job.pk)
    return Job.objects.get(pk=job.pk)


def undo(job: Job, **how: Any) -> Job:
    work = start_enrollment_undo(job=job, reason="The wrong file", actor=SYSTEM, **how)
    run_enrollment_undo(work.pk)
    return Job.objects.get(pk=work.pk)


def member(number: str) -> Membership:
    return Membership.objects.select_related("customer", "program").get(
        customer__external_id=number
    )


def statuses() -> dict[str, str]:
    return dict(Membership.objects.values_list("customer__external_id", "status"))


def why_kept(work: Job) -> dict[str, str]:
    people = {str(one.public_id): one.external_id for one in Customer.objects.all()}
    return {
        people[error.value]: error.reason
        for error in JobError.objects.filter(job=work, file="members")
    }


def test_who_has_done_nothing_leaves_and_a_second_time_finds_nothing(
    club: Program, tmp_path: Path
) -> None:
    CustomerFactory(external_id="here", given_name="")
    job = enroll(club, tmp_path, "a", "b", "here")
    preview = preview_enrollment_undo(job)
    assert (preview.due, preview.kept, preview.made, preview.completed) == (3, 0, 2, 1)
    work = undo(job)
    assert statuses() == {"a": "left", "b": "left", "here": "left"}
    assert work.result == {"left": 3, "gone": 0, "kept": 0}
    assert enrollment_undo_words(work) == "3 members left"
    assert Customer.objects.get(external_id="here").given_name == "Ann"
    assert AuditEntry.objects.get(action="import.undone").reason == "The wrong file"
    with pytest.raises(ConflictError, match="nothing left"):
        undo(job)
    assert preview_enrollment_undo(job).gone == 3


def test_a_corrected_file_enrolls_them_again_and_can_be_undone_as_well(
    club: Program, tmp_path: Path
) -> None:
    undo(enroll(club, tmp_path, "a", "b"))
    again = enroll(club, tmp_path, "a", "b", "c")
    assert again.result == {"enrolled": 3}
    assert undo(again).result["left"] == 3


def test_who_did_something_stays_and_it_is_said_why(club: Program, tmp_path: Path) -> None:
    names = [
        "bought", "moved", "noted", "signed", "merged", "other", "yes", "gift", "back", "away",
        "gone", "plain",
    ]  # fmt: skip
    job, now = enroll(club, tmp_path, *names), timezone.now()
    record(order("A", "10", buyer="bought", at=now))
    adjust(wallet_of(member("moved").account_id), 5, key="moved", now=now)
    add_note(customer=member("noted").customer, actor=SYSTEM, text="Called")
    user = User.objects.create_user("ann@example.com")
    Customer.objects.filter(external_id="signed").update(user=user)
    merge_customers(
        kept=member("merged").customer, merged=CustomerFactory(), actor=SYSTEM, source="api",
        now=now,
    )  # fmt: skip
    for number, source in (("yes", "account"), ("plain", "staff")):
        set_consents(
            customer=member(number).customer, wanted={("email", "offers"): True},
            source=source, actor=SYSTEM, now=now,
        )  # fmt: skip
    give_reward(
        membership=member("gift"), reward=offer(club), gift="staff", message="", key="g",
        source="api", actor=SYSTEM, now=now,
    )  # fmt: skip
    leave_program(membership=member("back"), actor=SYSTEM, now=now)
    enroll(club, tmp_path, "back")
    suspend_membership(membership=member("away"), reason="Looked at", actor=SYSTEM, now=now)
    leave_program(membership=member("gone"), actor=SYSTEM, now=now)

    preview = preview_enrollment_undo(job)
    assert (preview.due, preview.gone, preview.kept) == (2, 1, 9)
    work = undo(job)
    assert work.result == {"left": 2, "gone": 1, "kept": 9}
    assert why_kept(work) == {
        "bought": "They have bought something.",
        "moved": "Units were earned, spent, given or adjusted.",
        "noted": "Staff have noted something about them.",
        "signed": "They have signed in.",
        "merged": "Merged with another customer since.",
        "yes": "They said what they want to be told.",
        "gift": "They took a reward, or were given one.",
        "back": "They were away since, and came back.",
        "away": "The membership is not active.",
    }
    assert {number for number, status in statuses().items() if status == "left"} == {
        "other", "plain", "gone",
    }  # fmt: skip
    assert dict(preview.stay) == dict.fromkeys(why_kept(work).values(), 1)


def test_what_they_did_without_signing_in_here_keeps_them(tmp_path: Path) -> None:
    """As whoever is signed in at the shop does, whose pages ask for them."""
    club = giving.club()
    names = ["played", "said", "named", "saves", "fetched", "brought", "asked", "gives", "silent"]
    job, now = enroll(club, tmp_path, *names), timezone.now()
    play(live_game(club, at=now), member("played"), at=now)
    say(make_post(club, at=now), member("said"), name="Bea", at=now)
    choose_name(membership=member("named"), name="Annie", now=now)
    coffee = offer(club)
    choose_goal(membership=member("saves"), reward=coffee, actor=SYSTEM, now=now)
    AutoTake.objects.create(
        membership=member("fetched"), reward=coffee, balance=100, armed=True, chosen_at=now
    )
    promise(club, at=now)
    link = link_of(member("brought"), now)
    assert link is not None
    bring(link, at=now)
    request_package(customer=member("asked").customer, actor=SYSTEM, for_staff=False, now=now)
    giving.share(member("gives"), 50, now=now)
    assert undo(job).result == {"left": 1, "gone": 0, "kept": 8}
    assert why_kept(Job.objects.latest("pk")) == {
        "played": "They have played a game.",
        "said": "They took part in the community.",
        "named": "They took part in the community.",
        "saves": "They chose a reward, or fetched something.",
        "fetched": "They chose a reward, or fetched something.",
        "brought": "They have brought a friend.",
        "asked": "What is known of them was asked for.",
        "gives": "They give units away regularly.",
    }


def test_people_of_whom_nothing_else_is_known_are_erased_where_that_is_asked(
    club: Program, tmp_path: Path
) -> None:
    known = CustomerFactory(external_id="known")
    job = enroll(club, tmp_path, "a", "b", "known")
    add_note(customer=member("b").customer, actor=SYSTEM, text="Called")
    other = make_program("other")
    enroll(other, tmp_path, "c")
    second = enroll(club, tmp_path, "c", "d")
    assert undo(job, erase=True).result == {"left": 2, "gone": 0, "kept": 1, "erased": 1}
    assert Customer.objects.get(external_id="a").given_name == ""
    known.refresh_from_db()
    assert known.given_name
    # "c" came with another file, and is a member there.
    assert undo(second, erase=True).result == {"left": 2, "gone": 0, "kept": 0, "erased": 1}
    assert Customer.objects.get(external_id="c").given_name == "Ann"


def test_killed_between_two_pieces_it_goes_on_there(
    club: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrollment_undoing, "AT_ONCE", 2)
    job = enroll(club, tmp_path, *"abcde")
    whole, calls = enrollment_undoing.leave_program, []

    def dies(**how: Any) -> Membership:
        calls.append(how)
        if len(calls) == 4:
            raise RuntimeError("killed")
        return whole(**how)

    monkeypatch.setattr(enrollment_undoing, "leave_program", dies)
    work = start_enrollment_undo(job=job, reason="Wrong", actor=SYSTEM)
    with pytest.raises(RuntimeError):
        run_enrollment_undo(work.pk)
    assert sorted(statuses().values()) == ["active"] * 3 + ["left"] * 2
    Job.objects.filter(pk=job.pk).update(state="queued", checkpoint={}, done=0)
    with pytest.raises(DomainError, match="being undone"):
        run_enrollment_import(job.pk)
    Job.objects.filter(pk=job.pk).update(state="succeeded")
    monkeypatch.setattr(enrollment_undoing, "leave_program", whole)
    run_enrollment_undo(retry_job(job=Job.objects.get(pk=work.pk), actor=SYSTEM).pk)
    assert set(statuses().values()) == {"left"}
    assert AuditEntry.objects.filter(action="membership.left").count() == 5
    assert Job.objects.get(pk=work.pk).result == {"left": 5, "gone": 0, "kept": 0}


def test_what_cannot_be_undone_says_so(club: Program, tmp_path: Path) -> None:
    job = enroll(club, tmp_path, "a")
    with pytest.raises(DomainError, match="Say why"):
        start_enrollment_undo(job=job, reason=" ", actor=SYSTEM)
    Job.objects.filter(pk=job.pk).update(state="running")
    with pytest.raises(ConflictError, match="still runs"):
        start_enrollment_undo(job=job, reason="Wrong", actor=SYSTEM)
    Job.objects.filter(pk=job.pk).update(state="succeeded")
    EnrollmentBatch.objects.all().delete()
    with pytest.raises(ConflictError, match="did not keep"):
        start_enrollment_undo(job=job, reason="Wrong", actor=SYSTEM)


def test_the_look_before_asks_as_often_for_many_as_for_few(club: Program, tmp_path: Path) -> None:
    few, many = enroll(club, tmp_path, "a"), enroll(club, tmp_path, *"bcdefgh")

    def count(job: Job) -> int:
        with CaptureQueriesContext(connection) as captured:
            preview_enrollment_undo(job)
        return len(captured)

    assert count(few) == count(many)


def test_what_was_before_the_file_keeps_nobody(club: Program, tmp_path: Path) -> None:
    earlier = CustomerFactory(external_id="here")
    add_note(customer=earlier, actor=SYSTEM, text="Called long ago")
    job = enroll(club, tmp_path, "here")
    assert EnrollmentBatch.objects.get().at > timezone.now() - dt.timedelta(minutes=1)
    assert undo(job).result["left"] == 1
