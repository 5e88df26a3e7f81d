"""A second factor that is required of roles: who has none sets it up before anything else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse

from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Merchant, StaffMember, User
from members.policy import ALLOWED
from members.selectors.merchants import get_merchant
from members.services.audit import Actor
from members.services.two_factor import require_two_factor
from tests.factories import PASSWORD, ApiKeyFactory, StaffMemberFactory
from tests.members.test_two_factor import SECRET, code, signed_in, text

pytestmark = pytest.mark.django_db
Role = StaffMember.Role


@pytest.fixture
def boss() -> User:
    """An administrator who has a second factor."""
    user = StaffMemberFactory(administrator=True).user
    TOTP.activate(user, SECRET)
    return user


def require(boss: User, *roles: str) -> None:
    require_two_factor(actor=Actor.of_user(boss), roles=roles)


def in_the_browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def somebody(role: str) -> User:
    """Who works for a partner works for one of some program."""
    brand = {"partner": 1, "programs": [1]} if role == Role.PARTNER else {}
    return StaffMemberFactory(role=role, **brand).user


def test_nobody_has_to_at_first() -> None:
    assert get_merchant().two_factor_roles == []
    for role in ALLOWED:
        browser = in_the_browser_of(somebody(role))
        # What those of all roles may open.
        assert browser.get(reverse("backoffice:own_sign_ins")).status_code == 200


@pytest.mark.parametrize("role", list(ALLOWED))
def test_whose_role_needs_it_reaches_nothing_before_it_is_set_up(role: str, boss: User) -> None:
    person, other = somebody(role), somebody(next(found for found in ALLOWED if found != role))
    require(boss, role)
    browser = in_the_browser_of(person)
    setting_up = reverse("mfa_activate_totp")
    for address in (
        reverse("backoffice:home"), reverse("backoffice:customer_list"), "/backoffice/repair/",
        reverse("backoffice:own_sign_ins"), reverse("backoffice:search") + "?q=ann",
    ):  # fmt: skip
        assert browser.get(address)["Location"] == setting_up
    assert browser.post(reverse("backoffice:team_invite"))["Location"] == setting_up
    fragment = browser.get(reverse("backoffice:home"), headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"] == setting_up
    opened = reverse("backoffice:own_sign_ins")
    assert in_the_browser_of(other).get(opened).status_code == 200
    TOTP.activate(person, SECRET)
    assert browser.get(opened).status_code == 200


def test_signing_in_leads_there_and_setting_it_up_opens_the_back_office(boss: User) -> None:
    require(boss, Role.SUPPORT_AGENT)
    browser = signed_in(StaffMemberFactory())
    led = browser.get("/", follow=True)
    assert led.redirect_chain[1][0] == reverse("mfa_activate_totp")
    browser.post(led.redirect_chain[-1][0], {"password": PASSWORD})
    shown = text(browser.get(reverse("mfa_activate_totp")))
    assert "the back-office opens once it is on" in shown
    assert reverse("backoffice:customer_list") not in shown
    secret = re.search(r'value="([A-Z2-7]{32})"', shown)
    assert secret
    browser.post(reverse("mfa_activate_totp"), {"code": code(secret[1])})
    assert browser.get(reverse("backoffice:home")).status_code == 200


def test_keys_of_the_api_and_customers_go_on(boss: User) -> None:
    require(boss, *ALLOWED)
    key = ApiKeyFactory()
    answer = Client().get("/api/v1/customers", headers={"Authorization": f"Bearer {key.presented}"})
    assert answer.status_code == 200


def test_nobody_shuts_the_door_on_themselves(boss: User) -> None:
    alone = StaffMemberFactory(administrator=True).user
    with pytest.raises(ConflictError, match="Set up your own first") as error:
        require(alone, Role.ADMINISTRATOR)
    assert (error.value.code, error.value.errors[0].field) == ("own_two_factor_missing", "roles")
    # Of others they may: their own role is not among them.
    require(alone, Role.SUPPORT_AGENT)
    assert get_merchant().two_factor_roles == [Role.SUPPORT_AGENT]
    with pytest.raises(DomainError, match="no such role"):
        require(boss, "owner")


def test_it_is_said_in_the_log_once(boss: User) -> None:
    before = get_merchant().updated_at
    require(boss, Role.ADMINISTRATOR, Role.ANALYST)
    require(boss, Role.ANALYST, Role.ADMINISTRATOR)
    [entry] = AuditEntry.objects.filter(action="staff.two_factor_required")
    assert Merchant.objects.get().updated_at > before
    assert entry.actor == boss
    assert (entry.before, entry.after) == (
        {"roles": []}, {"roles": ["administrator", "analyst"]},
    )  # fmt: skip


def test_the_team_says_of_whom_it_is_required_and_who_lacks_it(boss: User) -> None:
    StaffMemberFactory(role=Role.ANALYST)
    browser = in_the_browser_of(boss)
    address = reverse("backoffice:team_required_two_factor")
    assert "Everybody decides for themselves" in text(browser.get(reverse("backoffice:team")))
    assert browser.post(address, {"roles": ["analyst"]}).status_code == 302
    shown = text(browser.get(reverse("backoffice:team")))
    assert "Required of: Analyst." in shown
    assert "Missing" in shown
    assert browser.post(address, {"roles": []}).status_code == 302
    assert Merchant.objects.get().two_factor_roles == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_it_is_required_and_set_up_in_a_browser(
    page: Any, live_server: Any, assert_in_order: Any
) -> None:
    boss = StaffMemberFactory(administrator=True)
    TOTP.activate(boss.user, SECRET)
    agent = StaffMemberFactory()
    enter(page, live_server, boss.user)
    page.goto("/backoffice/settings/team/")
    page.get_by_role("link", name="Say who must have it").click()
    page.get_by_label("Support agent", exact=True).check()
    assert_in_order(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Required of: Support agent.").wait_for()
    assert_in_order(page, dark_on_phones=True)
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.locator("[name=login]").fill(agent.user.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(re.compile(reverse("account_reauthenticate")))
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.get_by_text("the back-office opens once it is on").wait_for()
    assert_in_order(page)
    assert not page.get_by_role("link", name="Customers").count()
    page.goto("/backoffice/customers/")
    page.get_by_text("the back-office opens once it is on").wait_for()


def enter(page: Any, live_server: Any, user: User) -> None:
    cookie = in_the_browser_of(user).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
