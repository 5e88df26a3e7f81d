"""Insights → Overview and Cohorts: figures with bands, what they mean, their files, and who may
change what."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyalty import insight_registry
from loyalty.insight_registry import Compared, Comparison, Controls, Start
from loyalty.models import InsightPoint, TargetBand
from loyalty.services.insight_points import rebuild_points
from members.models import AuditEntry, Segment, SegmentMember
from tests.loyalty.backoffice.conftest import Member, htmx, make_ana, make_beans, queries_of, url
from tests.loyalty.factories import make_program, order, record
from tests.sharing import shared

pytestmark = pytest.mark.usefixtures("ana_for_all")
CONTROL = "There is no control yet"


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def rows_of(client: Client, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def make_measured() -> Member:
    ana = make_ana(make_beans())
    rebuild_points([ana.program], timezone.now())
    return ana


# What is there before the first night is in test_overview_at_first.py.
ana_for_all = shared(make_measured)


@pytest.fixture
def measured(ana: Member) -> Member:
    return ana


def test_each_figure_has_its_band_what_it_means_and_what_to_do(
    measured: Member, manager: Client
) -> None:
    page = text_of(manager, url("overview"))
    assert "100% of the customers who buy are members." in page
    assert "60% to 80%" in page
    assert "Above its band" in page
    assert "Nearly everybody who buys is a member" in page
    assert "So many are members: 1." in page
    assert "View as table" in page


def test_touchpoints_are_told_and_a_before_without_anybody_is_not(
    measured: Member, manager: Client
) -> None:
    page = text_of(manager, url("overview"))
    assert "Bought something" in page
    assert "Visits of members’ own pages are not recorded" in page
    assert "There is nothing to compare" in page
    assert "This is no lift" not in page


def test_before_and_after_joining_is_told_with_the_warning_that_it_is_no_lift(
    measured: Member, manager: Client
) -> None:
    said = {"value_before": 200, "value_after": 300, "value_customers": 12}
    for metric, value in said.items():
        InsightPoint.objects.filter(metric=metric).update(value=value)
    page = text_of(manager, url("overview"))
    assert "$200.00" in page
    assert "50% more" in page
    assert "This is no lift" in page
    rows = rows_of(manager, url("overview_csv"))
    assert [row["value"] for row in rows if row["figure"] == "value_before"][-1] == "200.0000"


def test_without_a_control_nothing_is_said_of_what_the_program_brings(
    measured: Member, manager: Client
) -> None:
    page = text_of(manager, url("overview"))
    assert CONTROL in page
    assert "who buys much joins sooner" in page
    assert "New promotion" in page
    assert "New journey" in page
    assert 'data-label="Cost of one more purchase"' not in page
    assert "Cost of one more purchase: below what a new customer costs you" in page


def tell_of(controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        insight_registry._sources, "campaigns",
        (lambda _program, _now: controls, Start("Begin", "loyalty_backoffice:goal_list", "x")),
    )  # fmt: skip


def test_a_control_that_is_too_small_is_not_called_none(
    measured: Member, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_of(Controls([], 2), monkeypatch)
    page = text_of(manager, url("overview"))
    assert CONTROL not in page
    assert "The control is still too small" in page
    assert "2 promotions and journeys keep members aside" in page


def test_a_comparison_is_shown_with_its_interval(
    measured: Member, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Comparison(
        "Double Beans", "loyalty_backoffice:program_page", "beans", 400, 100,
        Compared(3.0, 2.0, 0.5, 1.5, 0.12, 0.22), Compared(75.0, 40.0, 20.0, 50.0, 3.0, 7.0),
    )  # fmt: skip
    tell_of(Controls([found], 1), monkeypatch)
    page = text_of(manager, url("overview"))
    assert CONTROL not in page
    assert "400 members against 100 kept aside" in page
    assert "1.5 times" in page
    assert "between 1.19 times and 1.89 times" in page
    assert "Below its band" in page
    assert page.count("what was given is not known") == 2


@pytest.mark.parametrize(
    ("high", "said", "state"),
    [
        ("", "to be below what a new customer costs you", ""),
        ("10", "to be: at most $10.00", "Inside its band"),
        ("5", "to be: at most $5.00", "Above its band"),
    ],
)
def test_what_one_more_purchase_costs_is_held_against_what_a_new_customer_costs(
    high: str, said: str, state: str, measured: Member, manager: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # 400 more purchases for 3,500.
    found = Comparison(
        "Double Beans", "loyalty_backoffice:program_page", "beans", 400, 100,
        Compared(3.0, 2.0, 0.5, 1.5, 0.12, 0.22), Compared(75.0, 40.0, 20.0, 50.0, 3.0, 7.0),
        cost=Decimal(3500),
    )  # fmt: skip
    tell_of(Controls([found]), monkeypatch)
    if high:
        address = url("band_edit", "beans", "cost_of_purchase")
        assert "In USD." in text_of(manager, address)
        assert manager.post(address, {"low": "", "high": high}).status_code == 302
    page = text_of(manager, url("overview"))
    [cell] = re.findall(r'data-label="Cost of one more purchase">(.*?)</td>', page, re.DOTALL)
    assert "$8.75" in cell
    assert said in cell
    assert state in cell


def test_a_band_is_changed_by_managers_alone_and_audited(
    measured: Member, manager: Client, client_of: Callable[[str], Client]
) -> None:
    address = url("band_edit", "beans", "enrollment_share")
    assert client_of("analyst").post(address, {"low": "90"}).status_code == 403
    assert client_of("auditor").get(address).status_code == 403
    assert manager.get(address).context["form"].initial == {"low": "60", "high": "80"}
    wrong = manager.post(address, {"low": "90", "high": "50"})
    assert wrong.status_code == 422
    assert manager.post(address, {"low": "90", "high": ""}).status_code == 302
    assert TargetBand.objects.get().low == 90
    assert AuditEntry.objects.filter(action="target_band.set").count() == 1
    page = text_of(manager, url("overview"))
    assert "To be: at least 90% (chosen for this program)" in page
    assert "Change band" in page
    assert "Change band" not in text_of(client_of("analyst"), url("overview"))
    assert manager.get(url("band_edit", "beans", "luck")).status_code == 404
    assert manager.get(url("tier_band_edit", "beans", "tier_share", "gold")).status_code == 404


def test_the_dialog_leads_back_to_the_page(measured: Member, manager: Client) -> None:
    address = url("band_edit", "beans", "frequency_lift")
    answer = manager.post(address, {"low": "1.5", "high": "2"}, headers=htmx())
    assert answer["HX-Redirect"].endswith("/insights/overview/?program=beans")


def test_the_file_has_every_figure_at_each_end_of_a_month(
    measured: Member, manager: Client
) -> None:
    rows = rows_of(manager, url("overview_csv"))
    own = [row for row in rows if row["figure"] == "enrollment_share"]
    assert own[-1]["value"] == "100.0000"
    assert (own[-1]["band_low"], own[-1]["band_high"], own[-1]["state"]) == (
        "60.0000", "80.0000", "above",
    )  # fmt: skip
    assert len(own) == InsightPoint.objects.filter(metric="enrollment_share").count()


def test_cohorts_are_a_table_of_heat_a_line_and_a_file(measured: Member, manager: Client) -> None:
    page = text_of(manager, url("cohorts"))
    assert "heat-5" in page
    assert "100%" in page
    assert "Share that bought, by months since they joined" in page
    money = text_of(manager, f"{url('cohorts')}?figure=revenue")
    assert "$150.00" in money
    rows = rows_of(manager, url("cohorts_csv"))
    assert (rows[0]["members"], rows[0]["orders"], rows[0]["revenue"]) == ("1", "1", "150.00")


def test_segments_are_compared_as_they_are_today(measured: Member, manager: Client) -> None:
    record(order("B1", "80", at=timezone.now(), buyer="c2"))
    few = Segment.objects.create(code="few", name="Few", kind="static")
    SegmentMember.objects.create(segment=few, customer=measured.customer, since=timezone.now())
    address = f"{url('cohorts')}?segment={few.public_id}&other="
    assert "Segments are as of today" in text_of(manager, address)
    beside = f"{url('cohorts')}?segment=&other={few.public_id}&figure=orders"
    page = text_of(manager, beside)
    assert "All members" in page
    assert page.count('class="heat"') == 2
    assert manager.get(f"{url('cohorts')}?segment=nobody&figure=luck").status_code == 200


def test_it_is_the_first_entry_of_insights_and_found_by_the_search_box(
    measured: Member, manager: Client
) -> None:
    page = text_of(manager, url("overview"))
    insights = page.split('id="nav-insights"')[1]
    assert insights.index("Overview") < insights.index("Cohorts") < insights.index("Goals")
    for typed, name in (("Overv", "overview"), ("Cohor", "cohorts")):
        found = manager.get(reverse("backoffice:search"), {"q": typed}, headers=htmx())
        assert url(name) in found.content.decode()


def test_the_page_costs_as_many_queries_with_a_past_as_without(
    measured: Member, manager: Client
) -> None:
    few = queries_of(manager, url("overview"))
    for number in range(6):
        at = timezone.now() - dt.timedelta(days=number)
        record(order(f"C{number}", "10", at=at, buyer=f"d{number}"))
    rebuild_points([measured.program], timezone.now())
    assert queries_of(manager, url("overview")) == few


def test_several_programs_are_chosen_in_the_address(measured: Member, manager: Client) -> None:
    make_program("tea", name="Tea Club")
    assert "Nothing is measured yet" in text_of(manager, f"{url('overview')}?program=tea")
    assert "Where it stands" in text_of(manager, f"{url('overview')}?program=beans")
