"""The style page in a real browser: accessible, in both themes, wide and narrow, and alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from members.models import StaffMember, User

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/backoffice/styleguide/"
Check = Callable[[Any], None]
# Who wants no motion has none, however short: else each element of the page would begin one for
# each of its colors, one level of the page after the other.
BEGUN_BY_THE_OTHER_THEME = """() => {
    const page = document.documentElement;
    page.dataset.bsTheme = "light";
    getComputedStyle(document.body).color;
    const begun = document.getAnimations().length;
    page.dataset.bsTheme = "dark";
    return begun;
}"""


@pytest.fixture
def staff_page(page: Any, client: Client, live_server: Any, page_errors: list[str]) -> Any:
    user = User.objects.create_user("sam@example.com", name="Sam Support")
    StaffMember.objects.create(user=user, role=StaffMember.Role.SUPPORT_AGENT)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": live_server.url}]
    )
    page.goto(URL)
    page.locator("#panel-wallet-fine dl").wait_for()
    page.locator("[data-retry]").wait_for()
    # The panel that is meant to fail.
    page_errors[:] = [text for text in page_errors if "404" not in text]
    return page


def test_it_is_accessible_wide_and_on_a_phone_in_both_themes_and_answers(
    staff_page: Any, assert_in_order: Callable[..., None], assert_no_axe_violations: Check,
    page_errors: list[str],
) -> None:  # fmt: skip
    assert_in_order(staff_page, dark_on_phones=True)
    staff_page.emulate_media(color_scheme="dark")
    staff_page.locator("html[data-bs-theme=dark]").wait_for()
    assert staff_page.evaluate(BEGUN_BY_THE_OTHER_THEME) == 0
    staff_page.emulate_media(color_scheme="light")
    a_dialog_takes_the_focus_and_gives_it_back(staff_page, assert_no_axe_violations, page_errors)
    a_finished_dialog_says_so_refreshes_the_panel_and_was_sent_once(staff_page)
    questions_charts_and_shortcuts_answer(staff_page)
    the_chosen_theme_stays_without_a_flash(staff_page)


def questions_charts_and_shortcuts_answer(staff_page: Any) -> None:
    # Nothing is posted before it is confirmed.
    posts: list[str] = []
    staff_page.on(
        "request", lambda request: posts.append(request.url) if request.method == "POST" else None
    )
    staff_page.get_by_role("button", name="Revoke", exact=True).click()
    question = staff_page.get_by_role("alertdialog", name="Revoke this key?")
    question.get_by_role("button", name="Cancel").click()
    question.wait_for(state="hidden")
    assert posts == []

    # A chart can be read as a table.
    chart = staff_page.locator("[data-chart=sample-bars]")
    chart.get_by_role("img").locator("canvas").wait_for()
    chart.get_by_role("button", name="View as table").click()
    expect(chart.get_by_role("cell", name="12,400")).to_be_visible()
    expect(chart.get_by_role("button", name="View as chart")).to_be_visible()

    # Shortcuts can be read and switched off.
    staff_page.keyboard.press("?")
    dialog = staff_page.get_by_role("dialog", name="Keyboard shortcuts")
    dialog.wait_for()
    dialog.get_by_label("Shortcuts of single keys are on").uncheck()
    staff_page.keyboard.press("Escape")
    staff_page.keyboard.press("?")
    expect(dialog).not_to_be_visible()


def a_dialog_takes_the_focus_and_gives_it_back(
    staff_page: Any, assert_no_axe_violations: Check, page_errors: list[str]
) -> None:
    opener = staff_page.get_by_role("link", name="Open a dialog")
    opener.click()
    dialog = staff_page.get_by_role("dialog", name="Adjust Beans")
    dialog.wait_for()
    expect(dialog.get_by_label("Name")).to_be_focused()
    assert_no_axe_violations(staff_page)
    dialog.get_by_role("button", name="Adjust Beans").click()
    dialog.get_by_text("Nothing was saved yet").wait_for()
    expect(dialog.locator("[data-focus]:focus")).to_have_count(1)
    staff_page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    expect(opener).to_be_focused()
    page_errors[:] = [text for text in page_errors if "422" not in text]


def a_finished_dialog_says_so_refreshes_the_panel_and_was_sent_once(staff_page: Any) -> None:
    staff_page.get_by_role("link", name="Open a dialog").click()
    dialog = staff_page.get_by_role("dialog", name="Adjust Beans")
    dialog.get_by_label("Name").fill("Ada")
    dialog.get_by_label("E-mail address").fill("ada@example.com")
    dialog.get_by_label("Amount").fill("5")
    dialog.get_by_label("Down").check()
    posts: list[str] = []
    staff_page.on(
        "request", lambda request: posts.append(request.url) if request.method == "POST" else None
    )
    with staff_page.expect_response("**/styleguide/panel/fine/"):
        dialog.get_by_role("button", name="Adjust Beans").dblclick()
    staff_page.get_by_text("this is only a sample").wait_for()
    expect(dialog).not_to_be_visible()
    assert len(posts) == 1


def the_chosen_theme_stays_without_a_flash(staff_page: Any) -> None:
    staff_page.locator(".user-button").click()
    staff_page.get_by_role("button", name="Dark").click()
    expect(staff_page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    # Set before anything is painted: by the head's own script, ahead of the body.
    staff_page.add_init_script(
        "new MutationObserver(() => { if (document.body && !window.themeAtBody)"
        " window.themeAtBody = document.documentElement.getAttribute('data-bs-theme'); })"
        ".observe(document, {childList: true, subtree: true})"
    )
    staff_page.route("**/panel/broken/", lambda route: route.abort())
    staff_page.goto("/accounts/logout/")
    assert staff_page.evaluate("window.themeAtBody") == "dark"
