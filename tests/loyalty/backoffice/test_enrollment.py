"""Screens of enrollment and launch: members by source, till, link, file, phases, checklist."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.services.journeys import publish_journey
from loyalty.launch_definitions import LaunchDefinition
from loyalty.models import Candidate, Launch, Membership, Program, ProgramReading
from loyalty.selectors.programs import definition_of
from loyalty.services.enrollment_files import run_enrollment_import
from loyalty.services.joining import join_program
from loyalty.services.launches import plan_launch
from members.models import Customer, CustomerFacts, Job, JobError
from members.services.audit import SYSTEM
from members.services.job_runs import run_job
from tests.campaigns.factories import make_journey, switch_on
from tests.loyalty.backoffice.conftest import Member, queries_of, url
from tests.loyalty.factories import make_program, order, record

pytestmark = pytest.mark.django_db


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def join(program: Program, number: int, source: str, detail: str = "") -> Customer:
    customer = Customer.objects.create(email=f"p{number}@example.com", given_name=f"P{number}")
    join_program(
        customer=customer, program=program, source=source, detail=detail, at=timezone.now(),
        actor=SYSTEM,
    )  # fmt: skip
    return customer


def days_from_now(days: int) -> dt.date:
    return (timezone.now() + dt.timedelta(days=days)).date()


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


class TestLaunch:
    def plan(self, manager: Client, **changes: Any) -> Any:
        values = {
            "top_percent": 10, "top_starts_on": days_from_now(2), "invited_percent": 50,
            "invited_starts_on": days_from_now(9), "everyone_starts_on": days_from_now(20),
            "units": "200", "wallet_type": "points", "days": 30,
        } | changes  # fmt: skip
        return manager.post(url("launch_edit", "beans"), values)

    def test_the_numbers_are_shown_before_it_is_saved(
        self, manager: Client, beans: Program
    ) -> None:
        for number in range(20):
            customer = Customer.objects.create(external_id=f"x{number}")
            CustomerFacts.objects.create(
                customer=customer, orders=1, ordered=Decimal(100 + number), as_of=timezone.now()
            )
        answer = self.plan(manager)
        assert "$118.00 or more" in text_of(answer)
        assert not Launch.objects.exists()
        answer = self.plan(manager, confirmed="1")
        assert answer.status_code == 302
        said = text_of(manager.get(url("launch_page", "beans")))
        assert "Best customers · 10 %" in said
        assert "2 customers" in said
        assert Launch.objects.get().listed == 10
        listed = text_of(manager.get(url("launch_places", "beans")))
        assert "$119.00" in listed

    def test_days_in_the_wrong_order_are_refused_in_words(
        self, manager: Client, beans: Program
    ) -> None:
        answer = self.plan(manager, everyone_starts_on=days_from_now(1))
        assert answer.status_code == 422
        assert "Each phase begins later than the one before it." in text_of(answer)

    def test_it_is_stopped_and_goes_on(self, manager: Client, beans: Program) -> None:
        self.plan(manager, confirmed="1")
        manager.post(url("launch_stop", "beans"))
        assert "The launch is stopped" in text_of(manager.get(url("launch_page", "beans")))
        manager.post(url("launch_resume", "beans"))
        assert Launch.objects.get().stopped_at is None

    def test_without_phases_the_page_teaches(self, agent: Client, beans: Program) -> None:
        said = text_of(agent.get(url("launch_page", "beans")))
        assert "Everyone may join at once" in said
        assert url("launch_edit", "beans") not in said

    def test_editing_the_program_leaves_its_launch_alone(
        self, manager: Client, beans: Program
    ) -> None:
        self.plan(manager, confirmed="1")
        page = manager.get(reverse("loyalty_backoffice:program_edit", args=["beans"]))
        form = page.context["form"]
        values = {
            name: value
            for name, value in form.initial.items()
            if value is not None and value is not False
        }
        values |= {"name": "Bean Circle", "confirmed": "1"}
        answer = manager.post(reverse("loyalty_backoffice:program_edit", args=["beans"]), values)
        assert answer.status_code == 302, answer.context["form"].errors
        assert Program.objects.get().name == "Bean Circle"
        assert Launch.objects.get().phases.count() == 3

    def test_editing_the_program_leaves_its_tiers_and_discounts_alone(
        self, manager: Client
    ) -> None:
        program = make_program(
            "beans",
            tiers={"tiers": [{"code": "base", "name": "Base"},
                             {"code": "gold", "name": "Gold", "threshold": 500}]},
            discount_rules=[{"code": "ten", "name": "Ten percent", "percent": 10}],
        )  # fmt: skip
        before = definition_of(program, timezone.now())
        page = manager.get(url("program_edit", "beans"))
        values = {
            name: value
            for name, value in page.context["form"].initial.items()
            if value is not None and value is not False
        }
        values |= {"name": "Bean Circle", "confirmed": "1"}
        answer = manager.post(url("program_edit", "beans"), values)
        assert answer.status_code == 302
        program.refresh_from_db()
        after = definition_of(program, timezone.now())
        assert after == before.model_copy(update={"name": "Bean Circle"})


class TestInviting:
    def test_staff_invite_from_the_customer_s_page(self, agent: Client, beans: Program) -> None:
        customer = Customer.objects.create(email="ann@example.com")
        answer = agent.post(
            url("enroll", customer.public_id), {"program": beans.pk, "how": "invite"}
        )
        assert answer.status_code == 302
        assert Candidate.objects.get().state == "invited"
        said = text_of(agent.get(url("candidate_list", "beans") + "?state=invited"))
        assert "ann@example.com" in said

    def test_without_an_address_the_form_says_so(self, agent: Client, beans: Program) -> None:
        customer = Customer.objects.create(external_id="x")
        answer = agent.post(
            url("enroll", customer.public_id), {"program": beans.pk, "how": "invite"}
        )
        assert answer.status_code == 422
        assert "no e-mail address" in text_of(answer)


class TestKnowledge:
    def test_each_confirms_to_have_read_what_is_true_now(
        self, agent: Client, beans: Program
    ) -> None:
        said = text_of(agent.get(url("knowledge", "beans")))
        assert "1 Bean for each $1.00 spent." in said
        beans.refresh_from_db()
        agent.post(url("knowledge", "beans"), {"revision": beans.revision})
        agent.post(url("knowledge", "beans"), {"revision": beans.revision})
        assert ProgramReading.objects.count() == 1
        assert "as it is now" in text_of(agent.get(url("knowledge", "beans")))
        Program.objects.update(revision=beans.revision + 1)
        assert "an earlier version" in text_of(agent.get(url("knowledge", "beans")))

    def test_what_changed_meanwhile_is_not_confirmed(self, agent: Client, beans: Program) -> None:
        agent.post(url("knowledge", "beans"), {"revision": 0})
        assert not ProgramReading.objects.exists()


class TestChecklist:
    def checks(self, client: Client) -> dict[str, bool]:
        page = client.get(url("launch_checklist", "beans"))
        return {check.key: check.done for check, _url in page.context["checks"]}

    def test_it_looks_for_itself(self, manager: Client, beans: Program, settings: Any) -> None:
        before = self.checks(manager)
        assert before == {
            "rules": True, "worth": True, "terms": False, "backtest": False, "sender": False,
            "sign_in": False, "messages": False, "team": False, "order": False,
        }  # fmt: skip
        Program.objects.update(description="Beans for coffee.")
        settings.DEFAULT_FROM_EMAIL = "club@corner-coffee.com"
        record(order("A1", "10", at=timezone.now()), now=timezone.now())
        beans.refresh_from_db()
        manager.post(url("knowledge", "beans"), {"revision": beans.revision})
        after = self.checks(manager)
        assert {key for key in after if after[key] != before[key]} == {
            "terms", "sender", "team", "order",
        }  # fmt: skip

    def test_it_knows_what_members_are_to_be_told(self, manager: Client, beans: Program) -> None:
        """Beans expire, and there are no tiers."""
        said = text_of(manager.get(url("launch_checklist", "beans")))
        assert "Members are not told of this yet: Welcome, Units expire." in said
        assert reverse("messages_backoffice:occasion_list") in said
        switch_on("expiring")
        assert not self.checks(manager)["messages"]
        journey = make_journey(beans)
        assert not self.checks(manager)["messages"]
        publish_journey(journey=journey, actor=SYSTEM, now=timezone.now())
        assert self.checks(manager)["messages"]

    def test_it_leads_to_where_things_are_done(self, manager: Client, beans: Program) -> None:
        said = text_of(manager.get(url("launch_checklist", "beans")))
        for name in ("rule_list", "program_edit", "knowledge"):
            assert url(name, "beans") in said


class TestDashboard:
    def test_before_the_launch_it_teaches(self, manager: Client, beans: Program) -> None:
        Program.objects.update(live_since=timezone.now() + dt.timedelta(days=1))
        said = text_of(manager.get(url("launch_dashboard", "beans")))
        assert "The launch is still to come" in said

    def test_shares_are_those_of_the_definitions(
        self, manager: Client, client_of: Callable[[str], Client], beans: Program
    ) -> None:
        now = timezone.now()
        Program.objects.update(
            live_since=now - dt.timedelta(days=50), enrollment="explicit", revision=50
        )
        for number, ago in ((1, 45), (2, 20), (3, 10)):
            record(
                order(f"A{number}", "10", at=now - dt.timedelta(days=ago), buyer=f"c{number}",
                      enroll=number < 3),
                now=now,
            )  # fmt: skip
        page = manager.get(url("launch_dashboard", "beans"))
        shown = page.context["now"]
        assert (shown["enrolled"], shown["buyers"]) == (2, 3)
        assert (shown["active_members"], shown["members"]) == (1, 2)
        figures = page.context["figures"]
        assert figures.enrollment()[6] == 100.0
        assert figures.enrollment()[0] is None
        assert figures.active[20] == 1
        narrowed = text_of(manager.get(url("program_members", "beans") + "?show=active"))
        assert narrowed.count("row-link") - narrowed.count("?source=") == 1

    def test_the_queries_do_not_grow(self, manager: Client, beans: Program) -> None:
        now = timezone.now()
        record(order("A1", "10", at=now), now=now)
        address = url("launch_dashboard", "beans")
        before = queries_of(manager, address)
        for number in range(6):
            record(order(f"B{number}", "10", at=now, buyer=f"b{number}"), now=now)
        assert queries_of(manager, address) == before


PAGES = (
    "program_members", "candidate_list", "enrollment_file", "join_link", "launch_page",
    "launch_edit", "launch_places", "launch_checklist", "launch_dashboard", "knowledge",
)  # fmt: skip


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "browser_context_options",
    [
        {"viewport": {"width": 1440, "height": 900}},
        {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    ],
    ids=["wide", "phone"],
)
def test_each_page_fits_and_can_be_read_by_everybody(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
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
    for address in (*(url(name, "beans") for name in PAGES), url("till")):
        page.goto(address)
        page.locator("h1").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
        assert_no_axe_violations(page)
