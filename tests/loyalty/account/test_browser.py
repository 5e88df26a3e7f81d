"""A customer on a phone: reads why, gives, shares, keeps what is theirs. Each page is looked at in
the light where it is opened; in the dark: `test_phone_in_browser` of the campaigns. The card:
`test_wallet_passes`. Signing in with a mailed code: `test_flows_in_browser` of the rewards."""

import datetime as dt
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Membership, Order
from loyalty.plan_definitions import PlanDefinition
from loyalty.selectors.programs import definition_of
from loyalty.services.pools import PoolTerms, create_pool
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.sign_ins import note_sign_in
from tests.loyalty.account.conftest import Shop
from tests.loyalty.planning import join, pay, plan

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def browser_context_options() -> dict[str, Any]:
    return {
        "viewport": {"width": 390, "height": 844},
        "locale": "en-US",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
        "has_touch": True,
    }


@pytest.fixture
def signed_in_page(page: Any, maya: Customer, sign_in: Callable[[Customer], Client]) -> Any:
    cookie = sign_in(maya).cookies[settings.SESSION_COOKIE_NAME]
    host = {"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "domain": "localhost"}
    page.context.add_cookies([{**host, "path": "/"}])
    return page


def code_in_last_mail() -> str:
    text = f"{mail.outbox[-1].subject}\n{mail.outbox[-1].body}"
    found = re.search(r"^\s*([A-Z0-9]{4,6}-?[A-Z0-9]{3,6})\s*$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


def test_the_history_shows_earlier_ones_their_reasons_and_a_statement_to_keep(
    signed_in_page: Any, shop: Shop, maya: Customer, assert_fits: Callable[[Any], None]
) -> None:
    for number in range(25):
        shop.sell(maya, f"N{number}", "10.00", days_ago=100 + number)
    page, year = signed_in_page, str((timezone.now() - dt.timedelta(hours=5)).year)
    page.goto("/me/history/")
    expect(page.locator(".history-item")).to_have_count(20)

    page.get_by_role("link", name="Show earlier ones").click()
    row = page.locator(".history-item", has_text="Earned with order 4711")
    row.wait_for()

    titles = page.locator(".month-title").all_inner_texts()
    assert len(titles) == len(set(titles))
    expect(page.locator(".history-item")).to_have_count(30)
    expect(page.locator(".month-card:focus")).to_have_count(1)

    # The reasons open in place.
    expect(row.get_by_text("Goods that earn")).not_to_be_visible()
    row.locator("summary").click()
    expect(row.get_by_text("Goods that earn")).to_be_visible()
    expect(row.get_by_text("2 Beans for each $1.00")).to_be_visible()
    assert_fits(page)

    page.get_by_role("link", name="Statement").click()
    page.get_by_label("Period").select_option(year)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("This period still runs")).to_be_visible()
    assert_fits(page)
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download (PDF)").click()
    assert kept.value.suggested_filename == f"statement-{year}.pdf"


def test_purchases_and_what_each_earned_are_read_on_a_phone(
    signed_in_page: Any, assert_fits: Callable[[Any], None]
) -> None:
    page, purchase = signed_in_page, Order.objects.get(external_id="4990")
    page.goto("/me/purchases/")
    assert_fits(page)
    page.locator(f"main a[href$='/purchases/{purchase.pk}/']").click()
    page.get_by_role("heading", level=1).wait_for()
    assert_fits(page)


def test_a_gift_is_given_from_a_phone(
    signed_in_page: Any, shop: Shop, assert_fits: Callable[[Any], None]
) -> None:
    shop.enroll(shop.add_customer("noor@example.com", given_name="Noor"))
    page = signed_in_page
    page.goto("/me/give/")
    page.get_by_label("Card number or e-mail address").fill("noor@example.com")
    page.get_by_label("How many").fill("30")
    assert_fits(page)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="Is this right?").wait_for()
    assert_fits(page)
    page.get_by_role("button", name="Give").click()
    page.get_by_role("heading", name="Gift to Noor").wait_for()
    page.locator("[data-toast]", has_text="You gave 30").wait_for()
    assert_fits(page)


def test_two_taps_give_to_a_charity(
    signed_in_page: Any, assert_fits: Callable[[Any], None]
) -> None:
    page = signed_in_page
    page.goto("/me/giving/")
    assert_fits(page)
    page.get_by_role("link", name="City Trees").click()
    page.get_by_role("button", name="Give 100").wait_for()
    assert_fits(page)
    page.get_by_role("button", name="Give 100").click()
    page.locator("[data-toast]", has_text="You gave 100").wait_for()
    # All that is left is asked about first, for nothing brings it back.
    page.get_by_role("button", name="Give 51").click()
    asked = page.get_by_role("alertdialog", name="Give 51")
    expect(asked).to_contain_text("is given for good")
    assert_fits(page)
    asked.get_by_role("button", name="Cancel").click()
    expect(asked).to_be_hidden()
    page.reload()
    expect(page.get_by_role("button", name="Give 51")).to_be_visible()
    page.goto("/me/giving/")
    page.get_by_role("button", name="Give 50").click()
    page.get_by_role("button", name="Stop it").wait_for()
    assert_fits(page)


def test_a_member_sees_what_another_plan_costs_and_changes_to_it(
    signed_in_page: Any, maya: Customer, shop: Shop,
    assert_fits: Callable[[Any], None],
) -> None:  # fmt: skip
    now = timezone.now()
    plans = (plan(), plan("pro", price="30", upgrade="at_once"))
    said = definition_of(shop.program, now).model_copy(
        update={"plans": tuple(map(PlanDefinition.model_validate, plans))}
    )
    apply_definition(said, actor=SYSTEM, now=now)
    pay(join(Membership.objects.select_related("program").get(customer=maya), at=now), now)
    page = signed_in_page
    page.goto("/me/plan/")
    assert_fits(page)
    page.get_by_role("link", name="Change to Pro").click()
    page.get_by_text("that is left of Plus").wait_for()
    assert_fits(page)
    page.get_by_role("button", name="Change now for").click()
    page.locator("[data-toast]", has_text="You have Pro now.").wait_for()


def test_a_member_looks_into_the_pool_takes_out_and_leaves(
    signed_in_page: Any,
    maya: Customer,
    shop: Shop,
    assert_fits: Callable[[Any], None],
) -> None:
    create_pool(
        owner=Membership.objects.get(customer=maya), terms=PoolTerms(name="Elm Street 4"),
        bring=True, actor=SYSTEM, source="backoffice", now=timezone.now(),
    )  # fmt: skip
    page = signed_in_page
    page.goto("/me/")
    assert_fits(page)
    page.get_by_role("link", name="Our household: Elm Street 4").click()
    page.get_by_role("heading", name="Our household: Elm Street 4").wait_for()
    assert_fits(page)
    page.get_by_role("button", name="Keep what I earn from now on").click()
    page.get_by_role("button", name="Share what I earn").wait_for()

    page.get_by_role("link", name="Put in or take out").click()
    page.get_by_label("Take from the pool").check()
    page.get_by_label("How many").fill("40")
    assert_fits(page)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="Is this right?").wait_for()
    assert_fits(page)
    page.get_by_role("button", name="Take out").click()
    page.locator("[data-toast]", has_text="40\N{NO-BREAK SPACE}Beans are yours now.").wait_for()

    page.get_by_role("link", name="Leave the pool").click()
    assert_fits(page)
    page.get_by_role("button", name="Leave the pool").click()
    page.locator("[data-toast]", has_text="You have left Elm Street 4.").wait_for()
    expect(page.locator(".purse-number")).to_have_text("151")


def test_a_customer_keeps_their_data_and_signs_out_elsewhere(
    signed_in_page: Any, maya: Customer, assert_fits: Callable[[Any], None]
) -> None:
    assert maya.user is not None
    elsewhere = Client()
    elsewhere.force_login(maya.user, "django.contrib.auth.backends.ModelBackend")
    note_sign_in(
        user=maya.user, session_key=str(elsewhere.session.session_key),
        user_agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/139.0", address="203.0.113.7",
        now=timezone.now(),
    )  # fmt: skip
    page = signed_in_page
    page.goto("/me/profile/")
    assert_fits(page)
    # Cards that lead on begin at one edge.
    cards = page.locator(".card-link")
    cards.nth(1).wait_for()
    lefts = cards.evaluate_all("found => found.map((card) => card.getBoundingClientRect().left)")
    assert len(lefts) > 1
    assert len(set(lefts)) == 1
    page.get_by_role("link", name="Where you are signed in").click()
    expect(page.locator("#sign-ins")).to_contain_text("Chrome on Linux")
    assert_fits(page)
    page.locator("#sign-ins").get_by_role("button").click()
    expect(page.locator("#sign-ins")).not_to_contain_text("Chrome on Linux")
    assert elsewhere.get("/me/profile/").status_code == 302

    page.goto("/me/profile/data/")
    assert_fits(page)
    page.get_by_role("button", name="Put my data together").click()
    download_button = page.get_by_role("button", name="Download your data")
    expect(download_button).to_be_visible()
    assert_fits(page)
    with page.expect_download() as download:
        download_button.click()
    with zipfile.ZipFile(download.value.path()) as package:
        assert "maya@example.com" in package.read("data.json").decode()
