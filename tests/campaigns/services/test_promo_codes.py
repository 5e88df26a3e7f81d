"""Promotions by code: for whom, how often, in quotes and orders, and why a code does not count."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from campaigns.models import PromoCode, PromoCodeUse
from campaigns.services.campaigns import (
    end_campaign,
    pause_campaign,
    publish_campaign,
    resume_campaign,
)
from campaigns.services.promo_codes import write_codes
from loyalty.models import Order, OrderEvaluation, Program
from loyalty.selectors.code_answers import code_answers_of
from loyalty.services.judgments import explain_order
from members.models import Customer
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import DAY, draft
from tests.campaigns.promo_codes import HOUR, STUDENTS, asked, by_word, said_of
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    enroll_all,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)
from tests.rewards.services.racing import at_once
from tests.sharing import anew, shared

pytestmark = pytest.mark.usefixtures("coherent_ledger")
State = PromoCodeUse.State


made_once = shared(lambda: make_program(time_zone="Europe/Athens"))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


# What it brings


def test_only_orders_with_the_code_earn_it_however_it_is_typed(program):
    by_word(program, codes={"per_member": None})
    record(order("A", "10"), order("B", "10", coupons=("WELCOME",)))
    assert spendable() == 20
    record(order("C", "10", coupons=("student 10",)))
    assert spendable() == 40


def test_the_quote_takes_off_with_the_code_what_it_does_not_without(program):
    make_wallet(program)
    by_word(program, "percent-off", offer={"percent": 20})
    assert asked("STUDENT10", total="100").discounted.amount == 20
    assert asked("SOMETHING", total="100").discounted.amount == 0
    (found,) = asked("SOMETHING", total="100").codes
    assert (found.reason, found.words) == ("unknown", "No promotion has this code.")


def test_a_quote_uses_nothing(program):
    make_wallet(program)
    by_word(program, codes={"most_uses": 1})
    for _time in range(3):
        assert said_of("STUDENT10") == ""
    assert not PromoCodeUse.objects.exists()


def test_a_return_is_judged_as_the_order_was(program):
    """Also once the promotion is over, and its code another's."""
    campaign = by_word(program)
    record(order("A", "10", coupons=("STUDENT10",)))
    end_campaign(campaign=campaign, actor=SYSTEM, now=NOW + HOUR)
    give_back(refund("R", "4", of="A", at=NOW + 2 * HOUR))
    assert spendable(at=NOW + 2 * HOUR) == 12


def test_a_late_order_of_its_time_counts_after_its_end(program):
    campaign = by_word(program)
    end_campaign(campaign=campaign, actor=SYSTEM, now=NOW + HOUR)
    record(order("A", "10", coupons=("STUDENT10",), at=NOW), now=NOW + 2 * HOUR)
    assert spendable(at=NOW + 2 * HOUR) == 20


def test_telling_an_order_again_uses_nothing_more(program):
    by_word(program, codes={"most_uses": 2})
    told = order("A", "10", coupons=("STUDENT10",))
    record(told)
    assert [found.outcome for found in record(told)] == ["unchanged"]
    assert PromoCode.objects.get().uses_taken == 1
    assert spendable() == 20


def test_an_order_of_a_guest_uses_its_code_once_they_are_known(program):
    by_word(program)
    record(order("A", "10", coupons=("STUDENT10",), buyer=None))
    assert not PromoCodeUse.objects.exists()
    make_wallet(program, at=NOW - DAY)
    record(order("A", "10", coupons=("STUDENT10",)))
    assert spendable() == 20
    assert PromoCodeUse.objects.get().holder == "order:shop/A"
    answers = OrderEvaluation.objects.get().context["codes"]
    assert answers == [["STUDENT10", "club.spring", "Spring", ""]]


# Why it does not count


def test_each_reason_is_said(program):
    make_wallet(program)
    campaign = by_word(program, starts_at=NOW, ends_at=NOW + DAY)
    assert said_of("STUDENT10", at=NOW - HOUR) == "not_yet"
    assert said_of("STUDENT10", at=NOW + DAY) == "over"
    pause_campaign(campaign=campaign, actor=SYSTEM, now=NOW + HOUR)
    assert said_of("STUDENT10", at=NOW + 2 * HOUR) == "not_on"
    resume_campaign(campaign=campaign, actor=SYSTEM, now=NOW + 3 * HOUR)
    assert said_of("STUDENT10", at=NOW + 3 * HOUR) == ""
    end_campaign(campaign=campaign, actor=SYSTEM, now=NOW + 4 * HOUR)
    assert said_of("STUDENT10", at=NOW + 4 * HOUR) == "over"


def test_the_code_counts_for_its_audience_alone(program):
    make_wallet(program, "c1")
    make_wallet(program, "c2")
    Customer.objects.filter(external_id="c1").update(tags=["student"])
    by_word(program, audience=STUDENTS)
    assert said_of("STUDENT10") == ""
    assert said_of("STUDENT10", buyer="c2") == "not_for_you"
    record(order("A", "10", coupons=("STUDENT10",), buyer="c2"))
    assert spendable("c2") == 10
    assert not PromoCodeUse.objects.exists()


def test_who_is_no_member_yet_is_asked_who_they_are(program):
    by_word(program, audience=STUDENTS)
    assert said_of("STUDENT10", buyer="new") == "needs_member"


def test_a_member_uses_it_as_often_as_one_may(program):
    by_word(program, codes={"per_member": 2})
    for number in range(3):
        record(order(f"A{number}", "10", coupons=("STUDENT10",)))
    assert spendable() == 50
    assert said_of("STUDENT10") == "used_by_member"
    (why,) = code_answers_of(Order.objects.get(external_id="A2").pk)
    assert (why.counts, why.reason) == (False, "used_by_member")
    (judged,) = explain_order(Order.objects.get(external_id="A2"))
    assert judged.codes == (why,)


def test_all_together_use_it_as_often_as_it_may_be(program):
    by_word(program, codes={"most_uses": 2})
    for number in range(3):
        record(order(f"A{number}", "10", coupons=("STUDENT10",), buyer=f"c{number}"))
    assert [spendable(f"c{number}") for number in range(3)] == [20, 20, 10]
    assert said_of("STUDENT10", buyer="c2") == "used_up"


def test_an_order_that_is_called_off_gives_its_use_back(program):
    by_word(program, codes={"most_uses": 1})
    record(order("A", "10", coupons=("STUDENT10",)))
    record(order("A", "10", coupons=("STUDENT10",), status=Order.Status.CANCELED))
    record(order("B", "10", coupons=("STUDENT10",), buyer="c2"))
    assert (spendable("c1"), spendable("c2")) == (0, 20)


def test_an_order_that_is_good_again_uses_its_code_again(program):
    by_word(program, codes={"most_uses": 1})
    for status in (Order.Status.PAID, Order.Status.CANCELED) * 2 + (Order.Status.PAID,):
        record(order("A", "10", coupons=("STUDENT10",), status=status))
    record(order("B", "10", coupons=("STUDENT10",), buyer="c2"))
    assert (spendable("c1"), spendable("c2")) == (20, 10)
    assert PromoCode.objects.get().uses_taken == 1


def test_where_another_order_has_its_code_by_then_an_order_that_is_good_again_counts_without(
    program,
):
    by_word(program, codes={"most_uses": 1})
    record(order("A", "10", coupons=("STUDENT10",)))
    record(order("A", "10", coupons=("STUDENT10",), status=Order.Status.CANCELED))
    record(order("B", "10", coupons=("STUDENT10",), buyer="c2"))
    record(order("A", "10", coupons=("STUDENT10",)))
    assert (spendable("c1"), spendable("c2")) == (10, 20)
    (why,) = code_answers_of(Order.objects.get(external_id="A").pk)
    assert (why.counts, why.reason) == (False, "used_up")
    # It stays so, also when the other one is called off.
    record(order("B", "10", coupons=("STUDENT10",), buyer="c2", status=Order.Status.CANCELED))
    give_back(refund("R", "5", of="A"))
    assert (spendable("c1"), spendable("c2")) == (5, 0)


def test_whoever_a_code_is_for_by_now_an_order_that_is_good_again_keeps_it(program):
    make_wallet(program)
    Customer.objects.update(tags=["student"])
    by_word(program, audience=STUDENTS)
    record(order("A", "10", coupons=("STUDENT10",)))
    Customer.objects.update(tags=[])
    record(order("A", "10", coupons=("STUDENT10",), status=Order.Status.CANCELED))
    assert spendable() == 0
    record(order("A", "10", coupons=("STUDENT10",)))
    assert spendable() == 20
    assert PromoCodeUse.objects.filter(state=State.USED).count() == 1


def test_a_message_from_before_does_not_give_the_use_back(program):
    by_word(program, codes={"most_uses": 1})
    record(order("A", "10", coupons=("STUDENT10",), sequence=2))
    [told] = record(
        order("A", "10", coupons=("STUDENT10",), sequence=1, status=Order.Status.CANCELED)
    )
    assert told.outcome == "outdated"
    record(order("B", "10", coupons=("STUDENT10",), buyer="c2"))
    assert (spendable("c1"), spendable("c2")) == (20, 10)


def test_of_two_codes_of_one_promotion_one_counts(program):
    campaign = draft(program, codes={"kind": "single", "per_member": None})
    write_codes(campaign=campaign, text="AAAA-1\nAAAA-2", actor=SYSTEM, now=NOW)
    publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    record(order("A", "10", coupons=("AAAA1", "AAAA2")))
    reasons = [found.reason for found in code_answers_of(Order.objects.get().pk)]
    assert reasons == ["", "together"]
    assert list(PromoCode.objects.order_by("code").values_list("uses_taken", flat=True)) == [1, 0]


@pytest.mark.django_db(transaction=True)
def test_no_use_too_many_however_many_buy_at_once(program):
    by_word(program, codes={"most_uses": 7, "per_member": 1})
    enroll_all(program, (f"c{number}" for number in range(12)))

    def buy(number: int) -> None:
        buyer = f"c{number % 12}"
        record(order(f"A{number}", "10", coupons=("STUDENT10",), buyer=buyer))

    assert at_once(buy, 24) == {"done": 24}
    used = PromoCodeUse.objects.filter(state=State.USED)
    assert used.count() == PromoCode.objects.get().uses_taken == 7
    assert used.values("membership").distinct().count() == 7
    assert sum(spendable(f"c{number}") for number in range(12)) == 24 * 10 + 7 * 10
    assert_ledger_coherent()


def test_the_database_guards_how_often_it_is_used(program):
    by_word(program, codes={"most_uses": 1, "per_member": None})
    record(order("A", "10", coupons=("STUDENT10",)))
    use = PromoCodeUse.objects.get()

    def more(**other: Any) -> None:
        values = {
            "promo_code": use.promo_code, "campaign": use.campaign, "own_slot": 2,
            "membership": use.membership, "holder": "order:shop/B", "state": State.USED,
            "created_at": NOW, "closed_at": NOW,
        }  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            PromoCodeUse.objects.create(**{**values, **other})

    more()
    PromoCode.objects.update(most_uses=5)
    more(own_slot=1)
    more(holder=use.holder)
    more(state=State.HELD)


# Several at once, and those that come late


def test_a_batch_asks_as_often_for_many_orders_with_codes_as_for_one(program):
    """Nor does it read what was used before."""
    by_word(program, codes={"per_member": None, "most_uses": 1_000})
    enroll_all(program, (f"c{number}" for number in range(9)))

    def costs(first: int, many: int) -> int:
        orders = [
            order(f"A{number}", "10", coupons=("STUDENT10",), buyer=f"c{number % 9}")
            for number in range(first, first + many)
        ]
        with CaptureQueriesContext(connection) as asked:
            record(*orders)
        return len([one for one in asked if "promocode" in one["sql"]])

    costs(0, 1)
    one = costs(1, 1)
    assert costs(2, 40) == one
    assert costs(50, 1) == one
    assert PromoCode.objects.get().uses_taken == PromoCodeUse.objects.count() == 43
    assert_ledger_coherent()


def test_of_orders_of_one_batch_as_many_use_a_code_as_may(program):
    by_word(program, codes={"per_member": 2, "most_uses": 3})
    make_wallet(program)
    make_wallet(program, "c2")
    orders = [order(f"A{number}", "10", coupons=("STUDENT10",)) for number in range(4)]
    others = [order(f"B{number}", "10", coupons=("STUDENT10",), buyer="c2") for number in range(2)]
    record(*orders, *others)
    assert (spendable(), spendable("c2")) == (4 * 10 + 2 * 10, 2 * 10 + 10)
    holders = PromoCodeUse.objects.order_by("holder").values_list("holder", "own_slot")
    assert list(holders) == [("order:shop/A0", 1), ("order:shop/A1", 2), ("order:shop/B0", 1)]


def test_an_order_that_came_as_nothing_and_is_good_after_all_counts_with_its_code(program):
    make_wallet(program)
    by_word(program, codes={"most_uses": 1})
    record(order("A", "100", coupons=("STUDENT10",), status="cancelled"))
    assert PromoCode.objects.get().uses_taken == 0
    record(order("A", "100", coupons=("STUDENT10",), status="completed"))
    assert (PromoCode.objects.get().uses_taken, spendable()) == (1, 200)
    # Whoever comes after it gets no more of it, and it comes and goes as any other.
    record(order("B", "100", coupons=("STUDENT10",)))
    assert spendable() == 300
    record(order("A", "100", coupons=("STUDENT10",), status="cancelled"))
    assert (PromoCode.objects.get().uses_taken, spendable()) == (0, 100)
    record(order("A", "100", coupons=("STUDENT10",), status="completed"))
    assert (PromoCode.objects.get().uses_taken, spendable()) == (1, 300)


def test_a_code_that_was_over_when_it_was_placed_counts_no_more_when_it_is_good(program):
    make_wallet(program)
    by_word(program, ends_at=NOW + HOUR)
    for status in ("cancelled", "completed"):
        record(order("A", "100", at=NOW + 2 * HOUR, coupons=("STUDENT10",), status=status))
    assert (PromoCode.objects.get().uses_taken, spendable(at=NOW + 3 * HOUR)) == (0, 100)
