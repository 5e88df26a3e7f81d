"""Events: seats, the waiting list that moves up, the door, and events that are called off."""

import datetime as dt

import pytest

from members.errors import ConflictError, DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from members.services.job_runs import run_job
from members.services.outbox import deliver_waiting
from rewards.definitions import RewardText
from rewards.errors import EventStateError, RewardRefusedError
from rewards.event_definitions import EventDefinition
from rewards.models import Event, EventWait, Redemption, Reward
from rewards.selectors.events import event_definition, open_waits
from rewards.selectors.rewards import definition_of as reward_definition_of
from rewards.services.bulk_changes import BulkChange, change_rewards
from rewards.services.event_jobs import cancel_event, pass_on_seats
from rewards.services.events import (
    accept_seat,
    change_event,
    check_in,
    create_event,
    join_waiting_list,
    leave_waiting_list,
    note_no_show,
)
from rewards.services.gifts import give_reward
from rewards.services.redemptions import cancel_redemption
from rewards.services.rewards import change_reward
from tests.loyalty.factories import NOW, spendable
from tests.rewards.factories import make_member, take
from tests.sharing import of_each_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
BEGINS = NOW + 30 * DAY


def make_members():
    first = make_member(1000, "m0")
    return [first, *(make_member(1000, f"m{number}", first.program) for number in range(1, 5))]


_made_once, members = of_each_test(make_members)


def plan(program, code="tasting", **changes) -> Event:
    values = {
        "code": code, "name": "Tasting", "place": "The shop", "starts_at": BEGINS,
        "ends_at": BEGINS + 2 * HOUR, "seats": 1, "price": 100,
    }  # fmt: skip
    definition = EventDefinition.model_validate(values | changes)
    return create_event(program=program, definition=definition, actor=SYSTEM, live=True)


def wait_for(event: Event, member, at=NOW) -> EventWait:
    return join_waiting_list(event=event, membership=member, actor=SYSTEM, now=at)


def give_up(redemption: Redemption, at=NOW) -> None:
    cancel_redemption(redemption=redemption, reason="", source="api", actor=SYSTEM, now=at)


def accept(wait: EventWait, at=NOW) -> Redemption:
    return accept_seat(wait=wait, source="account", actor=SYSTEM, now=at)


def states(event: Event) -> list[str]:
    return list(EventWait.objects.filter(event=event).order_by("pk").values_list("status", flat=1))


def seats(event: Event) -> tuple[int, int]:
    reward = Reward.objects.get(pk=event.reward_id)
    return reward.taken, reward.kept


def test_a_seat_is_booked_like_any_reward_and_sold_out_after_the_last(members):
    event = plan(members[0].program)
    take(members[0], event.reward, "a", at=NOW)
    assert (seats(event), spendable("m0")) == ((1, 0), 900)
    with pytest.raises(RewardRefusedError) as error:
        take(members[1], event.reward, "b", at=NOW)
    assert error.value.code == "sold_out"
    with pytest.raises(RewardRefusedError) as error:
        take(members[0], event.reward, "c", at=BEGINS)
    assert error.value.code == "over"


def test_the_list_is_for_when_no_seat_is_left_and_for_each_once(members):
    event = plan(members[0].program)
    with pytest.raises(ConflictError):
        wait_for(event, members[1])
    take(members[0], event.reward, "a", at=NOW)
    with pytest.raises(EventStateError):
        wait_for(event, members[0])
    assert wait_for(event, members[1]).pk == wait_for(event, members[1]).pk
    assert EventWait.objects.count() == 1


def test_a_seat_that_comes_free_goes_to_who_waited_longest_and_to_nobody_else(members):
    event = plan(members[0].program)
    booked = take(members[0], event.reward, "a", at=NOW)
    first, second = wait_for(event, members[1]), wait_for(event, members[2])
    give_up(booked)
    assert (states(event), seats(event)) == (["offered", "waiting"], (0, 1))
    with pytest.raises(RewardRefusedError):
        take(members[3], event.reward, "b", at=NOW)
    with pytest.raises(EventStateError):
        accept(second)
    assert spendable("m1") == 1000
    taken = accept(first)
    assert (spendable("m1"), seats(event), states(event)[0]) == (900, (1, 0), "accepted")
    assert accept(first).pk == taken.pk


def test_who_does_not_answer_in_time_is_passed_over(members):
    event = plan(members[0].program, offer_hours=2)
    booked = take(members[0], event.reward, "a", at=NOW)
    waiting = [wait_for(event, member) for member in members[1:4]]
    give_up(booked)
    late = NOW + 2 * HOUR
    with pytest.raises(EventStateError):
        accept(waiting[0], late)
    assert pass_on_seats(late - dt.timedelta(seconds=1)) == 0
    assert pass_on_seats(late) == 1
    assert states(event) == ["lapsed", "offered", "waiting"]
    leave_waiting_list(wait=waiting[1], actor=SYSTEM, now=late)
    assert states(event) == ["lapsed", "left", "offered"]
    accept(waiting[2], late)
    assert seats(event) == (1, 0)


def test_who_cannot_pay_keeps_the_offer_and_no_seat_is_lost(members):
    event = plan(members[0].program, price=2000, tier_prices={})
    rich = make_member(5000, "rich", members[0].program)
    booked = take(rich, event.reward, "a", at=NOW)
    wait = wait_for(event, members[1])
    give_up(booked)
    with pytest.raises(DomainError):
        accept(wait)
    assert (states(event), seats(event), spendable("m1")) == (["offered"], (0, 1), 1000)


def test_further_seats_go_to_those_who_wait(members):
    event = plan(members[0].program)
    take(members[0], event.reward, "a", at=NOW)
    for member in members[1:4]:
        wait_for(event, member)
    more = event_definition(event).model_copy(update={"seats": 3})
    change_event(event=event, definition=more, actor=SYSTEM, now=NOW)
    assert (states(event), seats(event)) == (["offered", "offered", "waiting"], (1, 2))
    fewer = more.model_copy(update={"seats": 2})
    with pytest.raises(DomainError):
        change_event(event=event, definition=fewer, actor=SYSTEM, now=NOW)


def test_who_is_next_is_told_by_mail_with_the_time_to_answer(members, mailoutbox):
    event = plan(members[0].program)
    booked = take(members[0], event.reward, "a", at=NOW)
    customer = members[1].customer
    customer.email = "next@example.com"
    customer.save()
    wait_for(event, members[1])
    give_up(booked)
    deliver_waiting()
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (["next@example.com"], "A seat is free: Tasting")
    assert f"/me/events/{event.public_id}/" in mail.body


def test_a_code_opens_the_door_once(members):
    event, other = plan(members[0].program, seats=5), plan(members[0].program, "other", seats=5)
    booked = take(members[0], event.reward, "a", at=NOW)
    code = booked.voucher.written
    how = {"actor": SYSTEM, "now": BEGINS}
    with pytest.raises(EventStateError):
        check_in(event=other, written=code, **how)
    assert check_in(event=event, written=code.lower(), **how).status == "used"
    with pytest.raises(EventStateError):
        check_in(event=event, written=code, **how)
    given_up = take(members[1], event.reward, "b", at=NOW)
    give_up(given_up)
    with pytest.raises(EventStateError):
        check_in(event=event, written=given_up.voucher.written, **how)


def test_who_does_not_come_is_noted_when_it_is_over(members):
    event = plan(members[0].program, seats=5)
    for number in range(3):
        take(members[number], event.reward, f"k{number}", at=NOW)
    came = Redemption.objects.get(membership=members[0])
    check_in(event=event, written=came.voucher.written, actor=SYSTEM, now=BEGINS)
    with pytest.raises(EventStateError):
        note_no_show(event=event, actor=SYSTEM, now=BEGINS)
    assert note_no_show(event=event, actor=SYSTEM, now=event.ends_at) == 2
    assert note_no_show(event=event, actor=SYSTEM, now=event.ends_at) == 0
    assert spendable("m1") == 900


def test_an_event_that_is_called_off_gives_everybody_their_units_back(members):
    event = plan(members[0].program, seats=3)
    for number in range(3):
        take(members[number], event.reward, f"k{number}", at=NOW)
    wait_for(event, members[3])
    called = cancel_event(event=event, reason="Storm", actor=SYSTEM, now=NOW)
    run_job(called.job.pk)
    again = cancel_event(event=event, reason="Storm", actor=SYSTEM, now=NOW)
    run_job(again.job.pk)
    assert [spendable(f"m{number}") for number in range(4)] == [1000] * 4
    assert (seats(event), states(event)) == ((0, 0), ["left"])
    with pytest.raises(EventStateError):
        wait_for(event, members[4])
    with pytest.raises(RewardRefusedError):
        take(members[4], event.reward, "late", at=NOW)
    assert not open_waits(event)


def test_an_event_is_somewhere_and_ends_after_it_begins(members):
    for changes in ({"place": ""}, {"ends_at": BEGINS}, {"opens_at": BEGINS}):
        with pytest.raises(ValueError, match=r"place|ends_at|opens_at"):
            plan(members[0].program, **changes)


def test_nobody_books_what_was_called_off_or_has_begun_whatever_its_reward_says(members):
    event = plan(members[0].program)
    change_rewards(
        program=event.reward.program, rewards=[event.reward], change=BulkChange(dated=True),
        actor=SYSTEM,
    )  # fmt: skip
    event.reward.refresh_from_db()
    with pytest.raises(RewardRefusedError) as error:
        take(members[0], event.reward, "late", at=BEGINS)
    assert error.value.code == "over"
    cancel_event(event=event, reason="Rain", actor=SYSTEM, now=NOW)
    event.reward.refresh_from_db()
    change_rewards(
        program=event.reward.program, rewards=[event.reward], change=BulkChange(status="live"),
        actor=SYSTEM,
    )  # fmt: skip
    with pytest.raises(RewardRefusedError) as error:
        take(members[0], event.reward, at=NOW)
    assert error.value.code == "not_offered"
    with pytest.raises(RewardRefusedError) as error:
        give_reward(
            membership=members[0], reward=event.reward, gift="staff", message="", key="g",
            source="backoffice", actor=SYSTEM, now=NOW,
        )  # fmt: skip
    assert error.value.code == "over"


def test_editing_an_event_leaves_what_only_a_file_or_another_page_says(members):
    event = plan(members[0].program)
    said = reward_definition_of(event.reward).model_copy(
        update={
            "texts": {"ms": RewardText(name="Rasa")}, "per_period": "year", "per_member": None,
            "prefix": "TASTE", "on_shelf": False, "combines": True, "valid_days": 9,
        }
    )  # fmt: skip
    change_reward(reward=event.reward, definition=said, actor=SYSTEM)
    event.refresh_from_db()
    edited = event_definition(event).model_copy(update={"seats": 3, "name": "Tea tasting"})
    change_event(event=event, definition=edited, actor=SYSTEM, now=NOW)
    found = reward_definition_of(Reward.objects.get(pk=event.reward_id))
    assert found == said.model_copy(update={"stock": 3, "name": "Tea tasting"})


def test_what_changes_about_an_event_is_in_the_audit_log_and_the_same_again_is_not(members):
    event = plan(members[0].program)
    moved = event_definition(event).model_copy(update={"place": "The barn"})
    before = event.place
    for _time in range(2):
        change_event(event=event, definition=moved, actor=SYSTEM, now=NOW)
    said = AuditEntry.objects.get(action="event.changed")
    assert (said.before, said.after) == ({"place": before}, {"place": "The barn"})
