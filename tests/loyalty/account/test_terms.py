"""The public page of a program's terms: what its live rules say, for anybody."""

import datetime as dt
import importlib
import pkgutil

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from loyalty import migrations
from loyalty.models import FormerUnitTerms
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from members.formatting import format_moment
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
    assert "Only when: It is Saturday." in text
    assert "the largest counts" in text
    assert "They never expire." in text
    assert "What was so before" not in text


def test_nothing_is_read_of_the_programs_file_that_the_terms_do_not_tell():
    program = make_program(earning_rules=RULES)
    untold = ("campaigns_journey", "loyalty_accountcode", "loyalty_launch")

    def tables_read(act):
        with CaptureQueriesContext(connection) as queries:
            act()
        return {table for table in untold for query in queries if f'"{table}"' in query["sql"]}

    assert tables_read(lambda: definition_of(program, timezone.now()))
    assert not tables_read(read)


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


PLUS = {"code": "plus", "name": "Plus", "price": "9.90", "period": "month", "trial_days": 14}


def plans(*said):
    return define(plans=list(said))


def plain(text):
    return strip_tags(text).replace("\u202f", " ")


def said_of(moment, program):
    return format_moment(moment, program.zone).replace("\xa0", " ").replace("\u202f", " ")


def test_prices_of_plans_as_they_were_stay_readable_with_their_day():
    program = make_program(plans=[PLUS])
    assert "What was so before" not in read()
    now = timezone.now()
    apply_definition(plans(PLUS | {"price": "12.00"}), actor=SYSTEM, now=now)
    with CaptureQueriesContext(connection) as once:
        text = read()
    before = text.index("What was so before")
    assert text.index("$12.00 a month") < before < text.index("$9.90 a month, 14 days free")
    assert f"Plus · until {said_of(now, program)}" in plain(text)
    apply_definition(plans(PLUS | {"price": "15.00"}), actor=SYSTEM, now=now + dt.timedelta(days=1))
    with CaptureQueriesContext(connection) as twice:
        text = read()
    before = text.index("What was so before")
    prices = [text.index(f"{price} a month") for price in ("$15.00", "$12.00", "$9.90")]
    assert prices[0] < before < prices[1] < prices[2]
    assert len(twice) == len(once)


def test_a_plan_that_is_no_more_is_told_of_among_what_was():
    program = make_program(plans=[PLUS])
    program.plans.update(ended_at=timezone.now(), offered=False)
    text = read()
    assert text.index("What was so before") < text.index("$9.90 a month")
    assert "Paid plans" not in text


def test_a_plan_that_was_never_offered_is_not_told_of():
    make_program(plans=[PLUS | {"offered": False}])
    later = PLUS | {"offered": False, "price": "12.00"}
    apply_definition(plans(later), actor=SYSTEM, now=timezone.now())
    assert "Plus" not in read()


UNIT = {"code": "points", "unit_value": "0.01"}
OTHERWISE = UNIT | {
    "expiry": {"kind": "months", "length": 12}, "pending_days": 14,
    "spending": {"least": 500, "share": 30},
}  # fmt: skip


def units(said):
    return define(wallet_types=[said])


def test_terms_of_units_as_they_were_stay_readable_with_their_day():
    program = make_program(wallet_types=[UNIT])
    now = timezone.now()
    apply_definition(units(OTHERWISE), actor=SYSTEM, now=now)
    text = read()
    before = text.index("What was so before")
    assert text.index("They can be used from 500 points on.") < before
    assert before < text.index("They never expire.")
    assert f"Points · until {said_of(now, program)}" in plain(text)
    changed = OTHERWISE | {"spending": {"least": 200}}
    apply_definition(units(changed), actor=SYSTEM, now=now + dt.timedelta(days=1))
    with CaptureQueriesContext(connection) as twice:
        text = read()
    found = [text.index(f"They can be used from {least} points on.") for least in (200, 500)]
    assert found[0] < text.index("What was so before") < found[1] < text.index("They never expire")
    apply_definition(units(UNIT), actor=SYSTEM, now=now + dt.timedelta(days=2))
    with CaptureQueriesContext(connection) as thrice:
        assert read().count("Points · until") == 3
    assert len(twice) == len(thrice)


def test_former_terms_are_put_into_words_when_they_are_read(monkeypatch):
    """So they are in the language of whoever reads them."""
    make_program(wallet_types=[UNIT], plans=[PLUS])
    changed = define(wallet_types=[OTHERWISE], plans=[PLUS | {"price": "12.00"}])
    apply_definition(changed, actor=SYSTEM, now=timezone.now())
    for module in ("loyalty.descriptions", "loyalty.plan_words"):
        monkeypatch.setattr(f"{module}._", lambda text: f"In words: {text}")
    before = read().partition("What was so before")[2]
    assert "In words: They never expire." in before
    assert "In words: $9.90 a month" in before


def test_new_names_of_units_are_no_other_terms():
    make_program(wallet_types=[UNIT])
    named = units(UNIT | {"singular": "star", "plural": "stars"})
    apply_definition(named, actor=SYSTEM, now=timezone.now())
    apply_definition(named, actor=SYSTEM, now=timezone.now())
    assert "What was so before" not in read()


def test_what_was_tried_out_before_a_program_was_live_is_no_former_term():
    make_program(status="draft", wallet_types=[UNIT], plans=[PLUS])
    later = define(status="live", wallet_types=[OTHERWISE], plans=[PLUS | {"price": "12.00"}])
    apply_definition(later, actor=SYSTEM, now=timezone.now())
    assert "What was so before" not in read()


def test_what_was_changed_before_former_terms_were_kept_is_read_off_lot_policies():
    make_program(wallet_types=[UNIT])
    apply_definition(units(OTHERWISE), actor=SYSTEM, now=timezone.now())
    FormerUnitTerms.objects.all().delete()
    [name] = [
        found.name
        for found in pkgutil.iter_modules(migrations.__path__)
        if found.name.endswith("_former_unit_terms")
    ]
    migration = importlib.import_module(f"loyalty.migrations.{name}")
    migration.keep_known(apps, None)
    text = read()
    assert text.index("What was so before") < text.index("They never expire.")
    assert FormerUnitTerms.objects.count() == 1
    migration.keep_known(apps, None)
    assert FormerUnitTerms.objects.count() == 1


def test_without_tiers_nothing_is_told_of_them():
    make_program()
    assert "Tiers" not in read()
