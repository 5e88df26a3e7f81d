"""What is looked at wide and on a phone is told from what is in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import WIDE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_is_wrong_on_a_phone_alone_is_found(
    page: Any, assert_in_order: Callable[[Any], None]
) -> None:
    page.goto("/accounts/login/")
    assert_in_order(page)
    assert page.viewport_size == WIDE
    page.evaluate("""() => {
        const wide = document.createElement("p");
        wide.textContent = "Wider than a phone";
        wide.style.width = "600px";
        document.querySelector("main").append(wide);
    }""")
    with pytest.raises(AssertionError, match="390"):
        assert_in_order(page)
    page.evaluate("""() => {
        const found = document.querySelector("main p:last-child");
        found.style.width = "auto";
        matchMedia("(width < 500px)").addEventListener(
            "change", (narrow) => { found.style.color = narrow.matches ? "#eee" : "inherit"; });
    }""")
    page.set_viewport_size(WIDE)
    with pytest.raises(AssertionError, match="contrast"):
        assert_in_order(page)
