"""What is offered to members alone, and the draws of surprises, over the API."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable

import pytest
from django.utils import timezone

from campaigns.models import Campaign
from loyalty.models import Membership, Program
from members.models import Customer
from members.services.job_runs import run_scheduled
from tests.api.conftest import ApiClient, assert_problem
from tests.campaigns.campaigns import launch
from tests.loyalty.factories import line, order, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
DAY = dt.timedelta(days=1)


@pytest.fixture
def offered(program: Program, membership: Membership) -> Campaign:
    now = timezone.now()
    for ago in (1, 2):
        at, basket = now - ago * DAY, (line(1, "10", category="coffee"),)
        said = order(f"A{ago}", "10", lines=basket, buyer="C-1", at=at, currency=program.currency)
        record(said, now=at)
    campaign = launch(
        program, "personal-favorite", at=now, starts_at=now, ends_at=now + 5 * DAY,
        title="Yours", offer={"categories": ["coffee"], "bought": 2},
    )  # fmt: skip
    run_scheduled(kind="personal_offers", now=timezone.now())
    return campaign


def member_api(key_with: Callable[..., ApiClient]) -> ApiClient:
    body = {"customer": {"external_id": "C-1"}}
    return ApiClient(key_with("member_tokens:write").post("/member-tokens", body).json()["token"])


def test_a_shop_reads_what_a_member_is_offered(
    key_with: Callable[..., ApiClient], membership: Membership, offered: Campaign
) -> None:
    path = f"/memberships/{membership.public_id}/offers"
    [found] = key_with("campaigns:read").get(path).json()["results"]
    assert (found["title"], found["target"], found["state"]) == ("Yours", "coffee", "given")
    assert found["reason"] == "Because you bought coffee 2 times."
    assert found["campaign"] == str(offered.public_id)
    assert found["score"] == "2"
    assert_problem(key_with("programs:read").get(path), 403, "insufficient_scope")
    unknown = "/memberships/00000000-0000-4000-8000-000000000000/offers"
    assert_problem(key_with("campaigns:read").get(unknown), 404, "not_found")


def test_a_member_reads_and_sees_their_own(
    key_with: Callable[..., ApiClient], membership: Membership, offered: Campaign
) -> None:
    api, path = member_api(key_with), f"/me/memberships/{membership.public_id}/offers"
    [found] = api.get(path).json()["results"]
    # The merchant's margins are in it.
    assert "score" not in found
    seen = f"{path}/{found['id']}/seen"
    for _again in range(2):
        answer = api.post(seen, {})
        assert answer.status_code == 200
        assert answer.json()["results"][0]["state"] == "seen"
    unknown = f"{path}/00000000-0000-4000-8000-000000000000/seen"
    assert_problem(api.post(unknown, {}), 404, "not_found")


def test_a_member_can_check_their_place_in_a_draw(
    key_with: Callable[..., ApiClient], program: Program, membership: Membership
) -> None:
    now = timezone.now()
    campaign = launch(program, "surprise", at=now, starts_at=now, ends_at=now + DAY)
    draws = f"/campaigns/{campaign.public_id}/draws"
    texts = {"en": {"title": "A treat"}, "el": {"title": "Ένα δώρο"}}
    Campaign.objects.filter(pk=campaign.pk).update(texts=texts)
    Customer.objects.update(locale="el")
    api = key_with("campaigns:read")
    [before] = api.get(draws).json()["results"]
    assert (before["seed"], before["drawn_at"]) == ("", None)
    own = f"/me/memberships/{membership.public_id}/surprises"
    member = member_api(key_with)
    assert member.get(own).json()["results"] == []
    run_scheduled(kind="surprises", now=timezone.now())
    [found] = member.get(own).json()["results"]
    assert found["commitment"] == before["commitment"]
    assert found["title"] == "Ένα δώρο"
    seed = bytes.fromhex(found["seed"])
    assert hashlib.sha256(seed).hexdigest() == before["commitment"]
    message = f"{found['list_hash']}|{found['name']}".encode()
    assert hmac.digest(seed, message, "sha256").hex() == found["proof"]
    assert (found["place"], found["won"], found["name"]) == (1, True, str(membership.public_id))
    [after] = api.get(draws).json()["results"]
    assert (after["eligible"], after["chosen"]) == (1, 1)
