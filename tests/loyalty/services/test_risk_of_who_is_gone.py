"""What is left to look at of members who were merged away, or erased."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from loyalty.models import Program, RiskCase, RiskScore
from members.models import Customer
from members.selectors.personal_data import tables_of
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers
from tests.loyalty.risks import bonus_club, follow, join_twice, open_case
from tests.rewards.services.racing import until_it_waits

pytestmark = pytest.mark.usefixtures("coherent_ledger")


@pytest.fixture
def club(db: None) -> Program:
    return bonus_club()


def test_a_duplicate_whose_one_was_erased_before_their_turn_leaves_nothing(club: Program) -> None:
    first, second = join_twice(club)
    run_scheduled(kind="risk_scores", now=timezone.now())
    merge_customers(
        kept=first.customer, merged=second.customer, actor=SYSTEM, source="backoffice",
        now=timezone.now(),
    )  # fmt: skip
    run_scheduled(kind="risk_scores", now=timezone.now())
    erase_customer_details(customer=first.customer, actor=SYSTEM)
    follow()
    assert RiskScore.objects.count() == 2
    run_scheduled(kind="risk_scores", now=timezone.now())
    assert not RiskScore.objects.exists()
    assert not RiskCase.objects.exists()


def test_what_is_known_of_somebody_names_no_row_of_others(club: Program) -> None:
    case = open_case(club)
    parts = {
        table.key: [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        for table in tables_of(case.membership.customer, for_staff=True)
        if table.part.key == "risk"
    }
    [told] = parts["riskcase"]
    assert {item["key"] for item in told["signals"]} == {"duplicates", "bonus_farming"}
    for rows in (parts["riskscore"], parts["riskcase"]):
        for item in rows[0]["signals"]:
            assert item["weight"]
            assert all(set(fact) == {"kind", "at", "place"} for fact in item["facts"])
    assert not {"chosen", "cleared", "lookalikes"} & {*parts["riskscore"][0], *told}


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_while_their_case_is_decided_is_erased_after_it(club: Program) -> None:
    case = open_case(club)
    customer = case.membership.customer

    def erase() -> None:
        try:
            with connection.cursor() as cursor:
                # The other begins to wait before; so it is here that it is noticed.
                cursor.execute("SET deadlock_timeout = '2s'")
            erase_customer_details(customer=customer, actor=SYSTEM)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '1min'")
            list(RiskScore.objects.select_for_update().filter(membership=case.membership))
            erasing = other.submit(erase)
            until_it_waits(erasing)
            Customer.objects.select_for_update().get(pk=customer.pk)
        erasing.result()
    customer.refresh_from_db()
    assert (customer.given_name, customer.email) == ("", "")
    assert not RiskScore.objects.filter(membership=case.membership).exists()
