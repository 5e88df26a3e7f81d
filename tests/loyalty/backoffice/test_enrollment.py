"""Screens of enrollment: members by source, till, link, file; and that each fits a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import ConsentChange
from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Membership, Program
from loyalty.services.enrollment_files import run_enrollment_import
from loyalty.services.launches import plan_launch
from members.models import Customer, Job, JobError
from members.services.audit import SYSTEM
from members.services.job_runs import run_job
from tests.loyalty.backoffice.conftest import Member, make_beans, queries_of, url
from tests.loyalty.backoffice.joining import days_from_now, join, text_of
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db

_made_once, beans = of_each_test(make_beans)


class TestMembers:
    def test_sources_are_counted_and_lead_to_their_members(
        self, manager: Client, ana: Member
    ) -> None:
        join(ana.program, 1, "link", "spring")
        join(ana.program, 2, "link", "spring")
        join(ana.program, 3, "till", "Downtown")
        said = text_of(manager.get(url("program_members", "beans")))
        assert "4 new members in 90 days." in said
        assert "spring" in said
        assert "Downtown" in said
        said = text_of(manager.get(url("program_members", "beans") + "?source=till"))
        assert "P3" in said
        assert "P1" not in said

    def test_a_program_without_members_says_how_they_come(
        self, manager: Client, beans: Program
    ) -> None:
        assert "No members yet" in text_of(manager.get(url("program_members", "beans")))

    def test_many_members_take_no_more_queries(self, manager: Client, ana: Member) -> None:
        address = url("program_members", "beans")
        before = queries_of(manager, address)
        for number in range(5):
            join(ana.program, number, "link", f"campaign-{number}")
        assert queries_of(manager, address) == before


class TestTill:
    def test_a_phone_number_suffices_and_a_card_number_is_shown(
        self, agent: Client, beans: Program
    ) -> None:
        answer = agent.post(
            url("till"), {"program": "beans", "phone": "+12125550123", "store": "Downtown"}
        )
        member = Membership.objects.get()
        said = text_of(answer)
        assert member.card_number in said.replace(" ", "")
        assert 'value="Downtown"' in said
        assert 'value="+12125550123"' not in said
        assert (member.source, member.source_detail) == ("till", "Downtown")

    def test_who_is_a_member_already_is_shown_with_their_card(
        self, agent: Client, beans: Program
    ) -> None:
        for _time in range(2):
            answer = agent.post(url("till"), {"program": "beans", "phone": "+12125550123"})
        assert "already" in text_of(answer)
        assert Membership.objects.count() == 1

    def test_who_ticks_a_box_at_the_till_confirms_it_by_a_mail(
        self, agent: Client, beans: Program
    ) -> None:
        said = {"program": "beans", "email": "ann@example.com", "consent_email_offers": "on"}
        agent.post(url("till"), said)
        change = ConsentChange.objects.get()
        assert (change.became, change.source) == ("asked", "till")
        assert change.wording is not None

    def test_without_phone_and_address_nobody_joins(self, agent: Client, beans: Program) -> None:
        answer = agent.post(url("till"), {"program": "beans", "given_name": "Ann"})
        assert answer.status_code == 422
        assert "Give a phone number or an e-mail address." in text_of(answer)
        assert not Customer.objects.exists()


class TestLink:
    def test_the_campaign_is_in_the_link_and_in_the_codes(
        self, manager: Client, beans: Program
    ) -> None:
        said = text_of(manager.get(url("join_link", "beans") + "?c=spring-flyer"))
        assert "/programs/beans/?c=spring-flyer" in said
        svg = manager.get(url("join_link_svg", "beans") + "?c=spring-flyer")
        assert svg["Content-Type"] == "image/svg+xml"
        assert b"<svg" in svg.content
        png = manager.get(url("join_link_png", "beans"))
        assert png.content.startswith(b"\x89PNG")
        assert manager.get(url("join_link_png", "beans") + "?c=a b").status_code == 200


class TestFile:
    def send(self, manager: Client, text: str) -> Any:
        file = SimpleUploadedFile("people.csv", text.encode())
        return manager.post(url("enrollment_file", "beans"), {"people": file})

    def run(self, manager: Client, text: str) -> Job:
        answer = self.send(manager, text)
        assert answer.status_code == 302, text_of(answer)
        job = Job.objects.filter(kind="enrollment_import").latest("pk")
        run_job(job.pk)
        return Job.objects.get(pk=job.pk)

    def test_good_rows_join_and_wrong_ones_are_named(self, manager: Client, beans: Program) -> None:
        Customer.objects.create(external_id="C-1", email="ann@example.com")
        job = self.run(
            manager,
            "external_id,email,phone,since\n"
            "C-1,,+12125550123,2024-03-31\n"
            ",bob@example.com,,\n"
            ",no address,,\n"
            ",,,\n"
            ",carl@example.com,,tomorrow\n",
        )
        assert job.result == {"enrolled": 2, "refused": 3}
        errors = JobError.objects.order_by("row").values_list("row", "column")
        assert list(errors) == [(4, "email"), (5, "phone"), (6, "since")]
        ann = Membership.objects.get(customer__external_id="C-1")
        assert (ann.source, ann.source_detail, ann.enrolled_at.date()) == (
            "import", "people.csv", dt.date(2024, 3, 31),
        )  # fmt: skip
        assert ann.customer.phone == "+12125550123"
        assert "carl@example.com" not in Customer.objects.values_list("email", flat=True)

    def test_the_same_file_again_changes_nothing(self, manager: Client, beans: Program) -> None:
        text = "email\nann@example.com\nbob@example.com\n"
        assert self.run(manager, text).result == {"enrolled": 2}
        assert self.run(manager, text).result == {"unchanged": 2}
        assert Membership.objects.count() == 2

    def test_it_is_undone_from_its_job_after_a_look(
        self, manager: Client, client_of: Callable[[str], Client], beans: Program
    ) -> None:
        job = self.run(manager, "email\nann@example.com\nbob@example.com\n")
        page, there = (
            reverse("backoffice:job", args=[job.public_id]),
            url("enrollment_undo", job.public_id),
        )
        assert there in text_of(manager.get(page))
        assert there not in text_of(client_of("auditor").get(page))
        said = text_of(manager.get(there))
        assert "2 members whom the file enrolled, and who have done nothing since, leave" in said
        assert "Also erase the people" not in said
        assert "Also erase the people" in text_of(client_of("administrator").get(there))
        assert manager.post(there, {"reason": ""}).status_code == 422
        answer = manager.post(there, {"reason": "The wrong file"})
        undo = Job.objects.get(kind="enrollment_undo")
        assert answer["Location"] == reverse("backoffice:job", args=[undo.public_id])
        run_job(undo.pk)
        assert set(Membership.objects.values_list("status", flat=True)) == {"left"}
        assert "2 members left" in text_of(manager.get(answer["Location"]))
        assert "There is nothing left to undo" in text_of(manager.get(there))

    def test_it_goes_on_where_it_was_killed(self, manager: Client, beans: Program) -> None:
        text = "email\n" + "".join(f"p{number}@example.com\n" for number in range(5))
        self.run(manager, text)
        job = Job.objects.get(kind="enrollment_import")
        Job.objects.filter(pk=job.pk).update(state="queued", checkpoint={"row": 3}, done=3)
        assert run_enrollment_import(job.pk) is not None
        job.refresh_from_db()
        assert (job.done, Membership.objects.count()) == (5, 5)

    def test_a_file_that_names_nobody_is_refused_at_once(
        self, manager: Client, beans: Program
    ) -> None:
        answer = self.send(manager, "given_name,family_name\nAnn,Lee\n")
        assert answer.status_code == 422
        assert "must name one of these columns" in text_of(answer)


PAGES = (
    "program_members", "candidate_list", "enrollment_file", "join_link", "launch_page",
    "launch_edit", "launch_places", "launch_checklist", "launch_dashboard", "knowledge",
)  # fmt: skip


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_each_page_fits_and_can_be_read_by_everybody(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_all_in_order: Callable[..., None],
) -> None:
    join(ana.program, 1, "link", "spring")
    launch = LaunchDefinition.model_validate(
        {
            "phases": [
                {"kind": "top", "percent": 10, "starts_on": days_from_now(-3)},
                {"kind": "everyone", "starts_on": days_from_now(9)},
            ],
            "founding": {"units": 50},
        }
    )
    plan_launch(program=ana.program, launch=launch, actor=SYSTEM, now=timezone.now())
    join(ana.program, 2, "link", "spring")
    page = sign_in("administrator")
    addresses = (*(url(name, "beans") for name in PAGES), url("till"))
    assert_all_in_order(page, addresses)
