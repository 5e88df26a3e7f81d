"""Reviews of members who stand alike: the same as one by one, written together; and the changes of
tiers that are said."""

import random
from itertools import pairwise
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.models import Membership, MemberTier, Program, TierChange
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services import tier_reviews
from loyalty.services.manual_tiers import give_tier
from loyalty.services.member_tiers import KIND, rebuild_tiers
from loyalty.services.tier_reviews import review_alike
from loyalty.services.tier_sets import change_tiers
from loyalty.tier_definitions import TiersDefinition
from members.models import Customer, OutboxEvent
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from members.services.merging import merge_customers, undo_merge
from members.services.outbox import deliver_waiting
from tests.loyalty.factories import day, give_back, order, record, refund
from tests.loyalty.ladders import held_by, tiered, tiers
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db

DOWNGRADES = ["none", "soft_landing", "recompute", "to_base", "immediate"]
LATER = [370, 400, 560, 740, 800, 1200]


def rows() -> list[dict[str, Any]]:
    return list(MemberTier.objects.order_by("pk").values())


def changes() -> list[tuple[Any, ...]]:
    fields = ("membership", "was", "became", "at", "why")
    return list(TierChange.objects.order_by("membership", "pk").values_list(*fields))


def events() -> list[dict[str, Any]]:
    found = OutboxEvent.objects.filter(kind="tier.changed").order_by("pk")
    return [event.payload for event in found]


def buy_all_sorts(seed: int) -> None:
    """A dozen people, some of them alike."""
    dice = random.Random(seed)
    told = []
    for number in range(12):
        for turn in range(dice.randrange(1, 4)):
            total = dice.choice(["100", "500", "700", "1500", "1600"])
            at = day(dice.choice([0, 3, 40, 300, 360]))
            told.append(order(f"A{number}-{turn}", total, at=at, buyer=f"c{number}"))
    record(*told, now=day(365))


@pytest.mark.parametrize("grace_days", [0, 20])
@pytest.mark.parametrize("window", ["calendar_year", "membership_year"])
@pytest.mark.parametrize("downgrade", DOWNGRADES)
def test_reviewed_together_they_stand_where_they_stand_one_by_one(
    downgrade: str, window: str, grace_days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiered(window=window, downgrade=downgrade, grace_days=grace_days)
    buy_all_sorts(len(downgrade) + grace_days)
    for days in LATER:
        with transaction.atomic():
            monkeypatch.setattr("loyalty.services.member_tiers.programs_with_periods", lambda _: [])
            rebuild_tiers(now=day(days))
            one_by_one = rows(), changes(), [event | {"change": 0} for event in events()]
            transaction.set_rollback(True)
        monkeypatch.undo()
        due = MemberTier.objects.filter(changes_at__lte=day(days))
        assert not due.filter(by_clock=False).exists()
        with CaptureQueriesContext(connection) as queries:
            rebuild_tiers(now=day(days))
        assert not any("AS k (member, since)" in query["sql"] for query in queries)
        together = rows(), changes(), [event | {"change": 0} for event in events()]
        for mine, theirs in zip(together, one_by_one, strict=True):
            assert sorted(map(str, mine)) == sorted(map(str, theirs))
        rebuild_tiers(now=day(days), all_of_them=True)
        assert rows() == together[0]


def test_who_does_not_stand_alike_is_gone_through_alone() -> None:
    tiered(downgrade="recompute")
    record(order("A", "600", at=day(0)), order("B", "600", at=day(0), buyer="c2"))
    given = Membership.objects.get(customer__external_id="c2")
    give_tier(membership=given, tier="gold", reason="VIP", until=None, actor=SYSTEM, now=day(1))
    # By a clock that goes four minutes before ours.
    record(order("C", "600", at=day(1 + 4 / 1440), buyer="c3"), now=day(1))
    alike = MemberTier.objects.filter(by_clock=True)
    assert [row.membership.customer.external_id for row in alike] == ["c1"]
    rebuild_tiers(now=day(750))
    assert held_by("c1").tier.code == "base"
    assert held_by("c2").tier.code == "gold"
    assert held_by("c3").tier.code == "base"


def test_what_is_told_in_any_order_ends_with_the_tier_that_was_said_last() -> None:
    tiered(downgrade="immediate", window="rolling_12_months")
    told = [order(f"A{n}", "300", at=day(n * 30)) for n in range(12)]
    random.Random(3).shuffle(told)
    for thing in told:
        record(thing, now=day(400))
    found = events()
    assert found[-1]["to"] == held_by().tier.code
    assert all(one["to"] == two["from"] for one, two in pairwise(found))


# Those above have ladders of their own: none does after this one.
_made_once, ladder = of_each_test(tiered)


def test_nobody_is_reviewed_together_by_tiers_that_are_no_more(ladder: Program) -> None:
    record(order("A", "600", at=day(0)))
    other = TiersDefinition.model_validate(tiers(window="lifetime"))
    change_tiers(program=ladder, tiers=other, actor=SYSTEM, now=day(5))
    [terms] = fresh_terms().programs
    assert not MemberTier.objects.filter(by_clock=True).exists()
    assert review_alike(terms, now=day(800)) == (0, 0)
    rebuild_tiers(now=day(800))
    assert held_by().tier.code == "silver"


def test_a_review_goes_piece_by_piece(ladder: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        record(order(f"A{number}", "600", at=day(0), buyer=f"c{number}"))
    monkeypatch.setattr(tier_reviews, "PIECE", 3)
    job = run_scheduled(kind=KIND, now=day(800))
    assert job is not None
    assert job.result["looked_at"] == 7
    assert set(MemberTier.objects.values_list("tier__code", flat=True)) == {"base"}
    assert len(events()) == 14
    rebuild_tiers(now=day(800))
    assert len(events()) == 14


def test_the_review_of_many_takes_as_many_queries_as_that_of_one(ladder: Program) -> None:
    counts = []
    for people in (1, 40):
        told = [
            order(f"A{people}-{number}", "600", at=day(0), buyer=f"c{people}-{number}")
            for number in range(people)
        ]
        record(*told)
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            rebuild_tiers(now=day(800))
            counts.append(len(queries))
            transaction.set_rollback(True)
    assert counts[0] == counts[1]


# --- What is said of it ---------------------------------------------------------------------------


def test_an_upgrade_is_said_at_once_and_once(ladder: Program) -> None:
    record(order("A", "600", at=day(0)))
    record(order("A", "600", at=day(0)))
    record(order("B", "10", at=day(1)))
    [change] = TierChange.objects.all()
    assert (change.was, change.became, change.at, change.why) == (
        "base", "silver", day(0), "reached",
    )  # fmt: skip
    assert events() == [
        {
            "change": change.pk, "membership": change.membership_id,
            "program": change.membership.program_id, "from": "base", "to": "silver",
            "reason": "reached", "at": day(0).isoformat(),
        }
    ]  # fmt: skip
    deliver_waiting(100)
    assert not OutboxEvent.objects.filter(kind="tier.changed", delivered_at=None).exists()


def test_what_is_told_late_says_nothing_where_the_tier_is_the_same(ladder: Program) -> None:
    record(order("A", "600", at=day(5)))
    record(order("late", "600", at=day(1)), now=day(6))
    assert held_by().since == day(1)
    assert len(events()) == 1


def test_what_comes_back_and_is_bought_again_is_a_change_each_time(ladder: Program) -> None:
    record(order("A", "600", at=day(0)))
    give_back(refund("R", "600", of="A", at=day(3)))
    record(order("B", "600", at=day(4)))
    assert [(event["from"], event["to"], event["reason"]) for event in events()] == [
        ("base", "silver", "reached"), ("silver", "base", "revoked"), ("base", "silver", "reached"),
    ]  # fmt: skip


def test_a_loss_is_said_by_the_job_and_holds_before_it(ladder: Program) -> None:
    record(order("A", "600", at=day(0)))
    record(order("B", "10", at=day(800)), now=day(800))
    assert [event["to"] for event in events()] == ["silver", "base"]
    rebuild_tiers(now=day(801))
    assert len(events()) == 2


def test_by_hand_is_said_too(ladder: Program) -> None:
    record(order("A", "10", at=day(0)))
    member = Membership.objects.get()
    give_tier(membership=member, tier="gold", reason="VIP", until=day(9), actor=SYSTEM, now=day(1))
    rebuild_tiers(now=day(10))
    assert [(event["to"], event["reason"]) for event in events()] == [
        ("gold", "manual"), ("base", "manual_ended"),
    ]  # fmt: skip


def test_a_merge_that_is_undone_says_what_each_has_again(ladder: Program) -> None:
    record(order("A", "300", at=day(0)), order("B", "300", at=day(1), buyer="c2"))
    kept, merged = (Customer.objects.get(external_id=number) for number in ("c1", "c2"))
    merge, _again = merge_customers(
        kept=kept, merged=merged, actor=SYSTEM, source="backoffice", now=day(2)
    )
    undo_merge(merge=merge, actor=SYSTEM, source="backoffice", now=day(3))
    assert [(event["from"], event["to"]) for event in events()] == [
        ("base", "silver"), ("silver", "base"),
    ]  # fmt: skip


@pytest.mark.parametrize("bent", [{"became": "gold"}, {"at": day(9)}])
def test_what_was_said_never_changes(ladder: Program, bent: dict[str, Any]) -> None:
    record(order("A", "600", at=day(0)))
    with pytest.raises(DatabaseError), transaction.atomic():
        TierChange.objects.update(**bent)
    with pytest.raises(DatabaseError), transaction.atomic():
        TierChange.objects.all().delete()


@pytest.mark.parametrize("bent", [{"was": "silver"}, {"was": ""}, {"why": "because"}])
def test_the_database_refuses_what_is_no_change(ladder: Program, bent: dict[str, Any]) -> None:
    record(order("A", "10", at=day(0)))
    said: dict[str, Any] = {
        "membership": Membership.objects.get(), "was": "base", "became": "silver", "at": day(0),
        "why": "reached", "recorded_at": day(0),
    }  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        TierChange.objects.create(**said | bent)
