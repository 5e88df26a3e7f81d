"""What the demonstration gives to charities is there once, however often it is loaded."""

import datetime as dt

from django.utils import timezone

from loyalty.demo.giving import people_donate
from loyalty.models import CharityEntry, CharityPayout, Pledge
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import make_program, make_wallet, order, record


def test_the_demonstration_gives_once(db):
    now = timezone.now()
    charities = [
        {"code": "food-bank", "name": "Food Bank"},
        {"code": "trees", "name": "Trees", "thing_singular": "tree", "thing_plural": "trees"},
    ]
    program = make_program(
        at=now - dt.timedelta(days=200), unit={"unit_value": "0.01"}, charities=charities
    )
    for number in range(12):
        make_wallet(program, f"c{number}", now - dt.timedelta(days=150))
        record(
            order(f"A{number}", "900", buyer=f"c{number}", at=now - dt.timedelta(days=120)),
            order(f"B{number}", "60", buyer=f"c{number}", at=now - dt.timedelta(days=10)),
            now=now,
        )
    for _ in range(2):
        people_donate(program)
        kinds = list(CharityEntry.objects.order_by("pk").values_list("kind", flat=True))
        assert (kinds.count("donation"), kinds.count("pledge")) == (7, 12)
    assert CharityPayout.objects.get().status == "paid"
    assert str(Pledge.objects.get().given) == "1.2000"
    assert_ledger_coherent()
