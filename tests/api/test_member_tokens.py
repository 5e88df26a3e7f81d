"""/member-tokens: what a token opens, for how long, from where, and what it does not open."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from django.test import override_settings
from django.urls import URLPattern
from django.utils import timezone

from loyalty.api.v1.urls import urlpatterns as loyalty_urls
from loyalty.models import Membership
from members.api.member_views import MemberView, PublicView
from members.api.v1.urls import urlpatterns as members_urls
from members.errors import DomainError
from members.models import ApiKey, AuditEntry, Customer, IdempotencyRecord
from members.services.api_keys import forget_cached_keys, revoke_api_key
from members.services.audit import SYSTEM
from members.services.member_tokens import issue_member_token, read_member_token
from members.services.merchants import update_merchant
from rewards.api.v1.urls import urlpatterns as rewards_urls
from tests.api.conftest import ApiClient, assert_problem
from tests.kinds_of_id import filled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ann_for_all")]

SHOP = "https://shop.example"
ALL: list[URLPattern] = [*members_urls, *loyalty_urls, *rewards_urls]


def views(kind: type[Any], *, of_it: bool = True) -> list[tuple[str, str]]:
    """Address and method of every endpoint that is, or is not, of this kind."""
    return [
        (f"/{filled(str(pattern.pattern))}", method)
        for pattern in ALL
        for method in pattern.callback.cls.scopes
        if issubclass(pattern.callback.cls, kind) is of_it
    ]


@pytest.fixture
def shop(key_with: Callable[..., ApiClient]) -> ApiClient:
    """The shop's server, whose key does nothing but this."""
    return key_with("member_tokens:write")


def token_of(shop: ApiClient, **how: Any) -> str:
    response = shop.post("/member-tokens", {"customer": {"external_id": "C-1"}} | how)
    assert response.status_code == 201, response.content
    token: str = response.json()["token"]
    return token


@pytest.fixture
def member(shop: ApiClient, membership: Membership) -> ApiClient:
    """Ann's browser."""
    return ApiClient(token_of(shop))


def test_a_token_opens_what_is_the_customers_own(member: ApiClient) -> None:
    me = member.get("/me").json()
    assert (me["given_name"], me["email"]) == ("Ann", "ann@example.com")
    [found] = member.get("/me/memberships").json()["results"]
    assert (found["program"], found["units"][0]["plural"]) == ("beans", "Beans")


def test_nothing_is_written_for_a_token(shop: ApiClient, customer: Customer) -> None:
    before = AuditEntry.objects.count()
    token_of(shop)
    assert (AuditEntry.objects.count(), IdempotencyRecord.objects.count()) == (before, 0)


def test_a_key_without_the_scope_issues_none(
    key_with: Callable[..., ApiClient], customer: Customer
) -> None:
    body = {"customer": {"external_id": "C-1"}}
    for path in ("/member-tokens", "/member-tokens/revoke"):
        assert_problem(key_with("customers:read").post(path, body), 403, "insufficient_scope")


def test_what_is_not_right_is_named(shop: ApiClient, customer: Customer) -> None:
    nobody = {"customer": {"external_id": "C-9"}}
    assert_problem(shop.post("/member-tokens", nobody), 422, "invalid_request", "customer")
    for minutes in (0, 61):
        body = {"customer": {"external_id": "C-1"}, "minutes": minutes}
        assert_problem(shop.post("/member-tokens", body), 422, "invalid_request", "minutes")
    body = {"customer": {"external_id": "C-1"}, "origins": ["https://other.example"]}
    assert_problem(shop.post("/member-tokens", body), 422, "invalid_request", "origins")


def test_it_is_over_after_its_minutes(
    shop: ApiClient, membership: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = ApiClient(token_of(shop, minutes=5))
    assert member.get("/me").status_code == 200
    later = timezone.now() + dt.timedelta(minutes=5, seconds=1)
    monkeypatch.setattr("members.api.member_views.timezone.now", lambda: later)
    assert_problem(member.get("/me"), 401, "unauthorized")


def test_another_installation_and_a_changed_token_are_refused(
    shop: ApiClient, membership: Membership
) -> None:
    token = token_of(shop)
    with override_settings(SECRET_KEY="another"):
        assert_problem(ApiClient(token).get("/me"), 401, "unauthorized")
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert_problem(ApiClient(changed).get("/me"), 401, "unauthorized")
    said = signing.Signer(salt="setia.tier-badge", sep=".").sign_object(["x", "y", 1, 2, []])
    assert_problem(ApiClient(f"setia-member_{said}").get("/me"), 401, "unauthorized")
    assert_problem(ApiClient("").get("/me"), 401, "unauthorized")


def test_a_new_secret_key_keeps_tokens_of_the_one_before(
    shop: ApiClient, membership: Membership, settings: Any
) -> None:
    member = ApiClient(token_of(shop))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the-next-one"
    assert member.get("/me").status_code == 200


def test_revoking_the_key_ends_all_that_it_issued(shop: ApiClient, membership: Membership) -> None:
    member = ApiClient(token_of(shop))
    key = ApiKey.objects.get(scopes=["member_tokens:write"])
    revoke_api_key(actor=SYSTEM, key=key)
    forget_cached_keys()
    assert_problem(member.get("/me"), 401, "unauthorized")


def test_the_tokens_of_a_customer_are_called_back(shop: ApiClient, membership: Membership) -> None:
    before = ApiClient(token_of(shop))
    body = {"customer": {"external_id": "C-1"}}
    assert shop.post("/member-tokens/revoke", body).status_code == 200
    assert_problem(before.get("/me"), 401, "unauthorized")
    assert ApiClient(token_of(shop)).get("/me").status_code == 200
    entry = AuditEntry.objects.get(action="customer.tokens_revoked")
    assert entry.target == f"members.customer:{membership.customer.public_id}"


def test_who_was_merged_acts_as_the_other(shop: ApiClient, membership: Membership) -> None:
    key = ApiKey.objects.get(scopes=["member_tokens:write"])
    duplicate = Customer.objects.create(external_id="C-2", given_name="Anne")
    now = timezone.now()
    issued = issue_member_token(
        customer=duplicate, api_key=key, lifetime=dt.timedelta(minutes=5), now=now
    )
    duplicate.merged_into = membership.customer
    duplicate.save()
    found = read_member_token(issued.token, now)
    assert found is not None
    assert found.customer == membership.customer
    body = {"customer": {"external_id": "C-1"}}
    shop.post("/member-tokens/revoke", body)
    assert read_member_token(issued.token, now) is None


def test_an_api_key_opens_nothing_of_a_member(api: ApiClient, membership: Membership) -> None:
    own = views(MemberView)
    assert len(own) >= 25
    for path, method in own:
        response = api.request(method, path, {}, Idempotency_Key="k")
        assert response.status_code == 401, (method, path)


def test_a_token_opens_nothing_else(member: ApiClient) -> None:
    others = [found for found in views(MemberView, of_it=False) if found not in views(PublicView)]
    assert len(others) > 150
    for path, method in others:
        response = member.request(method, path, {}, Idempotency_Key="k")
        assert response.status_code == 401, (method, path)


def test_what_is_anothers_is_not_there(
    shop: ApiClient, member: ApiClient, membership: Membership
) -> None:
    Customer.objects.create(external_id="C-2", email="bob@example.com")
    bob = ApiClient(token_of(shop, customer={"external_id": "C-2"}))
    about_one = [found for found in views(MemberView) if "/memberships/" in found[0]]
    assert len(about_one) > 20
    for address, method in about_one:
        path = re.sub(r"/memberships/[^/]+", f"/memberships/{membership.public_id}", address)
        for body in ({}, _body_of(path, method)):
            response = bob.request(method, path, body, Idempotency_Key=f"{path}{body}"[:200])
            assert response.status_code in {404, 422}, (method, path, response.content)
        assert response.status_code == 404, (method, path, response.content)


def _body_of(path: str, method: str) -> dict[str, Any]:
    """A body that is right, for what reads one before it looks."""
    if path.endswith("/donations"):
        return {"charity": "trees", "units": "1"}
    if path.endswith("/quote"):
        return {"order": {"currency": "USD", "total": "1", "lines": [{"total": "1"}]}}
    if path.endswith("/goal") and method == "PUT":
        return {"reward": "00000000-0000-4000-8000-000000000000"}
    if "/standing-gifts/" in path and method == "PUT":
        return {"charity": "trees", "percent": "10"}
    return {}


@override_settings(MEMBER_REQUESTS_PER_MINUTE=2)
def test_members_have_a_limit_of_their_own(
    shop: ApiClient, member: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("members.api.throttling.time.time", lambda: 1_800_000_015.0)
    assert [member.get("/me").status_code for _ in range(2)] == [200, 200]
    response = member.get("/me")
    assert_problem(response, 429, "rate_limited")
    assert (response["RateLimit-Limit"], response["Retry-After"]) == ("2", "45")
    # Another token is the same member, and the shop's own calls go on.
    assert ApiClient(token_of(shop)).get("/me").status_code == 429


# --- Pages of others ----------------------------------------------------------------------------


@pytest.fixture
def known_shop(db: None) -> None:
    update_merchant(actor=SYSTEM, changes={"shop_origins": [SHOP]})


def ask_first(api: ApiClient, path: str, origin: str) -> Any:
    return api.request(
        "OPTIONS", path, Origin=origin, Access_Control_Request_Method="PATCH",
        Access_Control_Request_Headers="authorization",
    )  # fmt: skip


@pytest.mark.usefixtures("known_shop")
def test_pages_of_the_shop_may_use_it_and_no_others(member: ApiClient) -> None:
    response = member.get("/me", Origin=SHOP)
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert "Origin" in response["Vary"]
    assert "Access-Control-Allow-Credentials" not in response
    other = member.get("/me", Origin="https://other.example")
    assert_problem(other, 403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in other
    assert member.get("/me", Origin="http://testserver").status_code == 200


@pytest.mark.usefixtures("known_shop")
def test_a_token_for_one_origin_serves_no_other(shop: ApiClient, membership: Membership) -> None:
    second = "https://second.example"
    update_merchant(actor=SYSTEM, changes={"shop_origins": [SHOP, second]})
    member = ApiClient(token_of(shop, origins=[SHOP]))
    assert member.get("/me", Origin=SHOP).status_code == 200
    assert_problem(member.get("/me", Origin=second), 403, "origin_not_allowed")


@pytest.mark.usefixtures("known_shop")
def test_browsers_are_told_before_they_send(outsider: ApiClient) -> None:
    asked = ask_first(outsider, "/me", SHOP)
    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, SHOP)
    assert "PATCH" in asked["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in asked["Access-Control-Allow-Headers"]
    other = ask_first(outsider, "/me", "https://other.example")
    assert "Access-Control-Allow-Origin" not in other
    assert "Access-Control-Allow-Methods" not in other


@pytest.mark.usefixtures("known_shop")
def test_what_is_for_servers_answers_no_page(api: ApiClient, customer: Customer) -> None:
    assert "Access-Control-Allow-Origin" not in api.get("/customers", Origin=SHOP)
    assert "Access-Control-Allow-Origin" not in ask_first(api, "/customers", SHOP)


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "https://*"])
def test_only_addresses_as_browsers_write_them_are_kept(origin: str) -> None:
    with pytest.raises(DomainError) as caught:
        update_merchant(actor=SYSTEM, changes={"shop_origins": [origin]})
    assert caught.value.errors[0].field == "shop_origins"


# --- Badges -------------------------------------------------------------------------------------


def test_a_badge_is_always_the_same_and_tells_nothing(shop: ApiClient, customer: Customer) -> None:
    body = {"customers": ["C-1", "C-9"]}
    first, again = (shop.post("/tier-badges", body).json()["results"] for _ in range(2))
    assert first == again
    assert [item["badge"] is None for item in first] == [False, True]
    # It is signed, and the rest is the one thing that is drawn at random for a customer.
    assert first[0]["badge"].startswith(f"badge_{customer.public_id.hex}.")
