"""A marketing manager writes a rule, sees what it says and gives, and schedules it, with a real
browser."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Program
from loyalty.rule_definitions import FixedRule
from loyalty.selectors.rules import row_of
from loyalty.services.rules import create_rule, publish_draft
from members.services.audit import SYSTEM
from tests.conftest import AT_REST
from tests.loyalty.backoffice.conftest import Member, url
from tests.loyalty.factories import make_type

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_rule_is_written_tried_and_scheduled(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
    assert_no_axe_violations: Callable[[Any], None],
    page_errors: list[str],
) -> None:
    page = sign_in("marketing_manager")
    page.goto(url("rule_gallery", "beans"))
    assert_in_order(page)
    page.get_by_role("link", name="Double points at the weekend").click()
    preview = page.locator("#rule-preview")
    page.get_by_label("Times").fill("4")
    preview.get_by_text("4 times what rates and cashback give.").wait_for()
    # A Saturday, then a Monday: the condition is asked.
    page.get_by_label("Placed on").fill("2026-06-06")
    preview.get_by_text("4 times “").first.wait_for()
    page.get_by_label("Placed on").fill("2026-06-08")
    preview.get_by_text("Its condition is not met").wait_for()
    # One more question, put together in the builder.
    removals = page.locator("[data-conditions] .conditions-remove")
    asked = removals.count()
    page.get_by_role("button", name="Question", exact=True).first.click()
    expect(removals).to_have_count(asked + 1)
    page.wait_for_function(AT_REST)
    assert_no_axe_violations(page)
    removals.last.click()
    expect(removals).to_have_count(asked)
    page.get_by_label("Name", exact=True).fill("Fourfold weekend")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("heading", name="Fourfold weekend").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Publish").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Nothing limits how much it gives in all.").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_label("From").fill("2020-01-01")
    dialog.get_by_role("button", name="Publish rule").click()
    dialog.get_by_text("That moment has passed.").first.wait_for()
    page_errors[:] = [text for text in page_errors if "422" not in text]
    dialog.get_by_label("From").fill(f"{timezone.now().year + 1}-01-05")
    dialog.get_by_role("button", name="Publish rule").click()
    page.get_by_text(re.compile("Version 1 counts from")).first.wait_for()
    row = row_of(Program.objects.get(code="beans").earning_rules.get(code="fourfold-weekend"),
                 timezone.now())  # fmt: skip
    assert row.state == "scheduled"
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("It is a draft again.").wait_for()


def test_the_pages_of_rules_fit_and_can_be_used_by_everybody(
    ana: Member, sign_in: Callable[[str], Any], assert_all_in_order: Callable[..., None]
) -> None:
    page = sign_in("administrator")
    code = ana.program.earning_rules.get().code
    addresses = (
        url("rule_create", "beans", "cashback-by-category"),
        url("rule_create", "beans", "birthday-gift"),
        url("rule_page", "beans", code),
        url("rule_edit", "beans", code),
        url("rule_retire", "beans", code),
    )
    assert_all_in_order(page, addresses)


def test_the_calendar_is_a_picture_and_a_table(
    ana: Member, sign_in: Callable[[str], Any], assert_in_order: Callable[[Any], None]
) -> None:
    now = timezone.now()
    rule = create_rule(
        program=ana.program,
        definition=FixedRule(kind="fixed", code="flash", name="Flash", units=Decimal(5)),
        actor=SYSTEM, now=now,
    )  # fmt: skip
    begins = now + dt.timedelta(days=30)
    publish_draft(
        rule=rule, starts_at=begins, ends_at=begins + dt.timedelta(hours=1), actor=SYSTEM, now=now
    )
    page = sign_in("analyst")
    page.goto(url("rule_calendar", "beans"))
    picture = page.get_by_role("img", name=re.compile("What is live in the next 90 days"))
    picture.locator("canvas").wait_for()
    assert_in_order(page)
    widths = page.evaluate(
        """echarts
           .getInstanceByDom(document.querySelector("[data-chart] [data-chart-canvas]"))
           .getOption().series.filter((each) => each.name).map((each) => Math.max(...each.data))"""
    )
    # An hour is to be seen, too.
    assert sorted(widths) == [pytest.approx(0.6), 90]
    page.get_by_role("button", name="View as table").click()
    expect(page.get_by_role("row", name=re.compile("the beginning no end"))).to_be_visible()


def order_of(member: Member) -> list[str]:
    return list(member.program.earning_rules.order_by("position").values_list("code", flat=True))


def three_rules(member: Member) -> None:
    for name in ("Two", "Three"):
        create_rule(
            program=member.program,
            definition=FixedRule(kind="fixed", code=name.lower(), name=name, units=Decimal(5)),
            actor=SYSTEM, now=timezone.now(),
        )  # fmt: skip


def test_rules_change_places_with_the_keyboard_and_by_dragging(
    ana: Member, sign_in: Callable[[str], Any], assert_in_order: Callable[[Any], None]
) -> None:
    three_rules(ana)
    page = sign_in("marketing_manager")
    page.goto(url("rule_list", "beans"))
    assert_in_order(page)
    page.get_by_role("button", name="Earlier: Three").focus()
    for number in (2, 1):
        page.wait_for_function("document.activeElement.innerText.includes('Earlier: Three')")
        page.keyboard.press("Enter")
        page.locator(f'[data-announce="“Three” is number {number} of 3 now."]').wait_for()
    assert order_of(ana) == ["three", "base", "two"]
    # At the top the other button has the focus, so that one can go on.
    page.wait_for_function("document.activeElement.innerText.includes('Later: Three')")
    page.keyboard.press("Enter")
    page.locator('[data-announce="“Three” is number 2 of 3 now."]').wait_for()
    assert order_of(ana) == ["base", "three", "two"]
    page.locator("#rule-two [data-sortable-grip]").drag_to(page.locator("#rule-base .rule-name"))
    page.locator('[data-announce="“Two” is number 1 of 3 now."]').wait_for()
    assert order_of(ana) == ["two", "base", "three"]


def test_an_activity_is_tried_for_a_member_while_its_rule_is_written(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_in_order: Callable[[Any], None],
) -> None:
    make_type("review")
    page = sign_in("marketing_manager")
    page.goto(url("rule_create", "beans", "review-bonus"))
    preview = page.locator("#rule-preview")
    page.get_by_label("For each of this number").fill("stars")
    preview.get_by_text("Review: 50 Beans for each of its “stars”.").wait_for()
    page.get_by_label("Its details, one a line").fill("stars = 5")
    page.get_by_label("Member", exact=True).fill("c1")
    preview.get_by_text("Left to Ana Lima that month: 200 Beans of 200 Beans.").wait_for()
    preview.get_by_text("That is all that one member can still earn this month").wait_for()
    page.get_by_label("They expire by terms of their own").check()
    page.get_by_label("They expire", exact=True).select_option("days")
    page.get_by_label("How many", exact=True).fill("30")
    preview.get_by_text("They expire 30 days after they were earned.").wait_for()
    assert_in_order(page)
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("heading", name="Bonus for a review").wait_for()
    page.get_by_text("Fractions are rounded down.").first.wait_for()
