"""The back-office of loyalty with a real browser: what a person does, step by step."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Order, Program, Transfer
from tests.conftest import PHONE
from tests.factories import CustomerFactory
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.backoffice.test_approvals import ask
from tests.loyalty.factories import adjust, make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_agent_finds_a_customer_and_does_what_they_ask_for(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
    page_errors: list[str],
) -> None:
    CustomerFactory(given_name="Bea", family_name="Costa", external_id="c2")
    make_wallet(ana.program, "c2")
    adjust(ana.wallet, 50, "by-hand", now=timezone.now())
    page = sign_in("support_agent")
    page.goto("/backoffice/customers/")
    page.keyboard.press("/")
    page.keyboard.type("A-1001")
    # The order itself is found beside whose it is.
    page.get_by_role("option", name=re.compile("^Ana Lima")).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ana Lima").wait_for()
    page.locator("#panel-wallets").get_by_text("worth $2.00").wait_for()
    an_adjustment_is_undone(page, ana)
    another_is_made_once_and_its_toast_undoes_it(page, ana, assert_no_axe_violations, page_errors)
    a_gift_is_looked_at(page, assert_no_axe_violations)
    a_pool_is_founded(page, ana, assert_no_axe_violations)
    somebody_is_added(page, assert_no_axe_violations)
    units_are_taken_out_and_it_is_closed(page, ana, assert_no_axe_violations)


def an_adjustment_is_undone(page: Any, ana: Member) -> None:
    page.locator("#panel-movements").get_by_role("link", name="Undo").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Undo this adjustment?").wait_for()
    dialog.get_by_text("150\N{NO-BREAK SPACE}Beans").wait_for()
    dialog.get_by_role("button", name="Undo adjustment").click()
    page.locator("#panel-wallets").get_by_text("worth $1.50").wait_for()
    assert ana.spendable() == 150


def another_is_made_once_and_its_toast_undoes_it(
    page: Any,
    ana: Member,
    assert_no_axe_violations: Callable[[Any], None],
    page_errors: list[str],
) -> None:
    before = Transfer.objects.filter(kind="adjustment").count()
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Take away").check()
    dialog.get_by_label("How many").fill("151")
    dialog.get_by_text("Only 150\N{NO-BREAK SPACE}Beans can be taken away.").wait_for()
    dialog.get_by_label("Reason").select_option("correction")
    dialog.get_by_role("button", name="Adjust Beans").click()
    dialog.get_by_text("one thing needs your attention").wait_for()
    assert ana.spendable() == 150
    # The browser calls the refusal an error.
    page_errors[:] = [text for text in page_errors if "422" not in text]
    dialog.get_by_label("How many").fill("25")
    dialog.get_by_text("125\N{NO-BREAK SPACE}Beans").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Adjust Beans").dblclick()
    page.locator("#panel-wallets").get_by_text("worth $1.25").wait_for()
    page.locator("#customer-header").get_by_text("125").wait_for()
    page.locator("#panel-movements").get_by_text("Adjusted: Correction").wait_for()
    page.locator("#panel-lots").get_by_text("of 200\N{NO-BREAK SPACE}Beans").wait_for()
    assert_no_axe_violations(page)
    toast = page.locator("[data-toast]", has_text="Took 25")
    toast.get_by_role("button", name="Undo").click()
    page.locator("[data-toast]", has_text="The adjustment was undone").last.wait_for()
    page.locator("#panel-wallets").get_by_text("worth $1.50").wait_for()
    assert ana.spendable() == 150
    # Pressed twice, it was sent once.
    assert Transfer.objects.filter(kind="adjustment").count() == before + 1


def a_gift_is_looked_at(page: Any, assert_no_axe_violations: Callable[[Any], None]) -> None:
    """What both will have; that it is given is shown without a browser (`test_gifts.py`)."""
    page.get_by_role("link", name="Give", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Card number, e-mail address or customer number").fill("c2")
    dialog.get_by_label("How many").fill("40")
    dialog.get_by_text("110\N{NO-BREAK SPACE}Beans").wait_for()
    dialog.get_by_text("Bea Costa").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_label("For", exact=True).select_option("trees")
    expect(dialog.get_by_label("Message")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def a_pool_is_founded(
    page: Any, ana: Member, assert_no_axe_violations: Callable[[Any], None]
) -> None:
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


def somebody_is_added(page: Any, assert_no_axe_violations: Callable[[Any], None]) -> None:
    page.get_by_role("link", name="Add member").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Card number, e-mail address or customer number").fill("c2")
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Add").click()
    # The last row's menu hangs over the end of its table, and is not cut off there.
    last = page.get_by_role("row", name="Bea Costa")
    last.wait_for()
    assert_no_axe_violations(page)
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


def units_are_taken_out_and_it_is_closed(
    page: Any, ana: Member, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    dialog = page.get_by_role("dialog")
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


def test_a_manager_approves_what_an_agent_asks_for(
    ana: Member,
    agent: Client,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    ask(agent, ana)
    page = sign_in("marketing_manager")
    page.goto(url("approval_list"))
    assert_no_axe_violations(page)
    page.get_by_role("row", name="Ana Lima").get_by_role("link").click()
    dialog = page.get_by_role("dialog")
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
    assert_fits: Callable[[Any], None],
    assert_in_order: Callable[[Any], None],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")
    page.set_viewport_size(PHONE)
    page.goto(url("bulk_list"))
    assert_fits(page)
    page.get_by_role("main").get_by_role("link", name="Give a gift").first.click()
    page.get_by_label("How many for each").fill("100")
    page.get_by_label("What they read").fill("Thank you!")
    page.get_by_label("Or a list").fill("c1\nnobody")
    assert_in_order(page)
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
    assert_in_order: Callable[[Any], None],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("administrator")
    page.goto(url("reason_list"))
    assert_in_order(page)
    page.get_by_role("link", name="New reason").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What it is called").fill("The till was wrong")
    dialog.get_by_label("Short name").fill("till_error")
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Add reason").click()
    page.locator("#reasons").get_by_text("till_error").wait_for()

    page.get_by_role("link", name="Limits", exact=True).click()
    page.get_by_role("row", name="Support agent").get_by_role("link").click()
    dialog.get_by_label("At once").fill("400")
    assert_no_axe_violations(page)
    dialog.get_by_role("button", name="Save limits").click()
    page.locator("#limits").get_by_text("400", exact=True).wait_for()
    page.get_by_role("link", name="Limits for one program").click()
    dialog.get_by_label("Role").select_option("support_agent")
    dialog.get_by_role("button", name="Save limits").click()
    page.get_by_role("heading", name="Bean Club").wait_for()
    assert_in_order(page)


def test_a_manager_writes_a_program_and_takes_it_live(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_fits: Callable[[Any], None],
    assert_in_order: Callable[[Any], None],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    page = sign_in("marketing_manager")
    page.set_viewport_size(PHONE)
    page.goto(url("program_list"))
    assert_fits(page)
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
    # All that there is to ask of an end.
    page.get_by_label("They expire").select_option("inactivity")
    page.locator("[name=expiry_length]").fill("12")
    assert_in_order(page)
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


def test_an_order_is_held_back_and_released_and_a_refund_recorded_after_a_look(
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
