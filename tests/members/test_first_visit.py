"""The first administrator and the merchant, by the address that the terminal shows."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from members.errors import ConflictError
from members.models import AuditEntry, Merchant, StaffMember, User
from members.services.first_visit import begin_installation, first_visit_token
from tests.factories import StaffMemberFactory

pytestmark = pytest.mark.django_db
SAID = {
    "your_name": "Mona Rahman", "email": "Mona@Example.com", "password": "correct-horse-battery",
    "name": "Roastery", "accent_color": "#7c2d12", "currency": "MYR",
    "time_zone": "Asia/Kuala_Lumpur", "locale": "en", "languages": ["en", "ms"],
}  # fmt: skip


def address(token: str = "") -> str:
    return reverse("members:first_visit", args=[token or first_visit_token()])


def test_the_first_visit_makes_administrator_and_merchant_and_signs_in(client: Client) -> None:
    there = address()
    page = client.get(there)
    assert "Nobody works here yet" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    answer = client.post(there, SAID)
    assert answer.url == reverse("backoffice:home")
    assert client.get(answer.url).status_code == 200
    member = StaffMember.objects.get()
    assert (member.role, member.user.email) == ("administrator", "mona@example.com")
    assert member.user.check_password("correct-horse-battery")
    merchant = Merchant.objects.get()
    assert (merchant.name, merchant.currency) == ("Roastery", "MYR")
    assert (merchant.locale, merchant.languages) == ("en", ["en", "ms"])
    assert AuditEntry.objects.filter(actor_label="first visit").count() == 2


@pytest.mark.parametrize(
    ("languages", "currency"),
    [("de-CH,de;q=0.9", "CHF"), ("fr,en-GB;q=0.8", "GBP"), ("en", "USD"), ("x-y,zh-Hans", "USD")],
)
def test_the_currency_is_that_of_the_browsers_country(
    client: Client, languages: str, currency: str
) -> None:
    page = client.get(address(), headers={"accept-language": languages})
    assert page.context["merchant_form"]["currency"].value() == currency


def test_it_works_once(client: Client) -> None:
    there, token = address(), first_visit_token()
    assert client.post(there, SAID).status_code == 302
    assert first_visit_token() == ""
    for answer in (Client().get(there), Client().post(there, SAID)):
        assert answer.status_code == 404
    said = {"name": "Eve", "email": "eve@example.com", "password": "correct-horse-battery"}
    with pytest.raises(ConflictError):
        begin_installation(token=token, merchant={}, **said)
    assert StaffMember.objects.count() == 1


def test_another_address_leads_nowhere(client: Client) -> None:
    for token in ("x", first_visit_token()[:-1], "0" * 40):
        assert client.post(address(token), SAID).status_code == 404
    assert not User.objects.exists()


def test_where_somebody_works_already_there_is_no_such_page(client: Client) -> None:
    there = address()
    StaffMemberFactory()
    assert client.get(there).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "12345678"}, "too common"),
        ({"email": "nobody"}, "e-mail"),
        ({"name": ""}, "required"),
        ({"time_zone": "Mars/Olympus"}, "valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(
    client: Client, wrong: dict[str, Any], words: str
) -> None:
    answer = client.post(address(), {**SAID, **wrong})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not User.objects.exists()
    assert not StaffMember.objects.exists()
