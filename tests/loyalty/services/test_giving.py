"""Charities, what is pledged to them, what members give by themselves, and how it is paid out."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import translation

from loyalty.errors import (
    GiftRefusedError,
    InsufficientBalanceError,
    InvalidOrderError,
    LedgerError,
)
from loyalty.giving_definitions import CharityDefinition
from loyalty.models import (
    Account,
    Charity,
    CharityEntry,
    CharityPayout,
    Membership,
    Pledge,
    PledgeEvent,
    Program,
    StandingGift,
    Transfer,
)
from loyalty.selectors.charities import charities, charity_definition
from loyalty.selectors.impact import impact_of_charity, impact_of_member, owed_to
from loyalty.selectors.programs import definition_of
from loyalty.services.activity_decisions import reverse_activity
from loyalty.services.charities import change_charity, create_charity
from loyalty.services.charity_payouts import make_payout, pay_payout, take_back_payout
from loyalty.services.gift_reversals import undo_movement
from loyalty.services.gifts import donate_units
from loyalty.services.order_inputs import RoundUpInput
from loyalty.services.pledge_events import count_events, look_back
from loyalty.services.programs import apply_definition
from loyalty.services.standing_gifts import (
    end_standing_gift,
    give_standing_gifts,
    set_standing_gift,
)
from members.errors import ConflictError, DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.merging import merge_customers, undo_merge
from members.services.outbox import deliver_waiting
from tests.loyalty.conftest import assert_ledger_coherent
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    make_program,
    make_type,
    make_wallet,
    order,
    record,
    refund,
    spendable,
    tell,
    told,
    wallet_of,
)

TREES = {
    "code": "trees", "name": "City Trees", "thing_singular": "tree", "thing_plural": "trees",
    "thing_price": "5", "rates": [{"units": "50", "things": "1"}],
}  # fmt: skip
SEAS = {"code": "seas", "name": "Clean Seas"}
EACH_ORDER = {
    "code": "orders", "charity": "trees", "name": "A tree for each order", "event": "order",
    "status": "live", "things": "1", "starts_at": day(-30).isoformat(),
}  # fmt: skip


def club(*pledges: dict, **said) -> Program:
    """A program with two charities; a point is worth a cent."""
    unit = {"unit_value": "0.01"} | said.pop("unit", {})
    return make_program(
        unit=unit, charities=said.pop("charities", [TREES, SEAS]), pledges=list(pledges), **said
    )


def trees() -> Charity:
    return charities().get(account__code="trees")


def seas() -> Charity:
    return charities().get(account__code="seas")


def member(number: str = "ann", bought: str = "100") -> Membership:
    wallet = make_wallet(Program.objects.first(), number)
    if bought:
        record(order(f"{number}-1", bought, buyer=number))
    return Membership.objects.select_related("customer", "program").get(account=wallet.account_id)


def donate(who: Membership, units: int, key: str = "d1", *, to: Charity | None = None, now=NOW,
           **how) -> Transfer:  # fmt: skip
    return donate_units(
        wallet=wallet_of(who.account_id), charity=(to or trees()).account, units=units,
        actor=SYSTEM, key=key, source="account", now=now, **how,
    )[0]  # fmt: skip


def undo(gift: Transfer, *, now=NOW) -> Transfer:
    return undo_movement(transfer=gift, actor=SYSTEM, source="backoffice", now=now)[0]


def merge(kept: Membership, merged: Membership):
    return merge_customers(
        kept=kept.customer, merged=merged.customer, actor=SYSTEM, source="api", now=day(1)
    )[0]


def count(*customers: str, now: dt.datetime = NOW) -> None:
    people = Customer.objects.filter(external_id__in=customers)
    count_events(customers=people.values_list("pk", flat=True), now=now)


def lines(kind: str = "") -> list[tuple[Decimal, Decimal]]:
    found = CharityEntry.objects.filter(kind=kind) if kind else CharityEntry.objects.all()
    return [(item.money, item.things) for item in found.order_by("pk")]


def given() -> Decimal:
    return impact_of_charity(trees()).worth.things


# --- Charities


def test_a_program_file_says_charities_and_pledges_and_reads_them_back(db):
    texts = {"el": {"name": "Δέντρα", "summary": "Στην πόλη"}}
    program = club(EACH_ORDER, charities=[TREES | {"texts": texts, "icon": "tree"}, SEAS])
    definition = definition_of(program, NOW)
    assert [item.code for item in definition.charities] == ["trees", "seas"]
    assert definition.charities[0].rates[0].things == 1
    assert definition.pledges[0].things == 1
    assert apply_definition(definition, actor=SYSTEM, now=NOW).changes == []
    with translation.override("el"):
        assert (trees().told_name, trees().told_summary) == ("Δέντρα", "Στην πόλη")
    assert trees().told_name == "City Trees"


def test_a_charity_is_archived_and_nothing_can_be_given_to_it(db):
    club()
    ann = member()
    definition = charity_definition(trees()).model_copy(update={"status": "archived"})
    change_charity(charity=trees(), definition=definition, actor=SYSTEM)
    with pytest.raises(GiftRefusedError, match="any more"), transaction.atomic():
        donate(ann, 10)
    assert donate(ann, 10, to=seas()).amount == 10


def test_a_charity_that_was_given_something_stays_in_the_file(db):
    program = club()
    donate(member(), 10)
    definition = definition_of(program, NOW)
    kept = definition.model_copy(update={"charities": definition.charities[1:]})
    with pytest.raises(ConflictError, match="Archive it"):
        apply_definition(kept, actor=SYSTEM, now=NOW)
    less = definition.model_copy(update={"charities": definition.charities[:1]})
    apply_definition(less, actor=SYSTEM, now=NOW)
    assert Account.objects.filter(kind="charity").count() == Charity.objects.count() == 1


def test_a_short_name_is_there_once(db):
    program = club()
    made = create_charity(
        program=program, actor=SYSTEM,
        definition=CharityDefinition(code="paws", name="Four Paws"),
    )  # fmt: skip
    assert (made.account.code, made.position) == ("paws", 2)
    with pytest.raises(ConflictError):
        create_charity(
            program=program, actor=SYSTEM, definition=CharityDefinition(code="paws", name="X")
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"thing_singular": "tree"},
        {"thing_price": "5"},
        {"rates": [{"units": "1"}]},
        {"rates": [{"units": "1", "money": "1", "things": "1"}]},
        {"rates": [{"units": "1", "money": "1"}, {"units": "2", "money": "1"}]},
        {"website": "javascript:alert(1)"},
    ],
)
def test_a_charity_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValueError, match="validation error"):
        CharityDefinition.model_validate(SEAS | wrong)


# --- Donations


def test_what_is_given_is_worth_what_the_charity_says(db):
    club()
    ann = member()
    donate(ann, 75)
    donate(ann, 25, "d2", to=seas())
    assert lines() == [(Decimal("7.5"), Decimal("1.5")), (Decimal("0.25"), Decimal(0))]
    assert [item.words for item in impact_of_member(ann)] == ["1\N{NO-BREAK SPACE}tree", "$0.25"]
    assert spendable("ann") == 0


def test_a_repeat_gives_once_and_an_undone_gift_is_taken_back_in_the_lines(db):
    club()
    ann = member()
    gift = donate(ann, 50)
    assert donate(ann, 50) == gift
    undo(gift, now=day(1))
    undo(gift, now=day(1))
    assert lines() == [(5, 1), (-5, -1)]
    assert spendable("ann") == 100
    assert impact_of_member(ann) == []


def test_gifts_are_multiples_of_the_step(db):
    club(unit={"gifts": {"step": 20, "least": 20}})
    ann = member()
    for units in (10, 30):
        with pytest.raises(LedgerError), transaction.atomic():
            donate(ann, units, f"d{units}")
    assert donate(ann, 60, note="Asked by phone").note == "Asked by phone"


@pytest.mark.django_db(transaction=True)
def test_a_balance_for_one_gift_is_given_once_however_many_try():
    club()
    ann = member()

    def give(number: int) -> bool:
        try:
            donate(ann, 60, f"try-{number}")
        except InsufficientBalanceError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(give, range(50)))
    assert (done.count(True), spendable("ann"), CharityEntry.objects.count()) == (1, 40, 1)
    assert_ledger_coherent()


def test_lines_never_change_and_are_taken_back_as_a_whole(db):
    club()
    donate(member(), 50)
    entry = CharityEntry.objects.get()
    for change in ({"money": 1}, {"units": 1}, {"charity": seas()}):
        with pytest.raises(DatabaseError), transaction.atomic():
            CharityEntry.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.delete()
    entry.pk, entry.key, entry.transfer = None, "x", None
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.save(force_insert=True)


# --- Standing gifts


def share(who: Membership, percent: int, *, now=NOW, to: Charity | None = None) -> StandingGift:
    return set_standing_gift(
        membership=who, wallet_type=who.program.wallet_types.get(), charity=to or trees(),
        percent=Decimal(percent), actor=SYSTEM, now=now,
    )  # fmt: skip


def test_a_share_of_what_is_earned_goes_once_it_can_be_spent(db):
    club(unit={"pending_days": 5})
    ann = member(bought="")
    share(ann, 10)
    record(order("A1", "105", buyer="ann", at=day(1)))
    assert give_standing_gifts(day(2)) == 0
    assert give_standing_gifts(day(7)) == 1
    assert give_standing_gifts(day(7)) == give_standing_gifts(day(8)) == 0
    record(order("A2", "5", buyer="ann", at=day(9)))
    give_standing_gifts(day(20))
    # A tenth of 105 is 10 and a half; with that half, a tenth of 110 is 11.
    assert [item.units for item in CharityEntry.objects.order_by("pk")] == [10, 1]
    assert spendable("ann", at=day(20)) == 99


def test_what_was_earned_before_is_not_shared_and_an_ended_one_gives_nothing(db):
    club()
    ann = member()
    share(ann, 100, now=day(1))
    assert give_standing_gifts(day(2)) == 0
    end_standing_gift(
        membership=ann, wallet_type=ann.program.wallet_types.get(), actor=SYSTEM, now=day(2)
    )
    record(order("A2", "50", buyer="ann", at=day(3)))
    assert give_standing_gifts(day(4)) == 0
    assert spendable("ann", at=day(4)) == 150


def test_a_refund_leaves_the_gift_and_the_next_units_are_shared_beyond_it(db):
    club()
    ann = member(bought="")
    share(ann, 50)
    record(order("A1", "100", buyer="ann", at=day(1)))
    give_standing_gifts(day(2))
    give_back(refund("R1", "60", of="A1", at=day(3)))
    assert (spendable("ann", at=day(4)), given()) == (0, 1)
    record(order("A2", "60", buyer="ann", at=day(5)))
    give_standing_gifts(day(6))
    # 100 were shared already; what was earned comes to 100 again.
    assert given() == 1
    record(order("A3", "20", buyer="ann", at=day(7)))
    give_standing_gifts(day(8))
    assert [item.units for item in CharityEntry.objects.order_by("pk")] == [50, 10]


def test_another_choice_replaces_the_first_and_the_same_again_changes_nothing(db):
    club()
    ann = member()
    first = share(ann, 10)
    assert share(ann, 10, now=day(1)) == first
    assert share(ann, 50, now=day(1), to=seas()) != first
    assert StandingGift.objects.filter(ended_at=None).count() == 1
    with pytest.raises(DomainError):
        share(ann, 0)


@pytest.mark.django_db(transaction=True)
def test_a_share_is_given_once_however_many_run():
    club()
    ann = member(bought="")
    share(ann, 100)
    record(order("A1", "40", buyer="ann", at=day(1)))

    def run(_number: int) -> int:
        try:
            return give_standing_gifts(day(2))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(16)))
    assert [item.units for item in CharityEntry.objects.all()] == [40]
    assert_ledger_coherent()


# --- Rounded up


def rounded(amount: str, number: str = "A1", **said):
    up = RoundUpInput(Program.objects.first().code, said.pop("to", "trees"), Decimal(amount))
    return order(number, "9.50", round_up=up, **said)


def test_what_an_order_was_rounded_up_by_is_money_for_the_charity(db):
    club()
    ann = member(bought="")
    record(rounded("0.50", buyer="ann"))
    record(rounded("0.50", buyer="ann"))
    assert lines("round_up") == [(Decimal("0.5"), Decimal("0.1"))]
    assert impact_of_member(ann)[0].worth.money == Decimal("0.5")
    # Nothing of it is earned or owed in units.
    assert spendable("ann") == 9


def test_a_guest_rounds_up_too_and_another_amount_replaces_the_first(db):
    club()
    record(rounded("0.50", buyer=None))
    record(rounded("1.50", buyer=None))
    record(order("A1", "9.50", buyer=None))
    assert [money for money, _things in lines()] == [
        Decimal("0.5"), Decimal("-0.5"), Decimal("1.5"), Decimal("-1.5")
    ]  # fmt: skip


def test_a_canceled_order_takes_it_back_and_a_refund_does_not(db):
    club()
    member(bought="")
    record(rounded("0.50", buyer="ann"), rounded("0.50", "A2", buyer="ann"))
    record(rounded("0.50", buyer="ann", status="cancelled"))
    give_back(refund("R1", "9.50", of="A2"))
    assert sum(money for money, _things in lines()) == Decimal("0.5")


def test_an_order_for_an_unknown_charity_is_refused(db):
    club()
    with pytest.raises(InvalidOrderError) as refused, transaction.atomic():
        record(rounded("0.50", to="paws"))
    assert refused.value.errors[0].field == "round_up.charity"


# --- Pledges


def test_each_order_is_counted_once_and_given_back_when_it_is_canceled(db):
    club(EACH_ORDER)
    ann = member()
    deliver_waiting()
    count("ann")
    assert (lines(), given()) == ([(5, 1)], 1)
    assert impact_of_member(ann)[0].words == "1\N{NO-BREAK SPACE}tree"
    record(order("ann-1", "100", buyer="ann", status="cancelled"), now=day(1))
    count("ann", now=day(1))
    count("ann", now=day(1))
    assert (lines(), given()) == ([(5, 1), (-5, -1)], 0)
    record(order("ann-1", "100", buyer="ann"), now=day(2))
    count("ann", now=day(2))
    assert given() == Pledge.objects.get().given == 1


def test_what_happened_before_it_was_put_live_is_counted_piece_by_piece(db):
    program = club()
    member()
    record(*(order(f"A{number}", "10", buyer="ann") for number in range(4)))
    club(EACH_ORDER)
    assert [look_back(NOW, most=2) for _ in range(4)] == [2, 2, 1, None]
    assert given() == 5
    assert definition_of(program, NOW).pledges[0].code == "orders"


def test_an_order_that_came_back_as_a_whole_is_undone(db):
    club(EACH_ORDER)
    member()
    count("ann")
    give_back(refund("R1", "40", of="ann-1", at=day(1)))
    count("ann")
    assert given() == 1
    give_back(refund("R2", "60", of="ann-1", at=day(2)))
    count("ann")
    assert given() == 0


def test_a_budget_is_never_exceeded_and_freed_room_serves_others(db):
    club(EACH_ORDER | {"budget": "2"})
    member()
    record(*(order(f"A{number}", "10", buyer="ann") for number in range(3)))
    count("ann")
    states = PledgeEvent.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["counted", "counted", "no_budget", "no_budget"]
    record(order("A0", "10", buyer="ann", status="cancelled"), now=day(1))
    count("ann")
    record(order("A9", "10", buyer="ann", at=day(2)))
    count("ann", now=day(2))
    assert given() == Pledge.objects.get().given == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        Pledge.objects.update(given=3)


def test_only_orders_from_so_much_on_in_its_days_and_of_whom_the_condition_says(db):
    when = {"field": "customer.country", "op": "is", "value": "GR"}
    club(
        EACH_ORDER | {
            "least": "50", "starts_at": day(0).isoformat(), "ends_at": day(5).isoformat(),
            "when": when,
        }
    )  # fmt: skip
    member(bought="")
    member("ben", "60")
    Customer.objects.filter(external_id="ann").update(country="GR")
    record(
        order("A1", "60", buyer="ann", at=day(-1)), order("A2", "60", buyer="ann", at=day(1)),
        order("A3", "40", buyer="ann", at=day(1)), order("A4", "60", buyer="ann", at=day(6)),
    )  # fmt: skip
    count("ann", "ben")
    counted = PledgeEvent.objects.filter(state="counted")
    assert [item.order.external_id for item in counted] == ["A2"]
    # Looked at once: who moves there later was not there then.
    Customer.objects.filter(external_id="ben").update(country="GR")
    count("ben")
    assert counted.count() == 1


def test_an_approved_activity_counts_and_is_given_back_when_it_is_taken_back(db):
    make_type()
    club({
        "code": "reviews", "charity": "seas", "name": "A dollar for each review",
        "event": "activity", "activity_type": "review", "status": "live", "money": "1",
        "starts_at": day(-30).isoformat(),
    })  # fmt: skip
    member(bought="")
    [done] = tell(told(buyer="ann"))
    count("ann")
    assert lines() == [(1, 0)]
    reverse_activity(
        activity=done.activity, note="Spam", actor=SYSTEM, source="backoffice", now=day(1)
    )
    count("ann")
    assert sum(money for money, _things in lines()) == 0


def test_who_joins_is_counted_once_and_who_is_merged_is_one(db):
    program = club(EACH_ORDER | {"code": "joined", "event": "member"})
    ann, ben = member(bought=""), member("ben", bought="")
    deliver_waiting()
    assert given() == 2
    merge(ann, ben)
    deliver_waiting()
    assert given() == 1
    assert Membership.objects.filter(program=program).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_budget_for_one_is_given_once_however_many_count():
    club(EACH_ORDER | {"budget": "3"})
    buyers = [f"c{number}" for number in range(8)]
    for buyer in buyers:
        member(buyer, "10")

    def look(buyer: str) -> None:
        try:
            count(buyer)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, buyers * 3))
    assert given() == Pledge.objects.get().given == 3
    assert PledgeEvent.objects.count() == 8
    assert_ledger_coherent()


# --- Payouts


def pay(charity: Charity, until: dt.date, *, now=None) -> CharityPayout:
    return make_payout(charity=charity, until=until, actor=SYSTEM, now=now or day(40))


def test_each_line_is_in_one_payout_and_what_is_undone_later_is_less_in_the_next(db):
    club()
    ann = member()
    first = donate(ann, 50)
    donate(ann, 10, "d2", now=day(10))
    payout = pay(trees(), day(5).date())
    assert (payout.money, payout.things, payout.entries_count, payout.number) == (5, 1, 1, 1)
    assert [item.money for item in owed_to([trees()])] == [6]
    with pytest.raises(ConflictError):
        pay(trees(), day(5).date())
    pay_payout(payout=payout, reference="SEPA 1", paid_on=day(6).date(), actor=SYSTEM, now=day(40))
    assert [item.money for item in owed_to([trees()])] == [1]
    undo(first, now=day(12))
    with pytest.raises(ConflictError):
        pay(trees(), day(20).date())
    donate(ann, 50, "d3", now=day(15))
    assert pay(trees(), day(20).date()).money == 1


def test_a_payout_is_taken_back_with_a_reason_and_its_lines_wait_again(db):
    club()
    donate(member(), 50)
    payout = pay(trees(), day(5).date())
    with pytest.raises(DomainError):
        take_back_payout(payout=payout, reason=" ", actor=SYSTEM)
    take_back_payout(payout=payout, reason="Wrong account", actor=SYSTEM)
    with pytest.raises(ConflictError):
        pay_payout(payout=payout, reference="X", paid_on=day(6).date(), actor=SYSTEM, now=day(40))
    again = pay(trees(), day(5).date())
    assert (again.number, again.money, again.entries.count()) == (2, 5, 1)
    payout.refresh_from_db()
    assert (payout.money, payout.note) == (5, "Wrong account")


def test_the_database_holds_what_is_paid(db):
    club()
    donate(member(), 50)
    payout = pay(trees(), day(5).date())
    for change in ({"money": 9}, {"status": "paid"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            CharityPayout.objects.filter(pk=payout.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        CharityEntry.objects.update(payout=None)


@pytest.mark.django_db(transaction=True)
def test_a_line_is_paid_once_however_many_make_payouts():
    club()
    donate(member(), 50)

    def make(_number: int) -> bool:
        try:
            pay(trees(), day(5).date())
        except ConflictError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(make, range(8))).count(True) == 1
    assert CharityPayout.objects.count() == 1


# --- Merged customers


def test_what_either_gave_is_told_of_the_one_that_is_kept_and_of_each_again(db):
    club()
    ann, ben = member(), member("ben")
    donate(ann, 50)
    gift = donate(ben, 100, "d2")
    merged = merge(ann, ben)
    assert [item.words for item in impact_of_member(ann)] == ["3\N{NO-BREAK SPACE}trees"]
    undo(gift, now=day(2))
    assert [item.words for item in impact_of_member(ann)] == ["1\N{NO-BREAK SPACE}tree"]
    undo_merge(merge=merged, actor=SYSTEM, source="api", now=day(3))
    assert [item.words for item in impact_of_member(ann)] == ["1\N{NO-BREAK SPACE}tree"]
