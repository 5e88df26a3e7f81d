"""What phones ask for that have a pass."""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Membership, PassDevice, WalletPass
from loyalty.services.leaving import leave_program
from loyalty.services.wallet_passes import MOST_DEVICES, apple_pass_file
from loyalty.wallet_passes.keys import ApplePassKeys
from loyalty.wallet_passes.tokens import pass_token
from members.api.throttling import forget_windows
from members.models import Customer, EventWish
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import Shop, define_program
from tests.loyalty.wallet_passes.authority import PASS_TYPE
from tests.loyalty.wallet_passes.test_apple import opened

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("maya_for_all")]
BASE = "/wallet/apple/v1"
PUSH = {"pushToken": "ab12" * 16}


class Phone:
    """Has Maya's pass."""

    def __init__(self, member: Membership, device: str = "phone-1") -> None:
        self.client, self.device = Client(enforce_csrf_checks=True), device
        self.serial = str(member.public_id)
        self.token = pass_token(self.serial)

    @property
    def registration(self) -> str:
        return f"{BASE}/devices/{self.device}/registrations/{PASS_TYPE}/{self.serial}"

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"ApplePass {self.token}", **more}

    def register(self, body: Any = PUSH) -> int:
        return self.client.post(
            self.registration, json.dumps(body), content_type="application/json",
            headers=self.headers(),
        ).status_code  # fmt: skip

    def unregister(self) -> int:
        return self.client.delete(self.registration, headers=self.headers()).status_code

    def changed(self, since: str = "") -> Any:
        asked = {"passesUpdatedSince": since} if since else {}
        return self.client.get(f"{BASE}/devices/{self.device}/registrations/{PASS_TYPE}", asked)

    def latest(self, **headers: str) -> Any:
        return self.client.get(
            f"{BASE}/passes/{PASS_TYPE}/{self.serial}", headers=self.headers(**headers)
        )


@pytest.fixture
def phone(apple: ApplePassKeys, member: Membership) -> Phone:
    apple_pass_file(member, timezone.now())
    return Phone(member)


def earlier(seconds: int) -> None:
    """As if the pass had been made before."""
    for row in WalletPass.objects.all():
        row.changed_at -= dt.timedelta(seconds=seconds)
        row.apple_told_at = row.changed_at
        row.save()


def test_a_phone_registers_once_and_unregisters(phone: Phone) -> None:
    assert phone.register() == 201
    assert phone.register({"pushToken": "cd34"}) == 200
    device = PassDevice.objects.get()
    assert (device.device, device.push_token) == ("phone-1", "cd34")
    assert set(EventWish.objects.values_list("kind", flat=True)) == {
        "told.transfers", "told.memberships",
    }  # fmt: skip
    assert phone.unregister() == 200
    assert not PassDevice.objects.exists()
    assert phone.unregister() == 200


def test_nothing_is_done_without_the_token_of_this_very_pass(
    phone: Phone, shop: Shop, member: Membership
) -> None:
    noor = shop.enroll(shop.add_customer("noor@example.com", given_name="Noor"))
    apple_pass_file(noor, timezone.now())
    own = phone.token
    for token in ("", "wrong", pass_token(str(noor.public_id)), "ünd"):
        phone.token = token
        assert phone.register() == 401
        assert phone.unregister() == 401
        assert phone.latest().status_code == 401
    phone.token = own
    phone.headers = lambda **more: {"Authorization": f"Bearer {own}", **more}  # type: ignore[method-assign]
    assert phone.register() == 401
    assert not PassDevice.objects.exists()


def test_a_pass_that_was_never_made_is_nobodys(apple: ApplePassKeys, member: Membership) -> None:
    assert Phone(member).latest().status_code == 401
    member.public_id = "no-number"  # type: ignore[assignment]
    assert Phone(member).latest().status_code == 401


@pytest.mark.parametrize("body", [{}, [], {"pushToken": "../x"}, {"pushToken": "a" * 201}, 7])
def test_what_is_no_push_token_is_refused(phone: Phone, body: Any) -> None:
    assert phone.register(body) == 400
    assert not PassDevice.objects.exists()


@pytest.mark.parametrize("device", ["a b", "a%00b", "a" * 101])
def test_what_is_no_name_of_a_device_is_nowhere(phone: Phone, device: str) -> None:
    phone.device = device
    assert phone.register() == 404
    assert phone.unregister() == 404
    assert phone.changed().status_code == 404


def test_more_phones_than_one_can_have_are_forgotten_the_oldest_first(
    phone: Phone, member: Membership
) -> None:
    for number in range(MOST_DEVICES + 2):
        assert Phone(member, f"phone-{number}").register() == 201
    kept = set(PassDevice.objects.values_list("device", flat=True))
    assert kept == {f"phone-{number}" for number in range(2, MOST_DEVICES + 2)}


def test_a_phone_is_told_which_of_its_passes_have_changed(
    phone: Phone, shop: Shop, member: Membership
) -> None:
    assert phone.changed().status_code == 404
    phone.register()
    earlier(3600)
    first = phone.changed()
    assert first.json()["serialNumbers"] == [phone.serial]
    tag = first.json()["lastUpdated"]
    assert phone.changed(tag).status_code == 204
    assert phone.changed("nonsense").json() == first.json()
    shop.adjust(member, 9)
    phone.latest()
    later = phone.changed(tag)
    assert later.json()["serialNumbers"] == [phone.serial]
    assert int(later.json()["lastUpdated"]) > int(tag)


def test_a_phone_with_two_passes_misses_no_change_that_is_seen_late(
    phone: Phone, shop: Shop, maya: Customer, member: Membership
) -> None:
    tea = shop.enroll(maya, define_program(code="tea", name="Tea Club"))
    apple_pass_file(tea, timezone.now())
    assert phone.register() == Phone(tea).register() == 201
    earlier(3600)
    began = timezone.now() - dt.timedelta(seconds=20)
    shop.adjust(member, 9)
    phone.latest()
    tag = phone.changed().json()["lastUpdated"]
    # Written down after the phone has asked, by a run that has begun before.
    WalletPass.objects.filter(membership=tea).update(changed_at=began)
    assert str(tea.public_id) in phone.changed(tag).json()["serialNumbers"]


def test_the_latest_pass_is_given_to_whoever_has_an_older_one(
    phone: Phone, shop: Shop, member: Membership
) -> None:
    answer = phone.latest()
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.apple.pkpass"
    since = answer["Last-Modified"]
    same = phone.latest(**{"If-Modified-Since": since})
    assert (same.status_code, same.content, same["Last-Modified"]) == (304, b"", since)
    # In the same second.
    shop.adjust(member, 9)
    newer = phone.latest(**{"If-Modified-Since": since})
    assert newer.status_code == 200
    card = json.loads(opened(newer.content)["pass.json"])["storeCard"]
    assert card["primaryFields"][0]["value"] == "160"


def test_a_pass_keeps_its_token_when_the_key_is_replaced(
    phone: Phone, member: Membership, settings: Any
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 9, [settings.SECRET_KEY]
    assert pass_token(phone.serial) != phone.token
    found = json.loads(opened(phone.latest().content)["pass.json"])
    assert found["authenticationToken"] == phone.token
    taken_anew = opened(apple_pass_file(member, timezone.now()))["pass.json"]
    assert json.loads(taken_anew)["authenticationToken"] == pass_token(phone.serial)
    settings.SECRET_KEY_FALLBACKS = []
    assert phone.latest().status_code == 401


def test_the_pass_of_who_has_left_is_void_and_good_again_when_they_are_back(
    phone: Phone, member: Membership, shop: Shop
) -> None:
    leave_program(membership=member, actor=SYSTEM, now=timezone.now())
    found = json.loads(opened(phone.latest().content)["pass.json"])
    assert found["voided"] is True
    assert found["barcodes"] == []
    assert "Maya" not in json.dumps(found)
    assert member.card_number not in json.dumps(found)
    assert WalletPass.objects.get().void_since is not None
    Membership.objects.filter(pk=member.pk).update(status=Membership.Status.ACTIVE)
    found = json.loads(opened(phone.latest().content)["pass.json"])
    assert (found["voided"], len(found["barcodes"])) == (False, 1)
    assert WalletPass.objects.get().void_since is None


def test_what_phones_complain_about_is_in_the_log(
    phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    def tell(body: str) -> int:
        return phone.client.post(f"{BASE}/log", body, content_type="application/json").status_code

    with caplog.at_level(logging.WARNING):
        assert tell(json.dumps({"logs": ["bad\nline", *["more"] * 20]})) == 200
        assert tell("nonsense") == 200
        assert tell(json.dumps({"logs": "x"})) == 200
        assert tell('{"logs": ' + "[" * 9_000 + "]" * 9_000 + "}") == 200
    lines = [record.getMessage() for record in caplog.records if "a phone says" in record.message]
    assert len(lines) == 10
    assert lines[0] == r"a phone says of a pass: 'bad\nline'"
    assert tell("x" * 30_000) == 413


def test_the_log_does_not_say_whose_pass_it_is_and_which_phone(
    phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    device = "3f786850e387550fdab836ed7e6dc881"
    said = f"Web service error for {PASS_TYPE} ({device}, {phone.serial}, {phone.token}): HTTP 500"
    body = json.dumps({"logs": [said, {"a": 1}]})
    with caplog.at_level(logging.WARNING):
        phone.client.post(f"{BASE}/log", body, content_type="application/json")
    (line,) = [found.message for found in caplog.records if "a phone says" in found.message]
    assert "Web service error" in line
    assert "HTTP 500" in line
    for secret in (device, phone.serial, phone.token):
        assert secret not in line


def test_nothing_is_there_where_no_passes_are_made(phone: Phone, settings: Any) -> None:
    other = phone.latest().wsgi_request.path.replace(PASS_TYPE, "pass.other")
    assert phone.client.get(other, headers=phone.headers()).status_code == 404
    settings.APPLE_PASSES = None
    assert phone.latest().status_code == 404
    assert phone.register() == 404
    assert phone.client.post(f"{BASE}/log").status_code == 404


def test_an_address_may_ask_so_often_in_a_minute(phone: Phone, settings: Any) -> None:
    forget_windows()
    settings.PUBLIC_REQUESTS_PER_MINUTE = 2
    codes = [phone.latest().status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = phone.latest()
    assert int(refused["Retry-After"]) <= 60
    forget_windows()
