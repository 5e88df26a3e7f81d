"""Random keys and tokens of tests hold no words and no numbers, and stay random."""

import inspect
import re
import uuid

import pytest
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.urls import reverse

from campaigns import fair_draws
from members.models import Customer
from tests.factories import CustomerFactory

SIGNS = re.compile(r"[JQXZjqxz]+")


def test_a_key_has_no_digit_but_its_version() -> None:
    drawn = {str(uuid.uuid4()) for _time in range(1000)}
    assert len(drawn) == 1000
    for key in drawn:
        assert re.fullmatch(r"[a-f]{8}-[a-f]{4}-4[a-f]{3}-[ab][a-f]{3}-[a-f]{12}", key), key
        assert uuid.UUID(key).version == 4


@pytest.mark.django_db
def test_rows_have_such_keys() -> None:
    key = Customer.objects.get(pk=CustomerFactory().pk).public_id
    assert not set("012356789") & set(str(key))


def test_the_token_of_a_form_makes_no_words() -> None:
    drawn = [get_token(RequestFactory().get("/")) for _time in range(100)]
    assert len(set(drawn)) == 100
    assert all(SIGNS.fullmatch(token) and len(token) == 64 for token in drawn)


def test_the_one_number_of_a_million_that_would_miss_is_passed_over() -> None:
    number_of = inspect.unwrap(fair_draws.number_of)
    for number, drawn in ((0, 0), (999_998, 999_998), (999_999, None)):
        assert fair_draws.number_of(f"{number:012x}", 1_000_000) == drawn
        assert number_of(f"{number:012x}", 1_000_000) == number
    assert fair_draws.number_of(f"{99:012x}", 100) == 99


@pytest.mark.django_db
def test_forms_are_still_checked() -> None:
    client, address = Client(enforce_csrf_checks=True), reverse("account_login")
    token = client.get(address).context["csrf_token"]
    form = {"login": "nobody@example.com", "password": "wrong"}
    assert client.post(address, form).status_code == 403
    other = get_token(RequestFactory().get("/"))
    assert client.post(address, form | {"csrfmiddlewaretoken": other}).status_code == 403
    assert client.post(address, form | {"csrfmiddlewaretoken": f"{token}"}).status_code == 200
