"""Pages that look at every member or order come without these figures, and then ask for them."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Program, ProgramDraft
from members.models import Customer, CustomerFacts
from tests.loyalty.backoffice.conftest import url
from tests.loyalty.backoffice.test_tier_drafts import send
from tests.loyalty.backoffice.tier_forms import LADDER, values_of
from tests.loyalty.factories import make_program, order, record
from tests.plans import rows_read
from tests.sharing import of_each_test

BUYERS = 6
# Of these there is a row or more for each customer.
GROWING = (
    "loyalty_order", "loyalty_orderevaluation", "loyalty_refund", "loyalty_lot",
    "loyalty_transfer", "members_customerfacts",
)  # fmt: skip
FIGURES = {"figures": "1"}
PAGES = ("tier_draft_publish", "launch_dashboard", "launch_page")


def make_club() -> Program:
    """Live for forty days, with buyers who are members."""
    now = timezone.now()
    at = now - dt.timedelta(days=40)
    program = make_program(at=at, tiers={"tiers": LADDER})
    Program.objects.filter(pk=program.pk).update(live_since=at)
    record(
        *(order(f"O{number}", f"{number}00", at=at + dt.timedelta(days=number), buyer=f"m{number}")
          for number in range(1, BUYERS + 1))
    )  # fmt: skip
    CustomerFacts.objects.bulk_create(
        (CustomerFacts(customer=person, orders=1, ordered=100 + number, as_of=now)
         for number, person in enumerate(Customer.objects.order_by("pk"))),
        update_conflicts=True, unique_fields=["customer"], update_fields=["orders", "ordered"],
    )  # fmt: skip
    return program


def plan_launch(manager: Client) -> None:
    tomorrow = (timezone.now() + dt.timedelta(days=1)).date()
    phases = {"top_percent": 50, "top_starts_on": tomorrow, "confirmed": "1",
              "everyone_starts_on": tomorrow + dt.timedelta(days=9)}  # fmt: skip
    assert manager.post(url("launch_edit", "club"), phases).status_code == 302


def last_step(manager: Client) -> str:
    """Answers what the wizard asks for the shortest program, as it suggests it."""
    manager.post(url("wizard_start"), {"mode": "starter"})
    draft = ProgramDraft.objects.latest("created_at")
    said = {"template": "discount-card", "program_name": "Card", "percent": "5"}
    for step in ("what", "rate"):
        manager.post(url("wizard_step", draft.public_id, step), said)
    return url("wizard_step", draft.public_id, "review")


def growing(act: Callable[[], object]) -> Counter[str]:
    read = rows_read(act)
    return Counter({table: read[table] for table in GROWING if read[table]})


_made_once, club = of_each_test(make_club)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_nothing_of_everybody_before_it_asks_for_its_figures(
    name: str, manager: Client, club: Program
) -> None:
    send(manager, "draft")
    if name == "launch_page":
        plan_launch(manager)
    address = url(name, "club")
    assert not growing(lambda: manager.get(address))
    page = manager.get(address).content.decode()
    assert f'hx-get="{address}?figures=1"' in page
    # Who has no JavaScript follows a link.
    assert f'href="{address}?figures=1"' in page
    found = growing(lambda: manager.get(address, FIGURES))
    assert max(found.values()) >= BUYERS
    assert f'hx-get="{address}?figures=1"' not in manager.get(address, FIGURES).content.decode()


@pytest.mark.parametrize(
    ("address", "place", "words"),
    [
        (lambda: url("program_members", "club"), "members-joined", "New members by source"),
        (lambda: url("liability_members"), "holders", "The largest holders first"),
    ],
)
def test_who_joined_how_and_who_holds_most_come_after_their_page(
    address: Callable[[], str], place: str, words: str, manager: Client, club: Program,
    settings: Any,
) -> None:  # fmt: skip
    settings.FIGURES_PATIENCE = (0, 60_000)
    page = manager.get(address()).content.decode()
    assert f'<div id="{place}"' in page
    assert "data-lazy" in page
    assert words not in page
    later = manager.get(address(), FIGURES)
    assert later.context["figures"].as_of is None
    assert words in later.content.decode()
    assert "data-lazy" not in later.content.decode()


def test_the_form_of_the_tiers_is_there_before_the_members_over_it(
    manager: Client, club: Program
) -> None:
    address = url("tier_set_edit", "club")
    assert not growing(lambda: manager.get(address))
    values = values_of(manager.get(address).content.decode())
    assert "Your 6 members" not in manager.get(address).content.decode()
    assert growing(lambda: manager.post(url("tier_ladder", "club"), values))
    # Without JavaScript a button works it out, of what stands in the form.
    shown = manager.post(address, values | {"tier-1-threshold": "300", "refresh": "1"})
    assert [step.members for step in shown.context["ladder"].steps] == [2, 4]
    assert "Your 6 members" in shown.content.decode()


def test_the_plan_of_an_end_is_there_before_what_it_takes_from_everybody(
    manager: Client, club: Program
) -> None:
    address = url("program_end", "club")
    assert not growing(lambda: manager.get(address))
    page = manager.get(address).content.decode()
    assert 'hx-trigger="load, input' in page
    values = values_of(page[page.index("dialog-card") :]) | {"preview": "1"}
    shown = manager.post(address, values).content.decode()
    assert f"{BUYERS} of {BUYERS}" in shown
    assert 'hx-trigger="input' in shown
    # Nobody ends it before that is there.
    assert "data-later" in page
    assert "data-later" not in shown


def test_the_last_step_of_the_wizard_is_there_before_the_year(
    manager: Client, club: Program
) -> None:
    address = last_step(manager)
    early = growing(lambda: manager.get(address))
    # They are counted up to a bound, to say that there are any.
    assert set(early) == {"loyalty_order"}
    assert early["loyalty_order"] == BUYERS
    assert growing(lambda: manager.get(address, FIGURES))["loyalty_order"] > 2 * BUYERS


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_figures_appear_by_themselves(
    sign_in: Callable[[str], Any],
    client_of: Callable[[str], Client],
    page_errors: list[str],
) -> None:
    make_club()
    manager = client_of("marketing_manager")
    send(manager, "draft")
    page = sign_in("marketing_manager")
    page.goto(url("launch_dashboard", "club"))
    expect(page.locator("#launch-figures")).to_contain_text("6 of 6 buyers")
    plan_launch(manager)
    page.goto(url("launch_page", "club"))
    expect(page.locator("#launch-phases")).to_contain_text("3 customers")
    page.goto(url("tier_set_page", "club"))
    title = page.title()
    # Before its effect is there nobody can say yes to it.
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route(re.compile(r"/publish/\?figures=1$"), hold)
    page.get_by_role("link", name="Publish", exact=True).click()
    yes = page.get_by_role("button", name="Publish the tiers")
    expect(page.locator("#dialog").get_by_text("Cancel")).to_be_visible()
    expect(yes).to_be_hidden()
    while not held:
        page.wait_for_timeout(20)
    held.pop().continue_()
    expect(yes).to_be_visible()
    effect = page.locator("#dialog #tier-effect")
    expect(effect).to_contain_text("go up at once")
    expect(effect).not_to_have_attribute("aria-busy", "true")
    assert page.title() == title
    page.route(
        re.compile(r"/end/$"),
        lambda route: hold(route) if route.request.method == "POST" else route.continue_(),
    )
    page.goto(url("program_end", "club"))
    while not held:
        page.wait_for_timeout(20)
    expect(page.locator("[type=submit]:not([name=preview]) >> visible=true")).to_have_count(0)
    held.pop().continue_()
    expect(page.locator(".balance-change")).to_contain_text("6 of 6")
    assert not page_errors
