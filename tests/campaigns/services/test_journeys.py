"""Members are led through journeys, each step once, whatever is killed."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from campaigns.journey_definitions import JourneyDefinition
from campaigns.journey_entrants import Wanted
from campaigns.models import Message, Passage, PassageStep
from campaigns.ready_journeys import READY
from campaigns.selectors.journeys import version_in_force
from campaigns.services import journey_starts, journey_steps
from campaigns.services.journey_entries import enter, is_held_out
from campaigns.services.journeys import (
    create_journey,
    end_journey,
    pause_journey,
    publish_journey,
    resume_journey,
    save_draft,
)
from loyalty.models import AdjustmentReason, Transfer
from members.errors import ConflictError, DomainError
from members.segment_uses import segment_uses
from members.services.audit import SYSTEM
from members.services.segments import create_segment
from rewards.models import Redemption
from tests.campaigns.journeys import TELL, TIERS, WAIT, begin, go_on, live, starts, steps
from tests.loyalty.factories import (
    NOW,
    day,
    enroll_all,
    make_program,
    make_wallet,
    order,
    record,
)
from tests.rewards.factories import make_member, offer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]


def outcomes() -> list[tuple[str, str]]:
    return list(PassageStep.objects.order_by("pk").values_list("step", "outcome"))


def why() -> str:
    return Passage.objects.get().why


def test_steps_are_taken_in_order_and_a_wait_takes_its_time() -> None:
    member = make_member()
    journey = live(member, TELL, WAIT, {**TELL, "message": "near_reward"})
    assert begin(journey, member) == 1
    assert go_on(NOW) == 1
    assert go_on(day(2.9)) == 0
    assert [message.occasion for message in Message.objects.all()] == ["getting_started"]
    assert go_on(day(3)) == 1
    assert outcomes() == [("s1", "told"), ("s2", "waits"), ("s3", "told")]
    assert why() == "finished"


class Killed(BaseException):
    """As a worker that is killed: nothing after it runs."""


def test_what_dies_in_the_middle_does_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    member = make_member()
    journey = live(member, {"kind": "units", "units": "50"}, TELL)
    begin(journey, member)

    def dies(*_args: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(journey_steps, "_tell", dies)
        with pytest.raises(Killed):
            go_on(NOW)
    assert PassageStep.objects.count() == Message.objects.count() == 0
    assert Transfer.objects.filter(key__startswith="journey:").count() == 0
    go_on(NOW)
    go_on(day(1))
    assert outcomes() == [("s1", "given"), ("s2", "told")]
    assert Transfer.objects.get(key__startswith="journey:").amount == 50


def test_one_that_cannot_go_on_holds_up_no_other_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = make_member()
    second = make_member(0, "c2", first.program)
    begin(live(first, TELL), first, second)
    tell = journey_steps._tell

    def breaks(passage: Passage, *rest: Any) -> Any:
        if passage.membership == first:
            raise RuntimeError
        return tell(passage, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(journey_steps, "_tell", breaks)
        assert go_on(NOW) == 1
    assert Passage.objects.get(membership=second).why == "finished"
    assert Passage.objects.get(membership=first).due_at == NOW + journey_steps.AGAIN
    assert go_on(NOW + journey_steps.AGAIN) == 1


def test_units_that_cannot_be_given_any_more_are_passed_over() -> None:
    member = make_member(0)
    begin(live(member, {"kind": "units", "units": "50"}, TELL), member)
    AdjustmentReason.objects.filter(code="surprise").update(is_active=False)
    go_on(NOW)
    assert outcomes() == [("s1", "refused"), ("s2", "told")]


@pytest.mark.parametrize("wrong", [{"units": "0.5"}, {"units": "5", "reason": "no"}])
def test_units_that_cannot_be_given_are_not_put_live(wrong: dict[str, str]) -> None:
    with pytest.raises(DomainError):
        live(make_member(), {"kind": "units", **wrong})


def test_a_journey_that_cannot_be_read_holds_up_no_other() -> None:
    member = make_member()
    broken = live(member, TELL, trigger="month", again=0)
    live(member, TELL, trigger="month", again=0)
    broken.versions.create(number=2, body={"steps": 1}, created_at=NOW, published_at=NOW)
    assert starts(dt.datetime(2024, 4, 1, 6, tzinfo=dt.UTC)) == 1


def test_a_journey_that_lets_nobody_in_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    member = make_member()
    broken = live(member, TELL, trigger="month", again=0)
    live(member, TELL, trigger="month", again=0)

    def breaks(found: Any, *rest: Any) -> int:
        if found.journey == broken:
            raise StopIteration
        return enter(found, *rest)

    first = dt.datetime(2024, 4, 1, 6, tzinfo=dt.UTC)
    with monkeypatch.context() as patched:
        patched.setattr(journey_starts, "enter", breaks)
        assert starts(first) == 1
    # Whoever it should have let in is not forgotten.
    assert starts(first + dt.timedelta(hours=1)) == 1


def test_a_journey_that_the_database_gives_up_on_holds_up_none_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    member = make_member()
    whole = live(member, TELL, trigger="month", again=0)
    slow = live(member, TELL, trigger="month", again=0)

    def gives_up(found: Any, *rest: Any) -> int:
        if found.journey == slow:
            raise OperationalError("canceling statement due to statement timeout")
        return enter(found, *rest)

    monkeypatch.setattr(journey_starts, "enter", gives_up)
    with pytest.raises(OperationalError):
        starts(dt.datetime(2024, 4, 1, 6, tzinfo=dt.UTC))
    assert Passage.objects.get().journey == whole


def test_a_step_is_taken_once_and_a_member_is_in_a_journey_once_says_the_database() -> None:
    member = make_member()
    journey = live(member, WAIT)
    begin(journey, member)
    go_on(NOW)
    passage = Passage.objects.get()
    with pytest.raises(IntegrityError, match="passage_step_once"), transaction.atomic():
        PassageStep.objects.create(passage=passage, step="s1", at=NOW, outcome="waits")
    passage.pk, passage.occurrence = None, "two"
    with pytest.raises(IntegrityError, match="passage_one_active"), transaction.atomic():
        passage.save(force_insert=True)


def test_the_same_occurrence_leads_in_once_and_again_is_as_it_was_settled() -> None:
    member = make_member()
    once = live(member, TELL)
    assert (begin(once, member), begin(once, member)) == (1, 0)
    go_on(NOW)
    assert begin(once, member, occurrence="two", at=day(100)) == 0
    again = live(member, TELL, again=30)
    begin(again, member)
    go_on(NOW)
    assert begin(again, member, occurrence="two", at=day(29)) == 0
    assert begin(again, member, at=day(30)) == 0
    assert begin(again, member, occurrence="two", at=day(30)) == 1


def test_of_several_that_happened_the_newest_that_is_not_known_leads_in() -> None:
    member = make_member()
    found = version_in_force(live(member, TELL, again=0))
    assert found is not None
    for happened in (["a"], ["a", "b"], ["a", "b", "c", "d"]):
        assert enter(found, [Wanted(member.pk, one) for one in happened], NOW) == 1
        go_on(NOW)
    assert list(Passage.objects.order_by("pk").values_list("occurrence", flat=True)) == [
        "a", "b", "d",
    ]  # fmt: skip


def test_whoever_is_kept_aside_stays_so_and_is_told_nothing() -> None:
    program = make_program()
    members = enroll_all(program, (f"c{number}" for number in range(40)))
    journey = live(members[0], TELL, holdout=50)
    assert begin(journey, *members) == 40
    go_on(NOW)
    aside = {row.membership_id for row in Passage.objects.filter(held_out=True)}
    assert aside == {one.pk for one in members if is_held_out(journey, one, 50)}
    assert 2 < len(aside) < 38
    assert Message.objects.count() == 40 - len(aside)


def test_only_whom_the_condition_holds_for_enters_and_branches() -> None:
    program = make_program()
    rich, poor = make_member(500, "c1", program), make_member(0, "c2", program)
    has = {"field": "member.balance", "op": "at_least", "value": 100}
    journey = live(rich, TELL, audience=has)
    assert begin(journey, rich, poor) == 1
    fork = live(
        rich, {"kind": "check", "when": has, "otherwise": "s3"}, TELL,
        {**TELL, "message": "near_reward"},
    )  # fmt: skip
    begin(fork, rich, poor)
    go_on(NOW)
    of_fork = Message.objects.filter(occurrence__in=[
        f"journey:{row.passage_id}:{row.step}"
        for row in PassageStep.objects.filter(passage__journey=fork)
    ])  # fmt: skip
    assert sorted(of_fork.values_list("membership", "occasion")) == [
        (rich.pk, "getting_started"), (rich.pk, "near_reward"), (poor.pk, "near_reward"),
    ]  # fmt: skip


def test_whoever_reaches_the_goal_leaves() -> None:
    member = make_member()
    journey = live(member, WAIT, TELL, goal="order")
    begin(journey, member)
    go_on(NOW)
    record(order("A1", "10", at=day(1)), now=day(1))
    go_on(day(3))
    assert why() == "goal"
    assert not Message.objects.exists()


def test_a_reward_is_given_once_and_one_that_is_gone_is_passed_over() -> None:
    member = make_member()
    offer(member.program, "cup", stock=1)
    second = make_member(0, "c2", member.program)
    journey = live(member, {"kind": "reward", "reward": "cup"}, TELL)
    begin(journey, member, second)
    go_on(NOW)
    assert Redemption.objects.get().gift == "journey"
    assert sorted(outcomes()) == [
        ("s1", "given"),
        ("s1", "refused"),
        ("s2", "told"),
        ("s2", "told"),
    ]


def test_what_rests_does_not_go_on_and_what_ended_lets_everybody_go() -> None:
    member = make_member()
    journey = live(member, WAIT, TELL)
    begin(journey, member)
    go_on(NOW)
    pause_journey(journey=journey, actor=SYSTEM)
    assert go_on(day(10)) == 0
    assert begin(journey, make_member(0, "c2", member.program)) == 0
    resume_journey(journey=journey, actor=SYSTEM, now=day(11))
    assert go_on(day(11)) == 1
    with pytest.raises(ConflictError):
        resume_journey(journey=end_journey(journey=journey, actor=SYSTEM, now=day(12)),
                       actor=SYSTEM, now=day(12))  # fmt: skip


def test_a_version_in_force_stays_and_whoever_began_goes_on_by_it() -> None:
    member = make_member()
    journey = live(member, WAIT, TELL)
    begin(journey, member)
    go_on(NOW)
    body = {"holdout": 0, "steps": steps({**TELL, "message": "near_reward"})}
    save_draft(journey=journey, body=body, actor=SYSTEM, now=NOW)
    publish_journey(journey=journey, actor=SYSTEM, now=NOW)
    go_on(day(3))
    assert Message.objects.get().occasion == "getting_started"
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        journey.versions.update(body={})


def test_nothing_that_is_not_whole_is_put_live() -> None:
    member = make_member()
    for wrong in ({"steps": []}, {"steps": steps({"kind": "reward", "reward": "no"})}):
        journey = create_journey(
            program=member.program, name="x", trigger="joined", body=wrong, actor=SYSTEM, now=NOW
        )
        with pytest.raises(DomainError):
            publish_journey(journey=journey, actor=SYSTEM, now=NOW)
    back = steps(TELL, {"kind": "check", "when": {"field": "behavior.orders", "op": "more_than",
                                                  "value": 1}, "otherwise": "s1"})  # fmt: skip
    with pytest.raises(DomainError, match="later step"):
        create_journey(program=member.program, name="x", trigger="joined", body={"steps": back},
                       actor=SYSTEM, now=NOW)  # fmt: skip


def test_a_segment_that_a_journey_asks_for_is_named_as_used() -> None:
    member = make_member()
    asks = {"field": "customer.segments", "op": "has_any", "value": ["regulars"]}
    create_segment(actor=SYSTEM, name="Regulars", kind="static", code="regulars", now=NOW)
    journey = live(member, {"kind": "check", "when": asks}, TELL)
    assert [use.label for use in segment_uses()["regulars"]] == ["One"]
    end_journey(journey=journey, actor=SYSTEM, now=NOW)
    assert "regulars" not in segment_uses()


def test_each_ready_made_journey_can_be_put_live() -> None:
    program, became = make_program(), {}
    for ready in READY:
        JourneyDefinition.model_validate(ready.body)
        journey = create_journey(
            program=program, name=str(ready.name), trigger=ready.trigger, body=ready.body,
            actor=SYSTEM, now=NOW,
        )  # fmt: skip
        became[ready.code] = publish_journey(journey=journey, actor=SYSTEM, now=NOW).status
    assert became == dict.fromkeys(became, "live")


def test_a_tier_is_asked_for_in_the_journeys_own_program() -> None:
    """Gold in another program is not gold here, in who may begin and in what it asks on its way."""
    programs = [make_program(code, at=day(-9), tiers=TIERS) for code in ("here", "there")]
    first, second = [make_wallet(one, at=day(-8)).account.membership for one in programs]
    record(order("A", "150", at=day(-1)), program_ids=[second.program_id])
    gold = {"field": "membership.tier", "op": "is", "value": "gold"}
    asks = {"kind": "check", "when": gold, "otherwise": ""}
    begun = [begin(live(one, TELL, audience=gold), one) for one in (first, second)]
    assert begun == [0, 1]
    for one in (first, second):
        begin(live(one, asks, TELL), one)
    go_on(NOW)
    assert PassageStep.objects.get(passage__membership=first).outcome == "no"
    told = PassageStep.objects.filter(passage__membership=second, outcome="yes")
    assert told.count() == 1


def test_a_tier_that_the_program_does_not_have_is_refused_when_it_is_put_live() -> None:
    member = make_member()
    gold = {"any": [{"not": {"field": "membership.tier", "op": "one_of", "value": ["gold"]}}]}
    for body in ({"audience": gold}, {"steps": steps({"kind": "check", "when": gold}, TELL)}):
        with pytest.raises(DomainError, match="no tier “gold”"):
            live(member, TELL, **body)
