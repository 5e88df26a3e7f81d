"""What users of other loyalty systems suffer from, and what is true here instead.
Two cards, stored value, other terms, and points that vanish.

The tests are in the order of the pains and named after what holds; each docstring tells the pain.
"""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from loyalty.explanations import explain_transfer
from loyalty.models import (
    Membership,
    Program,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.selectors.transfers import history_of, transfers
from loyalty.services.expiry import write_down_expired
from loyalty.services.gifts import give_units
from loyalty.services.memberships import enroll_customer
from loyalty.services.policy_changes import apply_policy_change, preview_policy_change
from loyalty.services.programs import apply_definition
from members.models import Customer
from members.selectors.customer_search import search_customers
from members.services.audit import SYSTEM
from members.services.merging import merge_customers
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    define,
    give_back,
    held,
    line,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    returned,
    spendable,
    tender,
)
from tests.loyalty.pains.acts import MONTH, explained, redeem, wallet

pytestmark = pytest.mark.usefixtures("coherent_ledger")


# --- 17: two cards -----------------------------------------------------------------------------


def test_two_records_of_one_person_become_one_wallet_that_both_cards_lead_to(program):
    """Pain 17: after a merge there are two cards, and one of them buys nothing."""
    record(order("A", "100", buyer="c1"), order("B", "40", buyer="c2"))
    kept, merged = (Customer.objects.get(external_id=number) for number in ("c1", "c2"))
    card = Membership.objects.get(customer=merged).card_number
    merge_customers(kept=kept, merged=merged, actor=SYSTEM, source="backoffice", now=NOW)
    assert [hit.customer.pk for hit in search_customers(card)] == [kept.pk]
    record(order("C", "5", buyer="c2"))
    redeem(145)
    assert Wallet.objects.filter(merged_into=None).count() == 1
    history = history_of(Membership.objects.filter(customer=kept))
    assert {found.order.external_id for found in history if found.order} == {"A", "B", "C"}
    give_back(refund("R1", "40", of="B"))
    assert (held().balance, held().owed) == (0, 40)


# --- 18: stored value --------------------------------------------------------------------------


def gift_card(number: int, amount: str):
    return line(number, amount, stored_value=True)


def test_a_gift_card_that_is_bought_earns_nothing_and_what_it_buys_earns_once(program):
    """Pain 18: points for the card, and again for what it buys; credit that pays for itself."""
    record(order("A", "50", lines=(gift_card(1, "50"),)))
    assert spendable() == 0
    record(order("B", "50", tenders=(tender("stored_value", "50"),)))
    assert spendable() == 50
    record(order("C", "50", lines=(gift_card(1, "50"),), tenders=(tender("stored_value", "50"),)))
    assert spendable() == 50


@pytest.mark.parametrize("goods", ["50", "20"])
def test_a_discount_on_the_order_is_one_on_its_goods_and_not_on_its_gift_cards(program, goods):
    """Pain 18: money is discounted, so the goods beside it earn more than was paid for them."""
    bought = (line(1, goods), gift_card(2, "50"))
    total = str(int(goods) + 40)
    record(order("A", total, lines=bought, discount_total=Decimal(10)))
    assert spendable() == int(goods) - 10
    back = returned(1, str(int(goods) - 10), order_line_no=1)
    give_back(refund("R1", str(int(goods) - 10), of="A", lines=(back,)))
    assert (held().balance, held().owed) == (0, 0)


# --- 19: another expiry ------------------------------------------------------------------------


def test_another_expiry_is_for_what_is_earned_from_then_on(program):
    """Pain 19: the shop shortens the life of points, and those earned before vanish overnight."""
    record(order("A", "10"))
    apply_definition(define(unit={"expiry": MONTH}), actor=SYSTEM, now=day(1))
    record(order("B", "5", at=day(2)))
    # What comes late of an order keeps that order's terms.
    record(order("A", "12"), now=day(3))
    assert (spendable(at=day(3)), spendable(at=day(60))) == (17, 12)


def test_new_terms_for_points_that_exist_are_looked_at_and_then_given(program):
    """Pain 19: if it must be, nobody knows beforehand who loses what."""
    record(order("A", "10"), order("B", "20", at=day(30), buyer="c2"), now=day(30))
    apply_definition(define(unit={"expiry": MONTH}), actor=SYSTEM, now=day(35))
    effect = preview_policy_change(WalletType.objects.select_related("program").get(), day(40))
    assert (effect.lost.members, effect.lost.units) == (1, 10)
    assert (effect.shorter.members, effect.shorter.units) == (1, 20)
    assert spendable(at=day(40)) == 10
    apply_policy_change(WalletType.objects.get(), after=0, actor_id=None, note="", now=day(40))
    assert (spendable(at=day(40)), spendable("c2", day(40))) == (0, 20)


# --- 20: status and spending -------------------------------------------------------------------


def both_units() -> Program:
    """Points to spend, and status points that measure; a bonus for 100 spent in a year."""
    units = [{"code": "points"}, {"code": "status", "singular": "status point",
                                  "plural": "status points"}]  # fmt: skip
    rules = [
        {},
        {"code": "measure", "wallet_type": "status"},
        {"code": "yearly", "kind": "threshold_bonus", "reach": 100, "window": "year", "units": 7},
    ]
    return make_program(wallet_types=units, earning_rules=rules)


def balances() -> Sequence[int]:
    found = Wallet.objects.filter(account__membership__customer__external_id="c1")
    return list(found.order_by("wallet_type__code").values_list("balance", flat=True))


def test_what_measures_status_is_held_apart_from_what_is_spent(db):
    """Pain 20: status follows the balance, so whoever redeems drops. Here: a measure of its own,
    which a redemption leaves alone and a refund corrects."""
    both_units()
    record(order("A", "60"))
    redeem(60)
    assert balances() == [0, 60]
    record(order("B", "60"))
    assert balances() == [60 + 7, 120]
    give_back(refund("R1", "60", of="B"))
    assert balances() == [0, 60]


def test_what_an_order_is_judged_by_was_in_force_before_it(db):
    """Pain 20: the first purchase is priced by what it itself brings about. Here: the rule and the
    membership in force when it was placed, however late it is told."""
    program = make_program(enrollment="explicit")
    customer = Customer.objects.create(external_id="c1")
    enroll_customer(customer=customer, program=program, source="staff", at=NOW, actor=SYSTEM)
    apply_definition(
        define(enrollment="explicit", earning_rules=[{"units": 2}]), actor=SYSTEM, now=day(5)
    )
    record(order("B", "10", at=day(6)), order("A", "10", at=day(4)), now=day(7))
    assert dict(Transfer.objects.values_list("order__external_id", "amount")) == {"A": 10, "B": 20}


# --- 21: points that vanish without a word ------------------------------------------------------
# That an expiry is announced: tests/campaigns/services/test_told_expiry.py.


def test_everything_that_takes_points_says_what_it_was_and_why(db):
    """Pain 21: points are gone, and neither the member nor the agent can say why."""
    make_program(unit={"expiry": MONTH, "gifts": {"to_members": True}})
    make_wallet(Program.objects.get(), "c2")
    record(order("A", "100"))
    redeem(80, "k1")
    give_back(refund("R1", "90", of="A", at=day(1)))
    record(order("B", "200", at=day(2)))
    friend = Membership.objects.select_related("customer").get(customer__external_id="c2")
    give_units(
        wallet=wallet(), to=friend, units=20, message="", key="k2", source="api", actor=SYSTEM,
        now=day(3),
    )  # fmt: skip
    adjust(wallet(), -10, "k3", now=day(4), note="Counted twice")
    write_down_expired(day(60))
    mine = transfers().filter(wallet=wallet())
    gone = [found for found in mine if found.signed_amount < 0]
    told = {found.kind: explain_transfer(found) for found in gone}
    assert {kind: (found.title, *found.steps[-2:]) for kind, found in told.items()} == {
        "redemption": ("Redeemed",),
        "clawback": (
            "Refund of order A", "It now earns: 10\xa0points.",
            "Already spent, so settled by what is earned next: 70\xa0points.",
        ),
        "gift": ("Gift to another member",),
        "adjustment": ("Taken off by our team", "Reason: Goodwill."),
        "expiry": (
            "Expired", "Earned with order B: Mar 17, 2024.", "Usable until: Apr 16, 2024.",
        ),
    }  # fmt: skip


def test_whoever_got_points_as_a_gift_reads_nothing_of_the_order_behind_them(db):
    """Pain 21, kept within bounds: what expired was earned by somebody else."""
    make_program(unit={"expiry": MONTH, "gifts": {"to_members": True}})
    make_wallet(Program.objects.get(), "c2")
    record(order("A", "100"))
    friend = Membership.objects.select_related("customer").get(customer__external_id="c2")
    give_units(
        wallet=wallet(), to=friend, units=20, message="", key="k2", source="api", actor=SYSTEM,
        now=day(3),
    )  # fmt: skip
    write_down_expired(day(60))
    gone = explained(kind="expiry", wallet=wallet("c2"))
    assert gone.steps == ("Earned: Mar 15, 2024.", "Usable until: Apr 14, 2024.")
