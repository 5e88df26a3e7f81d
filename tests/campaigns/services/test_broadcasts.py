"""Broadcasts: written, scheduled, sent to each once, held back and stopped."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from pydantic import ValidationError

from campaigns.broadcast_definitions import BroadcastDefinition, definition_of_broadcast
from campaigns.models import Broadcast, BroadcastRecipient, Consent, Delivery, Message
from campaigns.selectors.broadcasts import get_broadcast, progress_of
from campaigns.services import broadcast_sending
from campaigns.services.broadcasts import (
    change_broadcast,
    copy_broadcast,
    delete_broadcast,
    pause_broadcast,
    put_words_away,
    resume_broadcast,
    schedule_broadcast,
    stop_broadcast,
    withdraw_broadcast,
)
from campaigns.services.consents import choose_time_zone, set_consents
from campaigns.services.policies import set_policy
from loyalty.models import Program
from loyalty.services.leaving import leave_program
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer, Job
from members.services.audit import SYSTEM
from members.services.customers import erase_customer_details
from members.services.merging import merge_customers
from tests.campaigns.broadcasts import (
    NOON,
    draw_alike,
    fresh,
    make_broadcast,
    make_club,
    person,
    run,
    say,
    schedule,
    told,
)
from tests.campaigns.factories import send, states
from tests.loyalty.factories import make_program, make_wallet
from tests.rewards.factories import make_member
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
Status = Broadcast.Status
PEOPLE = [f"c{number}" for number in range(1, 9)]


made_once = shared(lambda: make_club(PEOPLE))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def test_everybody_is_told_once_and_it_is_sent_then(program: Program) -> None:
    made = schedule(make_broadcast(program))
    assert run() is not None
    assert told(made) == PEOPLE
    assert fresh(made).status == Status.SENT
    assert progress_of(fresh(made)).share == 1
    assert run(NOON + dt.timedelta(minutes=1)) is None
    assert Message.objects.count() == len(PEOPLE)


def test_nobody_is_told_before_its_time(program: Program) -> None:
    made = schedule(make_broadcast(program), NOON + DAY)
    assert run(NOON + DAY - dt.timedelta(seconds=1)) is None
    assert told(made) == []
    run(NOON + DAY)
    assert told(made) == PEOPLE


@pytest.mark.django_db(transaction=True)
def test_a_killed_job_goes_on_and_tells_nobody_twice_though_it_is_killed_twice(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast_sending, "TOLD", 2)
    made = schedule(make_broadcast(program), NOON + DAY)
    tell, turns = broadcast_sending._tell, iter([True, False, True, False, True, True, True])

    def dies(*args: Any) -> int:
        count = tell(*args)
        if not next(turns):
            raise RuntimeError("killed")
        return count

    monkeypatch.setattr(broadcast_sending, "_tell", dies)
    for _kill in range(2):
        with pytest.raises(RuntimeError):
            run(NOON + DAY)
    job = run(NOON + DAY)
    assert job is not None
    assert Job.objects.filter(kind="broadcasts").count() == 1
    assert told(made) == PEOPLE
    assert job.state == Job.State.SUCCEEDED
    assert fresh(made).status == Status.SENT


def test_two_jobs_at_once_tell_each_once(program: Program) -> None:
    made = schedule(make_broadcast(program))
    run()
    # As one would that had read the same page before: names are taken already.
    page = list(BroadcastRecipient.objects.filter(broadcast=made))
    for item in page:
        item.settled_at = None
    row = fresh(made)
    assert broadcast_sending._named_variables(row) is False
    with pytest.raises(IntegrityError), transaction.atomic():
        broadcast_sending._tell(row, page, NOON)
    assert told(made) == PEOPLE


def test_who_joins_after_it_began_is_not_told(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = schedule(make_broadcast(program))
    tell = broadcast_sending._tell

    def joins(*args: Any) -> int:
        make_wallet(program, "late")
        return tell(*args)

    monkeypatch.setattr(broadcast_sending, "_tell", joins)
    run()
    assert told(made) == PEOPLE


def test_who_left_or_was_erased_since_it_began_is_not_told(program: Program) -> None:
    made = schedule(make_broadcast(program), NOON + DAY, by_member_clock=True)
    gone, erased = make_member(0, "gone", program), make_member(0, "erased", program)
    Customer.objects.filter(pk=erased.customer_id).update(given_name="Eve")
    run(NOON + DAY - dt.timedelta(hours=12))
    assert BroadcastRecipient.objects.filter(broadcast=made).count() == 10
    assert told(made) == []
    leave_program(membership=gone, actor=SYSTEM, now=NOON)
    erase_customer_details(customer=person("erased"), actor=SYSTEM, reason="They asked.")
    run(NOON + 2 * DAY)
    assert told(made) == PEOPLE
    untold = dict(made.recipients.exclude(untold="").values_list("membership", "untold"))
    assert untold == {gone.pk: "not_member", erased.pk: "erased"}


def test_two_who_became_one_since_it_began_are_told_once(program: Program) -> None:
    made = schedule(make_broadcast(program), NOON + DAY, by_member_clock=True)
    run(NOON + DAY - dt.timedelta(hours=12))
    merge_customers(
        kept=person("c1"), merged=person("c2"), actor=SYSTEM, source="backoffice", now=NOON
    )
    run(NOON + 2 * DAY)
    assert told(made) == [who for who in PEOPLE if who != "c2"]
    assert fresh(made).status == Status.SENT


def test_each_is_told_by_their_own_clock(program: Program) -> None:
    Customer.objects.filter(external_id="c1").update(country="SG")
    choose_time_zone(customer=person("c2"), time_zone="America/New_York", actor=SYSTEM)
    nine = dt.datetime(2026, 3, 4, 7, tzinfo=dt.UTC)  # 9:00 in Athens
    made = schedule(make_broadcast(program), nine, by_member_clock=True)
    at = {}
    for hour in range(-12, 12):
        run(nine + dt.timedelta(hours=hour))
        at |= {who: hour for who in told(made) if who not in at}
    assert (at["c1"], at["c3"], at["c2"]) == (-6, 0, 7)
    assert fresh(made).status == Status.SENT


def test_who_is_kept_aside_is_told_nothing(program: Program) -> None:
    made = schedule(draw_alike(make_broadcast(program, holdout=50)))
    run()
    aside = set(
        made.recipients.filter(held_out=True).values_list("customer__external_id", flat=True)
    )
    assert 0 < len(aside) < len(PEOPLE)
    assert set(told(made)) == set(PEOPLE) - aside
    assert progress_of(fresh(made)).aside == len(aside)


def test_only_its_audience_is_told(program: Program) -> None:
    Customer.objects.filter(external_id__in=["c1", "c2"]).update(tags=["vip"])
    made = make_broadcast(
        program, audience={"field": "customer.tags", "op": "has_any", "value": ["vip"]}
    )
    schedule(made)
    run()
    assert told(made) == ["c1", "c2"]


def test_one_of_no_program_is_for_every_customer(program: Program) -> None:
    make_wallet(make_program(code="other"), "other")
    Customer.objects.create(external_id="none", given_name="Nina")
    made = schedule(make_broadcast(None))
    run()
    assert told(made) == [*PEOPLE, "none", "other"]
    assert Message.objects.get(customer__external_id="none").deliveries.get().text == "Hello Nina."


def test_who_has_not_said_yes_gets_no_mail_of_offers(program: Program) -> None:
    made = make_broadcast(program, channels=["email"], topic="offers")
    set_consents(
        customer=person("c1"), wanted={("email", "offers"): True}, source="staff", actor=SYSTEM,
        now=NOON,
    )  # fmt: skip
    set_consents(
        customer=person("c2"), wanted={("email", "offers"): False}, source="staff", actor=SYSTEM,
        now=NOON,
    )  # fmt: skip
    assert Consent.objects.count() == 2
    schedule(made)
    run()
    send(NOON)
    found = states(message__occasion=f"broadcast-{made.pk}")
    assert sorted(found) == sorted(
        [("sent", ""), ("suppressed", "unsubscribed"), *[("suppressed", "no_consent")] * 6]
    )
    run(NOON + dt.timedelta(minutes=1))
    assert fresh(made).status == Status.SENT


def test_quiet_hours_and_the_cap_hold_for_it(program: Program) -> None:
    night = dt.datetime(2026, 3, 2, 22, tzinfo=dt.UTC)  # midnight in Athens
    set_policy(changes={"cap": 1}, actor=SYSTEM)
    first = make_broadcast(program, channels=["email"])
    second = make_broadcast(program, channels=["email"])
    for made in (first, second):
        schedule_broadcast(broadcast=made, send_at=None, actor=SYSTEM, now=night)
    run(night)
    send(night)
    assert {reason for _state, reason in states()} == {"quiet"}
    assert fresh(first).status == Status.SENDING
    morning = night + dt.timedelta(hours=9)
    send(morning)
    assert states(message__occasion=f"broadcast-{first.pk}") == [("sent", "")] * 8
    assert states(message__occasion=f"broadcast-{second.pk}") == [("suppressed", "cap")] * 8
    run(morning)
    assert {fresh(first).status, fresh(second).status} == {Status.SENT}


def test_while_it_is_paused_nothing_goes_out_and_then_it_goes_on(program: Program) -> None:
    made = schedule(make_broadcast(program, channels=["email"]))
    run()
    pause_broadcast(broadcast=made, actor=SYSTEM)
    pause_broadcast(broadcast=made, actor=SYSTEM)
    send(NOON)
    assert states() == [("queued", "paused")] * 8
    assert run(NOON + dt.timedelta(minutes=1)) is None
    resume_broadcast(broadcast=made, actor=SYSTEM)
    run(NOON + dt.timedelta(minutes=2))
    send(NOON + dt.timedelta(minutes=2))
    assert states() == [("sent", "")] * 8


def test_once_it_is_stopped_nothing_goes_out_any_more(program: Program) -> None:
    made = schedule(make_broadcast(program, channels=["email"]))
    run()
    stop_broadcast(broadcast=made, actor=SYSTEM, now=NOON)
    stop_broadcast(broadcast=made, actor=SYSTEM, now=NOON)
    send(NOON)
    assert states() == [("suppressed", "stopped")] * 8
    assert fresh(made).status == Status.STOPPED
    with pytest.raises(ConflictError):
        resume_broadcast(broadcast=made, actor=SYSTEM)
    done = AuditEntry.objects.filter(action="broadcast.stopped")
    assert done.count() == 1


def test_what_is_scheduled_is_taken_back_and_what_began_is_not(program: Program) -> None:
    made = schedule(make_broadcast(program), NOON + DAY)
    with pytest.raises(ConflictError):
        change_broadcast(broadcast=made, definition=definition_of_broadcast(made), actor=SYSTEM)
    withdraw_broadcast(broadcast=made, actor=SYSTEM)
    said = definition_of_broadcast(made).model_copy(update={"name": "Summer"})
    assert change_broadcast(broadcast=made, definition=said, actor=SYSTEM).name == "Summer"
    schedule(made)
    run()
    with pytest.raises(ConflictError):
        withdraw_broadcast(broadcast=made, actor=SYSTEM)
    with pytest.raises(ConflictError):
        delete_broadcast(broadcast=made, actor=SYSTEM, now=NOON)
    with pytest.raises(ConflictError):
        say(made, "inbox", "Something else.")


def test_one_of_no_program_says_nothing_of_a_membership(program: Program) -> None:
    """They would be empty for everybody."""
    made = make_broadcast(None)
    for word in ("balance", "tier", "program"):
        with pytest.raises(DomainError) as refused:
            say(made, "inbox", f"You have {{{{ {word} }}}}.")
        assert refused.value.errors[0].code == "unknown_variable"
        say(make_broadcast(program), "inbox", f"You have {{{{ {word} }}}}.")
    say(made, "inbox", "Hello {{ given_name }}, from {{ merchant }}: {{ link }}")


def test_it_needs_words_for_each_way_and_a_way_that_is_set_up(program: Program) -> None:
    made = make_broadcast(program, channels=["email", "inbox"])
    [mail] = [
        version.template for version in broadcast_sending.words_in_use(made)
        if version.template.channel == "email"
    ]  # fmt: skip
    put_words_away(broadcast=made, template=mail, actor=SYSTEM, now=NOON)
    with pytest.raises(DomainError) as wrong:
        schedule(made)
    assert wrong.value.errors[0].field == "words"
    with pytest.raises(DomainError):
        schedule(make_broadcast(program, channels=["sms"]))
    with pytest.raises(DomainError) as late:
        schedule(made, NOON - DAY)
    assert late.value.errors[0].field == "send_at"


def test_a_scheduled_one_keeps_the_last_words_of_each_way(program: Program) -> None:
    made = schedule(make_broadcast(program), NOON + DAY)
    [version] = broadcast_sending.words_in_use(made)
    with pytest.raises(DomainError):
        put_words_away(broadcast=made, template=version.template, actor=SYSTEM, now=NOON)
    assert broadcast_sending.words_in_use(made) == [version]


def test_each_is_told_in_their_language_else_in_one_that_there_is(program: Program) -> None:
    Customer.objects.filter(external_id="c1").update(locale="el")
    Customer.objects.filter(external_id="c2").update(locale="ms")
    made = make_broadcast(program)
    say(made, "inbox", "Γεια.", "el")
    schedule(made)
    run()
    text = dict(Delivery.objects.values_list("message__customer__external_id", "text"))
    assert (text["c1"], text["c2"][:5]) == ("Γεια.", "Hello")


def test_words_may_say_what_the_member_has(program: Program) -> None:
    member = make_member(250, "rich", program)
    made = make_broadcast(program, words="You have {{ balance }}.")
    schedule(made)
    run()
    told_to = Delivery.objects.get(message__membership=member)
    assert "250" in told_to.text


def test_a_copy_has_the_same_words_and_is_a_draft(program: Program) -> None:
    made = schedule(make_broadcast(program, holdout=10))
    run()
    again = copy_broadcast(broadcast=made, actor=SYSTEM, now=NOON)
    assert (again.status, again.name, again.holdout) == (Status.DRAFT, "Copy of Spring", 10)
    assert [v.body for v in broadcast_sending.words_in_use(again)] == ["Hello {{ given_name }}."]
    delete_broadcast(broadcast=again, actor=SYSTEM, now=NOON)
    assert get_broadcast(made.public_id) == made


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": []}, {"channels": ["pigeon"]}, {"channels": ["inbox", "inbox"]},
        {"topic": "orders"}, {"topic": "x"}, {"holdout": 51}, {"order_days": 0}, {"name": ""},
        {"audience": {"field": "nothing", "op": "is", "value": 1}},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(db: None, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BroadcastDefinition.model_validate({"name": "Spring"} | wrong)


def test_the_database_keeps_what_was_sent_as_it_was(program: Program) -> None:
    made = schedule(make_broadcast(program))
    run()
    for change in ({"audience": {"x": 1}}, {"status": "draft"}, {"holdout": 5}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Broadcast.objects.filter(pk=made.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        made.recipients.update(settled_at=None)
    with pytest.raises(DatabaseError), transaction.atomic():
        made.recipients.all().delete()
