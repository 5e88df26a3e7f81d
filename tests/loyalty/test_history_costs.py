"""What it costs to find one member's history among those of others."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from loyalty.models import Membership
from loyalty.selectors.statements import _wallets_of
from loyalty.selectors.transfers import history_of
from loyalty.services.memberships import enroll_many
from members.models import Customer
from tests.loyalty.factories import NOW, make_program, make_wallet
from tests.loyalty.services.merging import merge
from tests.plans import rows_read
from tests.sharing import shared

CROWD = 1_000


def make_crowd() -> None:
    program = make_program()
    for number in ("c1", "c2"):
        make_wallet(program, number)
    merge()
    others = Customer.objects.bulk_create(
        Customer(external_id=f"other {number}") for number in range(CROWD)
    )
    joined = dict.fromkeys([customer.pk for customer in others], NOW)
    with transaction.atomic():
        enroll_many(program_id=program.pk, enrolled=joined, source="import")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE loyalty_wallet, loyalty_membership")


crowd = shared(make_crowd)
LOOKS = {
    "history": lambda member: list(history_of([member])),
    "statement": _wallets_of,
}


@pytest.mark.usefixtures("crowd", "db")
@pytest.mark.parametrize("look", LOOKS)
def test_the_wallets_of_one_member_are_found_without_reading_those_of_others(look: str) -> None:
    """Also those of who was merged into them."""
    member = Membership.objects.get(customer__external_id="c1")
    read = rows_read(lambda: LOOKS[look](member), 'FROM "loyalty_wallet"')
    assert read["loyalty_wallet"] == 2
    assert read["loyalty_membership"] <= 4
