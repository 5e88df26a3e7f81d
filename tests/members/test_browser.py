"""The back-office in a real browser: what only a browser can show."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from members.models import Customer, StaffMember, User
from tests.factories import ApiKeyFactory, CustomerFactory, CustomerNoteFactory, StaffMemberFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
AsUser = Callable[[User], Client]


@pytest.fixture
def anna(transactional_db: None) -> Customer:
    customer = CustomerFactory(
        given_name="Anna", family_name="Kowalska", email="anna@example.com",
        phone="+60123456789", tags=["vip"],
    )  # fmt: skip
    CustomerNoteFactory(customer=customer)
    return customer


@pytest.fixture
def admins(page: Any, as_user: AsUser, transactional_db: None) -> Any:
    """A page in which an administrator is signed in."""
    administrator = StaffMemberFactory(administrator=True, user__name="Ada Admin").user
    cookie = as_user(administrator).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "domain": "localhost",
          "path": "/"}]
    )  # fmt: skip
    return page


def test_somebody_is_found_in_the_box_on_top_spoken_of_and_changed(
    admins: Any, anna: Customer, page_errors: list[str]
) -> None:
    admins.goto("/backoffice/")
    admins.keyboard.press("/")
    # While one types; the arrow keys choose.
    admins.keyboard.type("kowalsak")
    admins.locator("#search-results [role=option]").first.wait_for()
    admins.keyboard.press("ArrowDown")
    admins.keyboard.press("Enter")
    admins.wait_for_url(f"**/customers/{anna.public_id}/")
    expect(admins.get_by_role("heading", name="Anna Kowalska", level=1)).to_be_visible()
    a_note_appears_in_its_panel_and_in_the_timeline(admins, anna)
    editing_in_the_dialog_refreshes_header_and_details(admins, anna, page_errors)


def test_the_list_finds_while_one_types_and_the_address_can_be_sent_on(
    admins: Any, anna: Customer
) -> None:
    CustomerFactory(given_name="Somebody", family_name="Else")
    admins.goto("/backoffice/customers/")
    admins.get_by_label("Search among customers").fill("anna kow")
    admins.get_by_text("1 customer found").first.wait_for()
    expect(admins.get_by_text("Somebody Else")).not_to_be_visible()
    admins.wait_for_url("**/customers/?q=anna%20kow&tag=")
    admins.reload()
    expect(admins.get_by_label("Search among customers")).to_have_value("anna kow")
    expect(admins.get_by_text("Anna Kowalska")).to_be_visible()


def a_note_appears_in_its_panel_and_in_the_timeline(admins: Any, anna: Customer) -> None:
    notes = admins.locator("#panel-notes")
    notes.get_by_label("New note").fill("Called back at noon.")
    notes.get_by_role("button", name="Add note").click()
    notes.get_by_text("Called back at noon.").wait_for()
    expect(notes.get_by_label("New note")).to_have_value("")
    admins.locator("#panel-timeline").get_by_text("Called back at noon.").wait_for()
    assert anna.notes.count() == 2


def editing_in_the_dialog_refreshes_header_and_details(
    admins: Any, anna: Customer, page_errors: list[str]
) -> None:
    admins.locator("#panel-identity").get_by_role("link", name="Change details").click()
    dialog = admins.get_by_role("dialog")
    dialog.get_by_label("Phone").fill("12")
    dialog.get_by_role("button", name="Save details").click()
    dialog.get_by_text("country code").first.wait_for()
    # The browser calls the refusal an error.
    assert "422" in page_errors.pop()
    dialog.get_by_label("Phone").fill("+60 12-345 0000")
    dialog.get_by_label("Tags").fill("vip, gold")
    dialog.get_by_label("Family name").fill("Nowak")
    dialog.get_by_role("button", name="Save details").click()
    admins.locator("#panel-identity").get_by_text("gold").wait_for()
    expect(dialog).not_to_be_visible()
    expect(admins.get_by_text("Details saved.")).to_be_visible()
    expect(admins.get_by_role("heading", name="Anna Nowak", level=1)).to_be_visible()
    admins.locator("#panel-audit").get_by_text("Changed a customer").wait_for()
    # Whoever works with the keyboard is where they were.
    expect(admins.locator("#edit-details")).to_be_focused()


def test_a_key_is_made_copied_and_listed(admins: Any) -> None:
    admins.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admins.goto("/backoffice/settings/api-keys/")
    admins.get_by_role("link", name="New API key").click()
    dialog = admins.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Web shop")
    dialog.get_by_label("Send orders and returns").check()
    dialog.get_by_label("Read balances").check()
    dialog.get_by_role("button", name="Make the key").click()
    shown = dialog.locator("#api-key-secret")
    shown.wait_for()
    dialog.get_by_role("button", name="Copy").click()
    admins.get_by_text("The key is copied.").wait_for()
    assert admins.evaluate("navigator.clipboard.readText()") == shown.input_value()
    dialog.get_by_role("button", name="Done").click()
    row = admins.get_by_role("row", name="Web shop")
    expect(row.get_by_text("orders:write")).to_be_visible()


def test_revoking_asks_first(admins: Any) -> None:
    ApiKeyFactory(name="Old till")
    admins.goto("/backoffice/settings/api-keys/")
    admins.get_by_role("button", name="Revoke").click()
    question = admins.get_by_role("alertdialog")
    question.get_by_role("button", name="Cancel").click()
    expect(admins.get_by_role("row", name="Old till")).to_be_visible()
    admins.get_by_role("button", name="Revoke").click()
    question.get_by_role("button", name="Revoke key").click()
    admins.get_by_text("The key “Old till” is revoked.").wait_for()


def test_the_preview_follows_name_and_color(admins: Any) -> None:
    admins.goto("/backoffice/settings/merchant/")
    admins.get_by_label("Name").fill("Kedai Kopi")
    preview = admins.locator(".merchant-preview")
    preview.get_by_text("Kedai Kopi").wait_for()
    admins.get_by_label("Accent color").fill("#aa3300")
    expect(preview.locator(".hero")).to_have_css("background-color", "rgb(170, 51, 0)")
    side = admins.locator(".shell-brand .brand-mark")
    assert side.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(15, 118, 110)"


def test_filters_of_the_audit_log_are_in_the_address(admins: Any, anna: Customer) -> None:
    admins.goto(f"/backoffice/customers/{anna.public_id}/notes/")
    admins.get_by_label("New note").fill("Called.")
    admins.get_by_role("button", name="Add note").click()
    admins.get_by_text("Called.", exact=True).wait_for()
    admins.goto("/backoffice/settings/audit-log/")
    admins.get_by_label("Action").select_option("customer.noted")
    admins.get_by_role("link", name="Show everything").wait_for()
    admins.wait_for_url("**action=customer.noted**")
    admins.go_back()
    admins.wait_for_url("**/audit-log/")


def test_every_screen_is_accessible_and_fits_wide_and_narrow(
    admins: Any, anna: Customer, assert_all_in_order: Callable[..., None]
) -> None:
    ApiKeyFactory()
    StaffMemberFactory(role=StaffMember.Role.ANALYST)
    customer = f"/backoffice/customers/{anna.public_id}/"
    addresses = (
        "/backoffice/", "/backoffice/customers/", "/backoffice/customers/?q=anna", customer,
        f"{customer}edit/", f"{customer}timeline/", "/backoffice/settings/merchant/",
        "/backoffice/settings/team/", "/backoffice/settings/team/invite/",
        "/backoffice/settings/api-keys/", "/backoffice/settings/api-keys/new/",
        "/backoffice/settings/audit-log/",
    )  # fmt: skip
    assert_all_in_order(admins, addresses, dark_on_phones=True)


def test_a_duplicate_is_found_compared_merged_and_parted_again(
    admins: Any, anna: Customer, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    ana = CustomerFactory(given_name="Ana", family_name="Kowalska", email="ana@example.org")
    admins.goto(f"/backoffice/customers/{anna.public_id}/")
    admins.click("#action-merge")
    admins.get_by_role("heading", name="May be the same person").wait_for()
    assert_no_axe_violations(admins)
    admins.fill("#duplicate-search", "ana@example.org")
    admins.get_by_role("heading", name="Found").wait_for()
    admins.get_by_role("link", name="Ana Kowalska").click()
    admins.get_by_role("heading", name="Merge these two?").wait_for()
    assert_no_axe_violations(admins)
    admins.get_by_role("button", name="Merge", exact=True).click()
    admins.get_by_text("Ana Kowalska was merged into Anna Kowalska.").wait_for()
    admins.goto(f"/backoffice/customers/{ana.public_id}/")
    admins.get_by_text("Merged into Anna Kowalska on").wait_for()
    assert_no_axe_violations(admins)
    admins.click("#undo-merge")
    dialog = admins.get_by_role("dialog")
    dialog.get_by_text("What came along goes back").wait_for()
    assert_no_axe_violations(admins)
    dialog.get_by_role("button", name="Undo the merge").click()
    admins.get_by_text("are two customers again").wait_for()
    ana.refresh_from_db()
    assert ana.merged_into is None
