"""The languages that a merchant offers: whatever customers read follows."""

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from members.languages import language_of, language_of_request, locale_of, offered_languages
from members.models import Customer, Merchant
from members.selectors.merchants import get_merchant
from members.services.audit import SYSTEM
from members.services.merchants import update_merchant
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def offer(*codes: str, default: str) -> None:
    update_merchant(actor=SYSTEM, changes={"languages": list(codes), "locale": default})


def test_all_are_offered_until_some_are_chosen() -> None:
    assert offered_languages().codes == tuple(dict(settings.LANGUAGES))
    offer("el", "ms", default="el")
    assert offered_languages().codes == ("ms", "el")
    assert offered_languages().default == "el"


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("ms", "ms"), ("ms-MY", "ms"), ("ms_MY", "ms"), ("zh-hant", "zh-hant"),
        ("zh-TW", "zh-hant"), ("zh", "zh-hant"),
        # Offered no more: the default. Never spoken, or not known: as the device is set.
        ("en", "ms"), ("en-GB", "ms"), ("zh-hans", "ms"), ("zh-cn", "ms"), ("fr", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_customer_reads_their_language_or_the_default(locale: str, language: str) -> None:
    offer("ms", "zh-hant", default="ms")
    assert language_of(CustomerFactory(locale=locale)) == language


def test_a_language_keeps_its_place_where_it_is_offered() -> None:
    offer("en", "ms", default="ms")
    read = [locale_of(CustomerFactory(locale=locale)) for locale in ("en-MY", "el-CY", "fr-CH")]
    assert read == ["en-MY", "ms", "fr-CH"]


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("", "", "el"), ("", "fr", "el"), ("", "ms,en;q=0.8", "en"), ("", "en;q=0.5,el", "el"),
        ("en", "el", "en"), ("ms", "en", "en"), ("ms", "*", "el"), ("%" * 600, "x" * 600, "el"),
    ],
)  # fmt: skip
def test_a_page_is_in_the_first_offered_language_that_its_reader_knows(
    cookie: str, accepted: str, language: str
) -> None:
    offer("en", "el", default="el")
    request = RequestFactory().get("/", headers={"Accept-Language": accepted})
    request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = cookie
    assert language_of_request(request) == language


def test_public_pages_and_what_is_installed_follow(client: Client) -> None:
    offer("ms", "el", default="el")
    page = client.get("/accounts/login/code/", headers={"Accept-Language": "en"})
    assert page["Content-Language"] == "el"
    text = page.content.decode()
    assert 'value="ms"' in text
    assert 'value="en"' not in text
    assert client.get(reverse("members:manifest")).json()["lang"] == "el"
    client.post("/i18n/setlang/", {"language": "ms", "next": "/"})
    assert client.get(reverse("members:manifest")).json()["lang"] == "ms"
    offer("el", default="el")
    assert "language-switch" not in client.get("/accounts/login/code/").content.decode()


def test_the_api_speaks_what_is_offered(client: Client) -> None:
    offer("ms", "el", default="el")
    for accepted, spoken in (("ms", "ms"), ("en", "el"), ("", "el")):
        answer = client.get("/api/v1/customers", headers={"Accept-Language": accepted})
        assert (answer.status_code, answer["Content-Language"]) == (401, spoken)


def test_the_database_keeps_the_default_among_those_offered() -> None:
    get_merchant()
    with pytest.raises(IntegrityError, match="merchant_speaks_its_default"), transaction.atomic():
        Merchant.objects.update(languages=["ms"], locale="en")


def test_nobody_loses_what_they_chose(client: Client) -> None:
    customer = CustomerFactory(locale="zh-hans")
    offer("en", default="en")
    assert language_of(customer) == "en"
    offer("en", "zh-hans", default="en")
    assert language_of(Customer.objects.get(pk=customer.pk)) == "zh-hans"
