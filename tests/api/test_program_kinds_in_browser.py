"""Kinds of programs in a browser: one from the wizard to its account page, and the steps that only
some kinds have, each with what follows its answers; and a row that is added. All kinds without a
browser: `test_program_kinds`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from loyalty.models import Program, ProgramDraft
from loyalty.program_templates.kinds import ProgramTemplate
from loyalty.program_templates.registry import template_named
from tests.api.conftest import ApiClient
from tests.api.test_program_kinds import (  # noqa: F401
    TABLE,
    assert_is_read,
    buy,
    buyer,
    draft_of,
    fields_of,
    prepare,
    text_of,
)
from tests.loyalty.backoffice.conftest import client_of, sign_in, url  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_STEPS = 14


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
    page.get_by_text("All other kinds").click()
    page.locator(f'[name="template"][value="{template.code}"]').check()
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


def test_a_kind_from_the_wizard_to_the_account_page(
    sign_in: Callable[[str], Any],  # noqa: F811
    buyer: Client,  # noqa: F811
    api: ApiClient,
) -> None:
    page, case = sign_in("marketing_manager"), TABLE["games"]
    template = template_named("games")
    assert template is not None
    pool = prepare(api, case, create(page, template))
    for number, basket in enumerate(case.baskets):
        buy(api, basket, number, pool)
    assert_is_read(case, lambda address: text_of(buyer, address))


# Of kinds that have a step of their own: it, a question of it, the answer with which another one is
# asked, one with which that is not, and what is asked.
STEPS = [
    ("paid-membership", "plan", "plan_shipping", "from", "none", "plan_shipping_from"),
    ("companies", "companies", "company_approval", "limits", "always", "company_at_once"),
    ("pledge", "pledge", "pledge_event", "order", "friend", "pledge_least"),
    ("referrals", "friends", "advocate_gift", "percent", "units", "advocate_percent"),
    ("games", "game", "game_plays", "bought", "order", "game_price"),
]


def open_step(page: Any, draft: ProgramDraft, step: str) -> None:
    """With its picture, if it has one."""
    page.goto(url("wizard_step", draft.public_id, step))
    expect(page.locator("#wizard-preview[aria-busy]")).to_have_count(0)


def test_what_an_answer_makes_needless_is_not_asked_and_a_row_is_added_where_there_is_none_yet(
    sign_in: Callable[[str], Any],  # noqa: F811
) -> None:
    page = sign_in("marketing_manager")
    for kind, step, question, with_it, without, asked in STEPS:
        draft = draft_of(kind)
        open_step(page, draft, step)
        field = page.locator(f'[name="{asked}"]')
        page.locator(f'[name="{question}"][value="{without}"]').check()
        expect(field).to_be_hidden()
        page.locator(f'[name="{question}"][value="{with_it}"]').check()
        expect(field).to_be_visible()
    # The last one has rows. Those of the other kinds: `test_program_kinds`.
    before = draft.answers["prizes"]
    fill_in(page, {asked: "50"})
    said = {"units": "500", "percent": "0.5"}
    for part, text in said.items():
        page.locator(f'[name="prizes-{len(before)}-{part}"]').fill(text)
    go_on(page)
    draft.refresh_from_db()
    *kept, added = draft.answers["prizes"]
    assert len(kept) == len(before)
    assert {part: str(added[part]) for part in said} == said
