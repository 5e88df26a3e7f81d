"""The shells take what other applications bring, and show each role what it may see."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from members import panels
from members.models import Customer, StaffMember
from members.panels import (
    CustomerAction,
    HeaderFact,
    register_customer_action,
    register_customer_header,
    register_customer_panel,
    register_home_panel,
)
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db
BrowserOf = Callable[[str], Client]
Role = StaffMember.Role


@pytest.fixture(autouse=True)
def _restore_registries() -> Iterator[None]:
    registries: list[Any] = [
        panels._customer_panels, panels._home_panels, panels._headers, panels._actions,
        panels._header_events,
    ]  # fmt: skip
    kept = [registry.copy() for registry in registries]
    yield
    for registry, before in zip(registries, kept, strict=True):
        registry.clear()
        registry.update(before)


def shown(client: Client, customer: Customer) -> str:
    url = reverse("backoffice:customer", args=[customer.public_id])
    return client.get(url).content.decode()


def test_a_panel_stands_where_it_was_put_and_loads_itself(browser_of: BrowserOf) -> None:
    # Any address that takes a customer will do.
    register_customer_panel("rewards", "Rewards", "backoffice:customer_notes", 1, column="side")
    customer = CustomerFactory()
    content = shown(browser_of(Role.ANALYST), customer)
    url = reverse("backoffice:customer_notes", args=[customer.public_id])
    assert f'hx-get="{url}"' in content
    assert content.index('id="panel-rewards"') < content.index('id="panel-identity"')
    assert 'class="place place-1"' in content


def test_a_panel_that_a_role_may_not_see_is_not_there(browser_of: BrowserOf) -> None:
    register_home_panel("secret", "Secret", "backoffice:audit_log", 1, "audit.view")
    url = reverse("backoffice:home")
    assert "panel-secret" not in browser_of(Role.ANALYST).get(url).content.decode()
    assert "panel-secret" in browser_of(Role.ADMINISTRATOR).get(url).content.decode()


def test_a_panel_without_an_address_is_not_there(browser_of: BrowserOf) -> None:
    register_customer_panel("later", "Later", "backoffice:not_yet", 1)
    assert "panel-later" not in shown(browser_of(Role.ANALYST), CustomerFactory())


def test_figures_stand_in_the_header_and_are_read_anew_when_something_moved(
    browser_of: BrowserOf,
) -> None:
    def facts(customer: Customer) -> list[HeaderFact]:
        return [HeaderFact("Stamps", "7", f"of {customer.given_name}")]

    register_customer_header("stamps", facts, 1, refresh=["stamps-changed"])
    content = shown(browser_of(Role.ANALYST), CustomerFactory(given_name="Anna"))
    assert "Stamps" in content
    assert "of Anna" in content
    assert "stamps-changed from:body" in content


def test_a_button_is_offered_to_those_who_may_press_it(browser_of: BrowserOf) -> None:
    register_customer_action(
        CustomerAction(
            "stamp", "Give a stamp", "backoffice:customer_edit", "rubber-stamp", 1,
            "customers.edit", shortcut="s",
        )
    )  # fmt: skip
    customer = CustomerFactory()
    assert "Give a stamp" not in shown(browser_of(Role.ANALYST), customer)
    content = shown(browser_of(Role.SUPPORT_AGENT), customer)
    assert "Give a stamp" in content
    assert 'data-shortcut="s"' in content
