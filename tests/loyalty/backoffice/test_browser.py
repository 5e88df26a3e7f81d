"""The back-office of loyalty with a real browser: what a person does, step by step."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from loyalty.models import Order, Program, Transfer
from tests.conftest import AT_REST, PHONE
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.factories import make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_agent_finds_a_customer_adjusts_and_undoes(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
    page_errors: list[str],
) -> None:
    page = sign_in("support_agent")
    page.goto("/backoffice/customers/")
    page.keyboard.press("/")
    page.keyboard.type("A-1001")
    # The order itself is found beside whose it is.
    page.get_by_role("option", name=re.compile("^Ana Lima")).wait_for()
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
    too_much_is_said_in_the_dialog(page, ana, page_errors)
    the_toast_undoes_at_once(page, ana)


def too_much_is_said_in_the_dialog(page: Any, ana: Member, page_errors: list[str]) -> None:
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
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def the_toast_undoes_at_once(page: Any, ana: Member) -> None:
    before = Transfer.objects.filter(kind="adjustment").count()
    dialog = page.get_by_role("dialog")
    page.locator("#panel-wallets").get_by_role("link", name="Adjust Beans").click()
    dialog.get_by_label("How many").fill("-25")
    dialog.get_by_label("Reason").select_option("correction")
    dialog.get_by_role("button", name="Adjust Beans").dblclick()
    page.locator("#panel-wallets").get_by_text("worth $1.25").wait_for()
    toast = page.locator("[data-toast]", has_text="Took 25")
    toast.get_by_role("button", name="Undo").click()
    page.locator("[data-toast]", has_text="The adjustment was undone").last.wait_for()
    page.locator("#panel-wallets").get_by_text("worth $1.50").wait_for()
    assert ana.spendable() == 150
    # Pressed twice, it was sent once.
    assert Transfer.objects.filter(kind="adjustment").count() == before + 1


def test_an_agent_asks_and_a_manager_approves(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("support_agent")
    page.goto(f"/backoffice/customers/{ana.customer.public_id}/")
    page.get_by_role("link", name="Adjust balance").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("How many").fill("2000")
    dialog.get_by_text("Somebody else has to approve this").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_label("Reason").select_option("goodwill")
    dialog.get_by_role("button", name="Adjust Beans").click()
    page.locator("#panel-wallets").get_by_text("wait for approval").wait_for()
    assert ana.spendable() == 150

    page = sign_in("marketing_manager")
    page.goto("/backoffice/")
    page.locator("#panel-attention").get_by_text("1 adjustment waits for your approval").wait_for()
    page.get_by_role("link", name="Approvals 1 waits").click()
    assert_no_axe_violations(page)
    page.get_by_role("row", name="Ana Lima").get_by_role("link").click()
    dialog.get_by_text("2,150\N{NO-BREAK SPACE}Beans").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_role("link", name="Reject instead").click()
    dialog.get_by_label("Why not").wait_for()
    assert_no_axe_violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("row", name="Ana Lima").get_by_role("link").click()
    dialog.get_by_role("button", name="Approve").click()
    page.get_by_text("Nothing waits").wait_for()
    assert ana.spendable() == 2_150


def test_a_manager_gives_to_many_and_takes_it_back(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("bulk_list"))
    page.get_by_role("main").get_by_role("link", name="Give a gift").first.click()
    page.get_by_label("How many for each").fill("100")
    page.get_by_label("What they read").fill("Thank you!")
    page.get_by_label("Or a list").fill("c1\nnobody")
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Check the rows").click()
    page.get_by_text("There is no such customer.").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Post").click()
    dialog = page.locator("#confirm")
    dialog.get_by_text("You can undo it as a whole afterwards").wait_for()
    dialog.get_by_role("button", name="Post").click()
    page.get_by_role("button", name="Undo all").wait_for()
    assert ana.spendable() == 250
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Undo all").click()
    dialog.get_by_role("button", name="Undo all").click()
    page.locator("#bulk").get_by_text("Undone").first.wait_for()
    assert ana.spendable() == 150


def test_an_administrator_sets_reasons_and_limits(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("administrator")
    page.goto(url("reason_list"))
    assert_no_axe_violations(page)
    page.get_by_role("link", name="New reason").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What it is called").fill("The till was wrong")
    dialog.get_by_label("Short name").fill("till_error")
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Add reason").click()
    page.locator("#reasons").get_by_text("till_error").wait_for()

    page.get_by_role("link", name="Limits", exact=True).click()
    assert_no_axe_violations(page)
    page.get_by_role("row", name="Support agent").get_by_role("link").click()
    dialog.get_by_label("At once").fill("400")
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Save limits").click()
    page.locator("#limits").get_by_text("400", exact=True).wait_for()
    page.get_by_role("link", name="Limits for one program").click()
    dialog.get_by_label("Role").select_option("support_agent")
    dialog.get_by_role("button", name="Save limits").click()
    page.get_by_role("heading", name="Bean Club").wait_for()
    assert_no_axe_violations(page)


def test_an_agent_gives_on_a_customers_behalf_and_undoes_it(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    CustomerFactory(given_name="Bea", family_name="Costa", external_id="c2")
    make_wallet(ana.program, "c2")
    page = sign_in("support_agent")
    page.goto(f"/backoffice/customers/{ana.customer.public_id}/")
    page.get_by_role("link", name="Give", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Card number, e-mail address or customer number").fill("c2")
    dialog.get_by_label("How many").fill("40")
    dialog.get_by_text("110\N{NO-BREAK SPACE}Beans").wait_for()
    dialog.get_by_text("Bea Costa").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_label("For", exact=True).select_option("trees")
    expect(dialog.get_by_label("Message")).to_be_hidden()
    dialog.get_by_label("For", exact=True).select_option("-")
    dialog.get_by_role("button", name="Give Beans").click()
    page.locator("#panel-movements").get_by_text("Gift to Bea Costa").wait_for()
    assert ana.spendable() == 110

    page.locator("[data-toast]", has_text="to Bea Costa").get_by_role("button").first.click()
    page.locator("[data-toast]", has_text="The gift was undone").wait_for()
    assert ana.spendable() == 150


def test_an_agent_founds_a_pool_adds_somebody_and_closes_it(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    CustomerFactory(given_name="Bea", family_name="Costa", external_id="c2")
    make_wallet(ana.program, "c2")
    page = sign_in("support_agent")
    page.goto(f"/backoffice/customers/{ana.customer.public_id}/")
    page.locator("#panel-pool").get_by_role("link", name="New pool in Bean Club").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("The Limas")
    expect(dialog.get_by_label("Share in percent")).to_be_hidden()
    dialog.get_by_label("A share of what members earn").check()
    dialog.get_by_label("Share in percent").fill("40")
    dialog.get_by_label("What the owner has goes into the pool too").check()
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Create pool").click()
    page.get_by_role("heading", name="The Limas").wait_for()
    page.get_by_text("40% of what members earn goes into the pool.").wait_for()
    assert ana.spendable() == 90
    assert_no_axe_violations(page)

    page.get_by_role("link", name="Add member").click()
    dialog.get_by_label("Card number, e-mail address or customer number").fill("c2")
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Add").click()
    page.get_by_role("row", name="Bea Costa").wait_for()

    # The last row's menu hangs over the end of its table, and is not cut off there.
    last = page.get_by_role("row", name="Bea Costa")
    last.get_by_label("Actions for Bea Costa").click()
    page.wait_for_function(
        """() => {
            const links = [...document.querySelectorAll(".menu[open] a")];
            return links.length === 3 && links.every((link) => {
                const box = link.getBoundingClientRect();
                const x = box.x + box.width / 2, y = box.y + box.height / 2;
                return link.contains(document.elementFromPoint(x, y));
            });
        }"""
    )
    last.get_by_label("Actions for Bea Costa").click()

    page.get_by_label("Actions for Ana Lima").click()
    page.get_by_role("link", name="Put in or take out").first.click()
    dialog.get_by_label("Take from the pool").check()
    dialog.get_by_label("How many").fill("25")
    dialog.get_by_text("115\N{NO-BREAK SPACE}Beans").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Move").click()
    page.get_by_text("Taken by Ana Lima").wait_for()

    page.get_by_label("More about this pool").click()
    page.get_by_role("link", name="Close the pool").click()
    dialog.get_by_text("This goes back").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Close the pool").click()
    page.get_by_text("This pool is closed").wait_for()
    assert ana.spendable() == 150
    page.goto(url("pool_list"))
    assert_no_axe_violations(page)


def test_a_manager_writes_a_program_and_takes_it_live(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("program_list"))
    page.get_by_role("link", name="New program").click()
    page.get_by_role("link", name="Fill in everything on one form").click()
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


def test_a_refund_is_looked_at_and_recorded(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("support_agent")
    page.goto(url("order_page", Order.objects.get(external_id="A-1001").pk))
    page.get_by_role("link", name="Preview a refund").click()
    effect = page.locator("#refund-effect")
    page.get_by_label("MUG").fill("1")
    effect.locator("strong", has_text="112\N{NO-BREAK SPACE}Beans").wait_for()
    effect.get_by_text("Why?").click()
    assert_no_axe_violations(page)
    page.get_by_label("An amount of money").check()
    expect(page.get_by_label("MUG")).to_be_hidden()
    page.get_by_role("textbox", name="Amount").fill("20")
    effect.locator("strong", has_text="130\N{NO-BREAK SPACE}Beans").wait_for()
    assert ana.spendable() == 150
    page.get_by_role("button", name="Record refund").click()
    page.locator("[data-toast]", has_text="The refund of $20.00 was recorded").wait_for()
    page.get_by_role("heading", name="Given back: staff-").wait_for()
    assert ana.spendable() == 130


def test_an_order_is_held_back_and_released(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("support_agent")
    page.goto(url("order_page", Order.objects.get(external_id="A-1001").pk))
    page.get_by_role("link", name="Hold back").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("when the order has been checked").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_label("Reason").fill("Looks odd")
    dialog.get_by_role("button", name="Hold back").click()
    page.get_by_text("This order is held back", exact=True).wait_for()
    assert_no_axe_violations(page)
    assert ana.spendable() == 0
    page.get_by_role("link", name="Release").click()
    dialog.get_by_label("Reason").fill("All is well")
    dialog.get_by_role("button", name="Release").click()
    page.locator("[data-toast]", has_text="was released").wait_for()
    assert ana.spendable() == 150


def test_on_a_phone_nothing_scrolls_sideways(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_fits: Callable[[Any], None],
) -> None:
    page = sign_in("administrator")
    page.set_viewport_size(PHONE)
    for address in (
        url("program_list"),
        url("program_create"),
        url("program_page", "beans"),
        url("import_list"),
        url("import_create"),
        url("approval_list"),
        url("bulk_list"),
        url("bulk_create", "grant"),
        url("reason_list"),
        url("limit_list"),
    ):
        page.goto(address)
        page.wait_for_function(AT_REST)
        assert_fits(page)
