"""Members take their card into the wallet of their phone."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from loyalty.models import Membership
from loyalty.services.leaving import leave_program
from loyalty.wallet_passes.google import SAVE
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import Shop
from tests.loyalty.wallet_passes.authority import apple_files, google_keys
from tests.loyalty.wallet_passes.test_apple import opened

pytestmark = pytest.mark.usefixtures("maya_for_all")
SignIn = Callable[[Customer], Client]
APPLE, GOOGLE = "Add to Apple Wallet", "Save to Google Wallet"


@pytest.fixture
def both(tmp_path: Path, settings: Any) -> None:
    """The shop has been to Apple and to Google."""
    settings.APPLE_PASSES = apple_files(tmp_path).keys()
    settings.GOOGLE_PASSES = google_keys()


@pytest.fixture
def member(maya: Customer) -> Membership:
    return Membership.objects.get(customer=maya)


def page_of(client: Client) -> str:
    return client.get("/me/card/").content.decode()


def test_only_those_wallets_are_offered_that_the_shop_has_set_up(
    both: None, maya: Customer, sign_in: SignIn, settings: Any
) -> None:
    client = sign_in(maya)
    assert APPLE in page_of(client)
    assert GOOGLE in page_of(client)
    settings.GOOGLE_PASSES = None
    assert APPLE in page_of(client)
    assert GOOGLE not in page_of(client)
    settings.APPLE_PASSES = None
    assert "Wallet" not in page_of(client)


def test_an_ended_certificate_is_offered_to_nobody(
    maya: Customer, member: Membership, sign_in: SignIn, settings: Any, tmp_path: Path
) -> None:
    settings.APPLE_PASSES = apple_files(tmp_path, days=-1).keys()
    client = sign_in(maya)
    assert APPLE not in page_of(client)
    assert client.get(reverse("mypage:apple_wallet", args=[member.public_id])).status_code == 404


def test_who_has_left_is_offered_none(
    both: None, maya: Customer, member: Membership, sign_in: SignIn
) -> None:
    leave_program(membership=member, actor=SYSTEM, now=timezone.now())
    client = sign_in(maya)
    assert "Wallet" not in page_of(client)
    assert client.get(reverse("mypage:google_wallet", args=[member.public_id])).status_code == 404


def test_the_card_comes_as_a_pass_and_as_a_link(
    both: None, maya: Customer, member: Membership, sign_in: SignIn
) -> None:
    client = sign_in(maya)
    answer = client.get(reverse("mypage:apple_wallet", args=[member.public_id]))
    assert answer["Content-Type"] == "application/vnd.apple.pkpass"
    assert "no-store" in answer["Cache-Control"]
    said = json.loads(opened(answer.content)["pass.json"])
    assert said["serialNumber"] == str(member.public_id)
    link = client.get(reverse("mypage:google_wallet", args=[member.public_id]))
    assert link.status_code == 302
    assert link["Location"].startswith(SAVE)


def test_nobody_elses_card_can_be_had(
    both: None, shop: Shop, maya: Customer, sign_in: SignIn
) -> None:
    noor = shop.enroll(shop.add_customer("noor@example.com", given_name="Noor"))
    for name in ("apple_wallet", "google_wallet"):
        address = reverse(f"mypage:{name}", args=[noor.public_id])
        assert sign_in(maya).get(address).status_code == 404
        assert Client().get(address).status_code == 302


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_buttons_stand_below_the_card_and_wait_for_a_network(
    page: Any, both: None, maya: Customer, sign_in: SignIn,
    assert_no_axe_violations: Callable[[Any], None],
) -> None:  # fmt: skip
    cookie = sign_in(maya).cookies[site.SESSION_COOKIE_NAME]
    host = {"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}
    page.context.add_cookies([host])
    page.goto("/me/card/")
    for width, scheme in product((390, 1440), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator(f"html[data-bs-theme={scheme}]")).to_be_attached()
        for name in (APPLE, GOOGLE):
            button = page.get_by_role("link", name=name)
            expect(button).to_be_visible()
            assert button.bounding_box()["height"] >= 44
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert_no_axe_violations(page)
    with page.expect_download() as kept:
        page.get_by_role("link", name=APPLE).click()
    assert kept.value.suggested_filename == "card.pkpass"
