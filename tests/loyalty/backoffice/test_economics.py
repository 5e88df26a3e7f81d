"""Insights → Economics: begun with what data say, worked out while one types, kept and compared."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from loyalty import holdouts
from loyalty.backoffice.economic_forms import choice_of
from loyalty.economics import Economics
from loyalty.holdouts import Holdout, register_holdouts
from loyalty.models import EconomicAssumptions, EconomicScenario, Program
from members.services.outbox import deliver_waiting
from tests.loyalty.backoffice.conftest import Member, htmx, queries_of, url
from tests.loyalty.factories import make_program, order, record

pytestmark = pytest.mark.usefixtures("ana_for_all")
EXAMPLE = {
    "members": "10000", "spend_with": "450", "spend_without": "300", "reward_rate": "3",
    "margin": "60", "administration": "5",
}  # fmt: skip
RESULT = "economics-result"
SPRING = Holdout(
    "shop-7", "Spring mail", "/spring/", dt.date(2026, 3, 1), dt.date(2026, 3, 31), 400, 100,
    Decimal("12.50"), Decimal("2.50"), Decimal("22.50"),
)  # fmt: skip


def read(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def worked_out(client: Client, **changes: str) -> str:
    """What appears while somebody types."""
    said = EXAMPLE | changes
    return read(client.get(url("economics", "beans"), said, headers=htmx(RESULT)))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Holdout:
    """A holdout that members of Bean Club were kept aside by."""
    found = SPRING

    def find(program: Program, own: str) -> tuple[str, str] | None:
        return (found.name, found.url) if own == "7" and program.code == "beans" else None

    monkeypatch.setattr(holdouts, "_sources", {})
    register_holdouts("shop", lambda program, _now: [found], find)
    return found


def test_the_example_reproduces_with_its_arithmetic(manager: Client, beans: Program) -> None:
    said = worked_out(manager)
    for text in (
        "3% of $450.00", "$13.50 + $5.00", "$18.50", "60% of ($450.00 − $300.00)", "$90.00",
        "$90.00 − $18.50", "$71.50", "$71.50 ÷ $18.50", "3.9×", "10,000 × $71.50", "$715,000.00",
        "$14.00 ÷ 57%", "$24.56", "18.89%",
    ):  # fmt: skip
        assert text in said, text
    assert "<html" not in said


def test_an_assumption_is_called_one_wherever_something_hangs_on_it(
    manager: Client, beans: Program
) -> None:
    assert "An assumption, not a measurement" in worked_out(manager)
    page = read(manager.get(url("economics", "beans")))
    assert "Customers who are no members are never taken for it" in page
    assert "Nothing yet says what members would spend without the program" in page


def test_the_form_begins_with_what_data_say_and_where_it_is_from(
    manager: Client, ana: Member
) -> None:
    while deliver_waiting(1000):
        pass
    response = manager.get(url("economics", "beans"))
    page, form = read(response), response.context["form"]
    zone = ana.program.zone
    joined = ana.membership.enrolled_at.astimezone(zone).date()
    days = (timezone.now().astimezone(zone).date() - joined).days + 1
    # 150 dollars in these days, 150 Beans of a cent each.
    assert form["members"].value() == "1"
    assert Decimal(form["spend_with"].value()) == round(Decimal(150) * 365 / days, 4)
    assert form["reward_rate"].value() == "1"
    assert form["owed"].value() == "1.50"
    assert form["spend_without"].value() is None
    assert "Say the margin" in page
    assert "$150.00 that members bought since they joined, less returns, in 0.1 member" in page
    for name in ("liability", "breakage"):
        assert f"{url(name)}?units=" in page
    assert url("program_members", "beans") in page


def test_a_program_without_data_works_from_what_is_typed(manager: Client, beans: Program) -> None:
    page = read(manager.get(url("economics", "beans")))
    assert "The program has no data for it yet." in page
    page = read(manager.get(url("economics", "beans"), EXAMPLE))
    assert "$715,000.00" in page
    assert 'value="450"' in page


def test_numbers_that_do_not_go_together_are_named_and_nothing_is_worked_out(
    manager: Client, beans: Program
) -> None:
    for changes, text in (
        ({"redemption": "70", "breakage": "40"}, "more than all that is earned"),
        ({"spend_without": ""}, "Say what they would spend without the program."),
        ({"margin": "sixty"}, "Enter a number."),
        ({"members": "0"}, "greater than or equal to 1"),
        ({"basis": choice_of(SPRING)}, "Select a valid choice"),
    ):
        said = worked_out(manager, **changes)
        assert text in said, changes
        assert "Cost per member" not in said


def test_a_holdout_gives_the_lift_with_its_interval(
    manager: Client, beans: Program, measured: Holdout
) -> None:
    page = read(manager.get(url("economics", "beans")))
    assert "400 members who got it spent $12.50 more each than 100 who were kept aside" in page
    assert 'href="/spring/"' in page
    said = worked_out(manager, basis=choice_of(measured), spend_without="300")
    assert "Measured by Spring mail against members kept aside" in said
    assert "In 31 days (Mar 1 – 31, 2026) the lift lies between $2.50 and $22.50" in said
    assert "those kept aside, in 31 days (Mar 1 – 31, 2026): not in a year" in said
    assert "is not extended to a year" in said
    assert "members in a year" not in said
    # 60% of 12.50, less 18.50; and of the ends.
    assert "between −$17.00 and −$5.00" in said
    assert "60% of ($450.00 − $437.50)" in said
    assert "An assumption" not in said


def test_a_measurement_that_was_typed_into_the_address_counts_as_an_assumption(
    manager: Client, beans: Program, measured: Holdout
) -> None:
    ours = choice_of(measured)
    for forged in (
        ours.replace("12.50", "99"), ours[:-1], "shop-7:12.50:2.50:22.50", "shop-7", "shop-7:NaN",
        choice_of(replace(measured, low=Decimal(9))).rpartition(":")[0],
    ):  # fmt: skip
        said = worked_out(manager, basis=forged)
        assert "Not a measurement" in said, forged
        assert "An assumption, not a measurement" in said
        assert "60% of ($450.00 − $300.00)" in said
        assert "Measured by" not in said
    # The page asks the same form.
    page = manager.get(url("economics", "beans"), EXAMPLE | {"basis": ours[:-1]})
    assert "Not a measurement" in read(page)
    assert "basis" not in page.context["query"]
    assert "Say what they would spend" in worked_out(manager, basis=ours[:-1], spend_without="")
    save(manager, "Forged", basis="shop-7:12.50:2.50:22.50")
    assert EconomicScenario.objects.get().holdout == ""


def test_numbers_come_back_with_all_decimals_that_are_kept(manager: Client, beans: Program) -> None:
    said = {"reward_rate": "3.125", "administration": "0.0375", "margin": "33.3333"}
    save(manager, "Fine", **said)
    (row,) = manager.get(url("economics", "beans")).context["scenarios"]
    form = manager.get(row["url"]).context["form"]
    assert {name: form[name].value() for name in said} == said
    assert Economics(form.inputs()).net == row["outcome"].net
    address = f"{url('assumptions_keep', 'beans')}?{urlencode(EXAMPLE | said)}"
    assert manager.post(address).status_code == 302
    begun = manager.get(url("economics", "beans")).context["form"]
    assert (begun["administration"].value(), begun["margin"].value()) == ("0.0375", "33.3333")


def test_what_is_assumed_is_kept_and_the_form_begins_with_it(
    manager: Client, beans: Program
) -> None:
    address = f"{url('assumptions_keep', 'beans')}?margin=60&members=1&spend_with=9&spend_without=8"
    assert "begins with them from now on" in read(manager.get(address))
    assert manager.post(address).status_code == 302
    kept = EconomicAssumptions.objects.get()
    assert (kept.margin, kept.spend_without) == (60, 8)
    form = manager.get(url("economics", "beans")).context["form"]
    assert (form["margin"].value(), form["spend_without"].value()) == ("60", "8")


def save(client: Client, name: str, **changes: str) -> Any:
    query = urlencode(EXAMPLE | changes)
    return client.post(f"{url('scenario_save', 'beans')}?{query}", {"name": name})


def test_scenarios_are_saved_compared_and_removed(manager: Client, beans: Program) -> None:
    for name, rate in (("Now", "3"), ("More", "5"), ("Less", "1"), ("None", "0")):
        assert save(manager, name, reward_rate=rate).status_code == 302
    again = save(manager, "Now", reward_rate="9")
    assert again.status_code == 422
    assert "There is a scenario with this name" in again.content.decode()
    page = manager.get(url("economics", "beans"))
    assert url("economics_compare", "beans") in page.content.decode()
    full = manager.get(url("economics", "beans"), EXAMPLE).content.decode()
    assert url("assumptions_keep", "beans") in full
    rows = {row["scenario"].name: row for row in page.context["scenarios"]}
    assert rows["More"]["outcome"].net == Decimal("62.5")
    assert "62.50" in read(manager.get(rows["More"]["url"]))
    keys = [row["scenario"].public_id for row in rows.values()]
    compared = read(manager.get(url("economics_compare", "beans"), {"with": keys[:3]}))
    assert compared.index("What each says") < compared.index("What follows")
    assert "$62.50" in compared
    for wrong in (keys, keys[:1], []):
        refused = manager.get(url("economics_compare", "beans"), {"with": wrong})
        assert refused.status_code == 302
    assert manager.get(url("economics_compare", "beans"), {"with": "x"}).status_code == 404
    gone = url("scenario_remove", keys[0])
    assert "Addresses with its numbers go on working" in read(manager.get(gone))
    assert manager.post(gone).status_code == 302
    assert EconomicScenario.objects.count() == 3


def test_a_measured_scenario_comes_back_measured(
    manager: Client, beans: Program, measured: Holdout
) -> None:
    assert save(manager, "Spring", basis=choice_of(measured)).status_code == 302
    scenario = EconomicScenario.objects.get()
    assert (scenario.holdout, scenario.lift_low) == ("shop-7", Decimal("2.5"))
    (row,) = manager.get(url("economics", "beans")).context["scenarios"]
    assert (scenario.lift_since, scenario.lift_until) == (measured.since, measured.until)
    page = read(manager.get(row["url"]))
    assert "Measured by Spring mail" in page
    assert "In 31 days (Mar 1 – 31, 2026) the lift lies" in page
    save(manager, "Plan")
    keys = EconomicScenario.objects.values_list("public_id", flat=True)
    compared = read(manager.get(url("economics_compare", "beans"), {"with": list(keys)}))
    assert "Holdout, 31 days (Mar 1 – 31, 2026)" in compared
    # Nobody wrote the days down with those that were saved before.
    EconomicScenario.objects.update(lift_since=None, lift_until=None)
    row = manager.get(url("economics", "beans")).context["scenarios"][1]
    assert "In the days that it lasted the lift lies" in read(manager.get(row["url"]))


def test_without_enough_said_nothing_is_saved_and_the_page_says_so(
    manager: Client, beans: Program
) -> None:
    for name in ("scenario_save", "assumptions_keep", "economics_csv"):
        response = manager.get(url(name, "beans"), {"margin": "60"}, follow=True)
        assert "First say what is to be worked out." in read(response)
    assert manager.post(url("scenario_save", "beans"), {"name": "A"}).status_code == 302
    assert not EconomicScenario.objects.exists()


@pytest.mark.parametrize("role", ["analyst", "auditor"])
def test_who_only_reads_may_reckon_and_not_save(
    client_of: Callable[[str], Client], beans: Program, role: str
) -> None:
    reader = client_of(role)
    page = read(reader.get(url("economics", "beans"), EXAMPLE))
    assert "$715,000.00" in page
    assert "Save as a scenario" not in page
    assert save(reader, "Mine").status_code == 403
    assert not EconomicScenario.objects.exists()


def test_the_file_has_inputs_results_and_what_would_follow(manager: Client, beans: Program) -> None:
    response = manager.get(url("economics_csv", "beans"), EXAMPLE)
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    values = {(row["part"], row["figure"]): row["value"] for row in rows}
    assert values["input", "spend_without_is"] == "assumption"
    assert ("input", "lift_since") not in values
    assert values["input", "members"] == "10000"
    assert values["result", "net_per_member"] == "71.5"
    assert values["result", "total_net"] == "715000"
    assert values["net_per_member_if", "rate=3.5"] == "69.25"
    assert all(row["currency"] == "USD" for row in rows)


def test_the_file_says_in_which_days_a_lift_was_measured(
    manager: Client, beans: Program, measured: Holdout
) -> None:
    said = EXAMPLE | {"basis": choice_of(measured)}
    response = manager.get(url("economics_csv", "beans"), said)
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    values = {row["figure"]: row["value"] for row in csv.DictReader(io.StringIO(text))}
    assert values["spend_without_is"] == "holdout"
    assert (values["lift_since"], values["lift_until"]) == ("2026-03-01", "2026-03-31")


def test_insights_leads_to_the_program_that_is_live_or_named(
    manager: Client, beans: Program
) -> None:
    make_program("attic", name="Attic", status="draft")
    assert manager.get(url("economics_start")).headers["Location"] == url("economics", "beans")
    named = manager.get(url("economics_start"), {"program": "attic"})
    assert named.headers["Location"] == url("economics", "attic")
    page = read(manager.get(url("economics", "attic"), EXAMPLE))
    assert "$715,000.00" in page
    assert '<option value="attic" selected>' in page


def test_it_asks_the_database_alike_however_many_members_and_scenarios(
    manager: Client, ana: Member
) -> None:
    address = url("economics", "beans")
    few = queries_of(manager, address)
    save(manager, "Now")
    save(manager, "More", reward_rate="5")
    record(*(order(f"M{n}", "10", at=timezone.now(), buyer=f"m{n}") for n in range(20)))
    while deliver_waiting(1000):
        pass
    assert queries_of(manager, address) == few


def test_while_somebody_types_no_figures_are_asked_for(
    manager: Client, ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_args: Any, **_how: Any) -> None:
        pytest.fail("figures were asked for")

    monkeypatch.setattr("loyalty.backoffice.economics.figures_for", never)
    assert "$71.50" in worked_out(manager)


def test_a_page_whose_figures_take_long_asks_for_itself(
    manager: Client, beans: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty.backoffice.economics.figures_for", lambda *_a, **_h: None)
    page = read(manager.get(url("economics", "beans"), EXAMPLE))
    assert 'id="economics"' in page
    assert "figures=1" in page
