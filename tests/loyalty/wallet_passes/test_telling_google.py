"""Google is told when a pass says something else than what was saved there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from django.utils import timezone

from loyalty.models import Membership, Program, WalletPass
from loyalty.services.leaving import leave_program
from loyalty.services.pass_telling import look_over_passes, tell_passes
from loyalty.services.wallet_passes import google_link
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from tests.loyalty.account.conftest import Shop, define_program
from tests.loyalty.wallet_passes.authority import ACCOUNT, ISSUER, google_keys, rsa_key
from tests.loyalty.wallet_passes.google_service import GoogleService
from tests.loyalty.wallet_passes.test_telling import happen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("maya_for_all")]
DAY = dt.timedelta(days=1)


@pytest.fixture
def at_google(settings: Any) -> Iterator[GoogleService]:
    found = GoogleService()
    settings.GOOGLE_PASSES = google_keys(token_url=f"{found.url}/token", api_url=f"{found.url}/v1")
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def saved(at_google: GoogleService, member: Membership) -> Membership:
    google_link(member, timezone.now())
    happen()
    # Some time ago.
    WalletPass.objects.update(linked_at=timezone.now() - 3 * DAY)
    at_google.patches.clear()
    at_google.assertions.clear()
    return member


def test_what_was_saved_at_google_is_changed_there(
    at_google: GoogleService, saved: Membership, shop: Shop
) -> None:
    shop.adjust(saved, 9)
    happen()
    ((path, said),) = at_google.patches
    assert path == f"/v1/loyaltyObject/{ISSUER}.{saved.public_id}"
    assert said["loyaltyPoints"] == {"label": "Beans", "balance": {"string": "160"}}
    claims = jwt.decode(
        at_google.assertions[0], rsa_key("Google").public_key(), algorithms=["RS256"],
        audience=f"{at_google.url}/token",
    )  # fmt: skip
    assert claims["iss"] == ACCOUNT
    assert claims["scope"].endswith("/auth/wallet_object.issuer")


def test_what_is_void_is_void_at_google_and_names_nobody(
    at_google: GoogleService, saved: Membership, maya: Customer
) -> None:
    erase_customer_details(customer=maya, actor=SYSTEM)
    happen()
    ((_path, said),) = at_google.patches
    assert said["state"] == "INACTIVE"
    assert [said[name] for name in ("accountName", "accountId", "barcode", "loyaltyPoints")] == [
        None
    ] * 4
    assert WalletPass.objects.get().linked_at is not None
    look_over_passes(now=timezone.now() + 31 * DAY)
    assert WalletPass.objects.get().linked_at is None


def test_what_nobody_saved_within_a_month_is_told_no_more(
    at_google: GoogleService, member: Membership, shop: Shop
) -> None:
    at_google.status = 404
    google_link(member, timezone.now())
    shop.adjust(member, 9)
    happen()
    for days, kept in ((29, True), (31, False)):
        WalletPass.objects.update(linked_at=timezone.now() - days * DAY)
        shop.adjust(member, days)
        happen()
        assert (WalletPass.objects.get().linked_at is not None) is kept


def test_what_is_saved_days_after_a_change_is_true_within_a_day(
    at_google: GoogleService, member: Membership, shop: Shop
) -> None:
    google_link(member, timezone.now() - 3 * DAY)
    at_google.status = 404
    shop.adjust(member, 9)
    happen()
    at_google.patches.clear()
    # The link says less, and is saved now. Whoever has not yet is asked about once a day.
    at_google.status = 200
    look_over_passes(now=timezone.now())
    assert happen() == 0
    assert tell_passes(now=timezone.now() + DAY) == 1
    [said] = [said for path, said in at_google.patches if "/loyaltyObject/" in path]
    assert said["loyaltyPoints"]["balance"] == {"string": "160"}
    assert tell_passes(now=timezone.now() + 2 * DAY) == 0


def test_what_is_saved_by_an_earlier_link_than_the_last_is_true_within_a_day(
    at_google: GoogleService, member: Membership, shop: Shop
) -> None:
    google_link(member, timezone.now() - 5 * DAY)
    at_google.status = 404
    shop.adjust(member, 9)
    happen()
    # A newer one says what is true, and nobody saves by it.
    WalletPass.objects.update(changed_at=timezone.now() - 3 * DAY)
    google_link(member, timezone.now() - 2 * DAY)
    happen()
    at_google.patches.clear()
    # Saved now, by the first one.
    at_google.status = 200
    look_over_passes(now=timezone.now())
    tell_passes(now=timezone.now() + DAY)
    [said] = [said for path, said in at_google.patches if "/loyaltyObject/" in path]
    assert said["loyaltyPoints"]["balance"] == {"string": "160"}
    row = WalletPass.objects.get()
    assert row.google_told_at == row.changed_at


def test_a_link_that_says_what_is_true_is_asked_about_no_more(
    at_google: GoogleService, member: Membership
) -> None:
    google_link(member, timezone.now())
    happen()
    at_google.patches.clear()
    now = timezone.now()
    WalletPass.objects.update(
        changed_at=now - 3 * DAY, linked_at=now - 2 * DAY, google_told_at=None
    )
    look_over_passes(now=timezone.now())
    assert happen() == 1
    assert [path for path, _said in at_google.patches if "/loyaltyObject/" in path] == []


def test_what_google_does_not_take_wakes_no_phone_again(
    at_google: GoogleService, saved: Membership, shop: Shop
) -> None:
    at_google.status = 500
    shop.adjust(saved, 9)
    happen()
    row = WalletPass.objects.get()
    assert row.apple_told_at == row.changed_at
    assert row.google_told_at is not None
    assert row.google_told_at < row.changed_at


def test_what_is_saved_by_a_link_from_before_a_change_is_true_within_the_hour(
    at_google: GoogleService, member: Membership, maya: Customer
) -> None:
    google_link(member, timezone.now())
    at_google.status = 404
    erase_customer_details(customer=maya, actor=SYSTEM)
    happen()
    at_google.patches.clear()
    # Saved now, with the name that the link has.
    at_google.status = 200
    look_over_passes(now=timezone.now())
    at_google.patches.clear()
    assert happen() == 1
    ((path, said),) = at_google.patches
    assert path == f"/v1/loyaltyObject/{ISSUER}.{member.public_id}"
    assert said["state"] == "INACTIVE"


def test_who_comes_back_after_long_finds_a_good_card_at_google_again(
    at_google: GoogleService, saved: Membership
) -> None:
    leave_program(membership=saved, actor=SYSTEM, now=timezone.now())
    happen()
    look_over_passes(now=timezone.now() + 31 * DAY)
    Membership.objects.filter(pk=saved.pk).update(status=Membership.Status.ACTIVE)
    happen()
    at_google.patches.clear()
    google_link(Membership.objects.get(pk=saved.pk), timezone.now())
    happen()
    assert [said["state"] for _path, said in at_google.patches] == ["ACTIVE"]


def test_what_was_saved_long_ago_is_told_of_news_only(
    at_google: GoogleService, saved: Membership
) -> None:
    look_over_passes(now=timezone.now())
    at_google.patches.clear()
    assert happen() == 1
    assert at_google.patches == []


def test_what_google_does_not_take_now_is_told_again_later(
    at_google: GoogleService, saved: Membership, shop: Shop
) -> None:
    at_google.status = 500
    shop.adjust(saved, 9)
    happen()
    at_google.status = 200
    assert tell_passes(now=timezone.now() + dt.timedelta(minutes=11)) == 1
    assert len(at_google.patches) == 2
    assert WalletPass.objects.get().due_at is None


def test_without_a_line_to_google_everything_is_kept_for_later(
    at_google: GoogleService, saved: Membership, shop: Shop
) -> None:
    at_google.server.shutdown()
    at_google.server.server_close()
    shop.adjust(saved, 9)
    assert happen() == 1
    row = WalletPass.objects.get()
    assert row.due_at is not None
    assert row.google_told_at is not None
    assert row.google_told_at < row.changed_at


def test_a_program_is_called_at_google_what_it_is_called_here(
    at_google: GoogleService, saved: Membership
) -> None:
    Program.objects.update(name="Bean Society")
    look_over_passes(now=timezone.now())
    ((path, said),) = at_google.patches
    assert path == f"/v1/loyaltyClass/{ISSUER}.beans"
    assert said["programName"] == "Bean Society"
    assert said["multipleDevicesAndHoldersAllowedStatus"] == "ONE_USER_ALL_DEVICES"


def test_a_program_that_google_refuses_holds_up_no_other(
    at_google: GoogleService, saved: Membership, shop: Shop, maya: Customer
) -> None:
    tea = shop.enroll(maya, define_program(code="tea", name="Tea Club"))
    google_link(tea, timezone.now())
    at_google.refused["beans"] = 403
    look_over_passes(now=timezone.now())
    ends = [path.rpartition(".")[2] for path, _said in at_google.patches]
    assert ends == ["beans", "tea"]


def test_who_has_left_is_told_to_google_and_nobody_else(
    at_google: GoogleService, saved: Membership, shop: Shop
) -> None:
    noor = shop.enroll(shop.add_customer("noor@example.com"))
    shop.adjust(noor, 5)
    leave_program(membership=saved, actor=SYSTEM, now=timezone.now())
    happen()
    assert [path.rpartition(".")[2] for path, _said in at_google.patches] == [str(saved.public_id)]
