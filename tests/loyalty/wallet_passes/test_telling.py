"""Phones are told by Apple's push service when a pass says something else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.models import Membership, PassDevice, Program, WalletPass
from loyalty.services import pass_telling
from loyalty.services.manual_tiers import give_tier
from loyalty.services.pass_telling import look_over_passes, tell_passes
from loyalty.services.wallet_passes import apple_pass_file
from loyalty.tasks import look_over_passes as look_over_task
from loyalty.tasks import tell_passes as tell_task
from loyalty.wallet_passes.keys import ApplePassKeys
from loyalty.wallet_passes.push_line import PushLine
from members.models import Customer, EventWish, Merchant
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details, update_customer
from members.services.merging import merge_customers, undo_merge
from members.services.outbox import deliver_waiting
from tests.loyalty.account.conftest import Shop, define_program
from tests.loyalty.account.test_tiers import TIERS
from tests.loyalty.wallet_passes.authority import (
    PASS_TYPE,
    AppleFiles,
    apple_files,
)
from tests.loyalty.wallet_passes.push_service import PushService, start_push_service
from tests.loyalty.wallet_passes.test_apple import opened
from tests.loyalty.wallet_passes.test_pass_service import Phone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("maya_for_all")]
DAY = dt.timedelta(days=1)


@pytest.fixture
def service(
    files: AppleFiles, apple_keys: ApplePassKeys, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PushService]:
    monkeypatch.setenv("SSL_CERT_FILE", files.path("root.pem"))
    found = start_push_service(files)
    settings.APPLE_PASSES = replace(apple_keys, push_url=found.url)
    yield found
    found.stop()


@pytest.fixture
def phone(service: PushService, member: Membership) -> Phone:
    """Has the pass and knows all that is true by now."""
    apple_pass_file(member, timezone.now())
    found = Phone(member)
    assert found.register() == 201
    happen()
    service.pushes.clear()
    return found


def happen() -> int:
    """Whatever follows from what was done until now."""
    while deliver_waiting(100):
        pass
    return tell_task()


def shown(phone: Phone) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opened(phone.latest().content)["pass.json"])
    return found


def paths(service: PushService) -> list[str]:
    return [push.path for push in service.pushes]


def test_a_phone_is_woken_once_when_the_balance_has_changed(
    phone: Phone, service: PushService, shop: Shop, member: Membership
) -> None:
    tag = phone.changed().json()["lastUpdated"]
    shop.adjust(member, 9)
    happen()
    (push,) = service.pushes
    assert push.path == f"/3/device/{'ab12' * 16}"
    assert (push.topic, push.sender, push.body) == (PASS_TYPE, PASS_TYPE, b"{}")
    assert phone.changed(tag).json()["serialNumbers"] == [phone.serial]
    happen()
    assert len(service.pushes) == 1
    assert WalletPass.objects.get().due_at is None


def test_nobody_is_woken_by_what_the_pass_does_not_say(
    phone: Phone, service: PushService, maya: Customer
) -> None:
    update_customer(customer=maya, actor=SYSTEM, changes={"phone": "+12125550199"})
    assert happen() == 1
    assert service.pushes == []


def test_a_new_name_and_another_tier_are_news(
    phone: Phone, service: PushService, maya: Customer, member: Membership
) -> None:
    update_customer(customer=maya, actor=SYSTEM, changes={"given_name": "Maia"})
    happen()
    assert len(service.pushes) == 1
    assert shown(phone)["storeCard"]["secondaryFields"][0]["value"] == "Maia Lim"
    service.pushes.clear()
    define_program(tiers=TIERS)
    look_over_task()
    happen()
    service.pushes.clear()
    member.refresh_from_db()
    give_tier(
        membership=member, tier="gold", until=None, reason="asked", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    happen()
    assert len(service.pushes) == 1
    assert shown(phone)["storeCard"]["headerFields"][0]["value"] == "Gold"


def test_all_phones_of_a_member_are_woken_over_one_line(
    phone: Phone, service: PushService, shop: Shop, member: Membership
) -> None:
    Phone(member, "watch").register({"pushToken": "77"})
    happen()
    service.pushes.clear()
    lines = service.connections
    shop.adjust(member, 9)
    happen()
    assert sorted(paths(service)) == ["/3/device/77", f"/3/device/{'ab12' * 16}"]
    assert service.connections == lines + 1


@pytest.mark.parametrize(
    "answer", [(410, "Unregistered"), (400, "BadDeviceToken"), (400, "DeviceTokenNotForTopic")]
)
def test_a_phone_that_has_the_pass_no_more_is_forgotten(
    phone: Phone, service: PushService, shop: Shop, member: Membership, answer: tuple[int, str]
) -> None:
    service.answers["ab12" * 16] = answer
    shop.adjust(member, 9)
    happen()
    assert not PassDevice.objects.exists()
    assert WalletPass.objects.get().due_at is None


def test_what_apple_does_not_take_now_is_told_again_later(
    phone: Phone, service: PushService, shop: Shop, member: Membership
) -> None:
    service.answers["ab12" * 16] = 503, "ServiceUnavailable"
    shop.adjust(member, 9)
    happen()
    assert len(service.pushes) == 1
    now = timezone.now()
    assert tell_passes(now=now) == 0
    service.answers.clear()
    assert tell_passes(now=now + dt.timedelta(minutes=11)) == 1
    assert len(service.pushes) == 2
    assert tell_passes(now=now + dt.timedelta(minutes=30)) == 0


def test_one_phone_that_is_refused_holds_up_no_other(
    phone: Phone, service: PushService, shop: Shop, member: Membership
) -> None:
    Phone(member, "watch").register({"pushToken": "77"})
    happen()
    service.pushes.clear()
    service.answers["ab12" * 16] = 400, "SomethingOdd"
    shop.adjust(member, 9)
    happen()
    assert paths(service) == [f"/3/device/{'ab12' * 16}", "/3/device/77"]
    assert PassDevice.objects.count() == 2
    assert WalletPass.objects.get().due_at is not None


@pytest.mark.parametrize("lost", ["line", "files", "certificate"])
def test_without_a_line_everything_is_kept_for_later_and_tried_once(
    phone: Phone, service: PushService, shop: Shop, member: Membership, files: AppleFiles,
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lost: str,
) -> None:  # fmt: skip
    Phone(member, "watch").register({"pushToken": "77"})
    happen()
    tried, before = list[str](), PushLine.tell

    def counted(line: PushLine, push_token: str) -> Any:
        tried.append(push_token)
        return before(line, push_token)

    monkeypatch.setattr(PushLine, "tell", counted)
    good = settings.APPLE_PASSES
    if lost == "line":
        service.stop()
    elif lost == "files":
        settings.APPLE_PASSES = replace(good, key_path=files.path("nowhere.pem"))
    else:
        settings.APPLE_PASSES = apple_files(tmp_path, days=-1).keys(push_url=service.url)
    shop.adjust(member, 9)
    assert happen() == 1
    assert len(tried) == (1 if lost == "line" else 0)
    row = WalletPass.objects.get()
    # Trying often brings no new certificate: the hourly look tries again.
    assert (row.due_at is not None) == (lost != "certificate")
    assert row.apple_told_at < row.changed_at
    assert PassDevice.objects.count() == 2


def test_with_a_new_certificate_phones_hear_what_they_have_missed(
    phone: Phone, service: PushService, shop: Shop, member: Membership, settings: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    good = settings.APPLE_PASSES
    settings.APPLE_PASSES = replace(
        good, certificate=apple_files(tmp_path, days=-1).keys(push_url="").certificate
    )
    shop.adjust(member, 9)
    assert happen() == 1
    assert service.pushes == []
    assert tell_passes(now=timezone.now() + DAY) == 0
    settings.APPLE_PASSES = good
    look_over_task()
    happen()
    assert len(service.pushes) == 1


def test_news_goes_before_the_passes_that_are_all_looked_at(
    phone: Phone, shop: Shop, member: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    noor = shop.enroll(shop.add_customer("noor@example.com", given_name="Noor"))
    apple_pass_file(noor, timezone.now())
    Phone(noor, "phone-2").register()
    happen()
    look_over_task()
    shop.adjust(noor, 9)
    while deliver_waiting(100):
        pass
    monkeypatch.setattr(pass_telling, "PIECE", 1)
    assert tell_passes(now=timezone.now()) == 1
    assert WalletPass.objects.get(due_at=None).membership == noor


def test_looking_at_passes_without_news_writes_once_for_all(phone: Phone, shop: Shop) -> None:
    def writes() -> int:
        look_over_task()
        with CaptureQueriesContext(connection) as asked:
            tell_passes(now=timezone.now())
        return sum(query["sql"].startswith("UPDATE") for query in asked.captured_queries)

    alone = writes()
    for number in range(3):
        other = shop.enroll(shop.add_customer(f"other{number}@example.com"))
        apple_pass_file(other, timezone.now())
        Phone(other, f"other-{number}").register()
    happen()
    assert writes() == alone == 2


def test_what_happens_while_phones_are_told_is_looked_at_again(
    phone: Phone, service: PushService, shop: Shop, member: Membership,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = PushLine.tell

    def meanwhile(line: PushLine, push_token: str) -> Any:
        WalletPass.objects.update(due_at=timezone.now())
        return before(line, push_token)

    monkeypatch.setattr(PushLine, "tell", meanwhile)
    shop.adjust(member, 9)
    while deliver_waiting(100):
        pass
    assert tell_passes(now=timezone.now()) == 1
    assert WalletPass.objects.get().due_at is not None


def test_the_pass_of_somebody_erased_is_void_and_soon_nobody_knows_who_had_it(
    phone: Phone, service: PushService, maya: Customer
) -> None:
    erase_customer_details(customer=maya, actor=SYSTEM)
    happen()
    assert len(service.pushes) == 1
    found = shown(phone)
    assert found["voided"] is True
    assert "Maya" not in json.dumps(found)
    assert found["barcodes"] == []
    now = timezone.now()
    look_over_passes(now=now + 29 * DAY)
    assert PassDevice.objects.exists()
    look_over_passes(now=now + 31 * DAY)
    assert not PassDevice.objects.exists()
    assert not EventWish.objects.exists()


def test_the_pass_of_a_duplicate_shows_who_goes_on(
    phone: Phone, service: PushService, shop: Shop, maya: Customer, member: Membership
) -> None:
    kept = shop.add_customer("maya.lim@example.com", given_name="Maya", family_name="Lim-Ross")
    other = shop.enroll(kept)
    how = {"actor": SYSTEM, "source": "backoffice", "now": timezone.now()}
    merge, _before = merge_customers(kept=kept, merged=maya, **how)
    happen()
    assert service.pushes
    found = shown(phone)
    assert found["serialNumber"] == str(member.public_id)
    assert found["barcodes"][0]["message"] == other.card_number
    assert found["storeCard"]["secondaryFields"][0]["value"] == "Maya Lim-Ross"
    assert found["storeCard"]["primaryFields"][0]["value"] == "151"
    service.pushes.clear()
    shop.adjust(other, 9)
    happen()
    assert len(service.pushes) == 1
    undo_merge(merge=merge, **how)
    happen()
    assert shown(phone)["barcodes"][0]["message"] == member.card_number


def test_once_an_hour_all_passes_are_looked_at_since_not_all_that_changes_is_an_event(
    phone: Phone, service: PushService, member: Membership
) -> None:
    Program.objects.update(name="Bean Society")
    Merchant.objects.update(accent_color="#123456")
    assert happen() == 0
    assert look_over_task() == 1
    assert happen() == 1
    assert len(service.pushes) == 1
    assert shown(phone)["logoText"] == "Bean Society"


def test_passes_are_found_by_keys_and_locked_in_their_order(
    phone: Phone, shop: Shop, member: Membership
) -> None:
    shop.adjust(member, 9)
    with CaptureQueriesContext(connection) as asked:
        while deliver_waiting(100):
            pass
    assert WalletPass.objects.get().due_at is not None
    said = [query["sql"] for query in asked.captured_queries]
    (locks,) = [sql for sql in said if 'FROM "loyalty_walletpass"' in sql]
    assert "JOIN" not in locks
    # By its first column, which is the key.
    assert locks.startswith('SELECT "loyalty_walletpass"."id"')
    assert locks.endswith("ORDER BY 1 ASC FOR UPDATE")


def test_what_was_forgotten_to_be_written_down_is_again_after_the_hourly_look(
    phone: Phone,
) -> None:
    EventWish.objects.all().delete()
    look_over_task()
    assert EventWish.objects.count() == 2


def test_nothing_is_written_down_for_passes_once_nobody_has_one(phone: Phone) -> None:
    assert EventWish.objects.count() == 2
    phone.unregister()
    assert look_over_passes(now=timezone.now()) == 0
    assert not EventWish.objects.exists()
