"""Taking rewards: what is checked, what is held, what comes back."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from loyalty.errors import InsufficientBalanceError, KeyReusedError, NotReversibleError
from loyalty.services.redemptions import reverse_redemption
from members.errors import DomainError
from members.models import StaffMember
from members.services.audit import SYSTEM, Actor
from rewards.errors import RedemptionStateError, RewardRefusedError
from rewards.models import Redemption, Reward, Voucher
from rewards.services.overrides import Override
from rewards.services.redemptions import cancel_redemption, issue_redemption, use_redemption
from rewards.services.second_chances import reopen_redemption
from rewards.services.timeouts import end_timeouts, find_timeouts
from rewards.services.voucher_pools import create_voucher_pool
from rewards.services.vouchers import hold_voucher
from tests.loyalty.factories import NOW, day, make_program, moves, spendable
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.sharing import of_each_test

# The ledger's refusals end a transaction, so these tests do not run in one.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
HOUR = dt.timedelta(hours=1)


_made_once, member = of_each_test(make_member)


@pytest.fixture
def program(member):
    return member.program


def cancel(redemption, reason="", at=NOW, **how):
    return cancel_redemption(
        redemption=redemption, reason=reason, source="api", actor=SYSTEM, now=at, **how
    )


def test_taking_a_reward_spends_its_units_and_hands_out_a_code(member, program):
    taken = take(member, offer(program, prefix="HI"), at=NOW)
    assert (taken.status, taken.units, spendable()) == ("issued", 100, 900)
    voucher = voucher_of(taken)
    assert voucher.written.startswith("HI-")
    assert (voucher.status, voucher.membership) == ("issued", member)
    assert voucher.terms["discount"]["body"] == {"kind": "discount", "amount": "5"}


def test_the_same_key_takes_it_once(member, program):
    reward = offer(program)
    assert take(member, reward, at=NOW) == take(member, reward, at=day(1))
    assert spendable() == 900
    with pytest.raises(KeyReusedError):
        take(member, offer(program, "other"), at=NOW)


def test_more_than_there_is_cannot_be_spent_and_nothing_is_left_behind(program, member):
    reward = offer(program, price=1001, stock=1)
    with pytest.raises(InsufficientBalanceError):
        take(member, reward, at=NOW)
    reward.refresh_from_db()
    assert (reward.taken, Redemption.objects.count(), Voucher.objects.count()) == (0, 0, 0)


def test_what_is_reserved_is_issued_when_it_is_fetched(member, program):
    taken = take(member, offer(program), at=NOW, hold=HOUR)
    assert (taken.status, taken.reserved_until, spendable()) == ("reserved", NOW + HOUR, 900)
    assert not Voucher.objects.exists()
    issued = issue_redemption(redemption=taken, actor=SYSTEM, now=NOW)
    again = issue_redemption(redemption=taken, actor=SYSTEM, now=NOW)
    assert issued.status == "issued"
    assert issued.voucher == again.voucher


def test_what_nobody_fetches_comes_back_by_itself(member, program):
    reward = offer(program, stock=1)
    taken = take(member, reward, at=NOW, hold=HOUR)
    assert find_timeouts(NOW) is None
    with pytest.raises(RedemptionStateError):
        issue_redemption(redemption=taken, actor=SYSTEM, now=NOW + HOUR)
    assert end_timeouts(NOW + HOUR) == 1
    taken.refresh_from_db()
    reward.refresh_from_db()
    assert (taken.status, reward.taken, spendable()) == ("expired", 0, 1000)
    assert end_timeouts(NOW + HOUR) == 0


def test_a_voucher_that_a_checkout_held_in_time_is_not_written_off_before_it_could_use_it(
    member, program
):
    taken = take(member, offer(program, valid_days=1), at=NOW)
    voucher = voucher_of(taken)
    last = voucher.expires_at
    hold_voucher(voucher=voucher, checkout="A1", occasion=None, now=last - HOUR, hold=HOUR)
    assert end_timeouts(last + HOUR) == 0
    assert end_timeouts(last + dt.timedelta(days=1)) == 1
    taken.refresh_from_db()
    assert taken.status == "expired"


def test_giving_it_up_gives_back_units_stock_and_calls_the_code_back(member, program):
    reward = offer(program, stock=1)
    taken = take(member, reward, at=NOW)
    canceled = cancel(taken, "Changed their mind")
    assert cancel(taken).pk == canceled.pk
    reward.refresh_from_db()
    assert (canceled.status, reward.taken, spendable()) == ("cancelled", 0, 1000)
    assert voucher_of(taken).status == "void"
    assert moves() == [("adjustment", 1000), ("redemption", -100), ("reversal", 100)]


def test_what_staff_noted_as_used_can_be_taken_back_by_them(member, program):
    access = take(member, offer(program, "tour", kind="access"), at=NOW)
    used = use_redemption(redemption=access, actor=SYSTEM, now=NOW)
    assert (used.status, use_redemption(redemption=access, actor=SYSTEM, now=day(1)).closed_at) == (
        "used", NOW,
    )  # fmt: skip
    assert cancel(access, "Noted by mistake", used=True).status == "cancelled"
    assert spendable() == 1000


def test_the_ledger_alone_does_not_give_back_what_a_reward_was_taken_for(member, program):
    taken = take(member, offer(program), at=NOW)
    with pytest.raises(NotReversibleError):
        reverse_redemption(transfer=taken.spent, key="undo", source="api", actor=SYSTEM, now=NOW)
    assert spendable() == 900


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "draft"}, "not_offered"),
        ({"status": "archived"}, "not_offered"),
        ({"starts_at": day(1)}, "not_yet"),
        ({"ends_at": NOW}, "over"),
        ({"stock": 0}, "sold_out"),
        ({"kind": "partner_voucher", "voucher_pool": "empty"}, "sold_out"),
        ({"when": {"field": "customer.tags", "op": "has_any", "value": ["vip"]}}, "not_for_you"),
    ],
)
def test_a_reward_says_why_it_cannot_be_taken(member, program, changes, code):
    create_voucher_pool(program=program, code="empty", name="Cinema", actor=SYSTEM)
    with pytest.raises(RewardRefusedError) as refused:
        take(member, offer(program, **changes), at=NOW)
    assert refused.value.code == code
    assert spendable() == 1000


def test_a_member_takes_no_more_than_a_period_allows(member, program):
    reward = offer(program, per_member=1, per_period="month")
    take(member, reward, "march", at=NOW)
    with pytest.raises(RewardRefusedError) as refused:
        take(member, reward, "again", at=day(1))
    assert (refused.value.code, str(refused.value)) == ("limit_reached", "1 a month for each.")
    take(member, reward, "april", at=day(20))


def test_what_ran_out_after_it_was_given_out_counts_against_the_limit(member, program):
    reward = offer(program, per_member=1, valid_days=1)
    last = voucher_of(take(member, reward, "first", at=NOW)).expires_at
    end_timeouts(last)
    with pytest.raises(RewardRefusedError) as refused:
        take(member, reward, "second", at=last)
    assert refused.value.code == "limit_reached"


def test_what_was_given_up_does_not_count_against_the_limit(member, program):
    reward = offer(program, per_member=1)
    cancel(take(member, reward, "first", at=NOW))
    assert take(member, reward, "second", at=NOW).status == "issued"


def test_whoever_fits_the_condition_may_take_it(member, program):
    member.customer.tags = ["vip"]
    member.customer.save()
    reward = offer(program, when={"field": "customer.tags", "op": "has_any", "value": ["vip"]})
    assert take(member, reward, at=NOW).status == "issued"


TIERS = {
    "metric": "spend", "window": "lifetime",
    "tiers": [
        {"code": "base", "name": "Member"},
        {"code": "gold", "name": "Gold", "threshold": 1,
         "benefits": [{"kind": "early_access", "hours": 24}]},
    ],
}  # fmt: skip


def test_a_tier_has_its_own_price_and_comes_earlier():
    program = make_program(tiers=TIERS)
    plain, gold = make_member(program=program), make_member(number="c2", program=program)
    from tests.loyalty.factories import order, record

    record(order(total="50", buyer="c2", at=day(0.1)))
    reward = offer(program, tier_prices={"gold": 60}, starts_at=day(2))
    assert take(gold, reward, "gold", at=day(1)).units == 60
    with pytest.raises(RewardRefusedError) as refused:
        take(plain, reward, "plain", at=day(1))
    assert refused.value.code == "not_yet"
    assert take(plain, reward, "plain", at=day(2)).units == 100


def test_staff_let_pass_what_is_against_the_terms_with_a_reason(member, program, django_user_model):
    user = django_user_model.objects.create(email="agent@example.com")
    StaffMember.objects.create(user=user, role=StaffMember.Role.SUPPORT_AGENT)
    reward = offer(program, ends_at=NOW)
    how = {"membership": member, "reward": reward, "key": "o1", "source": "backoffice",
           "actor": Actor.of_user(user), "now": NOW}  # fmt: skip
    from rewards.services.redemptions import take_reward

    with pytest.raises(DomainError):
        take_reward(**how, override=Override(["over"], " "))
    with pytest.raises(DomainError):
        take_reward(**how, override=Override(["sold_out"], "Because"))
    taken, _replayed = take_reward(**how, override=Override(["over", "not_yet"], "A day late"))
    assert (taken.overridden, taken.override_reason, taken.staff) == (["over"], "A day late", user)


def test_a_voucher_that_ran_out_is_written_down_and_can_be_brought_back(member, program):
    taken = take(member, offer(program, valid_days=10), at=NOW)
    last = voucher_of(taken).expires_at
    assert last == dt.datetime(2024, 3, 26, tzinfo=dt.UTC)
    assert end_timeouts(last - HOUR) == 0
    assert end_timeouts(last) == 1
    taken.refresh_from_db()
    assert (taken.status, spendable()) == ("expired", 900)
    with pytest.raises(RedemptionStateError):
        cancel(taken, at=last)
    back = reopen_redemption(
        redemption=taken, until=last + HOUR, reason="Was ill", actor=SYSTEM, now=last
    )
    assert (back.status, voucher_of(taken).status) == ("issued", "issued")


def test_the_database_lets_nothing_go_back(member, program):
    taken = take(member, offer(program), at=NOW)
    cancel(taken)
    with pytest.raises(DatabaseError), transaction.atomic():
        Redemption.objects.filter(pk=taken.pk).update(status="issued")
    with pytest.raises(DatabaseError), transaction.atomic():
        Reward.objects.filter(pk=taken.reward_id).update(stock=1, taken=2)
    with pytest.raises(DatabaseError), transaction.atomic():
        taken.delete()


def test_what_was_used_is_not_given_up_by_a_shop_or_a_member(member, program):
    taken = take(member, offer(program, kind="access"), at=NOW)
    use_redemption(redemption=taken, actor=SYSTEM, now=NOW)
    with pytest.raises(RedemptionStateError):
        cancel(taken)
    assert spendable() == 900
