"""The storefront script in real pages: the demonstration's shop, and a shop at another address."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from campaigns.models import BrowsingEvent
from loyalty.models import Membership, Order, Program
from members.models import Customer
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from members.services.member_tokens import badge_of, issue_member_token
from members.services.merchants import update_merchant
from rewards.models import Element, Redemption, Reward
from rewards.services.access_windows import WindowTerms, save_window
from rewards.services.storefront import update_storefront
from tests.campaigns.browsing import agree, keep
from tests.loyalty.factories import make_program
from tests.rewards.factories import make_member, offer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TIERS = {
    "metric": "spend", "window": "lifetime",
    "tiers": [{"code": "sprout", "name": "Sprout", "color": "lime"},
              {"code": "oak", "name": "Oak", "threshold": "500"}],
}  # fmt: skip
UNIT = {"singular": "Bean", "plural": "Beans", "unit_value": "0.01"}


@pytest.fixture
def club() -> Program:
    program = make_program("beans", name="Bean Club", unit=UNIT, tiers=TIERS)
    changes = {
        "program": program, "elements": list(Element), "popup_seconds": 3,
        "join_url": "/demo-shop/sign-up/",
    }  # fmt: skip
    update_storefront(actor=SYSTEM, changes=changes)
    return program


@pytest.fixture
def five_off(club: Program) -> Reward:
    return offer(club, "five", name="5 off", price=100)


@pytest.fixture
def olivia(club: Program, settings: Any) -> Membership:
    member = make_member(250, "C-1", club)
    Customer.objects.filter(pk=member.customer_id).update(
        email=settings.SETIA_DEMO_CUSTOMER, given_name="Olivia"
    )
    return member


def test_a_visitor_signs_up_buys_and_sees_the_balance(
    page: Any, club: Program, five_off: Reward, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    page.goto("/demo-shop/")
    banner = page.locator("setia-join")
    banner.get_by_text("1\xa0Bean for each $1.00 spent.").wait_for()
    page.locator("setia-earn").first.get_by_text("Buy this and earn 12\xa0Beans").wait_for()
    assert_no_axe_violations(page)
    page.locator("setia-balance").get_by_role("link", name="Join Bean Club").click()
    page.get_by_label("Name").fill("Nora Field")
    page.get_by_label("E-mail").fill("nora@example.com")
    page.get_by_role("button", name="Make my account").click()
    page.locator("setia-balance").get_by_text("0\xa0Beans").wait_for()
    expect(page.locator("setia-join")).to_have_text("")
    page.get_by_role("link", name="Coffee beans").click()
    page.locator("setia-tier").get_by_text("Sprout member").first.wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Put into the basket").click()
    page.locator("setia-basket").get_by_text("You earn 12\xa0Beans with this basket").wait_for()
    page.locator("setia-basket").get_by_text("100\xa0Beans more").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Buy now").click()
    page.get_by_text("is on its way").wait_for()
    page.locator("setia-balance").get_by_text("12\xa0Beans").wait_for()
    order = Order.objects.get(source="demo-shop")
    assert (order.customer.email, str(order.total)) == ("nora@example.com", "12.5000")


def begin_a_sale(club: Program, sku: str) -> None:
    now = timezone.now()
    terms = WindowTerms(
        "Sale", now + dt.timedelta(days=9), opens_at=now + dt.timedelta(days=5), skus=(sku,)
    )
    save_window(program=club, code="sale", terms=terms, actor=SYSTEM)


def test_a_member_sees_a_sale_takes_a_reward_beside_the_basket_and_uses_its_code(
    page: Any, club: Program, olivia: Membership, five_off: Reward,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    page.goto("/demo-shop/")
    first = page.locator("setia-earn").first
    first.get_by_text("Buy this and earn 12\xa0Beans").wait_for()
    begin_a_sale(club, first.get_attribute("sku"))
    page.get_by_role("button", name="Sign in as Olivia").click()
    # When it opens is said to members.
    expect(first).to_contain_text("Opens for you on")
    expect(page.locator("setia-earn").nth(1)).not_to_contain_text("Opens for you on")
    header = page.locator("setia-balance").get_by_role("link")
    header.get_by_text("250\xa0Beans").wait_for()
    expect(header).to_contain_text("worth $2.50. Open my Bean Club page")
    header.get_by_text("Sprout").wait_for()
    page.get_by_role("link", name="Olive oil").click()
    page.get_by_role("button", name="Put into the basket").click()
    panel = page.locator("setia-basket")
    panel.get_by_role("button", name="5 off: Take for 100\xa0Beans").press("Enter")
    panel.get_by_text("“5 off” is yours. Your code:").wait_for()
    taken = Redemption.objects.get()
    assert taken.voucher is not None
    expect(page.get_by_role("textbox", name="Code")).to_have_value(taken.voucher.written)
    page.locator("setia-balance").get_by_text("150\xa0Beans").wait_for()
    assert (
        page.evaluate("document.querySelector('setia-basket').shadowRoot.activeElement.className")
        == "note"
    )
    assert_no_axe_violations(page)
    page.get_by_role("button", name="Buy now").click()
    page.get_by_text("over $13.40 is on its way").wait_for()
    taken.refresh_from_db()
    assert taken.status == Redemption.Status.USED


def settled(page: Any) -> None:
    """The page has had time for what follows from what it has by now."""
    page.locator("html").evaluate("() => new Promise((done) => setTimeout(done, 250))")


def wait_for_the_pop_up(page: Any) -> None:
    """As long as it waits, once the page knows how long that is; nobody sees it before."""
    page.locator("setia-join").get_by_role("button", name="Not now").wait_for()
    settled(page)
    expect(page.locator("setia-popup").get_by_role("dialog")).to_have_count(0)
    page.clock.fast_forward(3_000)


def test_the_pop_up_waits_can_be_left_and_does_not_come_again(
    page: Any, club: Program, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    page.clock.install()
    page.goto("/demo-shop/")
    dialog = page.locator("setia-popup").get_by_role("dialog")
    wait_for_the_pop_up(page)
    dialog.get_by_role("heading", name="Get more out of every purchase").wait_for()
    assert_no_axe_violations(page)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.reload()
    wait_for_the_pop_up(page)
    settled(page)
    expect(dialog).to_have_count(0)
    page.locator("setia-join").get_by_role("button", name="Not now").click()
    expect(page.locator("setia-join")).to_have_text("")


# --- A shop at another address ------------------------------------------------------------------

POLICY = (
    "default-src 'none'; script-src {setia}; connect-src {setia}; img-src data:; base-uri 'none'"
)
PAGE = """<!doctype html><html lang="{lang}"><head><title>Shop</title>
<link rel="icon" href="data:,">
<script async src="{setia}/storefront.js" data-token="{token}"></script></head>
<body><main><h1>Shop</h1><setia-balance></setia-balance>
<setia-earn price="20.00" currency="USD"></setia-earn>
<setia-tier badge="{badge}"></setia-tier><setia-join></setia-join>
<setia-basket
 basket='{{"currency": "USD", "lines": [{{"sku": "tea", "total": "20.00"}}]}}'></setia-basket>
</main></body></html>"""


@pytest.fixture
def token(olivia: Membership) -> str:
    key, _secret = create_api_key(actor=SYSTEM, name="shop", scopes=["member_tokens:write"])
    issued = issue_member_token(
        customer=olivia.customer, api_key=key, lifetime=dt.timedelta(minutes=5), now=timezone.now()
    )
    return issued.token


@dataclass
class OtherShop:
    """A server of somebody else's, whose one page has the script in it."""

    setia: str
    token: str = ""
    badge: str = ""
    lang: str = "en"
    origin: str = ""

    def page(self) -> bytes:
        told = {"setia": self.setia, "token": self.token, "badge": self.badge, "lang": self.lang}
        return PAGE.format(**told).encode()


@pytest.fixture
def other_shop(live_server: Any) -> Iterator[OtherShop]:
    """Under a policy that allows Setia's script and API, and no styles at all."""
    shop = OtherShop(live_server.url)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", POLICY.format(setia=shop.setia))
            self.end_headers()
            self.wfile.write(shop.page() if self.path == "/" else b"")

        def log_message(self, *_args: Any) -> None:
            """The page is looked at, not the server."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    shop.origin = f"http://127.0.0.1:{server.server_port}"
    yield shop
    server.shutdown()
    server.server_close()


def shown(page: Any) -> str:
    settled(page)
    return "".join(
        page.locator(name).inner_text()
        for name in ("setia-balance", "setia-earn", "setia-tier", "setia-join", "setia-basket")
    )


def test_pages_of_another_address_see_what_everybody_may_and_more_once_it_is_allowed(
    page: Any, other_shop: OtherShop, page_errors: list[str], olivia: Membership,
    five_off: Reward, token: str,
) -> None:  # fmt: skip
    other_shop.token, other_shop.badge = token, badge_of(olivia.customer)
    with page.expect_event("requestfailed", lambda asked: "/api/v1/me" in asked.url):
        page.goto(other_shop.origin)
    page.locator("setia-earn").get_by_text("Buy this and earn 20\xa0Beans").wait_for()
    text = shown(page)
    assert "250" not in text
    assert "Join" not in text
    # The browser itself tells of what it did not let through; the script says nothing.
    assert [
        found for found in page_errors if "CORS" not in found and "ERR_FAILED" not in found
    ] == []
    page_errors.clear()
    update_merchant(actor=SYSTEM, changes={"shop_origins": [other_shop.origin]})
    it_is_shown_under_their_own_policy(page, other_shop)
    it_speaks_the_language_of_the_page(page, other_shop)


def it_is_shown_under_their_own_policy(page: Any, other_shop: OtherShop) -> None:
    page.goto(other_shop.origin)
    page.locator("setia-balance").get_by_text("250\xa0Beans").wait_for()
    page.locator("setia-earn").get_by_text("Buy this and earn 20\xa0Beans").wait_for()
    page.locator("setia-tier").get_by_text("Sprout member").wait_for()
    button = page.locator("setia-basket").get_by_role("button", name="5 off")
    color = "node => getComputedStyle(node).backgroundColor"
    assert button.evaluate(color) == "rgb(15, 118, 110)"
    # The shop's own sheet has the last word.
    page.evaluate("document.documentElement.style.setProperty('--setia-accent', '#102030')")
    assert button.evaluate(color) == "rgb(16, 32, 48)"
    button.click()
    page.locator("setia-basket").get_by_text("is yours").wait_for()


def it_speaks_the_language_of_the_page(page: Any, other_shop: OtherShop) -> None:
    other_shop.lang = "el"
    with page.expect_request("**/api/v1/storefront") as asked:
        page.goto(other_shop.origin)
    assert asked.value.headers["accept-language"].startswith("el, en-US;q=0.8")
    answer = asked.value.response().json()
    assert answer["language"] == "el"


def test_whatever_fails_nothing_is_shown_and_nothing_is_said(
    page: Any,
    other_shop: OtherShop,
    page_errors: list[str],
    olivia: Membership,
    token: str,
) -> None:
    update_merchant(actor=SYSTEM, changes={"shop_origins": [other_shop.origin]})
    other_shop.token = token
    failure, asked = "", set()

    def fail(route: Any) -> None:
        asked.add(failure)
        if failure == "down":
            route.abort()
        elif failure == "error":
            route.fulfill(status=500, body="broken", headers={"Access-Control-Allow-Origin": "*"})
        elif failure == "busy":
            route.fulfill(status=429, headers={"Access-Control-Allow-Origin": "*"})
        elif failure == "nonsense":
            route.fulfill(body="<html>", headers={"Access-Control-Allow-Origin": "*"})

    page.route(f"{other_shop.setia}/api/**", fail)
    page.clock.install()
    api = re.compile(f"{other_shop.setia}/api/")
    for failure in ("down", "error", "busy", "nonsense", "slow"):
        with page.expect_request(api):
            page.goto(other_shop.origin)
        expect(page.get_by_role("heading", name="Shop")).to_be_visible()
        if failure == "slow":
            with page.expect_event("requestfailed"):
                page.clock.fast_forward(4_000)
        assert shown(page) == "", failure
        assert failure in asked
    ours = [
        found
        for found in page_errors
        if "Failed to load resource" not in found and "CORS" not in found
        and not found.startswith(("500 ", "429 "))
    ]  # fmt: skip
    assert ours == []
    page_errors.clear()
    page.unroute_all(behavior="ignoreErrors")
    a_script_that_never_comes_keeps_nobody_from_buying(page, other_shop)
    assert page_errors == []


def a_script_that_never_comes_keeps_nobody_from_buying(page: Any, other_shop: OtherShop) -> None:
    page.route("**/storefront.js", lambda _route: None)
    with page.expect_request("**/storefront.js"):
        page.goto(other_shop.origin, wait_until="domcontentloaded")
    expect(page.get_by_role("heading", name="Shop")).to_be_visible()
    assert shown(page) == ""
    page.unroute_all(behavior="ignoreErrors")


def test_what_a_member_looks_at_is_told_and_kept_where_they_agreed(
    page: Any, olivia: Membership
) -> None:
    keep()
    agree(olivia.customer, now=timezone.now())
    page.goto("/demo-shop/")
    page.get_by_role("button", name="Sign in as Olivia").click()
    page.locator("setia-balance").get_by_text("250\xa0Beans").wait_for()
    for act in (
        lambda: page.get_by_role("link", name="Olive oil").click(),
        lambda: page.get_by_role("button", name="Put into the basket").click(),
        lambda: page.get_by_role("button", name="Take out").click(),
        lambda: page.evaluate("Setia.tell('searched', {query: 'olive oil'})"),
    ):
        with page.expect_response("**/me/browsing-events") as told:
            act()
        assert [row["outcome"] for row in told.value.json()["results"]] == ["recorded"]
    rows = BrowsingEvent.objects.filter(customer=olivia.customer).order_by("pk")
    assert list(rows.values_list("kind", "subject", "quantity")) == [
        ("product_viewed", "oil", None), ("cart_updated", "oil", 1), ("cart_updated", "oil", 0),
        ("searched", "olive oil", None),
    ]  # fmt: skip


def test_who_has_not_agreed_is_asked_for_once_and_visitors_never(
    page: Any, olivia: Membership
) -> None:
    keep()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/demo-shop/products/coffee/")
    page.locator("setia-earn").get_by_text("Buy this").wait_for()
    page.get_by_role("button", name="Sign in as Olivia").click()
    page.locator("setia-balance").get_by_text("250\xa0Beans").wait_for()
    told = [url for url in asked if "browsing-events" in url]
    assert told == []
    with page.expect_response("**/me/browsing-events") as answer:
        page.get_by_role("link", name="Olive oil").click()
    assert answer.value.json()["results"][0]["problem"]["code"] == "no_consent"
    page.go_back()
    page.get_by_role("link", name="Coffee beans").click()
    page.locator("setia-earn").get_by_text("Buy this").wait_for()
    page.wait_for_timeout(600)
    assert len([url for url in asked if "browsing-events" in url]) == 1
    assert not BrowsingEvent.objects.exists()
