"""Gender: said if somebody likes, asked in conditions, merged, handed out and forgotten."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from members.errors import DomainError
from members.genders import understood
from members.models import Customer
from members.selectors.segments import customers_matching, merchant_moment, read_condition
from members.services.audit import SYSTEM
from members.services.customers import (
    create_customer,
    erase_customer_details,
    update_customer,
)
from members.services.merging import merge_customers
from tests.loyalty.factories import NOW

pytestmark = pytest.mark.django_db


def make(number: str, gender: str = "") -> Customer:
    return create_customer(actor=SYSTEM, external_id=number, given_name="Ana", gender=gender)


@pytest.mark.parametrize(("said", "kept"), [("Female", "female"), (" OTHER ", "other"), ("", "")])
def test_it_is_kept_in_one_form(said: str, kept: str) -> None:
    assert make("c1", said).gender == kept


def test_anything_else_is_refused_by_the_service_and_by_the_database() -> None:
    with pytest.raises(DomainError) as wrong:
        make("c1", "unknown")
    assert [error.field for error in wrong.value.errors] == ["gender"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.create(external_id="c2", gender="x")


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"op": "is", "value": "female"}, ["c1"]),
        ({"op": "one_of", "value": ["male", "other"]}, ["c2", "c3"]),
        ({"op": "empty"}, ["c4"]),
        # Who has not said is none of them, and not another either.
        ({"op": "is_not", "value": "female"}, ["c2", "c3", "c4"]),
    ],
)
def test_segments_ask_for_it(condition: dict[str, object], found: list[str]) -> None:
    for number, gender in enumerate(("female", "male", "other", ""), start=1):
        make(f"c{number}", gender)
    asked = read_condition({"field": "customer.gender", **condition})
    people = customers_matching(asked, merchant_moment(NOW))
    assert sorted(people.values_list("external_id", flat=True)) == found


def test_a_merge_fills_what_is_not_said() -> None:
    kept, merged = make("c1"), make("c2", "male")
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="backoffice", now=NOW)
    kept.refresh_from_db()
    assert kept.gender == "male"


def test_it_is_forgotten_with_the_person() -> None:
    customer = make("c1", "female")
    erase_customer_details(customer=customer, actor=SYSTEM)
    customer.refresh_from_db()
    assert customer.gender == ""


def test_it_is_taken_back_as_it_was_said() -> None:
    customer = make("c1", "female")
    update_customer(customer=customer, actor=SYSTEM, changes={"gender": ""})
    customer.refresh_from_db()
    assert customer.gender == ""


@pytest.mark.parametrize(
    ("said", "meant"),
    [("F", "female"), ("Male", "male"), ("Non-Binary", "other"), ("prefer not to say", "")],
)
def test_what_shops_send_is_understood_or_left_out(said: str, meant: str) -> None:
    assert understood(said) == meant
