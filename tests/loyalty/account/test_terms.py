"""The public page of a program's terms: what its live rules say, for anybody."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.services.programs import apply_definition
from members.services.audit import SYSTEM
from tests.loyalty.factories import day, define, make_program

pytestmark = pytest.mark.django_db

RULES = [
    {"code": "base", "name": "A point a dollar"},
    {"code": "tea", "name": "Tea time", "kind": "multiplier", "factor": 3,
     "include": {"categories": ["Tea"]},
     "when": {"field": "order.weekday", "op": "one_of", "value": ["saturday"]}},
    {"code": "web", "name": "Online", "kind": "multiplier", "factor": 2,
     "when": {"field": "order.channel", "op": "is", "value": "web"}},
]  # fmt: skip


def read(code: str = "club") -> str:
    response = Client().get(f"/programs/{code}/terms/")
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def test_anybody_reads_what_earns_and_what_becomes_of_it():
    make_program(earning_rules=RULES)
    text = read()
    assert "1 point for each $1.00 spent." in text
    assert "3 times what rates and cashback give." in text
    assert "Only when: Weekday is one of Saturday." in text
    assert "the largest counts" in text
    assert "They never expire." in text
    assert "What was so before" not in text


def test_what_was_so_before_stays_readable():
    make_program(earning_rules=RULES[:1])
    changed = [{"code": "base", "name": "A point a dollar", "units": 2}]
    apply_definition(define(earning_rules=changed), actor=SYSTEM, now=timezone.now())
    text = read()
    assert text.index("2 points for each $1.00 spent.") < text.index("What was so before")
    assert text.index("What was so before") < text.index("1 point for each $1.00 spent.")


def test_what_is_announced_is_not_yet_among_what_counts():
    program = make_program(earning_rules=RULES[:1])
    rule = program.earning_rules.get()
    now = timezone.now()
    rule.versions.create(
        number=2, status="published", body={"kind": "rate", "units": 7}, published_at=now,
        starts_at=now + (day(5) - day(0)), ends_at=now + (day(9) - day(0)),
    )  # fmt: skip
    text = read()
    assert text.index("What begins soon") < text.index("7 points for each $1.00 spent.")


@pytest.mark.parametrize("status", ["draft", "archived", None])
def test_only_live_programs_have_terms(status):
    if status:
        make_program(status="live" if status == "archived" else status)
    if status == "archived":
        apply_definition(define(status="archived"), actor=SYSTEM, now=timezone.now())
    assert Client().get("/programs/club/terms/").status_code == 404


def asking(when):
    return [{"code": "base", "name": "A point a dollar", "when": when}]


def test_what_the_shop_knows_of_its_customers_is_not_said_to_anybody():
    make_program(earning_rules=asking({"all": [
        {"field": "customer.tags", "op": "has_any", "value": ["slow payer"]},
        {"field": "customer.email", "op": "contains", "value": "@rival.example"},
        {"field": "order.channel", "op": "is", "value": "web"},
    ]}))  # fmt: skip
    text = read()
    assert "Only when: The shop has chosen you for it and channel is web." in text
    assert "slow payer" not in text
    assert "rival" not in text


def test_labels_of_products_are_not_said_to_anybody():
    inside = {"lines": "any", "where": {"field": "line.tags", "op": "has_any", "value": ["dud"]}}
    make_program(earning_rules=asking(inside))
    text = read()
    assert "Only when: There are certain items in it." in text
    assert "dud" not in text


def test_tiers_are_told_with_what_they_bring_and_how_they_are_lost():
    gold = {"code": "gold", "name": "Gold", "threshold": 500,
            "benefits": [{"kind": "multiplier", "factor": 2}, {"kind": "concierge"}]}  # fmt: skip
    make_program(
        tiers={"tiers": [{"code": "base", "name": "Member"}, gold], "downgrade": "soft_landing",
               "grace_days": 14}
    )  # fmt: skip
    text = read()
    assert text.index("Member") < text.index("from $500.00")
    assert "2 × points on purchases" in text
    assert "added up over the calendar year" in text
    assert "falls by one step at most" in text
    assert "You keep it for 14 days more." in text


def test_tiers_as_they_were_stay_readable_however_often_they_changed():
    def tiers(threshold: int) -> dict[str, object]:
        gold = {"code": "gold", "name": "Gold", "threshold": threshold,
                "benefits": [{"kind": "concierge"}]}  # fmt: skip
        return {"tiers": [{"code": "base", "name": "Member"}, gold]}

    make_program(tiers=tiers(500))
    assert "What was so before" not in read()
    apply_definition(define(tiers=tiers(600)), actor=SYSTEM, now=timezone.now())
    with CaptureQueriesContext(connection) as once:
        text = read()
    assert text.index("from $600.00") < text.index("What was so before")
    assert text.index("What was so before") < text.index("from $500.00")
    apply_definition(define(), actor=SYSTEM, now=timezone.now())
    with CaptureQueriesContext(connection) as twice:
        text = read()
    before = text.index("What was so before")
    assert before < text.index("from $600.00") < text.index("from $500.00")
    assert len(twice) == len(once)


def test_without_tiers_nothing_is_told_of_them():
    make_program()
    assert "Tiers" not in read()
