"""Tiers that are gone on with from what earlier facts came to: the same as from the first fact on,
and at the same cost however long the history."""

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from loyalty.models import Membership, MemberTier, OrderEvaluation, Program, TierCheckpoint
from loyalty.selectors.member_tiers import standings
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.selectors.tier_checks import verify_tiers
from loyalty.services.cache_repairs import repair_caches
from loyalty.services.manual_tiers import give_tier
from loyalty.services.tier_sets import change_tiers
from loyalty.tier_definitions import TiersDefinition
from loyalty.tiers import checkpoints
from members.models import Customer
from members.read_once import reading_once
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from tests.loyalty.factories import day, give_back, order, record, refund
from tests.loyalty.histories import LONG
from tests.loyalty.ladders import LADDER, tiered, tiers
from tests.plans import rows_read

pytestmark = pytest.mark.django_db

Act = Callable[[dt.datetime], Any]
HOUR = dt.timedelta(hours=1)

SETTINGS = [
    {"window": "calendar_year"},
    {"window": "rolling_12_months", "downgrade": "soft_landing", "grace_days": 14},
    {"window": "rolling_12_months", "downgrade": "immediate", "refunds_count_on": "refund_date"},
    {"window": "rolling_12_months", "downgrade": "to_base"},
    {"window": "lifetime", "counts_from": "confirmed"},
    {"metric": "units", "wallet_type": "points", "window": "membership_year"},
    {"metric": "orders", "window": "rolling_12_months",
     "tiers": [LADDER[0], LADDER[1] | {"threshold": 3}, LADDER[2] | {"threshold": 6}]},
]  # fmt: skip


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories of four facts are cut already."""
    monkeypatch.setattr(checkpoints, "LONGEST", 3)
    monkeypatch.setattr(checkpoints, "RECENT", 1)


def program_terms() -> Any:
    [terms] = fresh_terms().programs
    return terms


def acts(seed: int, program: Program) -> list[tuple[dt.datetime, Act]]:
    """What happens to two people and when it is heard of: most of it at once, some weeks later."""
    dice = random.Random(seed)
    found: list[tuple[dt.datetime, Act]] = []

    def add(at: dt.datetime, act: Act) -> None:
        late = dice.randrange(60 * 24) if dice.random() < 0.3 else 0
        found.append((at + late * HOUR, act))

    for number in range(22 if LONG else 14):
        at, total = day(dice.randrange(700)), dice.randrange(20, 500)
        buyer = dice.choice(["c1", "c1", "c2"])
        bought = order(f"A{number}", str(total), at=at, buyer=buyer)
        add(at, lambda now, bought=bought: record(bought, now=now))
        late = at + dice.randrange(60 * 24) * HOUR
        if dice.random() < 0.35:
            part = dice.choice([total, total // 2, 1])
            back = refund(f"R{number}", str(part), of=f"A{number}", at=late, buyer=buyer)
            add(late, lambda now, back=back: give_back(back, now=now))
        elif dice.random() < 0.2:
            told = order(f"A{number}", "0", at=at, buyer=buyer, status="cancelled")
            add(late, lambda now, told=told: record(told, now=now))
    other = TiersDefinition.model_validate(tiers(window="calendar_year", downgrade="immediate"))
    turn = day(dice.randrange(300, 600))
    found.append(
        (turn, lambda now: change_tiers(program=program, tiers=other, actor=SYSTEM, now=now))
    )
    return sorted(found, key=lambda pair: pair[0])


def merged_for_a_while(begins: dt.datetime, ends: dt.datetime) -> list[tuple[dt.datetime, Act]]:
    done: list[Any] = []

    def merge(now: dt.datetime) -> None:
        kept, merged = (Customer.objects.get(external_id=number) for number in ("c1", "c2"))
        done.append(
            merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="backoffice", now=now)[0]
        )

    def part(now: dt.datetime) -> None:
        undo_merge(merge=done[0], actor=SYSTEM, source="backoffice", now=now)

    return [(begins, merge), (ends, part)]


def assert_all_is_as_if_begun_anew(now: dt.datetime) -> int:
    """What is written down and what is gone on with; how many of the latter there are."""
    terms = program_terms()
    members = list(Membership.objects.exclude(status=Membership.Status.MERGED).order_by("pk"))
    # What is worked out from the first fact on is, once.
    with reading_once():
        fresh = standings(terms, members, at=now, from_the_first=True)
        assert verify_tiers(now) is None
    for row in MemberTier.objects.select_related("tier"):
        if row.changes_at is None or row.changes_at > now:
            stands = fresh[row.pk]
            assert (row.tier.code, row.since, row.total, row.lost_at) == (
                stands.tier, stands.span.since, stands.total, stands.lost and stands.lost.at,
            )  # fmt: skip
    return TierCheckpoint.objects.count()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("settings", SETTINGS)
def test_whatever_is_told_late_it_is_gone_on_with_rightly(
    settings: dict[str, Any], seed: int, short: None
) -> None:
    program = tiered(**settings)
    told = acts(seed, program)
    told += merged_for_a_while(day(400), day(620))
    kept = 0
    for now, act in sorted(told, key=lambda pair: pair[0]):
        act(now)
        kept += assert_all_is_as_if_begun_anew(now)
    assert kept > 0 or settings.get("counts_from") == "confirmed"
    assert verify_tiers(day(3000)) is None


def buy(*numbers: int, total: str = "10", every: int = 1) -> None:
    for number in numbers:
        record(order(f"A{number}", total, at=day(number * every)))


def test_short_histories_are_gone_through_each_time() -> None:
    tiered()
    buy(*range(10))
    assert not TierCheckpoint.objects.exists()


def test_what_is_told_late_drops_what_came_after_it(short: None) -> None:
    tiered(window="lifetime")
    buy(*range(10))
    kept = TierCheckpoint.objects.get()
    assert kept.at > day(5)
    record(order("B", "10", at=day(20)))
    assert TierCheckpoint.objects.get().at >= kept.at
    with transaction.atomic():
        record(order("late", "10", at=day(1)), now=day(21))
        assert TierCheckpoint.objects.get().total == kept.total + 20
        transaction.set_rollback(True)
    with transaction.atomic():
        give_back(refund("R", "4", of="A1", at=day(21)))
        assert TierCheckpoint.objects.get().at > day(21)
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE loyalty_order SET total = 11 WHERE external_id = 'A2'")
    assert not TierCheckpoint.objects.exists()


@pytest.mark.parametrize(
    "bent",
    [
        {"rank": 6}, {"basis": ""}, {"changes": []}, {"tiers_since": day(-2000)},
        {"at": day(-2000)}, {"turn": day(900), "anew": day(2)},
    ],
)  # fmt: skip
def test_the_database_refuses_what_cannot_be(bent: dict[str, Any], short: None) -> None:
    tiered()
    buy(*range(6))
    with pytest.raises(DatabaseError), transaction.atomic():
        TierCheckpoint.objects.update(**bent)


def test_one_that_is_wrong_is_found_and_put_right(short: None) -> None:
    tiered(window="lifetime")
    buy(*range(6), total="90")
    TierCheckpoint.objects.update(total=1000)
    record(order("B", "10", at=day(9)))
    assert MemberTier.objects.get().total > 1000
    drift = verify_tiers(day(10))
    assert drift is not None
    assert drift.count == 1
    with pytest.raises(CommandError, match="1 of"):
        call_command("verify_ledger")
    assert repair_caches(actor=SYSTEM, now=day(10)).tiers == 1
    assert verify_tiers(day(10)) is None
    assert not TierCheckpoint.objects.exists()
    buy(11)
    assert MemberTier.objects.get().total == 560


def test_what_was_given_by_hand_stays_on_top(short: None) -> None:
    tiered()
    buy(*range(8))
    member = Membership.objects.get()
    give_tier(membership=member, tier="gold", reason="VIP", until=None, actor=SYSTEM, now=day(8))
    buy(9)
    assert MemberTier.objects.get().tier.code == "gold"
    assert assert_all_is_as_if_begun_anew(day(10)) == 1


def facts_read(act: Callable[[], Any]) -> int:
    """Rows that the database hands out for the facts of tiers."""
    return sum(rows_read(act, "AS k (member, since)").values())


def long_history(orders: int) -> None:
    """One order a day, told at once."""
    for start in range(0, orders, 500):
        record(
            *(order(f"A{n}", "10", at=day(n)) for n in range(start, min(orders, start + 500))),
            now=day(orders),
        )


@pytest.mark.parametrize("window", ["calendar_year", "rolling_12_months", "lifetime"])
def test_an_order_reads_no_more_of_a_long_history(window: str) -> None:
    tiered(window=window)
    read = {}
    long_history(60)
    for orders in (60, 180):
        long_history(orders)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE loyalty_order, loyalty_orderevaluation, loyalty_orderline")
        # What was told at once is gone through once, by the next order.
        record(order(f"B{orders}", "10", at=day(orders)))
        read[orders] = facts_read(lambda at=orders: record(order(f"C{at}", "10", at=day(at + 1))))
    assert read[180] <= read[60] + 20


def test_a_wish_before_the_checkpoint_is_priced_by_what_was_then(short: None) -> None:
    tiered(window="lifetime")
    buy(*range(8), total="100")
    record(order("late", "50", at=day(2)), now=day(9))
    context = OrderEvaluation.objects.get(order__external_id="late").context
    assert context["tier"] == "base"
    assert OrderEvaluation.objects.get(order__external_id="A7").context["tier"] == "silver"
