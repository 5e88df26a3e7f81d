"""Shares of what friends buy after their first purchase: once for each order, whatever comes first,
within the limits and the budget, and back with what goes back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from campaigns.models import (
    Delivery,
    Message,
    Referral,
    ReferralLink,
    ReferralPayment,
    ReferralProgram,
)
from campaigns.referral_definitions import ReferralDefinition
from campaigns.referral_words import friend_sentences, member_sentences, promise_sentences
from campaigns.selectors.referral_results import results_of
from campaigns.selectors.referrals import spent_of
from campaigns.services.referral_following import find_due
from campaigns.services.referral_programs import publish_terms, write_terms
from campaigns.services.referrals import bring_up_to_date
from loyalty.explanations import explain_transfer
from loyalty.models import Order, Program, Transfer, WalletType
from loyalty.services.leaving import leave_program
from loyalty.services.order_holds import hold_order, release_order
from members.errors import DomainError
from members.services.audit import SYSTEM
from members.services.job_runs import run_scheduled
from tests.campaigns.factories import follow, switch_on
from tests.campaigns.referrals import bring, buy, make_link, promise, settle
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import NOW, day, give_back, make_program, moves, order, record, refund
from tests.rewards.services.racing import at_once
from tests.sharing import of_each_test, rolled_back

pytestmark = pytest.mark.usefixtures("coherent_ledger")
Status = Referral.Status
NOTHING: dict[str, Any] = {"advocate": {}, "friend": {}}


def make_club() -> Program:
    """A unit is worth a cent, and orders earn nothing, so that all there is was given."""
    return make_program(unit={"unit_value": "0.01"}, earning_rules=[])


_made_once, club = of_each_test(make_club)


def shared(program: Program, said: dict[str, Any] | None = None, **more: Any) -> ReferralLink:
    """Ten percent for who brought them, if nothing else is said; nothing for the first purchase."""
    share = {"percent": 10, "orders": 3} | (said or {})
    promise(program, **(NOTHING | {"advocate_further": share, "wait_days": 0} | more))
    return make_link(program)


def brought(link: ReferralLink, name: str = "ben") -> Referral:
    """A friend whose first purchase has been paid for."""
    found = bring(link, name)
    buy(name, at=day(1), name=f"{name}-0")
    assert settle(found, day(20 if found.terms.body.get("wait_days") != 0 else 1)).status == "paid"
    return found


def test_both_get_their_share_of_each_further_purchase_once_it_can_no_longer_go_back(
    club: Program,
) -> None:
    link = shared(club, friend_further={"percent": "2.5", "months": 1}, wait_days=14)
    found = brought(link)
    assert moves("ann") == []
    buy(total="49.99", at=day(21), name="second")
    assert settle(found, day(21)).further_at == day(35)
    assert moves("ann") == []
    assert find_due(day(34)) is None
    run_scheduled(kind="referrals", now=day(35))
    # Ten percent of 49.99 are 4.999, at a cent each 499 units; of 2.5 percent 124.
    assert (moves("ann"), moves("ben")) == ([("accrual", 499)], [("accrual", 124)])
    assert {explain_transfer(row).title for row in Transfer.objects.all()} == {
        "Share of a further purchase"
    }
    found.refresh_from_db()
    assert (found.further_at, find_due(day(36))) == (None, None)
    settle(found, day(36))
    assert Transfer.objects.count() == 2
    results = results_of(club)
    assert (results.further, str(results.cost)) == (1, "6.2300")


def test_only_so_many_orders_and_months_count_with_limits(club: Program) -> None:
    said = {"orders": 3, "months": 2, "most_per_order": 400, "most": 700}
    found = brought(shared(club, said))
    for number, (at, total) in enumerate([(2, "20"), (3, "90"), (4, "50"), (5, "50")]):
        buy(total=total, at=day(at), name=f"further-{number}")
    settle(found, day(6))
    # 200, at most 400 for one, 100 left of 700; and the fourth is one too many.
    assert [units for _kind, units in moves("ann")] == [200, 400, 100]
    other = brought(make_link(club), "cat")
    buy("cat", at=day(61), name="in-time")
    buy("cat", at=day(63), name="too-late")
    settle(other, day(70))
    shares = ReferralPayment.objects.filter(referral=other).values_list("order__external_id")
    assert [number for (number,) in shares] == ["in-time"]


def test_a_return_takes_its_part_along_also_where_a_limit_had_cut_it(club: Program) -> None:
    found = brought(shared(club, {"most_per_order": 300}))
    buy(total="100", at=day(2), name="big")
    settle(found, day(2))
    assert moves("ann") == [("accrual", 300)]
    give_back(refund("R1", "40", of="big", at=day(3)))
    for _again in range(2):
        assert settle(found, day(3)).status == Status.PAID
    assert moves("ann") == [("accrual", 300), ("clawback", -120)]
    give_back(refund("R2", "60", of="big", at=day(4)))
    settle(found, day(4))
    assert moves("ann")[2:] == [("clawback", -180)]
    back = Transfer.objects.filter(kind="clawback").first()
    assert back is not None
    assert explain_transfer(back).title == "Taken back: Share of a further purchase"
    assert spent_of([club.pk])[club.pk].money == 0


def test_when_the_first_purchase_goes_back_so_do_all_shares(club: Program) -> None:
    found = brought(shared(club))
    buy(at=day(2), name="second")
    settle(found, day(2))
    give_back(refund("R1", "50", of="ben-0", at=day(3)))
    assert settle(found, day(3)).status == Status.TAKEN_BACK
    buy(at=day(4), name="third")
    settle(found, day(4))
    assert moves("ann") == [("accrual", 500), ("clawback", -500)]


def test_what_is_told_late_moves_those_after_it(club: Program) -> None:
    found = brought(shared(club, {"orders": 1}))
    buy(total="80", at=day(5), name="later")
    settle(found, day(5))
    buy(total="30", at=day(3), name="earlier")
    settle(found, day(6))
    assert [units for _kind, units in moves("ann")] == [800, -800, 300]
    record(order("earlier", "30", at=day(3), buyer="ben", status="cancelled"), now=day(7))
    settle(found, day(7))
    # What was canceled keeps its place.
    assert sum(units for _kind, units in moves("ann")) == 0


def test_the_first_purchase_is_the_first_that_was_placed(club: Program) -> None:
    promise(club)
    found = bring(make_link(club))
    buy(at=day(3), name="told-first")
    settle(found, day(3))
    buy(at=day(2), name="told-late")
    found = settle(found, day(4))
    assert found.order is not None
    assert (found.order.external_id, found.due_at) == ("told-late", day(16))


SALES = st.lists(
    st.tuples(
        st.integers(2, 5), st.integers(1, 9000).map(lambda cents: Decimal(cents) / 100),
        st.sampled_from([0, 0, 1, 3, 10]),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@pytest.fixture
def friend(club: Program) -> Referral:
    return brought(shared(club, {"orders": 3, "most_per_order": 350, "most": 600}))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(sales=SALES, chosen=st.randoms(use_true_random=False))
def test_any_arrival_order_brings_the_same(friend: Referral, sales: Any, chosen: Any) -> None:
    ends = []
    for how in (None, chosen, chosen):
        with rolled_back():
            ends.append(_told(friend, sales, how))
    assert ends[0] == ends[1] == ends[2]


def _told(found: Referral, sales: Any, chosen: Any) -> tuple[list[int], int]:
    """What is there in the end when the same was told as it was done, and looked at in the end
    alone; or in some order, and looked at so often."""
    steps = [
        (number, part) for number, sale in enumerate(sales) for part in range(1 + bool(sale[2]))
    ]
    if chosen:
        chosen.shuffle(steps)
    known: set[int] = set()
    for moment, (number, _part) in enumerate(steps):
        at, total, tenths = sales[number]
        sold = order(f"s{number}", str(total), at=day(at), buyer="ben")
        if number not in known:
            record(sold, now=day(10 + moment))
            known.add(number)
        else:
            part = (total * tenths / 10).quantize(Decimal("0.01"))
            if part:
                at = day(10 + moment)
                give_back(refund(f"r{number}", str(part), of=f"s{number}", at=at))
        # After several of them, after each, or twice.
        for _again in range(chosen.choice((0, 0, 1, 2)) if chosen else 0):
            settle(found, day(10 + moment))
    settle(found, day(10 + len(steps)))
    rows = ReferralPayment.objects.filter(referral=found, order__isnull=False)
    by_order = {
        str(row.order and row.order.external_id): row.units - row.units_back for row in rows
    }
    units = [by_order.get(f"s{number}", 0) for number in range(len(sales))]
    assert sum(units) <= 600
    return units, sum(units)


def test_what_is_beyond_the_budget_or_of_who_has_left_is_missed_for_good(club: Program) -> None:
    link = shared(club, budget_units=700, friend_further={"percent": 1, "orders": 3})
    found = brought(link)
    for number in (2, 3):
        buy(at=day(number), name=f"further-{number}")
        settle(found, day(number))
    # 500 and 50; then 500 are too many, and 50 are not.
    assert (moves("ann"), moves("ben")) == ([("accrual", 500)], [("accrual", 50)] * 2)
    missed = ReferralPayment.objects.exclude(missed="").get()
    assert (missed.side, missed.missed, missed.units) == ("advocate", "budget", 0)
    assert missed.money == 0
    give_back(refund("R1", "50", of="further-2", at=day(4)))
    settle(found, day(4))
    assert [units for _kind, units in moves("ann")] == [500, -500]
    assert link.membership is not None
    leave_program(membership=link.membership, actor=SYSTEM, now=day(5))
    buy(at=day(6), name="further-6")
    settle(found, day(6))
    assert set(ReferralPayment.objects.exclude(missed="").values_list("missed", flat=True)) == {
        "budget", "not_active",
    }  # fmt: skip


def test_what_is_held_back_waits_until_it_is_let_go(club: Program) -> None:
    now, hour = timezone.now(), dt.timedelta(hours=1)
    found = brought(shared(club))
    buy(at=now - 4 * hour, name="held")
    held = Order.objects.get(external_id="held")
    hold_order(order=held, actor=SYSTEM, reason="risk", now=now - 4 * hour)
    assert settle(found, now - 4 * hour).further_at == now - 3 * hour
    run_scheduled(kind="referrals", now=now - 2 * hour)
    assert moves("ann") == []
    release_order(order=held, actor=SYSTEM, reason="risk", now=now - 2 * hour)
    run_scheduled(kind="referrals", now=now)
    assert moves("ann") == [("accrual", 500)]


def test_what_a_unit_is_worth_later_changes_nothing_of_what_was_given(club: Program) -> None:
    found = brought(shared(club))
    buy(at=day(2), name="second")
    settle(found, day(2))
    WalletType.objects.filter(program=club).update(unit_value="0.02")
    settle(found, day(3))
    give_back(refund("R1", "25", of="second", at=day(4)))
    settle(found, day(4))
    assert [units for _kind, units in moves("ann")] == [500, -250]


@pytest.mark.django_db(transaction=True)
def test_the_budget_holds_however_many_are_paid_at_once() -> None:
    club = make_club()
    link = shared(club, budget_units=1200)
    found = [brought(link, name) for name in ("bea", "cat", "dan", "eve")]
    for item in found:
        name = str(item.friend.external_id)
        buy(name, at=day(2), name=f"{name}-further")

    paid = at_once(lambda number: bring_up_to_date(found[number // 4].pk, day(3)), 16)
    assert paid == {"done": 16}
    # 500 for each: two are in the budget of 1200.
    assert [units for _kind, units in moves("ann")] == [500, 500]
    assert sorted(ReferralPayment.objects.values_list("missed", flat=True)) == [
        "", "", "budget", "budget",
    ]  # fmt: skip
    assert_ledger_coherent()


def test_the_database_refuses_a_second_share_of_an_order(club: Program) -> None:
    found = brought(shared(club))
    buy(at=day(2), name="second")
    settle(found, day(2))
    payment = ReferralPayment.objects.get()
    for changes in ({"missed": "budget", "units": 0, "transfer": None}, {"missed": "budget"}):
        again = ReferralPayment.objects.get()
        again.pk = None if "units" in changes else payment.pk
        for name, value in changes.items():
            setattr(again, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            again.save()


def test_what_is_promised_of_further_purchases_is_said_and_can_be_kept(club: Program) -> None:
    for wrong in ({"percent": 5}, {"orders": 3}, {"percent": 101, "orders": 1}):
        with pytest.raises(ValidationError):
            ReferralDefinition.model_validate({"advocate_further": wrong})
    said = {
        "advocate_further": {"percent": 2, "orders": 10, "months": 12, "most_per_order": 100},
        "friend_further": {"percent": "1.5", "months": 1, "most": 50},
    }
    definition = ReferralDefinition.model_validate(said)
    told = [
        *promise_sentences(definition, club)[2:5], *member_sentences(definition, club)[:2],
        *friend_sentences(definition, club)[1:3],
    ]  # fmt: skip
    theirs, most, friends = (
        "2% of the friend's further purchases in points, for 10 orders, 12 months.",
        "At most 100 points for one order.",
        "1.5% of the friend's further purchases in points, for 1 month.",
    )
    assert [sentence.replace("\xa0", " ") for sentence in told] == [
        f"Who brings a friend gets: {theirs}", most, f"The friend gets: {friends}",
        "You get 2% of a friend's further purchases in points: 10 orders, 12 months.", most,
        "You get 1.5% of your further purchases in points: 1 month.", "At most 50 points in all.",
    ]  # fmt: skip
    write_terms(program=club, definition=definition, actor=SYSTEM, now=NOW)
    WalletType.objects.filter(program=club).update(unit_value=0)
    with pytest.raises(DomainError) as refused:
        publish_terms(program=club, actor=SYSTEM, now=NOW)
    assert [error.field for error in refused.value.errors] == [
        "advocate_further.percent", "friend_further.percent",
    ]  # fmt: skip
    assert not ReferralProgram.objects.get().terms.exists()


def test_both_are_told_of_their_share_once_and_not_of_what_went_back(club: Program) -> None:
    now = timezone.now()
    link = shared(club, friend_further={"percent": 5, "orders": 3}, advocate={}, friend={})
    found = bring(link, at=now, given_name="Ben")
    buy(at=now)
    settle(found, now)
    switch_on("referral_share", "inbox", at=now - dt.timedelta(days=1))
    for name in ("second", "third"):
        buy(at=now, name=name)
    give_back(refund("R", "50", of="third", at=now))
    settle(found, now)
    for _time in range(2):
        follow()
    told = {
        (row.customer.external_id, str(row.values["friend"])): str(row.values["gift"])
        for row in Message.objects.select_related("customer")
    }
    assert {key: words.replace("\xa0", " ") for key, words in told.items()} == {
        ("ann", "Ben"): "500 points", ("ben", ""): "250 points",
    }  # fmt: skip
    texts = Delivery.objects.values_list("text", flat=True)
    assert sorted(texts) == [
        "Your share of a purchase.", "Your share of a purchase. Ben has bought something.",
    ]  # fmt: skip


def test_a_further_purchase_in_another_currency_counts_at_its_rate(club: Program) -> None:
    link = shared(club)
    found = brought(link)
    rates = (("USD", Decimal("1.2")),)
    record(order("ben-1", "50", at=day(2), buyer="ben", currency="EUR", rates=rates))
    settle(found, day(3))
    assert moves("ann") == [("accrual", 600)]
    give_back(refund("R", "25", of="ben-1", currency="EUR", at=day(4)))
    settle(found, day(5))
    assert sum(units for _kind, units in moves("ann")) == 300
