"""The plain SQL that the benchmark compares Setia with writes rows that the database takes."""

from pathlib import Path

import pytest
from django.db import connection

from rewards.models import Redemption, Voucher
from tests.loyalty.factories import NOW
from tests.rewards.factories import make_member, offer

BENCH = Path(__file__).parent.parent / "bench"


def call(function, *arguments):
    marks = ", ".join(["%s"] * len(arguments))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({marks})", arguments)


@pytest.mark.django_db
def test_an_accrual_a_reservation_and_its_issue_as_plain_sql():
    member = make_member()
    reward = offer(member.program, stock=5)
    with connection.cursor() as cursor:
        for name in ("raw.sql", "rewards.sql"):
            cursor.execute((BENCH / name).read_text(encoding="utf-8"))
    call("bench_accrual", member.customer.external_id, NOW)
    call("bench_reserve", member.customer.external_id, reward.pk, "raw-1", NOW)
    call("bench_issue", "raw-1", NOW)
    taken = Redemption.objects.get(key="raw-1")
    reward.refresh_from_db()
    assert (taken.status, taken.stocked, reward.taken) == ("issued", True, 1)
    assert Voucher.objects.get(membership=member).pk == taken.voucher_id
