"""What staff let pass, and how far each role may go."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from loyalty.errors import LedgerError
from members.errors import DomainError
from members.models import AuditEntry, StaffMember
from members.services.audit import SYSTEM, Actor
from rewards.errors import OverrideLimitError, RedemptionStateError
from rewards.models import OverrideLimit, StaffOverride
from rewards.selectors.overrides import override_terms, override_terms_of
from rewards.services.overrides import Override, change_override_limit
from rewards.services.redemptions import take_reward
from rewards.services.second_chances import reopen_redemption, waive_minimum
from rewards.services.vouchers import check_voucher
from tests.loyalty.factories import NOW, spendable
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.rewards.services.racing import at_once
from tests.rewards.services.test_vouchers import basket as basket_of
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
AGENT = StaffMember.Role.SUPPORT_AGENT


_made_once, member = of_each_test(lambda: make_member(10_000))


@pytest.fixture
def agent(django_user_model):
    user = django_user_model.objects.create(email="agent@example.com", name="Ada")
    StaffMember.objects.create(user=user, role=AGENT)
    return Actor.of_user(user)


@pytest.fixture
def over(member):
    return offer(member.program, ends_at=NOW)


def limit(**values):
    return change_override_limit(actor=SYSTEM, role=AGENT, **values)


def let_pass(member, reward, agent, key="k1", at=NOW):
    return take_reward(
        membership=member, reward=reward, key=key, source="backoffice", actor=agent, now=at,
        override=Override(["over", "limit_reached"], "Promised on the phone"),
    )[0]  # fmt: skip


def refused(*args, **how):
    with pytest.raises(OverrideLimitError) as error:
        let_pass(*args, **how)
    return error.value.code


def test_what_is_let_pass_is_written_down_with_who_and_why(member, over, agent):
    taken = let_pass(member, over, agent)
    [row] = StaffOverride.objects.all()
    assert (row.redemption, row.kind, row.codes, row.reason, row.units, row.staff) == (
        taken, "taken", ["over"], "Promised on the phone", 100, agent.user,
    )  # fmt: skip
    entry = AuditEntry.objects.get(action="reward.taken")
    assert (entry.reason, entry.actor_label) == ("Promised on the phone", "Ada")
    with pytest.raises(DatabaseError), transaction.atomic():
        StaffOverride.objects.update(reason="Other")


def test_what_is_within_the_terms_counts_for_nothing(member, agent):
    limit(most_in_a_day=0)
    taken = let_pass(member, offer(member.program), agent)
    assert (taken.overridden, StaffOverride.objects.count()) == ([], 0)


def test_a_role_lets_pass_so_many_a_day(member, over, agent):
    limit(most_in_a_day=2)
    let_pass(member, over, agent, "a")
    let_pass(member, over, agent, "b")
    assert refused(member, over, agent, "c") == "override_day_limit"
    assert spendable() == 9_800
    # The same form again is no further one, and the next day begins anew.
    assert let_pass(member, over, agent, "b").key == "b"
    assert let_pass(member, over, agent, "c", NOW + dt.timedelta(days=1)).units == 100


def test_and_so_many_units_at_once_and_a_day(member, over, agent):
    limit(units_at_once=99)
    assert refused(member, over, agent) == "override_limit"
    limit(units_at_once=None, units_in_a_day=150)
    let_pass(member, over, agent, "a")
    assert refused(member, over, agent, "b") == "override_day_limit"


@pytest.mark.django_db(transaction=True)
def test_all_at_once_let_pass_no_more_than_that(member, over, agent):
    limit(most_in_a_day=3)
    found = at_once(lambda number: let_pass(member, over, agent, f"k{number}"), 24)
    assert found == {"done": 3, "override_day_limit": 21}
    assert (StaffOverride.objects.count(), spendable()) == (3, 9_700)


def test_nobody_else_lets_anything_pass(member, over):
    with pytest.raises(LedgerError) as error:
        let_pass(member, over, SYSTEM)
    assert error.value.code == "not_staff"


def test_roles_begin_with_what_comes_with_setia_and_are_changed_one_by_one():
    assert [item.role for item in override_terms()] == [
        "administrator", "marketing_manager", "support_agent",
    ]  # fmt: skip
    assert override_terms_of(AGENT).most_in_a_day == 20
    limit(most_in_a_day=5)
    assert (override_terms_of(AGENT).most_in_a_day, override_terms_of(AGENT).units_at_once) == (
        5, 5_000,
    )  # fmt: skip
    limit(most_in_a_day=5)
    assert AuditEntry.objects.filter(action="override_limit.changed").count() == 1
    with pytest.raises(DomainError):
        limit(units_at_once=-1)
    with pytest.raises(DomainError):
        change_override_limit(actor=SYSTEM, role="analyst", most_in_a_day=1)
    assert OverrideLimit.objects.count() == 1
    assert override_terms_of("analyst").most_in_a_day == 0


def test_a_code_that_is_out_is_used_for_smaller_orders(member, agent):
    taken = take(member, offer(member.program, least=50), at=NOW)
    small = basket_of(("tea", "20", 1))
    with pytest.raises(DomainError):
        check_voucher(voucher_of(taken), small, checkout="A", now=NOW)
    how = {"redemption": taken, "actor": agent, "now": NOW}
    with pytest.raises(DomainError):
        waive_minimum(reason=" ", **how)
    waive_minimum(reason="Two orders by mistake", **how)
    waive_minimum(reason="Again", **how)
    assert check_voucher(voucher_of(taken), small, checkout="A", now=NOW).amount == 5
    assert voucher_of(taken).terms["waived"] == {"least": "50"}
    assert [(row.kind, row.reason) for row in StaffOverride.objects.all()] == [
        ("minimum", "Two orders by mistake")
    ]
    assert AuditEntry.objects.get(action="reward.minimum_waived").reason == "Two orders by mistake"


def test_a_code_without_a_smallest_order_has_nothing_to_let_pass(member, agent):
    taken = take(member, offer(member.program), at=NOW)
    with pytest.raises(RedemptionStateError):
        waive_minimum(redemption=taken, reason="Why not", actor=agent, now=NOW)


def test_bringing_back_counts_too(member, agent):
    limit(most_in_a_day=1)
    gone = [take(member, offer(member.program, f"r{n}", valid_days=1), f"k{n}", at=NOW)
            for n in range(2)]  # fmt: skip
    later = NOW + dt.timedelta(days=9)
    how = {"until": later + dt.timedelta(days=1), "reason": "Was ill", "actor": agent,
           "now": later}  # fmt: skip
    reopen_redemption(redemption=gone[0], **how)
    with pytest.raises(OverrideLimitError):
        reopen_redemption(redemption=gone[1], **how)
    assert voucher_of(gone[1]).expires_at < later
