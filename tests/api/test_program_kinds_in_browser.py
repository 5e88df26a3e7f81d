"""Every kind of program through the wizard's screens, in a real browser: answered step by step,
taken live, a basket quoted over the API, an order earned, and what the member's own page says."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from loyalty.backoffice.program_fields import plain
from loyalty.models import Program
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.questions import AskedQuestion
from loyalty.program_templates.registry import TEMPLATES
from tests.api.conftest import ApiClient
from tests.api.test_program_kinds import TABLE, buy, buyer, do_something, manager, prepare

__all__ = ("buyer", "manager")
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ESTIMATES = {"buyers": "500", "orders_each": "4", "basket": "50"}


def signed_in(page: Any, client: Client) -> None:
    """The page is the client's from now on."""
    name = settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value, "domain": "localhost", "path": "/"}
    page.context.clear_cookies()
    page.context.add_cookies([cookie])


def step_of(page: Any) -> str:
    return str(page.url.rstrip("/").rsplit("/", 1)[1])


def go_on(page: Any, button: str = "Continue") -> None:
    before = page.url
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_url(lambda address: address != before, wait_until="domcontentloaded")


def answer(page: Any, asked: AskedQuestion) -> None:
    """Type the template's own default, whatever the wizard has suggested for the shop."""
    if isinstance(asked.default, tuple) and asked.question.type != "names":
        for number, row in enumerate(asked.default):
            for column, value in row.items():
                write(page, f"{asked.name}-{number}-{column}", value)
    else:
        write(page, asked.name, asked.default)


def write(page: Any, name: str, value: Any) -> None:
    field = page.locator(f'[name="{name}"]')
    text = plain(value) if isinstance(value, Decimal) else str(value)
    if isinstance(value, tuple):
        text = "\n".join(value)
    if not field.first.is_visible():
        return
    if field.first.get_attribute("type") == "radio":
        page.locator(f'[name="{name}"][value="{text}"]').check()
    elif field.evaluate("field => field.tagName") == "SELECT":
        field.select_option(text)
    elif field.input_value() != text:
        field.fill(text)


def create(page: Any, template: ProgramTemplate) -> Program:
    """By the wizard, with the template's own answers."""
    page.goto(reverse("loyalty_backoffice:wizard_start"))
    go_on(page, "Go step by step")
    for name, value in ESTIMATES.items():
        write(page, name, value)
    go_on(page)
    page.get_by_text("All other kinds").click()
    page.locator(f'[name="template"][value="{template.code}"]').check()
    go_on(page)
    asked = {item.name: item for item in template.questions("USD")}
    while step_of(page) != "review":
        more = page.locator("#wizard-form details > summary")
        if more.count():
            more.first.click()
        for name, item in asked.items():
            if name == "program_name":
                write_if_asked(page, name, "Corner Club")
            elif asked_here(page, name):
                answer(page, item)
        write_if_asked(page, "status", "live")
        go_on(page)
    go_on(page, "Take it live")
    return Program.objects.get()


def asked_here(page: Any, name: str) -> bool:
    return bool(page.locator(f'[name="{name}"], [name^="{name}-0-"]').count())


def write_if_asked(page: Any, name: str, value: str) -> None:
    if asked_here(page, name):
        write(page, name, value)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.code)
def test_a_kind_through_the_wizard_to_the_account_page(
    template: ProgramTemplate, page: Any, manager: Client, buyer: Client, api: ApiClient,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    case = TABLE[template.code]
    signed_in(page, manager)
    program = create(page, template)
    assert (program.status, program.code) == ("live", "corner-club")
    pool = prepare(api, case, program)
    for number, basket in enumerate(case.baskets):
        buy(api, basket, number, pool)
    if case.activity:
        do_something(api, case.activity)
    signed_in(page, buyer)
    page.goto("/me/")
    text = " ".join(page.locator("#main").text_content().split())
    for words in case.reads:
        assert words in text, text
    for words in case.never:
        assert words not in text
    assert_no_axe_violations(page)
