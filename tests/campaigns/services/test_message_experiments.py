"""Experiments on the words of a message: drawn as members are told it, measured from then on."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from campaigns.channels import channel_named
from campaigns.models import (
    Delivery,
    Experiment,
    ExperimentMember,
    Message,
    MessageTemplate,
    TemplateVersion,
)
from campaigns.selectors.experiment_plans import plan_of
from campaigns.selectors.experiment_results import experiment_result
from campaigns.selectors.figures import figures_of_occasion
from campaigns.selectors.inbox import inbox_of
from campaigns.services.arm_words import put_arm_words_away, write_arm_words
from campaigns.services.experiment_clock import look_at
from campaigns.services.experiment_rules import draft_winner
from campaigns.services.experiments import (
    ask_to_start,
    change_experiment,
    delete_experiment,
    end_experiment,
    start_experiment,
)
from campaigns.services.message_arms import arm_drawn
from campaigns.services.templates import Words, archive_template
from loyalty.models import Membership, Program
from loyalty.services.rules import set_four_eyes
from members.errors import ConflictError, DomainError
from members.models import Customer, User
from members.services.audit import SYSTEM, Actor
from members.services.merging import merge_customers
from tests.campaigns.campaigns import member
from tests.campaigns.experiments import (
    WARM,
    at,
    buyers,
    fresh_experiment,
    make_crowd,
    on_message,
    sell,
    start_on_message,
    tell_crowd,
    write_on_message,
)
from tests.campaigns.factories import send, tell, write
from tests.loyalty.factories import NOW, make_program, make_wallet, order, record
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db


made_once = shared(lambda: make_crowd(120))


@pytest.fixture
def crowd(made_once: Program, db: None) -> Program:
    return anew(made_once)


def told_to(found: Experiment, place: int) -> set[str]:
    rows = Delivery.objects.filter(message__arm__place=place, message__arm__experiment=found)
    return set(rows.values_list("subject", flat=True))


def test_each_arm_reads_its_own_words_and_is_drawn_as_it_is_told(crowd: Program) -> None:
    found = start_on_message(crowd)
    assert not ExperimentMember.objects.exists()
    tell_crowd(members=120)
    assert told_to(found, 1) == {"For you"}
    assert told_to(found, 0).isdisjoint({"For you"})
    rows = ExperimentMember.objects.filter(experiment=found)
    assert (rows.count(), set(rows.values_list("since", flat=True))) == (120, {at(0.1)})
    assert 30 < rows.filter(arm__place=1).count() < 90
    # Again they are in the same arm, and what they do counts since the first time.
    tell_crowd(days=2, members=20, name="two")
    assert ExperimentMember.objects.count() == 120
    arms = Message.objects.values_list("membership", "arm__place").distinct()
    assert max(Counter(key for key, _place in arms).values()) == 1


def test_what_an_arm_has_no_words_for_is_told_as_it_is(crowd: Program) -> None:
    write("gift", "Ein Geschenk", "{{ gift }}", locale="de")
    Customer.objects.update(locale="de")
    found = start_on_message(crowd)
    tell_crowd(members=30)
    assert told_to(found, 0) == told_to(found, 1) == {"Ein Geschenk"}


def test_a_mail_that_is_sent_after_its_end_has_the_words_that_it_was_written_for(
    crowd: Program,
) -> None:
    mail = WARM | {"channel": "email", "body": "<mj-section><mj-column><mj-text>{{ gift }}"
                   "</mj-text></mj-column></mj-section>"}  # fmt: skip
    found = start_on_message(crowd, arms=[
        {"name": "As it is", "share": 1}, {"name": "Warm", "share": 99, "words": [mail]},
    ])  # fmt: skip
    row = member(drawn_second(found))
    row.customer.email = "c@example.com"
    row.customer.save()
    tell(row.customer, membership=row, at=at(1), topic="points")
    end_experiment(experiment=found, actor=SYSTEM, now=at(2))
    send(at(2))
    assert Delivery.objects.get().subject == "For you"


def drawn_second(found: Experiment) -> str:
    """Somebody who is drawn into the second arm."""
    return next(
        number
        for number in (f"c{one}" for one in range(120))
        if arm_drawn(found, member(number).customer.public_id).place == 1
    )


def test_whoever_is_in_the_arm_without_it_is_not_told_and_that_is_written_down(
    crowd: Program,
) -> None:
    arms = [{"name": "Nothing", "share": 50, "silent": True},
            {"name": "Warm", "share": 50, "words": [WARM]}]  # fmt: skip
    found = start_on_message(crowd, arms=arms)
    tell_crowd(members=60)
    states = Delivery.objects.filter(message__arm__place=0).values_list("state", "reason")
    assert set(states) == {("suppressed", "experiment")}
    assert told_to(found, 1) == {"For you"}
    silent = Message.objects.filter(arm__place=0).first()
    assert silent is not None
    assert not inbox_of(silent.customer).exists()
    end_experiment(experiment=found, actor=SYSTEM, now=at(1))
    # Told again of the same, they are not told it late.
    tell_crowd(days=2, members=60)
    assert not inbox_of(silent.customer).exists()


def test_only_its_audience_and_its_program_are_in_it(crowd: Program) -> None:
    Customer.objects.filter(external_id__in=["c1", "c2", "c3"]).update(country="MY")
    found = start_on_message(
        crowd, audience={"field": "customer.country", "op": "is", "value": "MY"}
    )
    tell_crowd(members=20)
    # Of another program, and of none.
    elsewhere = make_program("other")
    make_wallet(elsewhere, "c1", at=at(-2))
    other = Membership.objects.get(program=elsewhere)
    tell(other.customer, "other", membership=other, at=at(1), channels=("inbox",))
    tell(other.customer, "apart", at=at(1), channels=("inbox",))
    assert ExperimentMember.objects.filter(experiment=found).count() == 3
    assert Message.objects.exclude(arm=None).count() == 3


def test_who_joins_later_is_compared_from_their_first_message_on(crowd: Program) -> None:
    found = start_on_message(crowd)
    make_wallet(crowd, "late", at=at(3))
    tell(member("late").customer, "x", membership=member("late"), at=at(4), channels=("inbox",))
    row = ExperimentMember.objects.get()
    record(order("before", "10", buyer="late", at=at(3.5)), order("after", "10", buyer="late",
           at=at(5)))  # fmt: skip
    arm = experiment_result(found, at(6)).arms[row.arm.place]
    assert (arm.moments.members, arm.moments.mean) == (1, 1)


def test_what_members_do_since_they_were_told_decides() -> None:
    # So many that no arm has too few of them by chance.
    found = start_on_message(make_crowd(160), measure="revenue")
    tell_crowd(members=160)
    sell(found, 1, "20", days=3)
    assert look_at(found, at(5)).verdict == ""
    over = look_at(found, at(14))
    assert (over.status, over.verdict, over.winner) == ("ended", "better", 1)
    with pytest.raises(ConflictError, match="nothing to make permanent"):
        draft_winner(experiment=over, actor=SYSTEM, now=at(15))


def test_who_followed_a_link_counts_once(crowd: Program) -> None:
    found = start_on_message(crowd, measure="clicked")
    tell_crowd(members=120)
    Delivery.objects.update(counts_clicks=True)
    Delivery.objects.filter(message__arm__place=1).update(clicked_at=at(1))
    first, second = experiment_result(found, at(2)).arms
    assert (first.moments.mean, second.moments.mean) == (0, 1)
    assert experiment_result(found, at(0.5)).arms[1].moments.mean == 0


def test_its_plan_looks_at_those_who_were_told_it(crowd: Program) -> None:
    found = write_on_message(crowd, weeks=None, measure="ordered")
    assert plan_of(found, NOW).rows == ()
    tell_crowd(days=-20, members=60)
    tell_crowd(days=-3, members=40, name="two")
    record(*(order(f"P{n}", "10", buyer=f"c{n}", at=at(-2)) for n in range(20)))
    record(*(order(f"Q{n}", "10", buyer=f"c{n}", at=at(-21)) for n in range(60)))
    plan = plan_of(found, NOW)
    assert (plan.members, [(row.weeks, row.have) for row in plan.rows]) == (
        120, [(1, 20), (2, 20)],
    )  # fmt: skip
    assert plan.rows[0].mean == pytest.approx(0.5)


def test_neither_its_words_nor_those_of_the_message_change_while_it_runs(
    crowd: Program,
) -> None:
    version = write("gift", "A gift", "{{ gift }}")
    found = start_on_message(crowd)
    inbox, arm = channel_named("inbox"), found.arms.all()[1]
    assert inbox is not None
    with pytest.raises(ConflictError, match="stay until it ends"):
        write("gift", "Another", "{{ gift }}")
    with pytest.raises(ConflictError, match="stay until it ends"):
        archive_template(template=version.template, actor=SYSTEM, now=NOW)
    how: dict[str, Any] = {"actor": SYSTEM, "now": NOW, "arm": arm}
    with pytest.raises(ConflictError):
        write_arm_words(channel=inbox, locale="en", words=Words("B", "b"), **how)
    own = MessageTemplate.objects.get(variant=arm.variant)
    with pytest.raises(DatabaseError, match="do not change"), transaction.atomic():
        TemplateVersion.objects.create(template=own, number=2, subject="B", body="b",
                                       created_at=NOW)  # fmt: skip
    with pytest.raises(DatabaseError, match="do not change"), transaction.atomic():
        MessageTemplate.objects.filter(pk=own.pk).update(archived_at=NOW)
    end_experiment(experiment=found, actor=SYSTEM, now=at(1))
    assert write("gift", "Another", "{{ gift }}").number == 2


def test_each_arm_but_the_first_says_something_before_it_starts(crowd: Program) -> None:
    arms = [{"name": "As it is", "share": 50}, {"name": "Warm", "share": 50}]
    found = write_on_message(crowd, arms=arms)
    with pytest.raises(DomainError, match="Write what Warm says"):
        start_experiment(experiment=found, actor=SYSTEM, now=NOW)
    with pytest.raises(DatabaseError, match="gets what is compared"), transaction.atomic():
        Experiment.objects.update(status="running", started_at=NOW, ends_at=at(7))
    inbox = channel_named("inbox")
    assert inbox is not None
    words = Words("For you", "{{ gift }}")
    write_arm_words(arm=found.arms.all()[1], channel=inbox, locale="en", words=words,
                    actor=SYSTEM, now=NOW)  # fmt: skip
    started = start_experiment(experiment=fresh_experiment(found), actor=SYSTEM, now=NOW)
    assert started.status == "running"


def test_a_message_is_in_one_running_experiment_of_a_program(crowd: Program) -> None:
    start_on_message(crowd)
    other = write_on_message(crowd, name="Again")
    with pytest.raises(ConflictError, match="already"):
        start_experiment(experiment=other, actor=SYSTEM, now=NOW)
    with pytest.raises(DatabaseError, match="experiment_of_message_alone"), transaction.atomic():
        Experiment.objects.filter(pk=other.pk).update(
            status="running", started_at=NOW, ends_at=at(7)
        )


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"message": ""}, "of which message"),
        ({"compares": "promotions", "message": ""}, "are promotions"),
        ({"compares": "promotions"}, "about a message"),
        ({"arms": [{"name": "A", "share": 50, "words": [WARM]}, {"name": "B", "share": 50}]},
         "first arm is as it is"),
        ({"arms": [{"name": "A", "share": 50}, {"name": "B", "share": 50, "silent": True}]},
         "Only the first arm"),
        ({"arms": [{"name": "A", "share": 50}, {"name": "B", "share": 50, "promotion": "x"}]},
         "are words"),
        ({"measure": "clicked", "arms": [{"name": "A", "share": 50, "silent": True},
                                         {"name": "B", "share": 50}]}, "can follow no link"),
    ],
)  # fmt: skip
def test_arms_that_cannot_be_compared_are_refused(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        on_message(**said)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"message": "confirm"}, "not told to members of a program"),
        ({"message": "broadcast-1"}, "sent once"),
        ({"message": "nothing"}, "no such message"),
        ({"message": "expiring", "arms": [{"name": "A", "share": 50, "silent": True},
                                          {"name": "B", "share": 50}]}, "has to be told"),
        ({"message": "order_earned", "arms": [{"name": "A", "share": 50, "silent": True},
                                              {"name": "B", "share": 50}]}, "has to be told"),
        ({"arms": [{"name": "A", "share": 50},
                   {"name": "B", "share": 50, "words": [WARM | {"body": "{{ odd }}"}]}]}, "odd"),
        ({"arms": [{"name": "A", "share": 50},
                   {"name": "B", "share": 50, "words": [WARM | {"channel": "smoke"}]}]}, "way"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_compared_is_refused(
    crowd: Program, said: dict[str, Any], words: str
) -> None:
    with pytest.raises(DomainError, match=words):
        write_on_message(crowd, **said)


def test_a_draft_that_is_changed_or_thrown_away_says_nothing_any_more(crowd: Program) -> None:
    found = write_on_message(crowd)
    bare = on_message(arms=[{"name": "As it is", "share": 50}, {"name": "Warm", "share": 50}])
    changed = change_experiment(experiment=found, definition=bare, actor=SYSTEM, now=NOW)
    assert MessageTemplate.objects.get().archived_at == NOW
    change_experiment(experiment=changed, definition=on_message(), actor=SYSTEM, now=NOW)
    assert MessageTemplate.objects.get().archived_at is None
    delete_experiment(experiment=changed, actor=SYSTEM, now=NOW)
    assert MessageTemplate.objects.get().archived_at == NOW


def test_whoever_wrote_the_words_does_not_start_it_alone(crowd: Program) -> None:
    set_four_eyes(program=crowd, on=True, actor=SYSTEM)
    crowd.refresh_from_db()
    mia, sam = (
        Actor.of_user(User.objects.create_user(f"{name}@shop.example")) for name in ("mia", "sam")
    )
    found, inbox = write_on_message(crowd), channel_named("inbox")
    assert inbox is not None
    found = ask_to_start(experiment=found, actor=sam, now=NOW)
    arm, words = found.arms.all()[1], Words("Warmer", "{{ gift }}")
    write_arm_words(arm=arm, channel=inbox, locale="en", words=words, actor=mia, now=NOW)
    assert fresh_experiment(found).asked_by is None
    ask_to_start(experiment=found, actor=sam, now=NOW)
    with pytest.raises(ConflictError, match="Somebody else"):
        start_experiment(experiment=found, actor=mia, now=NOW)
    own = MessageTemplate.objects.get()
    put_arm_words_away(arm=arm, template=own, actor=sam, now=NOW)
    with pytest.raises(DomainError, match="Write what Warm says"):
        ask_to_start(experiment=found, actor=sam, now=NOW)


def test_figures_by_version_leave_the_words_of_arms_to_the_experiment(crowd: Program) -> None:
    write("gift", "A gift", "{{ gift }}")
    found = start_on_message(crowd)
    tell_crowd(members=40)
    measured = figures_of_occasion("gift", days=90, now=at(1))
    compared = len(buyers(found, 1))
    assert measured.total.sent == 40
    assert {key: one.sent for key, one in measured.by_words.items()} == {
        ("inbox", "en", 1): 40 - compared
    }


def test_who_turned_out_to_be_somebody_else_stays_in_the_arm_that_they_were_in(
    crowd: Program,
) -> None:
    found = start_on_message(crowd)
    number = drawn_second(found)
    first = next(
        other
        for other in (f"c{one}" for one in range(120))
        if arm_drawn(found, member(other).customer.public_id).place == 0
    )
    tell(member(number).customer, "one", membership=member(number), at=at(1), channels=("inbox",))
    merge_customers(
        kept=member(first).customer, merged=member(number).customer, actor=SYSTEM, source="api",
        now=at(1.5), reason="The same person",
    )  # fmt: skip
    tell(member(first).customer, "two", membership=member(first), at=at(2), channels=("inbox",))
    assert set(Message.objects.values_list("arm__place", flat=True)) == {1}
    assert set(ExperimentMember.objects.values_list("arm__place", flat=True)) == {1}


def test_what_was_told_before_it_began_is_not_in_it_whenever_that_is_written(
    crowd: Program,
) -> None:
    start_on_message(crowd)
    early = NOW - dt.timedelta(minutes=30)
    tell(member("c1").customer, "x", membership=member("c1"), at=early, channels=("inbox",))
    assert not ExperimentMember.objects.exists()
