"""The self-check of what members took: it finds what a hand with SQL bends, and nothing else."""

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from loyalty.ledger.checks import RULES, check_rule
from loyalty.models import DiscountEntry
from members.services.audit import SYSTEM
from members.services.outbox import deliver_waiting
from rewards.checks import CHECKS
from rewards.models import Redemption
from rewards.services.redemptions import cancel_redemption, use_redemption
from rewards.services.timeouts import end_timeouts
from rewards.services.vouchers import use_voucher
from tests.loyalty.factories import NOW
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.sharing import of_each_test

pytestmark = pytest.mark.django_db
TAKEN, PAID, BACK, ALIKE, DRAWN, _CODES, _HELD, _SEATS, USED, *_CARTS = CHECKS
HOUR = dt.timedelta(hours=1)
BENT = (
    (TAKEN, "UPDATE rewards_reward SET taken = taken + 1"),
    (TAKEN, "UPDATE rewards_redemption SET stocked = false WHERE status = 'issued'"),
    (PAID, "UPDATE rewards_redemption SET units = units + 1 WHERE status = 'issued'"),
    (PAID, "UPDATE rewards_redemption SET spent_id = returned_id WHERE status = 'cancelled'"),
    (BACK, "UPDATE rewards_redemption SET returned_id = NULL WHERE key = 'late'"),
    (BACK, "UPDATE loyalty_transfer SET amount = 7 WHERE kind = 'reversal'"),
    (BACK, "UPDATE loyalty_transfer SET reverses_id = NULL WHERE kind = 'reversal'"),
    (ALIKE, "UPDATE rewards_voucher SET status = 'void' WHERE status = 'issued'"),
    (ALIKE, "UPDATE rewards_voucher SET membership_id = NULL WHERE status = 'issued'"),
    (ALIKE, "UPDATE rewards_redemption SET status = 'issued' WHERE status = 'used'"),
    (DRAWN, "UPDATE rewards_reward SET kind = 'mystery'"),
    (USED, "UPDATE rewards_voucher SET status = 'issued' WHERE status = 'used'"),
)  # fmt: skip


def make_taken():
    """One of each state that there is."""
    member = make_member()
    reward = offer(member.program, stock=9)
    for key in ("issued", "checkout", "noted", "gone"):
        take(member, reward, key, at=NOW)
    take(member, reward, "late", at=NOW, hold=HOUR)
    take(member, reward, "reserved", at=NOW, hold=3 * HOUR)
    found = {item.key: item for item in Redemption.objects.all()}
    use_voucher(
        voucher=voucher_of(found["checkout"]), checkout="A1", occasion=None, actor=SYSTEM, now=NOW
    )
    use_redemption(redemption=found["noted"], actor=SYSTEM, now=NOW)
    cancel_redemption(redemption=found["gone"], reason="", source="api", actor=SYSTEM, now=NOW)
    assert end_timeouts(NOW + 2 * HOUR) == 1
    return found


_made_once, taken = of_each_test(make_taken)


def found() -> set[str]:
    return {name for name in CHECKS if check_rule(name, NOW) is not None}


def bend(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        changed = int(cursor.rowcount)
        cursor.execute("SET LOCAL session_replication_role = origin")
    return changed


def test_whatever_members_do_agrees(taken):
    assert {item.status for item in Redemption.objects.all()} == {
        "issued", "used", "cancelled", "expired", "reserved",
    }  # fmt: skip
    assert found() == set()


def test_what_units_paid_beyond_their_worth_is_no_vouchers(taken):
    DiscountEntry.objects.create(
        program=Redemption.objects.first().reward.program, kind="worth", subject="spend:1", turn=0,
        amount=1, occurred_at=NOW, booked_on=NOW.date(), recorded_at=NOW,
    )  # fmt: skip
    assert found() == set()


@pytest.mark.parametrize(("rule", "statement"), BENT)
def test_what_does_not_agree_is_found(taken, rule, statement):
    # Constraints refuse some of it, in life.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "ALTER TABLE rewards_redemption DROP CONSTRAINT redemption_status_of_its_times"
        )
        cursor.execute("ALTER TABLE rewards_reward DROP CONSTRAINT reward_amount_of_its_kind")
        cursor.execute("ALTER TABLE rewards_voucher DROP CONSTRAINT voucher_status_of_its_times")
    assert bend(statement)
    assert rule in found()


def test_the_command_and_the_self_check_look_at_it(taken):
    assert set(CHECKS) <= set(RULES)
    while deliver_waiting(1000):
        pass
    said = io.StringIO()
    call_command("verify_ledger", stdout=said)
    assert f"{len(RULES) + 1} checks passed" in said.getvalue()
    bend("UPDATE rewards_reward SET taken = taken + 1")
    wrong = io.StringIO()
    with pytest.raises(CommandError, match=f"1 of {len(RULES) + 1} checks failed"):
        call_command("verify_ledger", stdout=io.StringIO(), stderr=wrong)
    assert f"NOT TRUE: {TAKEN} (1 times)" in wrong.getvalue()
