"""/storefront and /me/storefront: what the shop's pages are told."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from loyalty.definitions import ProgramDefinition
from loyalty.models import Membership, Program
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.errors import DomainError
from members.models import Customer, Segment
from members.services.audit import SYSTEM
from members.services.member_tokens import badge_of
from rewards.definitions import RewardDefinition
from rewards.models import Element, Reward
from rewards.services.access_windows import WindowTerms, save_window
from rewards.services.rewards import create_reward
from rewards.services.storefront import update_storefront
from tests.api.conftest import ApiClient, assert_problem
from tests.loyalty.factories import adjust, make_program, make_wallet, wallet_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("beans_for_all")]
BASKET = {"currency": "USD", "lines": [
    {"sku": "ESP-250", "quantity": "2", "total": "9.00"}, {"sku": "CUP-1", "total": "3.50"},
]}  # fmt: skip


@pytest.fixture
def shown(program: Program) -> Program:
    """Bean Club, in the shop's pages."""
    update_storefront(actor=SYSTEM, changes={"program": program})
    return program


@pytest.fixture
def member(key_with: Callable[..., ApiClient], shown: Program, membership: Membership) -> ApiClient:
    """Ann's browser; she has 100 Beans."""
    adjust(wallet_of(membership.account_id), 100, "start", now=timezone.now())
    return browser_of(key_with, "C-1")


def browser_of(key_with: Callable[..., ApiClient], number: str) -> ApiClient:
    shop = key_with("member_tokens:write")
    body = {"customer": {"external_id": number}}
    return ApiClient(shop.post("/member-tokens", body).json()["token"])


@pytest.fixture
def reward(shown: Program) -> Reward:
    return offer(shown, "five", "5 off", 60)


def offer(program: Program, code: str, name: str, price: int) -> Reward:
    definition = RewardDefinition.model_validate(
        {"code": code, "kind": "amount_off", "name": name, "price": price, "amount": 5,
         "status": "live"}
    )  # fmt: skip
    return create_reward(program=program, definition=definition, actor=SYSTEM)


# --- Everybody ----------------------------------------------------------------------------------


def test_nothing_is_shown_before_a_program_is_chosen(outsider: ApiClient, program: Program) -> None:
    told = outsider.get("/storefront").json()
    assert (told["program"], told["elements"], told["values"]) == (None, [], [])
    assert outsider.get("/storefront/earn?price=12.50").json()["words"] == ""


def test_a_visitor_reads_what_the_program_is_worth(outsider: ApiClient, shown: Program) -> None:
    told = outsider.get("/storefront").json()
    assert (told["program"], told["name"], told["joinable"]) == ("beans", "Bean Club", True)
    assert told["values"] == ["1\xa0Bean for each $1.00 spent."]
    assert "popup" not in told["elements"]
    assert told["join_url"] == "http://testserver/programs/beans/"
    assert told["texts"]["earn"] == "Buy this and earn {units}"
    assert told["theme"]["on"] == "#ffffff"


def test_it_may_be_kept_and_is_not_sent_again(outsider: ApiClient, shown: Program) -> None:
    for path in ("/storefront", "/storefront/earn?price=12.50"):
        first = outsider.get(path)
        assert first["Cache-Control"].startswith("public, max-age=300")
        assert first["Access-Control-Allow-Origin"] == "*"
        again = outsider.get(path, If_None_Match=first["ETag"])
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_a_visitor_reads_what_a_product_earns(outsider: ApiClient, shown: Program) -> None:
    told = outsider.get("/storefront/earn?price=12.50&quantity=2&sku=ESP-250").json()
    assert told["words"] == "25\xa0Beans"
    assert told["earns"] == [
        {"wallet_type": "points", "decimals": 0, "units": "25", "words": "25\xa0Beans"}
    ]
    assert outsider.get("/storefront/earn?price=12.50&currency=EUR").json()["words"] == ""
    for wrong in ("", "?price=-1", "?price=1&quantity=-2", "?price=1&customer=C-1"):
        assert outsider.get(f"/storefront/earn{wrong}").status_code == 400


def test_a_visitor_reads_what_a_basket_earns(outsider: ApiClient, shown: Program) -> None:
    assert outsider.post("/storefront/basket", BASKET).json()["words"] == "12\xa0Beans"
    named = BASKET | {"customer": {"external_id": "C-1"}}
    assert_problem(outsider.post("/storefront/basket", named), 422, "invalid_request", "customer")


def test_what_is_switched_off_says_nothing(outsider: ApiClient, shown: Program) -> None:
    update_storefront(actor=SYSTEM, changes={"elements": [Element.JOIN]})
    assert outsider.get("/storefront").json()["elements"] == ["join"]
    assert outsider.get("/storefront/earn?price=12.50").json()["words"] == ""
    assert outsider.post("/storefront/basket", BASKET).json()["words"] == ""


def test_badges_say_tiers_and_nothing_else(outsider: ApiClient, db: None) -> None:
    tiers = {
        "metric": "spend", "window": "lifetime",
        "tiers": [{"code": "basic", "name": "Basic"},
                  {"code": "gold", "name": "Gold", "threshold": "100", "color": "yellow"}],
    }  # fmt: skip
    program = make_program("tiered", tiers=tiers)
    update_storefront(actor=SYSTEM, changes={"program": program})
    wallet = make_wallet(program, "c1")
    ann = wallet.account.membership.customer
    nobody = Customer.objects.create(external_id="c2")
    asked = ",".join([badge_of(ann), badge_of(nobody), "badge_forged.sig", "x"])
    [row] = outsider.get(f"/storefront/tiers?badges={asked}").json()["results"]
    assert row.pop("icon")
    assert row == {"badge": badge_of(ann), "name": "Basic", "color": "secondary"}
    update_storefront(actor=SYSTEM, changes={"elements": []})
    assert outsider.get(f"/storefront/tiers?badges={asked}").json()["results"] == []


@override_settings(PUBLIC_REQUESTS_PER_MINUTE=2)
def test_addresses_have_a_limit(
    outsider: ApiClient, shown: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("members.api.throttling.time.time", lambda: 1_800_000_015.0)
    assert [outsider.get("/storefront").status_code for _ in range(3)] == [200, 200, 429]


# --- Members ------------------------------------------------------------------------------------


def test_the_header_says_what_there_is(member: ApiClient, membership: Membership) -> None:
    told = member.get("/me/storefront").json()
    assert told == {
        "membership": str(membership.public_id), "active": True, "given_name": "Ann",
        "balances": [{"wallet_type": "points", "words": "100\xa0Beans", "worth": "$1.00"}],
        "tier": None,
    }  # fmt: skip


def test_a_basket_says_what_fits_and_what_is_near(
    member: ApiClient, shown: Program, reward: Reward
) -> None:
    near = offer(shown, "ten", "10 off", 140)
    told = member.post("/me/storefront/basket", BASKET).json()
    assert (told["words"], told["discount"]) == ("12\xa0Beans", "0.00")
    first, second = told["rewards"]
    assert (first["id"], first["saves"], first["fits"]) == (str(reward.public_id), "$5.00", True)
    assert (second["id"], second["fits"], second["missing"]) == (
        str(near.public_id), False, "40\xa0Beans",
    )  # fmt: skip


def test_a_basket_says_what_it_earns_and_saves_by_with_the_arithmetic(
    member: ApiClient, shown: Program, membership: Membership
) -> None:
    now = timezone.now()
    rules = [
        {"code": "base"},
        {"code": "twice", "name": "Twice", "kind": "multiplier", "factor": 2},
    ]
    off = [{"code": "off", "name": "Ten off", "percent": 10}]
    said = definition_of(shown, now).model_dump() | {"earning_rules": rules, "discount_rules": off}
    apply_definition(ProgramDefinition.model_validate(said), actor=SYSTEM, now=now)
    told = member.post("/me/storefront/basket", BASKET).json()
    assert told["discount"] == "1.25"
    less, base, twice = told["parts"]
    assert (less["name"], less["gives"]) == ("Ten off", "−$1.25")
    assert "10% of: $12.50." in less["why"]
    assert (base["gives"], twice["gives"]) == ("11\xa0Beans", "11\xa0Beans")
    assert twice["why"] == [f"2 times “{base['name']}” adds: 11\xa0Beans."]
    assert told["words"] == "22\xa0Beans"


def test_a_basket_says_what_waits_for_the_opening_of_a_sale(
    member: ApiClient, shown: Program
) -> None:
    now = timezone.now()
    lines = [{"sku": "COAT", "total": "9"}, {"sku": "HAT", "category": "HATS", "total": "9"}]
    basket = {"lines": lines}
    assert member.post("/me/storefront/basket", basket).json()["held"] == []
    terms = WindowTerms("Sale", now + timedelta(days=3), opens_at=now + timedelta(days=1),
                        skus=("COAT",))  # fmt: skip
    save_window(program=shown, code="sale", terms=terms, actor=SYSTEM)
    [held] = member.post("/me/storefront/basket", basket).json()["held"]
    assert (held["line"], held["allowed"]) == (1, False)
    assert held["words"].startswith("Opens for you on ")
    assert held["opens_at"]
    segment = Segment.objects.create(code="vip", name="VIP", kind="static")
    terms = replace(terms, opens_at=None, segments={segment.code: now + timedelta(days=1)})
    save_window(program=shown, code="sale", terms=terms, actor=SYSTEM)
    [held] = member.post("/me/storefront/basket", basket).json()["held"]
    assert (held["words"], held["opens_at"]) == ("Only for invited members", None)


def test_what_was_taken_is_among_the_codes(
    member: ApiClient, membership: Membership, reward: Reward
) -> None:
    path = f"/me/memberships/{membership.public_id}/rewards/{reward.public_id}/take"
    taken = member.post(path, {}, Idempotency_Key="t1")
    assert taken.status_code == 201, taken.content
    told = member.post("/me/storefront/basket", BASKET).json()
    [code] = told["codes"]
    assert code["code"] == taken.json()["voucher"]["code"]
    assert [item["fits"] for item in told["rewards"]] == [False]
    assert member.get("/me/storefront").json()["balances"][0]["words"] == "40\xa0Beans"


def test_a_customer_who_is_no_member_joins(
    key_with: Callable[..., ApiClient], shown: Program, customer: Customer
) -> None:
    browser = browser_of(key_with, "C-1")
    assert browser.get("/me/storefront").json()["membership"] is None
    assert browser.post("/me/storefront/basket", BASKET).json()["words"] == "12\xa0Beans"
    assert browser.post("/me/memberships", {"program": "beans"}).status_code == 201
    assert browser.get("/me/storefront").json()["membership"] is not None
    assert browser.post("/me/memberships", {"program": "beans"}).status_code == 200


# --- The script ---------------------------------------------------------------------------------


def test_the_script_is_small_and_kept(client: Client) -> None:
    plain = client.get("/storefront.js")
    assert plain["Content-Type"] == "text/javascript; charset=utf-8"
    assert plain["Cache-Control"].startswith("public, max-age=3600")
    packed = client.get("/storefront.js", headers={"Accept-Encoding": "gzip, br"})
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert len(packed.content) <= 15_000
    assert gzip.decompress(packed.content) == plain.content
    again = client.get("/storefront.js", headers={"If-None-Match": plain["ETag"]})
    assert again.status_code == 304


def test_the_script_does_nothing_that_a_strict_policy_forbids(client: Client) -> None:
    text = client.get("/storefront.js").content.decode()
    for forbidden in (
        "eval(",
        "innerHTML",
        "outerHTML",
        "document.write",
        "new Function",
        "console.",
    ):
        assert forbidden not in text


def test_settings_that_are_wrong_are_refused(program: Program) -> None:
    for changes, field in (
        ({"join_url": "javascript:alert(1)"}, "join_url"),
        ({"account_url": "//other.example"}, "account_url"),
        ({"popup_seconds": 1}, "popup_seconds"),
        ({"elements": ["balloon"]}, "elements"),
    ):  # fmt: skip
        with pytest.raises(DomainError) as caught:
            update_storefront(actor=SYSTEM, changes=changes)
        assert field in {item.field for item in caught.value.errors}
