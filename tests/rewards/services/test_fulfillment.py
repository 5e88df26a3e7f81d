"""What is sent: taken or given, packed, sent, come back, and each step taken back."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from django.utils import translation

from members.errors import DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from rewards.addresses import Address
from rewards.errors import RedemptionStateError, TaskStateError, VoucherRefusedError
from rewards.models import FulfillmentTask, Redemption, Reward
from rewards.services.fulfillment import (
    advance_task,
    forget_addresses,
    give_by_hand,
    set_address,
    set_days,
    undo_step,
)
from rewards.services.redemptions import cancel_redemption, issue_redemption, release_redemption
from rewards.services.vouchers import use_voucher
from tests.loyalty.factories import NOW, spendable
from tests.rewards.factories import make_member, offer, take, voucher_of
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
HOME = Address(recipient="Ann Lee", street="1 Oak St", city="Springfield", country="US")
DAY = dt.timedelta(days=1)


_made_once, member = of_each_test(lambda: make_member(1000))


@pytest.fixture
def mug(member) -> Reward:
    return offer(member.program, "mug", kind="gift", name="A mug", price=100, stock=5)


def task_of(redemption: Redemption) -> FulfillmentTask:
    return FulfillmentTask.objects.get(redemption=redemption)


def go(task: FulfillmentTask, *states: str, **more: str) -> FulfillmentTask:
    for state in states:
        advance_task(task=task, to=state, actor=SYSTEM, now=NOW, **more)
    task.refresh_from_db()
    return task


def test_a_label_names_the_country() -> None:
    assert HOME.lines == ["Ann Lee", "1 Oak St", "Springfield", "United States"]
    with translation.override("el"):
        assert HOME.lines[-1] == "Ηνωμένες Πολιτείες"


def test_a_gift_that_is_taken_waits_in_the_queue_until_the_end_of_its_last_day(member, mug):
    task = task_of(take(member, mug, at=NOW, address=HOME))
    assert (task.status, task.what, task.address["city"]) == ("to_do", "A mug", "Springfield")
    assert task.due_at - NOW <= 4 * DAY
    assert task.due_at - NOW > 3 * DAY
    set_days(program=member.program, days=0, actor=SYSTEM)
    later = task_of(take(member, mug, "k2", at=NOW, address=HOME))
    assert later.due_at - NOW <= DAY


def test_without_an_address_it_waits_for_one(member, mug):
    task = task_of(take(member, mug, at=NOW))
    assert (task.status, task.due_at) == ("awaited", None)
    with pytest.raises(TaskStateError):
        go(task, "packed")
    set_address(task=task, address=HOME, actor=SYSTEM, now=NOW)
    task.refresh_from_db()
    assert task.status == "to_do"
    entry = AuditEntry.objects.get(action="fulfillment.addressed")
    assert "Springfield" not in str(vars(entry))


def test_what_is_only_reserved_is_not_packed_before_it_is_handed_out(member, mug):
    taken = take(member, mug, at=NOW, hold=DAY, address=HOME)
    assert task_of(taken).status == "awaited"
    issue_redemption(redemption=taken, actor=SYSTEM, now=NOW)
    assert task_of(taken).status == "to_do"


def test_what_nobody_came_for_is_not_sent(member, mug):
    taken = take(member, mug, at=NOW, hold=DAY, address=HOME)
    assert release_redemption(redemption=taken, actor=SYSTEM, now=NOW + 2 * DAY)
    assert task_of(taken).status == "canceled"
    assert (spendable(), Reward.objects.get().taken) == (1000, 0)


def test_a_reward_that_is_sent_is_used_and_its_code_no_till_takes(member, mug):
    taken = take(member, mug, at=NOW, address=HOME)
    with pytest.raises(VoucherRefusedError):
        use_voucher(voucher=voucher_of(taken), checkout="A1", occasion=None, actor=SYSTEM, now=NOW)
    task = go(task_of(taken), "packed")
    go(task, "sent", carrier="Post", tracking_number="T1")
    taken.refresh_from_db()
    assert (taken.status, task.carrier, task.tracking_number) == ("used", "Post", "T1")
    with pytest.raises(RedemptionStateError):
        cancel_redemption(redemption=taken, reason="", source="api", actor=SYSTEM, now=NOW)
    assert spendable() == 900


def test_a_step_is_taken_back_and_what_was_taken_with_it(member, mug):
    taken = take(member, mug, at=NOW, address=HOME)
    task = go(task_of(taken), "packed", "sent")
    undo_step(task=task, actor=SYSTEM, now=NOW)
    undo_step(task=task, actor=SYSTEM, now=NOW)
    with pytest.raises(TaskStateError):
        undo_step(task=task, actor=SYSTEM, now=NOW)
    task.refresh_from_db()
    taken.refresh_from_db()
    assert (task.status, taken.status, voucher_of(taken).status) == ("to_do", "issued", "issued")


def test_what_comes_back_is_canceled_with_its_units_and_stock(member, mug):
    taken = take(member, mug, at=NOW, address=HOME)
    task = go(task_of(taken), "packed", "sent", "returned", "canceled")
    taken.refresh_from_db()
    assert (task.status, taken.status, spendable()) == ("canceled", "cancelled", 1000)
    assert Reward.objects.get().taken == 0
    with pytest.raises(TaskStateError):
        undo_step(task=task, actor=SYSTEM, now=NOW)


def test_what_comes_back_is_sent_again_with_days_of_its_own(member, mug):
    task = go(task_of(take(member, mug, at=NOW, address=HOME)), "packed", "sent", "returned")
    first = task.due_at
    advance_task(task=task, to="to_do", actor=SYSTEM, now=NOW + 9 * DAY)
    task.refresh_from_db()
    assert (task.status, task.due_at - first) == ("to_do", 9 * DAY)
    assert go(task, "packed", "sent").status == "sent"
    assert spendable() == 900


def test_canceling_what_was_taken_takes_it_out_of_the_queue(member, mug):
    taken = take(member, mug, at=NOW, address=HOME)
    cancel_redemption(redemption=taken, reason="No", source="api", actor=SYSTEM, now=NOW)
    assert task_of(taken).status == "canceled"


def test_a_gift_may_cost_nothing(member):
    free = offer(member.program, "sticker", kind="gift", price=0, stock=1)
    taken = take(member, free, at=NOW, address=HOME)
    assert (taken.spent, spendable()) == (None, 1000)
    cancel_redemption(redemption=taken, reason="", source="api", actor=SYSTEM, now=NOW)
    taken.refresh_from_db()
    assert (taken.status, Reward.objects.get().taken) == ("cancelled", 0)


def test_a_note_is_given_once_by_its_key_and_has_words(member):
    how = {
        "membership": member, "kind": "note", "what": "A card", "address": HOME, "key": "n1",
        "actor": SYSTEM, "now": NOW,
    }  # fmt: skip
    with pytest.raises(DomainError):
        give_by_hand(words=" ", **how)
    first, again = give_by_hand(words="Thank you", **how), give_by_hand(words="Thank you", **how)
    assert (first.pk, first.status, first.words) == (again.pk, "to_do", "Thank you")
    assert go(first, "packed", "sent").sent_at == NOW


def test_addresses_are_forgotten_where_nothing_is_on_its_way(member, mug):
    sent = go(task_of(take(member, mug, at=NOW, address=HOME)), "packed", "sent")
    waiting = task_of(take(member, mug, "k2", at=NOW, address=HOME))
    assert forget_addresses(memberships=[member], actor=SYSTEM) == 1
    sent.refresh_from_db()
    waiting.refresh_from_db()
    assert (sent.address, waiting.address["city"]) == (None, "Springfield")
    go(sent, "returned")
    with pytest.raises(TaskStateError):
        go(sent, "to_do")


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ({"status": "sent", "sent_at": NOW}, r"Invalid transition"),
        ({"status": "packed", "address": None}, "fulfillment_status_of_its_times"),
    ],
)
def test_the_database_guards_each_step(member, mug, change, guard):
    task = task_of(take(member, mug, at=NOW, address=HOME))
    with pytest.raises(DatabaseError, match=guard), transaction.atomic():
        FulfillmentTask.objects.filter(pk=task.pk).update(**change)
