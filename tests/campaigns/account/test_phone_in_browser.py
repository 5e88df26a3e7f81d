"""A customer on a phone, as phones are: without scripts, in the dark, from the right, in Greek."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.links import StopLink, stop_token
from campaigns.survey_links import survey_path
from loyalty.models import Membership, Program
from loyalty.plan_definitions import PlanDefinition
from loyalty.selectors.programs import definition_of
from loyalty.services.pools import PoolTerms, create_pool
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.challenges import launch
from tests.campaigns.community import make_post
from tests.campaigns.games import live_game
from tests.campaigns.referrals import promise
from tests.campaigns.surveys import make_survey
from tests.loyalty.account.conftest import Shop
from tests.loyalty.account.test_browser import browser_context_options  # noqa: F401
from tests.loyalty.planning import plan
from tests.rewards.factories import offer, take
from tests.rewards.test_flows_in_browser import (  # noqa: F401
    Answer,
    club,
    join,
    now_text,
    send,
    sign_in_by_mail,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
WIDTH = 390

# Pages to which a member is led from their own home, page by page.
LED_TO = {
    "campaigns_account:campaigns", "challenges_account:board",
    "challenges_account:challenges", "community_account:community", "community_account:post",
    "games:game", "games_account:game", "games_account:games", "messages_account:choices",
    "messages_account:inbox",
    "mypage:card", "mypage:charity", "mypage:earn", "mypage:give", "mypage:giving",
    "mypage:history", "mypage:history_movement", "mypage:home", "mypage:leave", "mypage:plan",
    "mypage:own_data", "mypage:plan_join", "mypage:pool", "mypage:pool_leave",
    "mypage:pool_move", "mypage:profile",
    "mypage:purchase", "mypage:purchases", "mypage:sign_ins", "mypage:statement", "programs:terms",
    "referrals_account:invite", "rewards_account:reward",
    "rewards_account:shelf", "rewards_account:voucher", "rewards_account:vouchers",
    "surveys_account:survey", "surveys_account:surveys",
}  # fmt: skip
# With numbers side by side, or with a sign.
LARGE = {"games:game", "games_account:game", "mypage:history_movement", "mypage:purchase"}
# Where the first and the second letter of each amount stand, from the left.
SIGNS = """() => [...document.querySelectorAll('.amount, .history-amount')].map((found) => {
  const text = found.firstChild, range = document.createRange();
  if (text?.nodeType !== Node.TEXT_NODE || !/^[+−-]\\d/.test(text.data)) return null;
  const left = (at) => (range.setStart(text, at), range.setEnd(text, at + 1),
    range.getBoundingClientRect().left);
  return left(0) < left(1);
}).filter((found) => found !== null)"""
TOO_WIDE = """() => [...document.querySelectorAll('.card *')].filter((found) => {
  const { left, right, width } = found.getBoundingClientRect();
  return width > 1 && (left < -1 || right > innerWidth + 1);
}).map((found) => found.outerHTML.slice(0, 120))"""
# What is kept as a file.
FILES = {"mypage:statement_file", "rewards_account:voucher_expiry"}


@pytest.fixture
def member(shop: Shop, maya: Customer) -> Membership:
    """Maya has something of everything."""
    now = timezone.now()
    said = definition_of(shop.program, now).model_copy(
        update={"plans": (PlanDefinition.model_validate(plan()),)}
    )
    program = apply_definition(said, actor=SYSTEM, now=now).program
    found = Membership.objects.select_related("program", "customer").get(customer=maya)
    take(found, offer(program, "mug", name="A mug", price=10))
    create_pool(
        owner=found, terms=PoolTerms(name="Elm Street 4"), bring=False, actor=SYSTEM,
        source="backoffice", now=now,
    )  # fmt: skip
    launch(program, at=now, starts_at=now, ends_at=now + 9 * DAY)
    live_game(program, at=now - HOUR)
    make_post(program, at=now - HOUR)
    promise(program, at=now - HOUR)
    make_survey(program)
    return found


@pytest.fixture
def own_page(page: Any, maya: Customer, sign_in_customer: Callable[[Customer], Client]) -> Any:
    cookie = sign_in_customer(maya).cookies[site.SESSION_COOKIE_NAME]
    host = {"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}
    page.context.add_cookies([host])
    return page


def name_of(address: str) -> str:
    """That of its page; one of a membership named in the address is the same page."""
    return re.sub("_of$", "", resolve(urlsplit(address).path).view_name)


def links_of(page: Any) -> list[str]:
    """Where a page leads to within, what staff and machines read aside."""
    links = page.locator("a[href^='/']").evaluate_all(
        "found => found.map((link) => link.getAttribute('href'))"
    )
    return [link for link in links if not link.startswith(("/media/", "/static/"))]


def look_with_large_letters(page: Any) -> None:
    """Twice as large, everything is there, and a sign is before its number."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(TOO_WIDE) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTH, page.url
    signs = page.evaluate(SIGNS)
    assert all(signs), page.url
    assert signs or "/history/" not in page.url


def strangers_pages(member: Membership, survey_at: str) -> list[str]:
    who = member.customer.public_id
    stop = stop_token(StopLink(who, who, "email", "points"))
    return [
        reverse("programs:program", args=[member.program.code]),
        reverse("account_login"),
        reverse("account_request_login_code"),
        reverse("account_reset_password"),
        reverse("messages:stop", args=[stop]),
        survey_at,
    ]


def test_every_page_is_whole_in_the_dark_and_from_the_right(
    own_page: Any, member: Membership, settings: Any,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    # As if English began at the right: the languages that do are not offered yet.
    settings.LANGUAGES_BIDI = ["en"]
    page = own_page
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")

    def look(address: str) -> None:
        page.goto(address)
        expect(page.locator("html[dir=rtl][data-bs-theme=dark]")).to_be_attached()
        expect(page.locator("h1")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") == WIDTH, address
        assert_no_axe_violations(page)
        if name_of(address) in LARGE:
            look_with_large_letters(page)

    seen, waiting = set(FILES), ["/me/"]
    while waiting:
        address = waiting.pop(0)
        if (name := name_of(address)) not in seen:
            seen.add(name)
            look(address)
            waiting += links_of(page)
    assert seen - FILES == LED_TO
    assert seen >= LARGE
    page.context.clear_cookies()
    survey = member.program.surveys.get()
    for address in strangers_pages(member, survey_path(survey)):
        look(address)


def test_a_customer_without_scripts_joins_redeems_and_changes_their_details(
    browser: Any, live_server: Any, club: Program,  # noqa: F811
    send: Callable[[str, Answer], Answer],  # noqa: F811
) -> None:  # fmt: skip
    offer(club, name="Five dollars off", price=100)
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=False,
        viewport={"width": WIDTH, "height": 844}, locale="en-US",
    )  # fmt: skip
    page = context.new_page()
    page.goto("/programs/beans/")
    page.get_by_role("textbox", name="E-mail").fill("no address")
    page.locator("form:has(input[name=email])").evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Join").click()
    expect(page.locator(".field-errors")).to_be_visible()
    join(page, "noor@example.com")
    [noor] = send("/till/people", {"email": "noor@example.com"})["members"]
    send(
        "/orders",
        {"currency": "USD", "placed_at": now_text(), "customer": {"id": noor["customer"]},
         "external_id": "A-1", "total": "20.00"},
    )  # fmt: skip
    sign_in_by_mail(page, "noor@example.com")
    expect(page.locator(".purse-number")).to_have_text("200")

    page.get_by_role("link", name="Rewards", exact=True).click()
    page.get_by_role("link", name="Five dollars off").click()
    page.get_by_role("button", name=re.compile("Take it for")).click()
    expect(page.locator(".voucher-code-large")).to_be_visible()
    # What only a script can do is not offered.
    expect(page.get_by_role("button", name="Copy the code", include_hidden=True)).to_have_count(1)
    expect(page.get_by_role("button", name="Copy the code")).to_have_count(0)
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.locator(".purse-number")).to_have_text("100")

    page.get_by_role("link", name="Me", exact=True).click()
    page.get_by_label("Given name").fill("Noor")
    page.get_by_label("Language").select_option("el")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html[lang=el]")).to_be_attached()
    expect(page.locator("#toasts [data-toast]")).to_be_visible()
    assert Customer.objects.get(email="noor@example.com").given_name == "Noor"
    page.locator(".menu summary").click()
    page.locator("header form[action='/accounts/logout/'] button").click()
    expect(page.locator("input[name=email]")).to_be_visible()
    context.close()


def test_a_visitor_chooses_the_language_and_it_stays(
    own_page: Any, shop: Shop, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    page = own_page
    page.goto("/programs/beans/?c=flyer")
    page.get_by_role("button", name="Ελληνικά").click()
    expect(page.locator("html[lang=el]")).to_be_attached()
    expect(page.get_by_role("button", name="Ελληνικά")).to_have_attribute("aria-current", "true")
    assert page.url.endswith("/programs/beans/?c=flyer")
    assert_no_axe_violations(page)
    # Their own pages follow.
    page.goto("/me/card/")
    expect(page.locator("html[lang=el]")).to_be_attached()
    page.context.clear_cookies(name=site.SESSION_COOKIE_NAME)
    page.goto("/accounts/login/code/")
    expect(page.locator("html[lang=el]")).to_be_attached()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Send the code")).to_be_visible()
