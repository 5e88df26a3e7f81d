"""The job of broadcasts, and what waits to go out while one is paused or stopped."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError

from campaigns.channels import HandOverError
from campaigns.models import Broadcast, BroadcastRecipient, Delivery, Message
from campaigns.selectors.broadcast_results import result_of
from campaigns.selectors.broadcasts import progress_of
from campaigns.services import broadcast_sending, broadcast_waiting, preparing, sending
from campaigns.services.broadcasts import (
    pause_broadcast,
    resume_broadcast,
    stop_broadcast,
)
from loyalty.models import Program
from members.models import Customer, Job
from members.services.audit import SYSTEM
from members.services.jobs import claim_job
from members.services.merging import merge_customers
from tests.campaigns.broadcasts import (
    NOON,
    draw_alike,
    fresh,
    make_broadcast,
    make_club,
    person,
    run,
    schedule,
    told,
)
from tests.campaigns.factories import send, states
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
Status = Broadcast.Status
PEOPLE = [f"c{number}" for number in range(1, 7)]


made_once = shared(lambda: make_club(PEOPLE))


@pytest.fixture
def program(made_once: Program, db: None) -> Program:
    return anew(made_once)


def mailed(program: Program) -> Broadcast:
    """One whose mails are written and wait."""
    made = schedule(make_broadcast(program, channels=["email"]))
    run()
    return made


def merged(kept: str, other: str) -> None:
    merge_customers(
        kept=person(kept), merged=person(other), actor=SYSTEM, source="backoffice", now=NOON
    )


def test_while_a_run_goes_on_no_other_begins(program: Program) -> None:
    for _each in range(12):
        schedule(make_broadcast(program), NOON + DAY)
    work = broadcast_sending.find_broadcasts(NOON + DAY)
    assert work is not None
    assert work.fingerprint == ""
    assert run(NOON + DAY) is not None
    schedule(make_broadcast(program), NOON + DAY)
    # As while another worker is at it.
    Job.objects.update(state=Job.State.QUEUED, finished_at=None)
    assert claim_job(Job.objects.get().pk) is not None
    assert run(NOON + DAY + MINUTE) is None
    assert Job.objects.count() == 1


def test_a_run_ends_before_the_next_is_due(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = schedule(make_broadcast(program))
    monkeypatch.setattr(broadcast_sending, "RUNS_FOR", dt.timedelta())
    job = run()
    assert job is not None
    assert (job.state, fresh(made).status) == (Job.State.SUCCEEDED, Status.SCHEDULED)
    monkeypatch.undo()
    run(NOON + MINUTE)
    assert fresh(made).status == Status.SENT


def test_they_take_turns(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast_sending, "TOLD", 2)
    first, second = (schedule(make_broadcast(program)) for _each in range(2))
    run()
    order = Message.objects.order_by("pk").values_list("occasion", flat=True)
    assert list(order) == [
        first.occasion if place % 4 < 2 else second.occasion for place in range(12)
    ]
    assert {fresh(first).status, fresh(second).status} == {Status.SENT}


@pytest.mark.django_db(transaction=True)
def test_one_that_breaks_holds_up_no_other(
    program: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, fine = (schedule(make_broadcast(program), NOON + DAY) for _each in range(2))
    tell = broadcast_sending._tell

    def breaks(row: Broadcast, *args: Any) -> int:
        if row.pk == broken.pk:
            raise ValueError("c1@example.com")
        return tell(row, *args)

    monkeypatch.setattr(broadcast_sending, "_tell", breaks)
    with pytest.raises(ValueError, match="c1"):
        run(NOON + DAY)
    assert (fresh(fine).status, fresh(broken).status) == (Status.SENT, Status.SENDING)
    assert "ValueError" in caplog.text
    assert not any("c1@" in record.getMessage() for record in caplog.records
                   if record.name == broadcast_sending.logger.name)  # fmt: skip
    monkeypatch.undo()
    run(NOON + DAY + MINUTE)
    assert told(broken) == PEOPLE


def test_who_became_one_with_somebody_told_while_their_page_was_read_is_not_told_again(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = schedule(make_broadcast(program))
    monkeypatch.setattr(broadcast_sending, "TOLD", 1)
    tell = broadcast_sending._tell

    def late(row: Broadcast, page: list[BroadcastRecipient], *args: Any) -> int:
        if page[0].customer == person("c2"):
            merged("c1", "c2")
        return tell(row, page, *args)

    monkeypatch.setattr(broadcast_sending, "_tell", late)
    run()
    assert told(made) == [who for who in PEOPLE if who != "c2"]
    assert made.recipients.get(customer=person("c2")).untold == "told_already"
    assert progress_of(fresh(made)).untold == 1
    assert result_of(fresh(made), NOON).untold == {"told_already": 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("lost", "outcome"), [(2, Status.SENT), (9, Status.SENDING)])
def test_a_page_that_lost_a_race_is_done_again_unless_it_always_loses(
    program: Program, monkeypatch: pytest.MonkeyPatch, lost: int, outcome: str
) -> None:
    racing, fine = (schedule(make_broadcast(program), NOON + DAY) for _each in range(2))
    tell, times = broadcast_sending._tell, iter(range(99))

    def loses(row: Broadcast, *args: Any) -> int:
        if row.pk == racing.pk and next(times) < lost:
            BroadcastRecipient.objects.create(
                broadcast=row, customer=person("c1"), held_out=False, due_at=NOON
            )
        return tell(row, *args)

    monkeypatch.setattr(broadcast_sending, "_tell", loses)
    if outcome == Status.SENT:
        run(NOON + DAY)
    else:
        with pytest.raises(IntegrityError):
            run(NOON + DAY)
    assert (fresh(racing).status, fresh(fine).status) == (outcome, Status.SENT)


def test_what_comes_back_after_it_was_stopped_does_not_go_out(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = mailed(program)

    def refuses(_line: object, _letter: object) -> str:
        stop_broadcast(broadcast=made, actor=SYSTEM, now=NOON)
        raise HandOverError("refused", "busy", later=True)

    monkeypatch.setattr("campaigns.mail_line.MailLine.hand_over", refuses)
    send(NOON)
    assert ("queued", "refused") in states()
    monkeypatch.undo()
    run(NOON + MINUTE)
    send(NOON + DAY)
    assert states() == [("suppressed", "stopped")] * 6


def test_a_worker_that_is_at_it_stops_with_the_few_that_it_has_begun(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = mailed(program)
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    prepare, times = preparing.prepare, iter(range(9))

    def paused_meanwhile(*args: Any) -> Any:
        if next(times) == 1:
            pause_broadcast(broadcast=made, actor=SYSTEM)
        return prepare(*args)

    monkeypatch.setattr(sending, "prepare", paused_meanwhile)
    send(NOON)
    assert sorted(states()) == [("queued", "paused")] * 4 + [("sent", "")] * 2


def test_what_is_paused_is_set_aside_once_and_let_go_page_by_page(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast_waiting, "SETTLED", 4)
    made = mailed(program)
    pause_broadcast(broadcast=made, actor=SYSTEM)
    assert run(NOON + MINUTE) is not None
    assert run(NOON + 2 * MINUTE) is None
    assert states() == [("queued", "paused")] * 6
    for hours in range(3):
        send(NOON + dt.timedelta(hours=hours))
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    resume_broadcast(broadcast=fresh(made), actor=SYSTEM)
    run(NOON + 3 * MINUTE)
    assert states() == [("queued", "")] * 6
    assert progress_of(fresh(made)).waiting
    send(NOON + 3 * MINUTE)
    run(NOON + 4 * MINUTE)
    assert (states(), fresh(made).status) == ([("sent", "")] * 6, Status.SENT)


def test_what_waits_for_later_is_dropped_as_it_is_stopped(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast_waiting, "SETTLED", 4)
    made = mailed(program)
    Delivery.objects.update(available_at=NOON + DAY, reason="quiet")
    stop_broadcast(broadcast=made, actor=SYSTEM, now=NOON)
    run(NOON + MINUTE)
    assert states() == [("suppressed", "stopped")] * 6
    assert run(NOON + 2 * MINUTE) is None


def test_nothing_is_done_to_those_that_wait_within_the_request(program: Program) -> None:
    made = mailed(program)
    for act in (
        lambda: pause_broadcast(broadcast=made, actor=SYSTEM),
        lambda: resume_broadcast(broadcast=made, actor=SYSTEM),
        lambda: stop_broadcast(broadcast=made, actor=SYSTEM, now=NOON),
    ):
        act()
        assert states() == [("queued", "")] * 6


def begun_for_later(program: Program, **said: Any) -> Broadcast:
    made = schedule(draw_alike(make_broadcast(program, **said)), NOON + DAY, by_member_clock=True)
    run(NOON + DAY - dt.timedelta(hours=12))
    return made


def test_who_was_told_and_then_became_one_with_another_is_not_told_again(
    program: Program,
) -> None:
    Customer.objects.filter(external_id="c1").update(country="SG")
    made = begun_for_later(program)
    run(NOON + DAY - dt.timedelta(hours=4))
    assert told(made) == ["c1"]
    merged("c2", "c1")
    run(NOON + 2 * DAY)
    assert told(made) == PEOPLE[1:]
    untold = made.recipients.exclude(untold="").values_list("customer__external_id", "untold")
    assert list(untold) == [("c2", "told_already")]


def test_who_is_kept_aside_and_became_one_with_another_is_not_told(program: Program) -> None:
    made = begun_for_later(program, holdout=50)
    rows = made.recipients.order_by("pk").values_list("customer__external_id", "held_out")
    aside = [who for who, held_out in rows if held_out]
    others = [who for who, held_out in rows if not held_out]
    assert len(aside) >= 1
    assert len(others) >= 1
    merged(others[0], aside[0])
    run(NOON + 2 * DAY)
    assert told(made) == others[1:]
    assert made.recipients.get(customer=person(others[0])).untold == "kept_aside"
