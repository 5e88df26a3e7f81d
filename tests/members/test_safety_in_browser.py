"""The screens of who may enter: sign-ins, keys, and the log of what they did, in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from members.models import StaffMember, User
from members.selectors.merchants import get_merchant
from members.services.audit import Actor, record_audit
from members.services.audit_jobs import CHECK
from members.services.audit_seals import seal_entries
from members.services.job_runs import run_scheduled
from members.services.sign_ins import note_sign_in
from tests.factories import ApiKeyFactory, CustomerFactory, StaffMemberFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:141.0) Gecko/20100101 Firefox/141.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1"


@pytest.fixture
def admins(page: Any, as_user: Callable[[User], Client], transactional_db: None) -> Any:
    """A page in which Ada is signed in, as on her phone."""
    ada = StaffMemberFactory(administrator=True, user__name="Ada Admin").user
    for device, address in ((IPHONE, "198.51.100.4"), (FIREFOX, "203.0.113.7")):
        client = as_user(ada)
        note_sign_in(
            user=ada, session_key=client.cookies[settings.SESSION_COOKIE_NAME].value,
            user_agent=device, address=address, now=timezone.now(),
        )  # fmt: skip
    be(page, client)
    return page


def be(page: Any, client: Client) -> None:
    """Who is signed in there is signed in here."""
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "domain": "localhost", "path": "/",
          "value": client.cookies[settings.SESSION_COOKIE_NAME].value}]
    )  # fmt: skip


def test_one_ends_the_sign_in_on_the_phone(
    admins: Any, assert_in_order: Callable[[Any], None]
) -> None:
    admins.goto("/backoffice/sign-ins/")
    expect(admins.get_by_text("Safari on iPhone", exact=True)).to_be_visible()
    expect(admins.get_by_text("This one", exact=True)).to_be_visible()
    assert_in_order(admins)
    admins.locator("form[action$='/end/'] button.btn-sm").click()
    expect(admins.get_by_text("Signed out there.")).to_be_visible()
    expect(admins.get_by_text("Safari on iPhone", exact=True)).to_have_count(0)
    expect(admins.get_by_text("This one", exact=True)).to_be_visible()


def test_a_key_is_rotated_from_the_list(
    admins: Any, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    ApiKeyFactory(name="Web shop")
    admins.goto("/backoffice/settings/api-keys/")
    admins.locator("a[href$='/rotate/']").click()
    admins.get_by_role("button", name="Make the secret").click()
    expect(admins.locator("#api-key-secret")).to_have_value(re.compile("^setia_"))
    assert_no_axe_violations(admins)
    admins.get_by_role("button", name="Done").click()
    expect(admins.get_by_text("The secret before works until")).to_be_visible()


def test_the_log_is_filtered_searched_and_handed_out(
    admins: Any, assert_in_order: Callable[..., None]
) -> None:
    ada = Actor.of_user(StaffMember.objects.get().user)
    for name in ("Anna", "Ben"):
        record_audit(actor=ada, action="customer.created", target=CustomerFactory(given_name=name))
    seal_entries(now=timezone.now())
    run_scheduled(kind=CHECK, now=timezone.now())
    admins.goto("/backoffice/settings/audit-log/")
    expect(admins.get_by_text("The log is as it was written")).to_be_visible()
    assert_in_order(admins, dark_on_phones=True)
    # Filters are in the address.
    admins.get_by_label("Action").select_option("customer.created")
    admins.get_by_role("link", name="Show everything").wait_for()
    admins.wait_for_url("**action=customer.created**")
    admins.go_back()
    admins.wait_for_url("**/audit-log/")
    expect(admins.get_by_role("link", name="Show everything")).to_have_count(0)
    admins.goto("/backoffice/settings/audit-log/?text=anna")
    expect(admins.locator("#results tbody tr")).to_have_count(1)
    admins.locator("#results summary").click()
    with admins.expect_download() as download:
        admins.locator("a[href*='file.csv']").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert "Anna" in lines[1]


def enter(page: Any, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill("correct-horse-battery")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"^[^?]*/settings/merchant/$"))


def test_what_was_filled_in_is_there_again_after_signing_in(
    admins: Any, as_user: Callable[[User], Client]
) -> None:
    ada = User.objects.get(name="Ada Admin")
    ada.set_password("correct-horse-battery")  # which ends the session as well
    ada.save()
    be(admins, as_user(ada))
    admins.goto("/backoffice/settings/merchant/")
    admins.get_by_label("Name", exact=True).fill("Roastery and more")
    admins.get_by_label("Currency").select_option("CHF")
    admins.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    admins.get_by_role("button", name="Save settings").click()
    enter(admins, ada.email)
    expect(admins.get_by_text("nothing was saved. What you had filled in")).to_be_visible()
    expect(admins.get_by_label("Name", exact=True)).to_have_value("Roastery and more")
    expect(admins.get_by_label("Currency")).to_have_value("CHF")
    # It is brought back once, and what was saved is nowhere kept.
    admins.get_by_role("button", name="Save settings").click()
    expect(admins.get_by_text("Settings saved.")).to_be_visible()
    assert get_merchant().name == "Roastery and more"
    admins.wait_for_function("sessionStorage.getItem('setia-kept-form') === null")
