"""Orders replayed under the rules that were live give what the ledger holds, whatever the rules and
whatever came back."""

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.models import Membership, Order, Program, Transfer
from loyalty.rules.replay import Life, SharedBudgets
from loyalty.rules.rulesets import RuleSet
from loyalty.selectors.replayed_orders import (
    BEGINNING,
    Stretch,
    customer_ranges,
    program_of_replay,
    replayed_customers,
)
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.manual_tiers import give_tier
from loyalty.services.programs import apply_definition
from loyalty.services.tier_sets import change_tiers
from loyalty.tier_definitions import TiersDefinition
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    day,
    define,
    give_back,
    line,
    make_program,
    order,
    record,
    refund,
    returned,
)
from tests.loyalty.histories import LONG
from tests.loyalty.partnering import buy, coalition
from tests.sharing import rolled_back

RULES = (
    {"code": "base", "name": "Base", "caps": {"per_member": 90, "period": "month"}},
    {"code": "cash", "name": "Back", "kind": "cashback", "brackets": [
        {"above": 0, "percent": 10}, {"above": 100, "percent": 20}]},
    {"code": "food", "name": "Food", "units": 3, "include": {"categories": ["food"]},
     "caps": {"per_order": 60, "per_member": 200, "period": "lifetime"}},
    {"code": "regular", "name": "Regulars", "kind": "fixed", "units": 7,
     "when": {"all": [{"field": "behavior.spend", "op": "at_least", "value": 60}]}},
    {"code": "rich", "name": "Rich", "kind": "fixed", "units": 5,
     "when": {"all": [{"field": "member.balance", "op": "at_least", "value": 40}]}},
    {"code": "first", "name": "First", "kind": "fixed", "units": 11, "group": "welcome",
     "when": {"all": [{"field": "behavior.orders", "op": "is", "value": 0}]}},
    {"code": "fresh", "name": "Fresh", "kind": "fixed", "units": 13,
     "when": {"all": [{"field": "member.orders", "op": "is", "value": 0}]}},
    {"code": "new", "name": "New", "kind": "multiplier", "factor": 3,
     "when": {"all": [{"field": "member.orders", "op": "at_most", "value": 1}]}},
    {"code": "month", "name": "Month", "kind": "threshold_bonus", "reach": 100, "window": "month",
     "units": 50, "repeats": True},
    {"code": "third", "name": "Third", "kind": "nth_purchase", "number": 3, "units": 20},
    {"code": "week", "name": "Weeks", "kind": "streak", "length": 2, "of": "week", "units": 9},
    {"code": "double", "name": "Double", "kind": "multiplier", "factor": 2,
     "when": {"all": [{"field": "order.channel", "op": "is", "value": "web"}]}},
    {"code": "early", "name": "Early", "kind": "fixed", "units": 30, "group": "welcome",
     "caps": {"budget": 100}},
    {"code": "both", "name": "Both", "caps": {"budget_money": "1.255", "per_member":
     {"day": 50, "month": 90, "lifetime": 130}}},
    {"code": "scarce", "name": "Scarce", "kind": "nth_purchase", "number": 2, "repeats": True,
     "units": 20, "caps": {"budget": 50}},
)  # fmt: skip
CENT = {"unit_value": "0.01"}
PEOPLE = ("ann", "ben", "cleo")
steps = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "buy", "return", "return lines", "loose", "here", "there"]),
        st.sampled_from(PEOPLE),
        st.integers(1, 120),
        st.sampled_from([0, 0.3, 2, 9, 40]),
    ),
    min_size=1,
    max_size=16 if LONG else 10,
)
chosen = st.lists(
    st.sampled_from(RULES), min_size=1, max_size=6, unique_by=lambda rule: rule["code"]
)


class Shop:
    """What happens comes in as it happens, and is recorded at once."""

    def __init__(self, here: Program, there: Program) -> None:
        self.now, self.bought, self.count = day(0), {}, 0
        self.told = {"here": here, "there": there}

    def step(self, what: str, who: str, amount: int, later: float) -> None:
        self.now += dt.timedelta(days=later, seconds=1)
        self.count += 1
        number = f"N{self.count}"
        if what == "buy":
            self.buy(number, who, amount)
        elif what == "loose":
            give_back(refund(number, str(amount), at=self.now, buyer=who))
        elif what in self.told:
            back = refund(number, str(amount), at=self.now, buyer=who)
            give_back(back, program_ids=[self.told[what].pk])
        else:
            self.give_back(number, what, who, amount)

    def buy(self, number: str, who: str, amount: int) -> None:
        lines = (line(1, str(amount), category="food"), line(2, "25.50"))
        total, channel = Decimal(amount) + Decimal("25.50"), "web" if amount % 2 else "store"
        self.bought.setdefault(who, []).append([number, Decimal(amount)])
        record(order(number, str(total), at=self.now, buyer=who, lines=lines, channel=channel))

    def give_back(self, number: str, what: str, who: str, amount: int) -> None:
        for bought in self.bought.get(who, ())[-2:]:
            part = min(bought[1], Decimal(amount))
            if part:
                bought[1] -= part
                lines = (returned(1, str(part), order_line_no=1),) if "lines" in what else ()
                back = refund(number, str(part), of=bought[0], at=self.now, lines=lines)
                give_back(back)
                return


def in_the_ledger(program: Program) -> dict[tuple[int, int], int]:
    """Net units by customer and rule version."""
    found: defaultdict[tuple[int, int], int] = defaultdict(int)
    members = Membership.objects.filter(program=program)
    owners = dict(members.values_list("account_id", "customer_id"))
    given = Transfer.objects.filter(
        rule_version__isnull=False, wallet__wallet_type__program=program
    )
    for transfer in given.select_related("wallet"):
        key = owners[transfer.wallet.account_id], transfer.rule_version_id
        found[key] += transfer.signed_amount
    return {key: units for key, units in found.items() if units}


def replayed(program: Program) -> dict[tuple[int, int], int]:
    """The same from the replay; all members' events in the order of time, as budgets want it."""
    terms = next(item for item in fresh_terms().programs if item.id == program.pk)
    rules = RuleSet(terms.rulebook.versions, terms.multiplying)
    stretch = Stretch(program, BEGINNING, day(3000), rules.scopes)
    budgets, lives, events = SharedBudgets(), {}, []
    for first, last, _count in customer_ranges(BEGINNING, day(3000), size=2):
        for one in replayed_customers(stretch, first, last):
            lives[one.customer_id] = Life(
                program_of_replay(program), one.person, [(rules, budgets)]
            )
            events += [(event.at, one.customer_id, event) for event in one.events]
    for _at, customer_id, event in sorted(events, key=lambda item: item[0]):
        lives[customer_id].live(event)
    found: defaultdict[tuple[int, int], int] = defaultdict(int)
    for customer_id, life in lives.items():
        for credit in life.accounts[0].credits:
            found[customer_id, credit.version.id] += credit.units
    return {key: units for key, units in found.items() if units}


@pytest.fixture
def elsewhere(db: None) -> Program:
    """Another program, which has all orders too."""
    return make_program("elsewhere")


@settings(max_examples=40)
@given(rules=chosen, steps=steps, alone=st.booleans(), multiplying=st.sampled_from(["best", "add"]))
def test_live_rules_replayed_give_what_the_ledger_holds(
    elsewhere, rules, steps, alone, multiplying
):
    with rolled_back():
        ways = {
            "multiplying": multiplying,
            "linked_returns": "own_amount" if alone else "reconcile",
        }
        program = make_program(unit=CENT, earning_rules=list(rules), **ways)
        shop = Shop(program, elsewhere)
        for step in steps:
            shop.step(*step)
        assert replayed(program) == in_the_ledger(program)


TIERS = [
    {"code": "base", "name": "Base", "benefits": [{"kind": "multiplier", "factor": "1.5"}]},
    {"code": "silver", "name": "Silver", "threshold": 100,
     "benefits": [{"kind": "multiplier", "factor": 2}]},
    {"code": "gold", "name": "Gold", "threshold": 300,
     "benefits": [{"kind": "multiplier", "factor": 3}]},
]  # fmt: skip
AT_LEAST_SILVER = {"all": [{"field": "membership.tier", "op": "at_least", "value": "silver"}]}
tier_sets = st.fixed_dictionaries(
    {
        "metric": st.sampled_from(["spend", "orders", "units"]),
        "window": st.sampled_from(["calendar_year", "rolling_12_months", "lifetime"]),
        "downgrade": st.sampled_from(["recompute", "immediate", "soft_landing"]),
        "priced_by": st.sampled_from(["before", "after"]),
        "return_days": st.sampled_from([0, 30]),
    }
)


@settings(max_examples=40)
@given(steps=steps, said=tier_sets, alone=st.booleans())
def test_tiers_replayed_are_those_that_priced_the_orders(elsewhere, steps, said, alone):
    tiers, said = TIERS, dict(said)
    if said["metric"] == "orders":
        tiers = [TIERS[0], TIERS[1] | {"threshold": 2}, TIERS[2] | {"threshold": 4}]
    if said["metric"] == "units":
        said["wallet_type"] = "points"
    loyal = {"code": "loyal", "name": "Loyal", "kind": "fixed", "units": 7, "when": AT_LEAST_SILVER}
    with rolled_back():
        program = make_program(
            earning_rules=[{}, loyal], tiers=said | {"tiers": tiers},
            linked_returns="own_amount" if alone else "reconcile",
        )  # fmt: skip
        shop = Shop(program, elsewhere)
        for step in steps:
            shop.step(*step)
        assert replayed(program) == in_the_ledger(program)


def test_a_tier_by_hand_and_another_tier_set_count_in_a_replay_from_when_on_they_did(db):
    program = make_program(tiers={"tiers": TIERS})
    record(order("A", "10", at=day(1)))
    give_tier(
        membership=Membership.objects.get(), tier="gold", reason="VIP", until=day(5),
        actor=SYSTEM, now=day(2),
    )  # fmt: skip
    record(order("B", "10", at=day(3)))
    record(order("C", "10", at=day(6)))
    lower = [TIERS[0], TIERS[1] | {"threshold": 20}, TIERS[2]]
    changed = TiersDefinition.model_validate({"tiers": lower})
    change_tiers(program=program, tiers=changed, actor=SYSTEM, now=day(7))
    record(order("D", "10", at=day(8)))
    assert sorted(replayed(program).values()) == [10, 10, 20, 40]
    assert replayed(program) == in_the_ledger(program)


def test_what_came_back_to_a_partner_is_replayed_in_its_program_only(db):
    there = {"field": "order.partner", "op": "is", "value": "bakery"}
    double = {"code": "double", "name": "Double", "units": 2, "when": {"all": [there]}}
    club = coalition(linked_returns="own_amount", earning_rules=[double])
    other = make_program("other", linked_returns="own_amount")
    record(order("A", "10", at=day(1)))
    buy("B", "40", when=day(1))
    give_back(refund("R", "10", of="B", at=day(2)))
    for program in (club, other):
        assert replayed(program) == in_the_ledger(program)


def test_rules_that_changed_meanwhile_are_replayed_as_they_were(db):
    program = make_program()
    record(order("A", "10", at=day(1)))
    apply_definition(define(earning_rules=[{"units": 5}]), actor=SYSTEM, now=day(2))
    record(order("B", "10", at=day(3)))
    assert sorted(replayed(program).values()) == [10, 50]
    assert replayed(program) == in_the_ledger(program)


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_orders_that_came_to_nothing_are_left_out(db, status):
    program = make_program()
    record(order("A", "10", at=day(1)), order("B", "20", at=day(2)))
    record(order("A", "10", at=day(1), status=status))
    assert replayed(program) == in_the_ledger(program)
    assert list(replayed(program).values()) == [20]


def test_guests_and_orders_in_other_currencies_are_left_out(db):
    program = make_program()
    make_program("euros", currency="EUR")
    record(order("A", "10", buyer=None), order("B", "20", buyer="c2", currency="EUR"))
    record(order("C", "30"))
    assert list(replayed(program).values()) == [30]


def test_ranges_of_customers_hold_every_order_once(db):
    make_program()
    record(*(order(f"A{number}", "10", buyer=f"c{number % 5}") for number in range(13)))
    ranges = list(customer_ranges(BEGINNING, day(9), size=3))
    assert sum(count for _first, _last, count in ranges) == Order.objects.count() == 13
    assert all(last < first for (_, last, _), (first, _, _) in pairwise(ranges))
