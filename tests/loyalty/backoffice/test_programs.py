"""The pages of a program, from live to archived, and the list of all."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Program
from loyalty.program_files import load_program
from loyalty.selectors.programs import definition_of
from members.navigation import program_links
from tests.loyalty.backoffice.conftest import Member, queries_of, url
from tests.loyalty.backoffice.test_program_form import FORM, form_of
from tests.loyalty.factories import make_program, order, record

pytestmark = pytest.mark.usefixtures("ana_for_all")


def test_an_archived_program_keeps_what_members_hold_and_can_come_back(
    manager: Client, ana: Member
) -> None:
    page = manager.get(url("program_archive", "beans")).content.decode()
    assert "1 member keeps what they hold" in page
    manager.post(url("program_archive", "beans"))
    record(order("N-1", "10", at=timezone.now()))
    assert ana.spendable() == 150
    manager.post(url("program_publish", "beans"))
    record(order("N-2", "10", at=timezone.now()))
    assert ana.spendable() == 160


def test_the_program_page_says_its_rules_in_sentences(manager: Client, ana: Member) -> None:
    values = form_of(manager, "beans") | {"units": "2", "confirmed": "1", "expiry_length": "6"}
    manager.post(url("program_edit", "beans"), values)
    html = manager.get(url("program_page", "beans")).content.decode()
    for text in (
        "2\N{NO-BREAK SPACE}Beans for each $1.00 spent.",
        "Shipping does not earn.",
        "They expire 6 months after they were earned.",
        "12 months after they were earned",
        "Version 2",
        "Every customer joins with their first order.",
    ):
        assert text in html
    assert manager.get(url("program_by_id", Program.objects.get().public_id)).url == url(
        "program_page", "beans"
    )


def test_the_file_says_the_same_as_the_program(manager: Client, beans: Program) -> None:
    response = manager.get(url("program_export", "beans"))
    assert response["Content-Disposition"] == 'attachment; filename="beans.yaml"'
    assert load_program(response.content.decode()) == definition_of(beans, timezone.now())


def test_values_of_lines_are_suggested_from_orders_and_added(manager: Client, ana: Member) -> None:
    options = manager.get(
        url("line_value_options", "include_categories"), {"include_categories_add": "cof"}
    ).content.decode()
    assert '<option value="Coffee">' in options
    nothing = manager.get(url("line_value_options", "include_skus"), {"include_skus_add": "100%"})
    assert "<option" not in nothing.content.decode()
    added = manager.post(
        url("line_values_add", "include_skus"),
        {"include_skus": ["MUG"], "include_skus_add": " COFFEE "},
    ).content.decode()
    assert 'value="MUG" checked' in added
    assert 'value="COFFEE" checked' in added
    assert manager.get(url("line_value_options", "nonsense")).status_code == 404


def test_an_analyst_reads_programs_and_changes_none(
    client_of: Callable[[str], Client], beans: Program
) -> None:
    analyst = client_of("analyst")
    html = analyst.get(url("program_page", "beans")).content.decode()
    assert url("program_edit", "beans") not in html
    for name in ("program_edit", "program_archive"):
        assert analyst.post(url(name, "beans"), FORM).status_code == 403
    assert analyst.post(url("program_create"), FORM).status_code == 403


def test_the_list_costs_the_same_for_many_programs(manager: Client, beans: Program) -> None:
    few = queries_of(manager, url("program_list"))
    for number in range(4):
        make_program(f"p{number}", name=f"P{number}")
    assert queries_of(manager, url("program_list")) == few
    assert "Bean Club" in manager.get(url("program_list")).content.decode()


@pytest.mark.parametrize(
    ("name", "most"),
    [("program_page", 18), ("program_edit", 22), ("launch_checklist", 24), ("knowledge", 40)],
)
def test_a_page_reads_what_it_shows(manager: Client, beans: Program, name: str, most: int) -> None:
    """And not all that the program's file says."""
    assert queries_of(manager, url(name, "beans")) <= most


def test_the_pages_of_a_program_are_tabs_and_each_says_that_it_is_open(
    manager: Client, beans: Program
) -> None:
    tabs = program_links("beans")
    assert {str(link.label) for link, _url in tabs} >= {
        "Overview", "Earning rules", "Tiers", "Rewards", "Paid plans", "Members", "Launch", "Goals",
    }  # fmt: skip
    for _link, address in tabs:
        page = manager.get(address).content.decode()
        [row] = re.findall(r'<nav class="tabs" aria-label="Bean Club">.*?</nav>', page, re.DOTALL)
        assert all(f'href="{other}"' in row for _other, other in tabs)
        assert re.findall(r'href="([^"]*)" aria-current="page"', row) == [address]
