"""A module of which some tests commit: each test has the world that it begins with, and what is
refused is undone in those that do not commit, too."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from members.errors import DomainError
from members.models import Customer
from members.services.transactions import run_atomically
from tests.sharing import of_each_test

_made_once, eva = of_each_test(lambda: Customer.objects.create(external_id="eva"))


@pytest.mark.parametrize(
    "_how",
    [
        "shared",
        pytest.param("committed", marks=pytest.mark.django_db(transaction=True)),
        "shared again",
    ],
)
def test_each_has_a_world_whether_it_commits_or_not(eva: Customer, _how: str) -> None:
    assert Customer.objects.get(external_id="eva") == eva
    assert connection.in_atomic_block == (_how != "committed")
    assert eva.given_name == ""
    eva.given_name = "Eva"
    eva.save()


def write_and_refuse() -> None:
    Customer.objects.create(external_id="ben")
    raise DomainError("no")


@pytest.mark.django_db
@pytest.mark.usefixtures("undone_when_refused")
def test_what_is_refused_is_undone_without_committing() -> None:
    with pytest.raises(DomainError):
        run_atomically(write_and_refuse)
    assert not Customer.objects.filter(external_id="ben").exists()
    # Within somebody else's transaction it is for them to decide.
    with transaction.atomic():
        with pytest.raises(DomainError):
            run_atomically(write_and_refuse)
        assert Customer.objects.filter(external_id="ben").exists()
