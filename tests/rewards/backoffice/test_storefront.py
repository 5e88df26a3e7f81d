"""Settings, Storefront: what is shown, from where, and the lines to copy."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from members.models import AuditEntry, StaffMember
from members.selectors.merchants import get_merchant
from rewards.models import Element
from rewards.selectors.storefront import get_storefront
from tests.factories import StaffMemberFactory
from tests.loyalty.factories import make_program

pytestmark = pytest.mark.django_db
URL = "/backoffice/settings/storefront/"


@pytest.fixture
def administrator(client: Client) -> Client:
    staff = StaffMemberFactory(role=StaffMember.Role.ADMINISTRATOR)
    client.force_login(staff.user, "django.contrib.auth.backends.ModelBackend")
    return client


def filled(**changes: Any) -> dict[str, Any]:
    said = {
        "program": "", "elements": ["balance", "earn"], "shop_origins": "", "join_url": "",
        "account_url": "", "popup_seconds": "20",
    }  # fmt: skip
    return said | changes


def test_without_a_program_there_is_nothing_to_copy(administrator: Client) -> None:
    text = administrator.get(URL).content.decode()
    assert "Nothing is shown yet" in text
    assert "storefront.js" not in text


def test_what_is_chosen_is_kept_and_its_lines_are_there(administrator: Client) -> None:
    program = make_program()
    origins = "https://Shop.example/\nhttps://shop.example\nhttp://localhost:3000"
    said = filled(program=str(program.pk), shop_origins=origins, join_url="/account/new")
    assert administrator.post(URL, said).status_code == 302
    kept = get_storefront()
    assert (kept.program, kept.elements, kept.join_url) == (
        program, [Element.BALANCE, Element.EARN], "/account/new",
    )  # fmt: skip
    assert get_merchant().shop_origins == ["https://shop.example", "http://localhost:3000"]
    assert {"storefront.changed", "merchant.updated"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )
    text = administrator.get(URL).content.decode()
    assert "&lt;script async src=&quot;http://testserver/storefront.js&quot;" in text
    assert "&lt;setia-earn sku=" in text
    assert "&lt;setia-tier" not in text


@pytest.mark.parametrize(
    ("field", "value"),
    [("shop_origins", "shop.example"), ("join_url", "javascript:1"), ("popup_seconds", "1")],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(
    administrator: Client, field: str, value: str
) -> None:
    program = make_program()
    response = administrator.post(URL, filled(program=str(program.pk), **{field: value}))
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {field}
    assert get_storefront().program is None
    assert get_merchant().shop_origins == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_preview_is_the_real_thing(
    page: Any, live_server: Any, administrator: Client, assert_no_axe_violations: Any
) -> None:
    program = make_program("beans", name="Bean Club")
    administrator.post(URL, filled(program=str(program.pk), elements=list(Element)))
    session = administrator.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(URL)
    page.locator("setia-earn").get_by_text("Buy this and earn 12").wait_for()
    page.locator("setia-basket").get_by_text("You earn 25").wait_for()
    page.locator("setia-join").get_by_role("link", name="Join Bean Club").wait_for()
    assert_no_axe_violations(page)
