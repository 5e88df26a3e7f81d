"""Rewards that are a donation: what the charity gets, and how it comes back."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection, transaction
from pydantic import ValidationError

from loyalty.errors import InsufficientBalanceError, NotReversibleError
from loyalty.ledger.checks import RULES, check_rule
from loyalty.models import Account, CharityEntry, Transfer
from loyalty.selectors.charities import charities, charity_definition
from loyalty.selectors.programs import definition_of as program_definition
from loyalty.services.charities import change_charity
from loyalty.services.charity_payouts import make_payout
from loyalty.services.expiry import write_down_expired
from loyalty.services.gift_reversals import undo_gift
from loyalty.services.gifts import donate_units
from loyalty.services.programs import apply_definition
from members.errors import ConflictError, DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from rewards.checks import CHECKS
from rewards.errors import RewardRefusedError
from rewards.models import Redemption
from rewards.selectors.rewards import definition_of, get_reward
from rewards.services.gift_days import start_gift_day
from rewards.services.gifts import give_reward
from rewards.services.redemptions import cancel_redemption, issue_redemption
from rewards.services.rewards import change_reward
from rewards.services.till_rewards import TakenAtTill
from rewards.services.till_sales import TillSale, replay_sale
from rewards.services.timeouts import end_timeouts
from tests.loyalty.factories import NOW, line, make_program, order, spendable, wallet_of
from tests.rewards.factories import make_member, offer, take
from tests.rewards.test_checks import bend
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
HOUR = dt.timedelta(hours=1)
CITY = {
    "code": "city", "name": "City Trees", "thing_singular": "tree", "thing_plural": "trees",
    "thing_price": "5", "rates": [{"wallet_type": "points", "units": "500", "things": "1"}],
}  # fmt: skip


_made_once, member = of_each_test(lambda: make_member(program=make_program(charities=[CITY])))


def tree(member, **changes):
    return offer(member.program, "tree", kind="charity", charity="city", name="A tree", **changes)


def lines():
    found = CharityEntry.objects.order_by("pk")
    return [(item.kind, item.units, item.money, item.things) for item in found]


def given_to_charity():
    account = Account.objects.get(kind="charity")
    came = Transfer.objects.filter(to_account=account)
    went = Transfer.objects.filter(from_account=account)
    return sum(item.amount for item in came) - sum(item.amount for item in went)


def agrees():
    # Whether everything agrees, in rewards and in the ledger.
    return [name for name in (*RULES, *CHECKS) if check_rule(name, NOW) is not None] == []


def cancel(taken, at=NOW):
    return cancel_redemption(
        redemption=taken, reason="A mistake", source="api", actor=SYSTEM, now=at
    )


@pytest.mark.parametrize(
    ("said", "money", "things"),
    [
        ({"things": "2"}, "10", "2"),
        ({"amount": "7.50"}, "7.50", "1.5"),
        # By the charity's own rate: a tree for 500 of them.
        ({}, "1", "0.2"),
    ],
)
def test_taking_it_gives_its_units_to_the_charity(member, said, money, things):
    taken = take(member, tree(member, **said), at=NOW)
    assert (taken.status, taken.voucher, spendable(), given_to_charity()) == (
        "used", None, 900, 100,
    )  # fmt: skip
    assert (taken.spent.kind, taken.spent.explanation["reward"]) == ("donation", "A tree")
    assert lines() == [("donation", 100, Decimal(money), Decimal(things))]
    assert agrees()


def test_it_is_given_once_however_often_it_is_told(member):
    reward = tree(member)
    assert take(member, reward, at=NOW) == take(member, reward, at=NOW)
    assert (len(lines()), given_to_charity()) == (1, 100)


def test_it_comes_back_as_a_whole_and_once(member):
    taken = take(member, tree(member, things="2", stock=1), at=NOW)
    assert cancel(taken).status == "cancelled"
    assert cancel(taken).status == "cancelled"
    assert (spendable(), given_to_charity()) == (1000, 0)
    assert lines() == [("donation", 100, 10, 2), ("donation", -100, -10, -2)]
    assert get_reward(taken.reward.public_id).left == 1
    assert agrees()


def test_its_movement_alone_is_not_undone(member):
    taken = take(member, tree(member), at=NOW)
    with pytest.raises(NotReversibleError):
        undo_gift(transfer=taken.spent, actor=SYSTEM, source="api", now=NOW)
    assert (spendable(), given_to_charity()) == (900, 100)


def test_what_was_paid_out_is_less_in_the_next_payout(member):
    taken = take(member, tree(member, amount="7"), at=NOW)
    charity = charities().get()
    later = NOW + dt.timedelta(days=1)
    make_payout(charity=charity, until=NOW.date(), actor=SYSTEM, now=later)
    cancel(taken, later)
    open_lines = CharityEntry.objects.filter(payout=None)
    assert [item.money for item in open_lines] == [-7]
    assert agrees()


def test_a_reservation_that_nobody_comes_for_gives_nothing(member):
    reward = tree(member)
    take(member, reward, "held", at=NOW, hold=HOUR)
    assert (spendable(), given_to_charity()) == (900, 100)
    assert end_timeouts(NOW + 2 * HOUR) == 1
    assert (spendable(), given_to_charity()) == (1000, 0)
    fetched = take(member, reward, "fetched", at=NOW, hold=HOUR)
    assert issue_redemption(redemption=fetched, actor=SYSTEM, now=NOW).status == "used"
    assert (spendable(), given_to_charity(), agrees()) == (900, 100, True)


def test_who_has_too_few_gives_nothing(member):
    with pytest.raises(InsufficientBalanceError):
        take(member, tree(member, price=1001), at=NOW)
    assert (lines(), Redemption.objects.count()) == ([], 0)


def test_steps_of_free_gifts_do_not_hold_for_it():
    program = make_program(
        charities=[CITY],
        unit={"gifts": {"to_charities": True, "least": "300", "step": "300"}},
    )
    member = make_member(program=program)
    assert take(member, tree(member), at=NOW).units == 100


def test_an_archived_charity_is_not_offered(member):
    reward, charity = tree(member), charities().get()
    archived = charity_definition(charity).model_copy(update={"status": "archived"})
    change_charity(charity=charity, definition=archived, actor=SYSTEM)
    with pytest.raises(RewardRefusedError) as error:
        take(member, reward, at=NOW)
    assert error.value.code == "not_offered"


def test_it_cannot_be_given_to_somebody(member):
    with pytest.raises(RewardRefusedError):
        give_reward(
            membership=member, reward=tree(member), gift="many", message="Hi", key="g",
            source="job", actor=SYSTEM, now=NOW,
        )  # fmt: skip


def test_it_is_given_on_no_day_of_the_year(member):
    with pytest.raises(DomainError):
        start_gift_day(
            reward=tree(member), day="birthday", days_before=0, tiers=(), message="",
            actor=SYSTEM, now=NOW,
        )  # fmt: skip


def test_whom_it_goes_to_stays(member):
    reward = tree(member)
    changed = definition_of(reward).model_copy(update={"charity": "other"})
    with pytest.raises(DomainError) as error:
        change_reward(reward=reward, definition=changed, actor=SYSTEM)
    assert error.value.errors[0].field == "charity"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "charity"},
        {"kind": "charity", "charity": "city", "amount": 5, "things": 1},
        {"kind": "charity", "charity": "city", "price": 0},
        {"kind": "charity", "charity": "city", "valid_days": 3},
        {"kind": "access", "charity": "city"},
    ],
)
def test_what_contradicts_itself_is_refused(member, wrong):
    with pytest.raises(ValidationError):
        offer(member.program, **wrong)


def test_an_unknown_charity_and_things_that_nobody_counts_are_refused():
    plain = {"code": "food", "name": "Food bank"}
    program = make_program(charities=[CITY, plain])
    for wrong in ({"charity": "none"}, {"charity": "food", "things": 1}):
        with pytest.raises(DomainError):
            offer(program, kind="charity", **wrong)


def test_a_program_file_carries_it_and_keeps_its_charity(member):
    reward = tree(member, things="2", price=250)
    said = program_definition(member.program, NOW)
    [told] = said.rewards
    assert (told.charity, told.things, told.price) == ("city", 2, 250)
    other = said.model_copy(update={"code": "other", "name": "Other"})
    made = apply_definition(other, actor=SYSTEM, now=NOW).program
    assert definition_of(get_reward(made.rewards.get().public_id)) == definition_of(reward)
    with pytest.raises(ConflictError):
        apply_definition(said.model_copy(update={"charities": ()}), actor=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE loyalty_charityentry SET units = units + 1",
        "UPDATE rewards_reward SET charity_id = (SELECT max(id) FROM loyalty_charity)",
        "UPDATE loyalty_charityentry SET transfer_id = NULL",
    ],
)
def test_the_self_check_finds_a_donation_that_did_not_arrive(statement):
    program = make_program(charities=[CITY, {"code": "food", "name": "Food bank"}])
    member = make_member(program=program)
    take(member, tree(member), at=NOW)
    rule = "a reward that is a donation gave its units to its charity, and a line says so"
    # No table is altered that has triggers which wait for the end of the transaction.
    connection.check_constraints()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE loyalty_charityentry DROP CONSTRAINT"
                           " charity_entry_of_its_kind")  # fmt: skip
        assert bend(statement)
        assert check_rule(rule, NOW) is not None
        transaction.set_rollback(True)
    assert check_rule(rule, NOW) is None


# The only program: its charity is.
@pytest.mark.django_db(transaction=True)
def test_a_till_that_was_offline_gives_at_the_time_of_its_sale():
    unit = {"expiry": {"kind": "days", "length": 1}}
    member = make_member(1000, program=make_program(charities=[CITY], unit=unit))
    reward = tree(member)
    late = NOW + 60 * HOUR
    # By then they have expired, and somebody has written that down.
    write_down_expired(late)
    assert spendable(at=late) == 0
    sold = TillSale(
        order("T1", "20", at=NOW + HOUR, source="till-3", lines=(line(1, "20"),)), (),
        (TakenAtTill(reward),), (member,),
    )  # fmt: skip
    assert replay_sale(sale=sold, actor=SYSTEM, now=late).problems == ()
    [given] = Transfer.objects.filter(kind="donation")
    assert (given.amount, given.occurred_at, given.recorded_at) == (100, NOW + HOUR, late)
    assert CharityEntry.objects.get().occurred_at == NOW + HOUR
    assert Redemption.objects.get().created_at == NOW + HOUR
    assert given_to_charity() == 100
    # What the sale left of them has expired, and nothing more.
    assert spendable(at=late) == 0
    assert replay_sale(sale=sold, actor=SYSTEM, now=late).problems == ()
    assert [name for name in (*CHECKS, *RULES) if check_rule(name, late) is not None] == []


def test_nothing_is_given_at_a_time_that_is_too_long_ago(member):
    charity = Account.objects.get(kind="charity")
    for at in (NOW - 73 * HOUR, NOW + HOUR):
        with pytest.raises(DomainError, match="72 hours"):
            donate_units(
                wallet=wallet_of(member.account_id), charity=charity, units=10, actor=SYSTEM,
                key="k", source="api", now=NOW, occurred_at=at,
            )  # fmt: skip


def test_it_comes_back_to_who_was_erased_with_its_reward_alone(member):
    taken = take(member, tree(member), at=NOW)
    Customer.objects.filter(pk=member.customer_id).update(given_name="Ana")
    erase_customer_details(customer=member.customer, actor=SYSTEM)
    assert cancel(taken).status == "cancelled"
    assert (spendable(), given_to_charity()) == (1000, 0)
