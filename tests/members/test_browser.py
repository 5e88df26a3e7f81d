"""The back-office in a real browser: what only a browser can show."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from members.models import Customer, User
from tests.conftest import AT_REST
from tests.factories import ApiKeyFactory, CustomerFactory, CustomerNoteFactory, StaffMemberFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
AsUser = Callable[[User], Client]
Look = Callable[..., None]


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


@pytest.fixture
def look(admins: Any, assert_in_order: Callable[..., None]) -> Look:
    """`look(address)`: the page there, or the one that is open, is for everybody, wide and in the
    dark on a phone. Each is looked at where its test opens it."""

    def check(address: str = "") -> None:
        if address:
            admins.goto(address)
        admins.wait_for_function(AT_REST)
        assert_in_order(admins, dark_on_phones=True)

    return check


def test_somebody_is_found_in_the_box_on_top_spoken_of_and_changed(
    admins: Any, anna: Customer, page_errors: list[str], look: Look
) -> None:
    look("/backoffice/")
    admins.keyboard.press("/")
    # While one types; the arrow keys choose.
    admins.keyboard.type("kowalsak")
    admins.locator("#search-results [role=option]").first.wait_for()
    admins.keyboard.press("ArrowDown")
    admins.keyboard.press("Enter")
    admins.wait_for_url(f"**/customers/{anna.public_id}/")
    expect(admins.get_by_role("heading", name="Anna Kowalska", level=1)).to_be_visible()
    # Looked at in `test_agents_hour`, where there is more on it.
    a_note_appears_in_its_panel_and_in_the_timeline(admins, anna)
    editing_in_the_dialog_refreshes_header_and_details(admins, anna, page_errors)


def test_the_list_finds_while_one_types_and_the_address_can_be_sent_on(
    admins: Any, anna: Customer, look: Look
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
    look()


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


def test_a_key_is_made_copied_listed_and_another_is_revoked(admins: Any, look: Look) -> None:
    ApiKeyFactory(name="Old till")
    admins.context.grant_permissions(["clipboard-read", "clipboard-write"])
    look("/backoffice/settings/api-keys/")
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
    revoking_asks_first(admins)


def revoking_asks_first(admins: Any) -> None:
    row = admins.get_by_role("row", name="Old till")
    row.get_by_role("button", name="Revoke").click()
    question = admins.get_by_role("alertdialog")
    question.get_by_role("button", name="Cancel").click()
    expect(row).to_be_visible()
    row.get_by_role("button", name="Revoke").click()
    question.get_by_role("button", name="Revoke key").click()
    admins.get_by_text("The key “Old till” is revoked.").wait_for()


def test_the_preview_follows_name_and_color(admins: Any, look: Look) -> None:
    look("/backoffice/settings/merchant/")
    admins.get_by_label("Name").fill("Kedai Kopi")
    preview = admins.locator(".merchant-preview")
    preview.get_by_text("Kedai Kopi").wait_for()
    admins.get_by_label("Accent color").fill("#aa3300")
    expect(preview.locator(".hero")).to_have_css("background-color", "rgb(170, 51, 0)")
    side = admins.locator(".shell-brand .brand-mark")
    assert side.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(15, 118, 110)"


def test_every_other_screen_is_accessible_and_fits_wide_and_narrow(
    admins: Any, anna: Customer, assert_all_in_order: Callable[..., None]
) -> None:
    """The team: `test_required_two_factor`; the audit log: `test_safety_in_browser`."""
    customer = f"/backoffice/customers/{anna.public_id}/"
    addresses = (
        "/backoffice/customers/", f"{customer}edit/", f"{customer}timeline/",
        "/backoffice/settings/team/invite/", "/backoffice/settings/api-keys/new/",
    )  # fmt: skip
    assert_all_in_order(admins, addresses, dark_on_phones=True)


def test_a_duplicate_is_found_compared_merged_and_parted_again(
    admins: Any, anna: Customer, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    ana = CustomerFactory(given_name="Ana", family_name="Kowalska", email="ana@example.org")
    # From the customer's page one comes there in `test_agents_hour`.
    admins.goto(reverse("backoffice:customer_merge", args=[anna.public_id]))
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
