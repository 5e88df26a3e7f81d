"""Every kind of program in a browser: created step by step in the wizard with the answers of its
template, and read by a member on their page once a basket was quoted and ordered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from loyalty.models import Program
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.registry import TEMPLATES
from members.services.outbox import deliver_waiting
from tests.api.conftest import ApiClient
from tests.api.test_program_kinds import TABLE, buy, buyer, do_something, prepare  # noqa: F401
from tests.loyalty.backoffice.conftest import client_of, sign_in, url  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_STEPS = 14


def plain(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def fields_of(start: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the template answers, by the names of the fields that ask for it."""
    for name, value in start.items():
        if isinstance(value, tuple):
            rows = (row for row in value if isinstance(row, Mapping))
            for number, row in enumerate(rows):
                for part, cell in row.items():
                    yield f"{name}-{number}-{part}", plain(cell)
        elif value is not None:
            yield name, plain(value)


def fill_in(page: Any, answers: Mapping[str, str]) -> None:
    """What this step asks for, where it suggests something else."""
    for shown in page.locator("#wizard-form input.form-control").all():
        wanted = answers.get(shown.get_attribute("name"))
        if wanted is not None and shown.is_visible() and shown.input_value() != wanted:
            shown.fill(wanted)


def go_on(page: Any) -> str:
    """On to the next step; its name."""
    before = page.url
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda found: found != before)
    return str(page.url).rstrip("/").rsplit("/", 1)[1]


def create(page: Any, template: ProgramTemplate) -> Program:
    """Step by step, and live."""
    answers = dict(fields_of(template.start("USD"))) | {"program_name": "Corner Club"}
    page.goto(url("wizard_start"))
    page.get_by_role("button", name="Go step by step").click()
    fill_in(page, {"margin": "40", "buyers": "200", "orders_each": "4", "basket": "50"})
    assert go_on(page) == "kind"
    kind = page.locator(f'[name="template"][value="{template.code}"]')
    if not kind.is_visible():
        page.get_by_text("All other kinds").click()
    kind.check()
    step = go_on(page)
    for _number in range(MOST_STEPS):
        if step == "review":
            break
        fill_in(page, answers)
        if step == "launch":
            page.get_by_role("radio", name=re.compile("live", re.IGNORECASE)).first.check()
        step = go_on(page)
    page.get_by_role("button", name="Take it live").click()
    page.wait_for_url("**/programs/corner-club/")
    program = Program.objects.get()
    assert program.status == "live"
    return program


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.code)
def test_a_kind_from_the_wizard_to_the_account_page(
    template: ProgramTemplate,
    sign_in: Callable[[str], Any],  # noqa: F811
    buyer: Client,  # noqa: F811
    api: ApiClient,
    live_server: Any,
) -> None:
    page, case = sign_in("marketing_manager"), TABLE[template.code]
    pool = prepare(api, case, create(page, template))
    for number, basket in enumerate(case.baskets):
        buy(api, basket, number, pool)
    if case.activity:
        do_something(api, case.activity)
    cookie = buyer.cookies["sessionid"]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.goto("/me/")
    body = page.locator("body")
    for words in case.reads:
        expect(body).to_contain_text(words)
    for words in case.never:
        expect(body).not_to_contain_text(words)
    while deliver_waiting():
        pass
    for address, found in case.pages.items():
        page.goto(address)
        for words in found:
            expect(page.locator("body")).to_contain_text(words)
