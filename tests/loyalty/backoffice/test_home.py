"""The home page: figures that are right, a picture, what needs somebody, and a first start."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty.models import Program
from loyalty.selectors.latest import latest_transfers
from loyalty.services.imports import KIND
from members.services.outbox import deliver_waiting
from tests.factories import JobFactory
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.factories import adjust, make_program, order, record

pytestmark = pytest.mark.usefixtures("ana_for_all")
PANELS = ["attention_panel", "first_steps_panel", "figures_panel", "trend_panel", "feed_panel"]


def delivered() -> None:
    while deliver_waiting(100):
        pass


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("role", ["analyst", "support_agent", "marketing_manager", "administrator"])
def test_an_empty_installation_has_a_home(
    client_of: Callable[[str], Client], name: str, role: str
) -> None:
    assert client_of(role).get(url(name), headers=htmx("panel-x")).status_code == 200


def test_figures_of_a_period_are_those_of_the_ledger(agent: Client, ana: Member) -> None:
    record(order("N-1", "30", at=timezone.now()))
    delivered()
    month = agent.get(url("figures_panel"), {"days": "30"}).context["figures"]
    shown = {figure.label: figure.value for figure in month}
    assert shown["Orders that earned"] == "1"
    assert shown["Earned"] == "30"
    assert shown["Members"] == "1"
    assert shown["Outstanding"] == "180"
    assert next(figure for figure in month if figure.label == "Outstanding").sub == (
        "a liability of $1.80"
    )
    # The order of forty days ago is in the thirty days before.
    assert next(figure for figure in month if figure.label == "Earned").trend == -85.0


def test_figures_lead_to_what_they_are_made_of(
    agent: Client, ana: Member, client_of: Callable[[str], Client]
) -> None:
    def places(client: Client) -> dict[str, str]:
        figures = client.get(url("figures_panel")).context["figures"]
        return {figure.label: figure.href for figure in figures if figure.href}

    members = url("program_members", "beans")
    assert places(agent) == {"New members": members, "Members": members}
    analyst = client_of("analyst")
    found = places(analyst)
    assert {"Earned", "Taken back", "Outstanding"} < {*found}
    for place in found.values():
        assert analyst.get(place).status_code == 200
    assert "30 days" in analyst.get(url("figures_panel")).content.decode()


def test_the_picture_has_ninety_days_and_a_table(agent: Client, ana: Member) -> None:
    delivered()
    response = agent.get(url("trend_panel"))
    chart = response.context["chart"]
    assert len(chart.labels) == 90
    assert sum(chart.series[0].values) == 200
    assert sum(chart.series[1].values) == -50
    assert "200\N{NO-BREAK SPACE}Beans earned and 50\N{NO-BREAK SPACE}Beans taken back" in (
        response.content.decode()
    )


def test_each_program_has_figures_of_its_own(agent: Client, ana: Member) -> None:
    second = make_program("stars", name="Star Club", unit={"plural": "stars"})
    delivered()
    html = agent.get(url("figures_panel")).content.decode()
    assert "Bean Club · Beans" in html
    assert "Star Club · stars" in html
    chosen = agent.get(url("figures_panel"), {"units": second.wallet_types.get().pk})
    assert {figure.value for figure in chosen.context["figures"]} == {"0"}
    assert agent.get(url("program_figures", "beans")).status_code == 200
    assert agent.get(url("program_trend", "beans")).status_code == 200


def test_the_feed_is_the_latest_by_business_time(agent: Client, ana: Member) -> None:
    adjust(ana.wallet, 5, "k1", now=timezone.now())
    for _ in range(2):
        html = agent.get(url("feed_panel")).content.decode()
        assert "Ana Lima" in html
        assert latest_transfers(1)[0].kind == "adjustment"
        delivered()


def test_what_needs_somebody_is_named_with_a_way_there(manager: Client, ana: Member) -> None:
    assert "Nothing needs your attention" in manager.get(url("attention_panel")).content.decode()
    make_program("soon", name="Soon", status="draft")
    job = JobFactory(kind=KIND, state="failed", label="orders.csv")
    html = manager.get(url("attention_panel")).content.decode()
    assert url("program_page", "soon") in html
    assert url("import_page", job.public_id) in html


def test_an_agent_is_not_asked_for_what_they_may_not_do(agent: Client, ana: Member) -> None:
    make_program("soon", name="Soon", status="draft")
    JobFactory(kind=KIND, state="failed", label="orders.csv")
    assert "Nothing needs your attention" in agent.get(url("attention_panel")).content.decode()


def test_a_failed_job_of_any_kind_is_named_to_those_who_may_see_it(
    agent: Client, client_of: Callable[[str], Client], ana: Member
) -> None:
    job = JobFactory(kind="daily_totals", state="failed", label="Totals of all days")
    there = reverse("backoffice:job", args=[job.public_id])
    for client in (agent, client_of("administrator")):
        html = client.get(url("attention_panel")).content.decode()
        assert "Totals of all days" in html
        assert there in html
        assert "Daily totals: it stopped." in html
        # Nobody is told of what they may not do.
        assert ("It can go on" in html) == (client is not agent)


@pytest.mark.parametrize("name", PANELS)
def test_home_costs_the_same_for_many_movements(agent: Client, ana: Member, name: str) -> None:
    delivered()
    few = queries_of(agent, url(name))
    now = timezone.now()
    record(*(order(f"B-{number}", "5", at=now, buyer=f"b{number}") for number in range(6)))
    delivered()
    assert queries_of(agent, url(name)) == few


def test_the_menu_offers_programs_and_marks_the_one_that_is_open(
    manager: Client, beans: Program
) -> None:
    html = manager.get(url("program_page", "beans")).content.decode()
    assert f'class="dropdown-item active" href="{url("program_page", "beans")}"' in html
