"""Screens of a launch: phases, invitations, checklist, and the first ninety days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.services.journeys import publish_journey
from loyalty.models import Candidate, Launch, Program, ProgramReading
from loyalty.selectors.programs import definition_of
from members.models import Customer, CustomerFacts
from members.services.audit import SYSTEM
from tests.campaigns.factories import make_journey, switch_on
from tests.loyalty.backoffice.conftest import queries_of, url
from tests.loyalty.backoffice.joining import days_from_now, text_of
from tests.loyalty.factories import make_program, order, record
from tests.rewards.factories import offer

pytestmark = pytest.mark.django_db


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
        early = manager.get(url("launch_page", "beans"))
        assert "Best customers · 10%" in text_of(early)
        assert f'hx-get="{url("launch_page", "beans")}?figures=1"' in early.content.decode()
        said = text_of(manager.get(url("launch_page", "beans"), {"figures": "1"}))
        assert "Best customers · 10%" in said
        assert "2 customers" in said
        assert "who spent $118.00 or more" in said
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
            "sign_in": False, "rewards": False, "messages": False, "team": False, "order": False,
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
        assert "find nothing to take" in said
        assert reverse("rewards_backoffice:reward_list", args=["beans"]) in said
        offer(beans)
        assert self.checks(manager)["rewards"]


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
        address = url("launch_dashboard", "beans")
        early = manager.get(address)
        assert "of members" not in text_of(early)
        assert f'hx-get="{address}?figures=1"' in early.content.decode()
        page = manager.get(address, {"figures": "1"})
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
        address = url("launch_dashboard", "beans") + "?figures=1"
        before = queries_of(manager, address)
        for number in range(6):
            record(order(f"B{number}", "10", at=now, buyer=f"b{number}"), now=now)
        assert queries_of(manager, address) == before
