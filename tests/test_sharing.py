"""What a module shares is there for each of its tests, and gone before one that commits."""

from __future__ import annotations

import pytest
from django.db import connection

from members.models import Customer
from tests.sharing import shared


def make_ida() -> int:
    return Customer.objects.create(external_id="ida").pk


ida = shared(make_ida)


# It comes last, wherever it is written.
@pytest.mark.django_db(transaction=True)
def test_before_one_that_commits_it_is_rolled_back() -> None:
    assert not connection.in_atomic_block
    assert not Customer.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("_time", ["first", "again"])
def test_each_finds_what_was_made_and_not_what_another_did(ida: int, _time: str) -> None:
    assert [customer.pk for customer in Customer.objects.all()] == [ida]
    Customer.objects.all().delete()
