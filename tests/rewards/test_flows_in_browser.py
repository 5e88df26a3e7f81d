"""Whole lives in a browser, with the shop and the till on the other side of the API."""

from __future__ import annotations

import datetime as dt
import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.backoffice.links import customer_url
from loyalty.models import Membership, Order, Program
from members.services.api_keys import create_api_key
from members.services.audit import SYSTEM
from rewards.models import Redemption, Voucher
from tests.loyalty.account.test_joining import link_in_mail
from tests.loyalty.backoffice.conftest import Member
from tests.loyalty.factories import make_program
from tests.rewards.factories import offer, take, voucher_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PHONE = {"width": 390, "height": 844}
Answer = dict[str, Any]


@pytest.fixture
def club(db: None) -> Program:
    """Ten Beans for each dollar, a cent each."""
    return make_program(
        "beans", name="Bean Club", enrollment="explicit",
        unit={"singular": "Bean", "plural": "Beans", "unit_value": "0.01"},
        earning_rules=[{"units": "10", "per": "1"}],
    )  # fmt: skip


@pytest.fixture
def send(live_server: Any) -> Callable[[str, Answer], Answer]:
    """`send("/orders", {...})`: over the wire, with a key that a shop and its tills have."""
    scopes = ["orders:write", "checkouts:write", "till:write"]
    _key, secret = create_api_key(actor=SYSTEM, name="shop", scopes=scopes)

    def post(path: str, body: Answer) -> Answer:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        asked = urllib.request.Request(
            f"{live_server.url}/api/v1{path}", json.dumps(body).encode(), headers, method="POST"
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            found: Answer = json.load(answer)
        return found

    return post


@pytest.fixture
def page(page: Any) -> Any:
    """The first pages of a run take their time where other work is going on."""
    page.set_default_timeout(40_000)
    return page


def now_text(ago: dt.timedelta = dt.timedelta(0)) -> str:
    return (timezone.now() - ago).isoformat()


def join(page: Any, email: str) -> None:
    """From the program's page, which is open."""
    page.get_by_role("textbox", name="E-mail").fill(email)
    page.get_by_role("button", name="Join").click()
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    page.goto(link_in_mail())
    page.get_by_role("button", name="Yes, join").click()
    page.get_by_role("heading", name="You are in").wait_for()


def code_in_last_mail() -> str:
    text = f"{mail.outbox[-1].subject}\n{mail.outbox[-1].body}"
    found = re.search(r"^\s*([A-Z0-9]{4,6}-?[A-Z0-9]{3,6})\s*$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


def sign_in_by_mail(page: Any, email: str, *, wrong: str = "") -> None:
    """With a code that is wrong before that, if one is said."""

    def enter(code: str) -> None:
        page.locator("input[name=code]").fill(code)
        page.locator("form:has(input[name=code]) button[type=submit]").first.click()

    page.goto("/me/")
    page.get_by_role("textbox").fill(email)
    page.get_by_role("button", name="Send the code").click()
    if wrong:
        enter(wrong)
        expect(page.locator(".field-errors, .form-errors").first).to_be_visible()
        assert "/me/" not in page.url
    enter(code_in_last_mail())
    page.wait_for_url("**/me/")


def reads(page: Any) -> str:
    """What the member has, on the page that is open."""
    return str(page.locator(".purse-number").inner_text())


def has(page: Any) -> str:
    """What the member reads on their page."""
    page.goto("/me/")
    return reads(page)


def test_a_member_joins_buys_redeems_uses_it_and_has_the_points_back(
    page: Any, club: Program, send: Callable[[str, Answer], Answer]
) -> None:
    offer(club, name="Five dollars off", price=100)
    page.set_viewport_size(PHONE)
    page.goto("/programs/beans/")
    join(page, "noor@example.com")
    [noor] = send("/till/people", {"email": "noor@example.com"})["members"]
    bought = {"currency": "USD", "placed_at": now_text(), "customer": {"id": noor["customer"]}}
    send("/orders", bought | {"external_id": "A-1", "total": "20.00"})
    sign_in_by_mail(page, "noor@example.com", wrong="WRONG-CODE")
    assert reads(page) == "200"

    page.get_by_role("link", name="Rewards", exact=True).click()
    page.get_by_role("link", name="Five dollars off").click()
    page.get_by_role("button", name=re.compile("Take it for")).click()
    page.get_by_role("button", name="Copy the code").wait_for()
    voucher = page.locator(".voucher-code-large").inner_text()
    shown_at = page.url

    cart = send(
        "/checkouts",
        {
            "cart": "cart-1", "membership": noor["membership"],
            "order": {"currency": "USD", "total": "20.00"}, "vouchers": [voucher],
            "units": [{"wallet_type": "points", "units": "50"}],
        },
    )  # fmt: skip
    assert (cart["totals"]["total"], cart["totals"]["to_pay"]) == ("15.00", "14.50")
    send(f"/checkouts/{cart['id']}/commit", {"order_external_id": "A-2"})
    send("/orders", bought | {"external_id": "A-2", "total": "15.00"})
    page.goto(shown_at)
    page.get_by_text("Used", exact=True).wait_for()
    # 50 of 100 paid, and 14.50 of money earned 145.
    assert has(page) == "195"

    returned = {"external_id": "R-1", "order_external_id": "A-2", "refunded_at": now_text()}
    back = send("/refunds", returned | {"currency": "USD", "total": "15.00"})["given_back"]
    assert (back["money"], back["units"][0]["units"]) == ("14.50", "50")
    assert has(page) == "100"
    assert Voucher.objects.get().status == "used"


def test_an_agent_lets_a_limit_pass_and_says_why(
    sign_in: Callable[[str], Any], ana: Member, page_errors: list[str]
) -> None:
    reward = offer(ana.program, name="Five dollars off", price=20, per_member=1)
    take(ana.membership, reward)
    page = sign_in("support_agent")
    page.goto(customer_url(ana.customer))
    page.get_by_role("link", name="Take a reward").click()
    page.get_by_role("radio", name=re.compile("Five dollars off")).check()
    page.get_by_role("button", name="Take it").click()
    page.locator("dialog [role=alert]", has_text="1 for each member.").wait_for()
    page_errors[:] = [text for text in page_errors if "422" not in text]
    assert Redemption.objects.count() == 1

    page.get_by_label("Why its terms are let pass").fill("Her first one came damaged")
    page.get_by_role("button", name="Take it").click()
    page.locator("[data-toast]", has_text="was taken. Its code").wait_for()
    page.get_by_text("let pass").wait_for()
    taken = Redemption.objects.latest("pk")
    assert (taken.overridden, taken.override_reason) == (
        ["limit_reached"], "Her first one came damaged",
    )  # fmt: skip
    assert ana.spendable() == 150 - 2 * 20


def test_what_a_till_sold_offline_is_on_the_customer_s_page_once(
    client_of: Callable[[str], Client], ana: Member, send: Callable[[str, Answer], Answer]
) -> None:
    taken = take(ana.membership, offer(ana.program, name="Five dollars off", price=100))
    voucher = voucher_of(taken).written
    member = Membership.objects.get(pk=ana.membership.pk)
    sold = [
        {
            "id": f"3-00041{number}", "placed_at": now_text(dt.timedelta(hours=3 - number)),
            "currency": "USD", "total": total, "member": {"scanned": member.card_number},
            **({"vouchers": [{"code": voucher, "amount": "5.00"}]} if number == 0 else {}),
        }
        for number, total in enumerate(("15.00", "30.00"))
    ]  # fmt: skip
    # The line breaks after the first, then all are sent, and once more since no answer came.
    for queue in (sold[:1], sold, sold):
        results = send("/till/sync", {"till": "till-3", "sales": queue})["results"]
        assert [item["problems"] for item in results] == [[]] * len(queue)
    assert [item["outcome"] for item in results] == ["unchanged", "unchanged"]

    address = reverse("loyalty_backoffice:order_panel", args=[ana.customer.public_id])
    panel = client_of("support_agent").get(address).content.decode()
    listed = [text.strip() for text in re.split(r"<[^>]*>", panel)]
    assert [listed.count(sale["id"]) for sale in sold] == [1, 1]
    assert Order.objects.filter(source="till-3").count() == 2
    # 150 less what the voucher took, and what both sales earned.
    assert ana.spendable() == 150 - 100 + 15 + 30
    assert Voucher.objects.get().status == "used"
