"""Fraud review in the back-office."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Membership, Program, RiskCase, RiskPolicy
from loyalty.selectors.risk import policy_of
from loyalty.selectors.risk_takings import undue_of
from loyalty.services.risk_cases import hold_case, release_case
from loyalty.services.risk_claw_backs import claw_back
from members.services.audit import SYSTEM
from tests.factories import StaffMemberFactory
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.factories import make_program, spendable
from tests.loyalty.risks import bonus_club, join, open_case
from tests.sharing import of_each_test

_made_once, case = of_each_test(lambda: open_case(bonus_club()))


@pytest.fixture
def club(case: RiskCase) -> Program:
    return Program.objects.get(pk=case.membership.program_id)


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_cases_that_wait_are_listed_first_and_chosen_by_state_signal_and_program(
    agent: Client, case: RiskCase
) -> None:
    page, name = url("risk_case_list"), str(case.membership.customer)
    for shown in (
        "",
        "?state=open",
        "?state=",
        "?signal=duplicates&state=",
        "?program=club&state=",
    ):
        assert name in text(agent, page + shown)
    for hidden in (
        "?state=held",
        "?signal=bots&state=",
        "?state=released",
        "?program=no&state=held",
    ):
        assert name not in text(agent, page + hidden)
    assert "Sign-up bonus taken several times" in text(agent, page)


def test_the_list_asks_as_often_for_many_as_for_few(agent: Client, club: Program) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            text(agent, url("risk_case_list"))
        return len(seen)

    queries()
    few = queries()
    for name in "bc":
        open_case(club, name)
    assert queries() == few


def test_a_case_says_why_and_leads_to_the_facts(agent: Client, case: RiskCase) -> None:
    page = text(agent, url("risk_case", case.public_id))
    assert "65 of 100 points speak against them in Club." in page
    assert "1 other member looks like the same person." in page
    twin = Membership.objects.exclude(pk=case.membership_id).get().customer
    assert reverse("backoffice:customer", args=[twin.public_id]) in page
    assert "/backoffice/activities/" in page


def test_it_is_held_released_and_says_so(agent: Client, case: RiskCase) -> None:
    hold, release = url("risk_case_hold", case.public_id), url("risk_case_release", case.public_id)
    assert "It ends when this case is released." in text(agent, hold)
    assert agent.post(hold, {"note": ""}).status_code == 422
    agent.post(hold, {"note": "Two accounts"})
    page = text(agent, url("risk_case", case.public_id))
    assert "Held back" in page
    assert hold not in page
    agent.post(release, {"note": "Twins"})
    page = text(agent, url("risk_case", case.public_id))
    assert "Released" in page
    assert release not in page
    assert agent.post(release, {"note": "Twins"}).status_code == 302
    assert agent.post(hold, {"note": "Again"}).status_code == 422


def test_taking_back_shows_first_what_it_takes(agent: Client, case: RiskCase) -> None:
    address = url("risk_case_claw_back", case.public_id)
    page = text(agent, address)
    assert "Activities: 100" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert agent.post(address, {"note": "Farmed"}).status_code == 422
    chosen = f"activity:{case.signals[0]['facts'][0]['id']}"
    wrong = {"note": "Farmed", "facts": ["activity:0", chosen]}
    assert agent.post(address, wrong).status_code == 422
    facts = [one.key for one in undue_of(case, now=timezone.now())]
    agent.post(address, {"note": "Farmed", "facts": facts})
    case.refresh_from_db()
    assert (case.state, spendable("f2", timezone.now())) == ("clawed_back", 0)
    assert "This case was decided already." in text(agent, address)
    # Sent twice, it is taken once and the second says so.
    assert agent.post(address, {"note": "Farmed", "facts": facts}).status_code == 302


def test_the_risk_is_in_the_header_and_a_panel_for_those_who_may_see_it(
    client_of: Callable[[str], Client], agent: Client, case: RiskCase
) -> None:
    customer = case.membership.customer.public_id
    page = reverse("backoffice:customer", args=[customer])
    panel = url("risk_panel", customer)
    for role in ("support_agent", "marketing_manager", "administrator", "auditor"):
        client = client_of(role)
        assert "65 of 100" in text(client, page)
        assert "High" in text(client, panel)
    analyst = client_of("analyst")
    assert "65 of 100" not in text(analyst, page)
    assert analyst.get(panel).status_code == 403
    assert panel not in text(analyst, page)


def test_a_customer_is_looked_at_when_somebody_asks(agent: Client, club: Program) -> None:
    member = join(club, "new")
    customer = member.customer.public_id
    assert "Nobody has looked yet" in text(agent, url("risk_panel", customer))
    agent.post(url("risk_look", customer))
    assert "Nothing speaks against them." in text(agent, url("risk_panel", customer))


def test_the_customer_reads_nothing_of_it(case: RiskCase, client: Client) -> None:
    customer = case.membership.customer
    from members.services.sign_in import provide_user

    user = provide_user(customer.email)
    assert user is not None
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")

    def nothing_is_read() -> None:
        for page in ("/my/", "/my/history/"):
            body = client.get(page, follow=True).content.decode()
            for word in ("65 of 100", "Fraud", "looks like the same person", "Secret", "Misuse"):
                assert word not in body

    nothing_is_read()
    hold_case(case=case, note="Secret", actor=SYSTEM, now=timezone.now())
    nothing_is_read()
    other = open_case(Program.objects.get(), "g")
    release_case(case=case, note="Secret", actor=SYSTEM, now=timezone.now())
    nothing_is_read()
    claw_back(case=other, facts=None, resume=False, note="Secret", actor=SYSTEM, now=timezone.now())
    user = provide_user(other.membership.customer.email)
    assert user is not None
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    nothing_is_read()


def test_the_home_page_says_how_many_cases_wait(
    client_of: Callable[[str], Client], case: RiskCase
) -> None:
    home = url("attention_panel")
    assert "1 case waits for a decision." in text(client_of("support_agent"), home)
    assert "waits for a decision" not in text(client_of("auditor"), home)


def test_what_was_found_after_the_page_was_read_is_looked_at_first(
    agent: Client, case: RiskCase
) -> None:
    address = url("risk_case_release", case.public_id)
    page = agent.get(address)
    seen = page.context["form"].initial["seen"]
    RiskCase.objects.filter(pk=case.pk).update(grown_at=timezone.now())
    answer = agent.post(address, {"note": "Twins", "seen": seen})
    assert answer.status_code == 422
    assert "Something new was found since you looked." in answer.content.decode()
    seen = agent.get(address).context["form"].initial["seen"]
    assert agent.post(address, {"note": "Twins", "seen": seen}).status_code == 302


def test_all_numbers_are_on_one_page_and_each_change_is_a_version(
    client_of: Callable[[str], Client], club: Program
) -> None:
    manager, page = client_of("marketing_manager"), url("risk_settings", club.code)
    assert "Sign-up bonus taken several times" in text(manager, page)
    form = manager.get(page).context["form"]
    values = {name: value for name, value in form.initial.items() if value is not False}
    manager.post(page, {**values, "velocity.orders_hour": "7", "hold": "on"})
    policy = policy_of(club)
    assert (policy.limits["velocity"]["orders_hour"], policy.hold) == (7, True)
    assert [row.number for row in RiskPolicy.objects.all()] == [1]
    wrong = manager.post(page, {**values, "medium": "70", "high": "60"})
    assert wrong.status_code == 422
    assert "High risk begins above medium risk." in wrong.content.decode()
    assert manager.post(page, {**values, "velocity.orders_hour": "0"}).status_code == 422


def test_who_is_limited_to_other_programs_sees_no_case(case: RiskCase) -> None:
    other = make_program("other")
    staff = StaffMemberFactory(role="support_agent", programs=[other.pk])
    client = Client()
    client.force_login(staff.user, "django.contrib.auth.backends.ModelBackend")
    assert str(case.membership.customer) not in text(client, url("risk_case_list"))
    for name in ("risk_case", "risk_case_hold", "risk_case_claw_back"):
        assert client.get(url(name, case.public_id)).status_code == 404
