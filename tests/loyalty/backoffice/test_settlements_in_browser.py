"""Settling a debt with a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.loyalty.backoffice.conftest import Member
from tests.loyalty.backoffice.test_settlements import BLOCKS, indebted

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_debt_is_settled_from_the_balance(
    ana: Member,
    sign_in: Callable[[str], Any],
    assert_no_axe_violations: Callable[[Any], None],
) -> None:
    indebted(ana, BLOCKS, "100")
    page = sign_in("marketing_manager")
    page.goto(f"/backoffice/customers/{ana.customer.public_id}/")
    wallets = page.locator("#panel-wallets")
    wallets.get_by_role("link", name="Settle").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Take it from the balance").check()
    dialog.get_by_text("As many units are used up").wait_for()
    assert_no_axe_violations(page)
    dialog.get_by_label("Reason").fill("Agreed on the phone")
    dialog.get_by_role("button", name="Settle").click()
    wallets.get_by_text("worth $0.40").wait_for()
    page.locator("#panel-movements").get_by_text("Used to settle what was owed").wait_for()
    assert ana.spendable() == 40
