"""The development inbox in a real browser: styled, accessible, nothing for the console to say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MAIL = b"""From: Setia <no-reply@setia.example>\r
To: ana@example.com\r
Subject: Your sign-in code\r
\r
Your code is 123456.\r
"""


@pytest.fixture
def inbox(tmp_path: Path, settings: Settings) -> Path:
    settings.DEVMAIL_DIR = tmp_path
    (tmp_path / "1700000000000000000-0000beef.eml").write_bytes(MAIL)
    return tmp_path


def test_a_message_is_found_and_read(
    inbox: Path, page: Any, assert_no_axe_violations: Callable[[Any], None]
) -> None:
    page.goto("/dev/inbox/")
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Your sign-in code").click()
    page.get_by_text("Your code is 123456.").wait_for()
    assert_no_axe_violations(page)
    page.get_by_role("link", name="Development inbox").click()
    page.get_by_role("button", name="Delete all messages").click()
    page.get_by_text("No mail yet.").wait_for()
    assert list(inbox.iterdir()) == []


def test_what_goes_wrong_in_a_page_is_noticed(page: Any, page_errors: list[str]) -> None:
    """The `page` fixture would fail this test, did it not take the errors out again."""
    page.goto("/dev/inbox/")
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.evaluate(
        "document.body.appendChild(Object.assign(document.createElement('script'),"
        " {textContent: 'document.title = 1'}))"
    )
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('by the test') })")
    assert any("Content Security Policy" in error for error in page_errors)
    assert any("by the test" in error for error in page_errors)
    page_errors.clear()
