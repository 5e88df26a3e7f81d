"""What a module shares is there for each of its tests, and gone before one that commits."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from loyalty.models import Program
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import NOW, define, make_program
from tests.sharing import anew, rolled_back, shared


def make_ida() -> int:
    return Customer.objects.create(external_id="ida").pk


def make_ben() -> Customer:
    return Customer.objects.create(external_id="ben")


ida = shared(make_ida)
ben_once = shared(make_ben)
club_once = shared(make_program)


@pytest.fixture
def ben(ben_once: Customer, db: None) -> Customer:
    return anew(ben_once)


# It comes after those that share something, wherever it is written.
@pytest.mark.django_db
def test_one_that_asks_for_nothing_that_is_shared_finds_none_of_it() -> None:
    assert not Customer.objects.exists()
    assert not Program.objects.exists()


# It comes last.
@pytest.mark.django_db(transaction=True)
def test_before_one_that_commits_it_is_rolled_back() -> None:
    assert not connection.in_atomic_block
    assert not Customer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_that_commits_has_what_the_same_function_makes_for_it(ben: Customer) -> None:
    assert not connection.in_atomic_block
    assert [customer.pk for customer in Customer.objects.all()] == [ben.pk]


def test_what_is_opened_anew_is_a_copy(ben_once: Customer, ben: Customer) -> None:
    assert (ben.pk, ben is ben_once) == (ben_once.pk, False)


@pytest.mark.django_db
@pytest.mark.parametrize("_time", ["first", "again"])
def test_each_finds_what_was_made_and_not_what_another_did(ida: int, _time: str) -> None:
    assert [customer.pk for customer in Customer.objects.filter(external_id="ida")] == [ida]
    Customer.objects.all().delete()


@pytest.mark.parametrize("_time", ["first", "again"])
def test_each_begins_with_the_terms_of_what_is_shared(
    club_once: Program, db: None, django_assert_num_queries: Any, _time: str
) -> None:
    anew(club_once)
    with django_assert_num_queries(1):
        # It asks whether they changed.
        assert [program.live for program in fresh_terms().programs] == [True]
    apply_definition(define(status="archived"), actor=SYSTEM, now=NOW)
    assert [program.live for program in fresh_terms().programs] == [False]


@pytest.mark.django_db
def test_within_an_example_begins_what_must_be_the_outermost_and_is_undone_with_it() -> None:
    with rolled_back(), transaction.atomic(durable=True):
        Customer.objects.create(external_id="eve")
    assert not Customer.objects.filter(external_id="eve").exists()
