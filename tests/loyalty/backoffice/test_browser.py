"""The back-office of loyalty with a real browser: what a person does, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from loyalty.models import Program, Transfer
from tests.loyalty.backoffice.conftest import Member, url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def test_an_agent_finds_a_customer_adjusts_and_undoes(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("support_agent")
    page.goto("/backoffice/customers/")
    page.keyboard.press("/")
    page.keyboard.type("A-1001")
    page.get_by_role("option", name="Ana Lima").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ana Lima").wait_for()
    wallets = page.locator("#panel-wallets")
    wallets.get_by_text("worth $1.50").wait_for()

    page.keyboard.press("a")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("How many").fill("50")
    dialog.get_by_text("200\N{NO-BREAK SPACE}Beans").wait_for()
    dialog.get_by_label("Reason").select_option("goodwill")
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Adjust Beans").click()
    wallets.get_by_text("worth $2.00").wait_for()
    page.locator("#customer-header").get_by_text("200").wait_for()
    page.locator("#panel-movements").get_by_text("Adjusted: Goodwill").wait_for()
    assert_no_axe_violations(page)

    page.locator("#panel-movements").get_by_role("link", name="Undo").click()
    dialog.get_by_text("Undo this adjustment?").wait_for()
    dialog.get_by_text("150\N{NO-BREAK SPACE}Beans").wait_for()
    dialog.get_by_role("button", name="Undo adjustment").click()
    wallets.get_by_text("worth $1.50").wait_for()
    assert ana.spendable() == 150


def test_the_toast_undoes_at_once(ana: Member, sign_in: Callable[[str], Any]) -> None:
    page = sign_in("support_agent")
    page.goto(f"/backoffice/customers/{ana.customer.public_id}/")
    page.locator("#panel-wallets").get_by_role("link", name="Adjust Beans").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("How many").fill("-25")
    dialog.get_by_label("Reason").select_option("correction")
    dialog.get_by_role("button", name="Adjust Beans").dblclick()
    toast = page.locator("[data-toast]", has_text="Took 25")
    toast.get_by_role("button", name="Undo").click()
    page.locator("[data-toast]", has_text="The adjustment was undone").wait_for()
    assert ana.spendable() == 150
    assert Transfer.objects.filter(kind="adjustment").count() == 1


def test_too_much_is_said_in_the_dialog(
    ana: Member, sign_in: Callable[[str], Any], page_errors: list[str]
) -> None:
    page = sign_in("support_agent")
    page.goto(f"/backoffice/customers/{ana.customer.public_id}/")
    page.get_by_role("link", name="Adjust balance").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Take away").check()
    dialog.get_by_label("How many").fill("151")
    dialog.get_by_text("Only 150\N{NO-BREAK SPACE}Beans can be taken away.").wait_for()
    dialog.get_by_label("Reason").select_option("fraud")
    dialog.get_by_role("button", name="Adjust Beans").click()
    dialog.get_by_text("one thing needs your attention").wait_for()
    assert ana.spendable() == 150
    # The browser calls the refusal an error.
    page_errors[:] = [text for text in page_errors if "422" not in text]


def test_a_manager_writes_a_program_and_takes_it_live(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("program_list"))
    page.get_by_role("link", name="Create program").click()
    page.get_by_label("Name", exact=True).fill("Tea Circle")
    expect(page.get_by_label("Short name")).to_have_value("tea-circle")
    page.get_by_label("One is called").fill("Leaf")
    page.get_by_label("Several are called").fill("Leaves")
    page.get_by_label("This many").fill("3")
    page.locator("#example-result").get_by_text("149").first.wait_for()
    categories = page.locator("#include_categories-field")
    categories.get_by_label("Add a category").fill("Coffee")
    categories.get_by_role("button", name="Add").click()
    categories.get_by_role("checkbox", name="Coffee").wait_for()
    page.locator("#example-result").get_by_text("Only these earn: category Coffee.").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("This program is a draft").wait_for()
    assert_no_axe_violations(page)

    page.get_by_role("link", name="Take live").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("1 order in USD is here already").wait_for()
    dialog.get_by_role("button", name="Take live").click()
    page.locator("[data-toast]", has_text="Tea Circle is live").wait_for()
    page.locator("#panel-figures").get_by_text("Orders that earned").wait_for()
    program = Program.objects.get(code="tea-circle")
    assert program.status == "live"
    assert program.earning_rules.get().versions.get().body["include"]["categories"] == ["Coffee"]


@pytest.mark.parametrize("browser_context_options", [PHONE])
@pytest.mark.parametrize(
    "name", ["program_list", "program_create", "program_page", "import_list", "import_create"]
)
def test_on_a_phone_nothing_scrolls_sideways(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
    name: str,
) -> None:
    page = sign_in("administrator")
    page.goto(url(name, *(["beans"] if name == "program_page" else [])))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert_no_axe_violations(page)
