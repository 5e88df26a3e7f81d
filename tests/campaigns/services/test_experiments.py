"""Experiments: written, started, measured, decided, ended, made permanent."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from campaigns.campaign_definitions import definition_of_campaign
from campaigns.campaign_rules import draw_of
from campaigns.experiment_definitions import draw_of_experiment
from campaigns.models import Campaign, Experiment, ExperimentArm, ExperimentMember
from campaigns.selectors.campaigns import shown_to
from campaigns.selectors.experiment_results import experiment_result
from campaigns.services.campaign_clock import move_on
from campaigns.services.campaign_files import campaigns_of
from campaigns.services.campaigns import (
    ask_to_publish,
    change_campaign,
    copy_campaign,
    delete_campaign,
    end_campaign,
    pause_campaign,
    publish_campaign,
)
from campaigns.services.experiment_clock import find_looks, look_at, look_words
from campaigns.services.experiment_rules import draft_winner
from campaigns.services.experiments import (
    ask_to_start,
    change_experiment,
    create_experiment,
    delete_experiment,
    end_experiment,
    send_back,
    start_experiment,
)
from loyalty.models import EarningRule, Membership, Program
from loyalty.selectors.program_terms import terms_of
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from loyalty.services.rules import set_four_eyes
from members.condition_fields import drawn_number
from members.errors import ConflictError, DomainError
from members.models import AuditEntry, Customer, User
from members.services.audit import SYSTEM, Actor
from members.services.job_runs import run_scheduled
from tests.campaigns.campaigns import draft, fresh, member
from tests.campaigns.experiments import (
    at,
    buyers,
    definition,
    fresh_experiment,
    make_crowd,
    promotion,
    sell,
    start,
    write,
)
from tests.loyalty.factories import NOW, make_wallet, order, record, spendable
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db
Status = Experiment.Status


made_once = shared(make_crowd)


@pytest.fixture
def crowd(made_once: Program, db: None) -> Program:
    return anew(made_once)


def three(program: Program) -> list[dict[str, Any]]:
    return [
        {"name": "Twice", "share": 20, "promotion": promotion(program, "Twice", offer={})},
        {"name": "Triple", "share": 30, "promotion": promotion(program)},
        {"name": "Bigger", "share": 50,
         "promotion": promotion(program, "Bigger", template="spend-get",
                                offer={"reach": 50, "units": 100})},
    ]  # fmt: skip


def test_starting_writes_down_who_is_in_which_arm_by_the_number_that_they_draw(
    crowd: Program,
) -> None:
    found = write(crowd, arms=three(crowd))
    with CaptureQueriesContext(connection) as asked:
        found = start_experiment(experiment=found, actor=SYSTEM, now=NOW)
    writes = [item for item in asked if "INTO campaigns_experimentmember" in item["sql"]]
    assert len(writes) == 1
    rows = ExperimentMember.objects.select_related("arm", "membership__customer")
    assert rows.count() == 240
    for row in rows:
        drawn = drawn_number(draw_of_experiment(found), row.membership.customer.public_id)
        assert row.arm.place == (0 if drawn < 20 else 1 if drawn < 50 else 2)
    assert (found.status, found.ends_at) == (Status.RUNNING, at(14))


def test_each_arm_earns_what_it_was_drawn_for_and_reads_of_that_alone(crowd: Program) -> None:
    found = start(crowd, arms=three(crowd))
    for place, units in enumerate((20, 30, 10)):
        who = buyers(found, place)[0]
        record(order(f"A{place}", "10", buyer=who, at=at(1)))
        assert spendable(who, at=at(1)) == units
        own = [item.name for item in shown_to(member(who), at(1))]
        assert own == [("Twice", "Triple", "Bigger")[place]]
        terms = str(terms_of(crowd, at(1), reader=member(who).customer).rules)
        assert ("Triple" in terms) == (place == 1)
    assert "Triple" not in str(terms_of(crowd, at(1)).rules)


def test_as_it_is_gets_nothing_and_who_joins_later_is_drawn_but_not_compared(
    crowd: Program,
) -> None:
    found = start(crowd)
    sell(found, 0, "10")
    assert spendable(buyers(found, 0)[0], at=at(1)) == 10
    for number in range(20):
        make_wallet(crowd, f"late{number}", at=at(1))
        record(order(f"L{number}", "10", buyer=f"late{number}", at=at(2)))
    assert {spendable(f"late{number}", at=at(2)) for number in range(20)} == {10, 30}
    assert sum(arm.moments.members for arm in experiment_result(found, at(3)).arms) == 240


def test_only_its_audience_is_in_it(crowd: Program) -> None:
    Customer.objects.filter(external_id__in=["c1", "c2", "c3"]).update(country="MY")
    found = start(crowd, audience={"field": "customer.country", "op": "is", "value": "MY"})
    assert ExperimentMember.objects.count() == 3
    record(*(order(f"A{who}", "10", buyer=who, at=at(1)) for who in ("c5", "c6", "c7", "c8")))
    assert {spendable(who, at=at(1)) for who in ("c5", "c6", "c7", "c8")} == {10}
    assert found.status == Status.RUNNING


@pytest.mark.parametrize(
    ("measure", "total"), [("revenue", 10.5), ("orders", 1.0), ("ordered", 1.0), ("redeemed", 0.0)]
)
def test_each_measure_is_counted_for_each_member_of_an_arm(
    crowd: Program, measure: str, total: float
) -> None:
    found = start(crowd, measure=measure)
    sell(found, 1, "10")
    record(order("early", "70", buyer=buyers(found, 0)[0], at=at(-1)))
    first, other = experiment_result(found, at(1)).arms
    assert first.moments.mean == 0
    assert other.moments.mean == pytest.approx(total, abs=0.02)
    assert first.against is None
    assert other.against is not None
    assert other.against.value == pytest.approx(total, abs=0.02)


def test_nothing_is_declared_before_its_end_but_a_difference_beyond_the_boundary(
    crowd: Program,
) -> None:
    found = start(crowd)
    sell(found, 1, "10")
    assert look_at(found, at(3)).verdict == ""
    declared = look_at(found, at(7))
    assert (declared.verdict, declared.winner, declared.status) == ("better", 1, Status.RUNNING)
    again = look_at(found, at(8))
    assert (again.decided_at, again.looked_at) == (at(7), at(8))
    over = look_at(found, at(14))
    assert (over.status, over.ending, over.verdict) == (Status.ENDED, "over", "better")
    assert over.decided_at == at(7)
    log = AuditEntry.objects.filter(action__startswith="experiment.").order_by("pk")
    assert list(log.values_list("action", flat=True)) == [
        "experiment.created", "experiment.started", "experiment.decided", "experiment.ended",
    ]  # fmt: skip


def test_at_its_end_it_says_that_the_first_is_better_or_that_nothing_is_shown(
    crowd: Program,
) -> None:
    found = start(crowd)
    assert look_at(found, at(14)).verdict == "none"
    other = start(crowd, name="Again", arms=[
        {"name": "As it is", "share": 50},
        {"name": "Twice", "share": 50, "promotion": promotion(crowd, "Twice", offer={})},
    ])  # fmt: skip
    sell(other, 0, "30")
    worse = look_at(other, at(14))
    assert (worse.verdict, worse.winner) == ("worse", 0)


def test_too_few_members_say_nothing(db: None) -> None:
    found = start(make_crowd(60, "few"))
    sell(found, 1, "10")
    assert look_at(found, at(14)).verdict == "few"


def test_its_promotions_end_with_it_and_whoever_ends_it_early_learns_nothing(
    crowd: Program,
) -> None:
    found = start(crowd)
    ended = end_experiment(experiment=found, actor=SYSTEM, now=at(2))
    assert (ended.verdict, ended.ending, ended.ended_at) == ("early", "early", at(2))
    assert Campaign.objects.get().status == Campaign.Status.ENDED
    assert end_experiment(experiment=found, actor=SYSTEM, now=at(3)).ended_at == at(2)
    who = buyers(found, 1)[0]
    record(order("A", "10", buyer=who, at=at(3)))
    assert spendable(who, at=at(3)) == 10


def test_the_schedule_looks_once_a_day_and_ends_it_in_time(crowd: Program) -> None:
    found = start(crowd)
    assert find_looks(at(0.1)) is not None
    look_at(found, at(0.1))
    assert find_looks(at(1)) is None
    assert find_looks(at(1.2)) is not None
    # Its promotions have ended by themselves by then.
    move_on(fresh(Campaign.objects.get()), at(14))
    job = run_scheduled(kind="experiments", now=at(14.1))
    assert job is not None
    assert look_words(job) == "1 experiment was looked at."
    assert fresh_experiment(found).status == Status.ENDED
    assert find_looks(at(20)) is None


def test_an_arm_is_begun_and_ended_by_its_experiment_alone(crowd: Program) -> None:
    found = write(crowd)
    campaign = fresh(Campaign.objects.get())
    with pytest.raises(ConflictError, match="part of the experiment"):
        publish_campaign(campaign=campaign, actor=SYSTEM, now=NOW)
    with pytest.raises(ConflictError, match="part of the experiment"):
        delete_campaign(campaign=campaign, actor=SYSTEM)
    start_experiment(experiment=found, actor=SYSTEM, now=NOW)
    for act in (pause_campaign, end_campaign):
        with pytest.raises(ConflictError, match="part of the experiment"):
            act(campaign=campaign, actor=SYSTEM, now=NOW)
    assert copy_campaign(campaign=fresh(campaign), actor=SYSTEM, now=NOW).audience == {}
    assert [item.code for item in campaigns_of(crowd)] == ["triple-2"]


def test_what_was_drawn_and_what_was_asked_does_not_change(crowd: Program) -> None:
    found = start(crowd)
    for change in (
        lambda: Experiment.objects.update(smallest=99),
        lambda: Experiment.objects.update(status="draft"),
        lambda: ExperimentArm.objects.filter(place=0).update(share=40),
        lambda: ExperimentArm.objects.all().delete(),
        lambda: ExperimentMember.objects.all().delete(),
        lambda: Experiment.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(ConflictError):
        delete_experiment(experiment=found, actor=SYSTEM, now=NOW)


def test_the_database_refuses_shares_that_do_not_come_to_100(crowd: Program) -> None:
    found = write(crowd)
    ExperimentArm.objects.filter(place=0).update(share=40)
    with pytest.raises(DatabaseError, match="come to 100"), transaction.atomic():
        start_experiment(experiment=found, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        ([("A", 50, ""), ("B", 40, "triple")], "come to 100"),
        ([("A", 50, "triple"), ("B", 50, "")], "Only the first arm"),
        ([("A", 50, ""), ("A", 50, "triple")], "a name and a promotion of its own"),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(
    crowd: Program, arms: list[tuple[str, int, str]], words: str
) -> None:
    said = [{"name": name, "share": share, "promotion": code} for name, share, code in arms]
    with pytest.raises(ValueError, match=words):
        definition(crowd, arms=said)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"codes": {"kind": "shared", "word": "SPRING"}}, "takes a code"),
        ({"audience": {"field": "customer.country", "op": "is", "value": "MY"}}, "for whom"),
        ({"template": "personal-next", "offer": {"categories": ["A"]}}, "single members"),
    ],
)
def test_a_promotion_that_is_not_for_chance_alone_to_give_is_no_arm(
    crowd: Program, said: dict[str, Any], words: str
) -> None:
    code = draft(crowd, name="Odd", **said).code
    arms = [{"name": "A", "share": 50}, {"name": "B", "share": 50, "promotion": code}]
    with pytest.raises(DomainError, match=words):
        write(crowd, arms=arms)


def test_a_promotion_is_in_one_experiment_only(crowd: Program) -> None:
    write(crowd)
    arms = [{"name": "A", "share": 50}, {"name": "B", "share": 50, "promotion": "triple"}]
    with pytest.raises(DomainError, match="another experiment"):
        write(crowd, arms=arms)


def test_a_draft_is_changed_by_who_has_read_it_last_and_thrown_away(crowd: Program) -> None:
    found = write(crowd)
    said = definition(crowd, smallest=20, arms=three(crowd))
    changed = change_experiment(
        experiment=found, definition=said, actor=SYSTEM, now=NOW, revision=found.revision
    )
    assert (changed.smallest, changed.arms.count()) == (20, 3)
    other = said.model_copy(update={"smallest": 30})
    with pytest.raises(ConflictError, match="meanwhile"):
        change_experiment(
            experiment=found, definition=other, actor=SYSTEM, now=NOW, revision=found.revision
        )
    delete_experiment(experiment=changed, actor=SYSTEM, now=NOW)
    assert not Experiment.objects.exists()
    assert Campaign.objects.filter(status="draft").count() == 4


def test_where_a_second_person_publishes_rules_they_start_experiments(crowd: Program) -> None:
    set_four_eyes(program=crowd, on=True, actor=SYSTEM)
    crowd.refresh_from_db()
    mia, sam = (
        Actor.of_user(User.objects.create_user(f"{name}@shop.example")) for name in ("mia", "sam")
    )
    said = definition(crowd)
    found = change_experiment(
        experiment=write(crowd, arms=three(crowd)), definition=said, actor=mia, now=NOW
    )
    with pytest.raises(ConflictError, match="Somebody else"):
        start_experiment(experiment=found, actor=mia, now=NOW)
    ask_to_start(experiment=found, actor=mia, now=NOW)
    assert send_back(experiment=found, actor=sam, note="Too long").sent_back == "Too long"
    ask_to_start(experiment=found, actor=mia, now=NOW)
    assert start_experiment(experiment=found, actor=sam, now=NOW).status == Status.RUNNING


def test_the_better_arm_becomes_a_draft_for_the_whole_audience(crowd: Program) -> None:
    limited = promotion(crowd, offer={"factor": 3, "per_member": 500})
    arms = [{"name": "A", "share": 50}, {"name": "Triple", "share": 50, "promotion": limited}]
    found = start(crowd, arms=arms)
    with pytest.raises(ConflictError):
        draft_winner(experiment=found, actor=SYSTEM, now=at(1))
    sell(found, 1, "10")
    ended = look_at(found, at(14))
    (rule,) = draft_winner(experiment=ended, actor=SYSTEM, now=at(15))
    rule = EarningRule.objects.get(pk=rule.pk)
    (version,) = rule.versions.all()
    assert (rule.code, rule.source, version.starts_at) == ("triple", "", None)
    assert version.body["kind"] == "multiplier"
    assert "draw" not in str(version.body)
    assert Membership.objects.count() == 240
    assert not any(version.body["caps"]["per_member"].values())
    with pytest.raises(ConflictError, match="permanent already: as triple"):
        draft_winner(experiment=ended, actor=SYSTEM, now=at(15))


def test_whoever_ends_it_after_its_time_declares_what_it_has_shown(crowd: Program) -> None:
    found = start(crowd)
    sell(found, 1, "10")
    ended = end_experiment(experiment=found, actor=SYSTEM, now=at(15))
    assert (ended.verdict, ended.winner, ended.ending) == ("better", 1, "over")
    assert ended.ended_at == ended.ends_at == at(14)


def test_no_promotion_draws_by_the_name_of_an_experiment(crowd: Program) -> None:
    found = write(crowd)
    named = draft(crowd, name="Other", title="Other")
    named.code = f"experiment-{found.code}"
    assert draw_of(named) != draw_of_experiment(found)


def test_whoever_asked_for_a_promotion_may_start_the_experiment_that_takes_it(
    crowd: Program,
) -> None:
    set_four_eyes(program=crowd, on=True, actor=SYSTEM)
    crowd.refresh_from_db()
    mia, ben = (
        Actor.of_user(User.objects.create_user(f"{name}@shop.example")) for name in ("mia", "ben")
    )
    said = definition(crowd)
    ask_to_publish(campaign=Campaign.objects.get(), actor=ben, now=NOW)
    found = create_experiment(program=crowd, definition=said, actor=mia, now=NOW)
    assert Campaign.objects.get().asked_by is None
    ask_to_start(experiment=found, actor=mia, now=NOW)
    assert start_experiment(experiment=found, actor=ben, now=NOW).status == Status.RUNNING


def test_intervals_are_wider_while_somebody_may_look_every_day(crowd: Program) -> None:
    found = start(crowd)
    sell(found, 1, "10")

    def errors(days: float) -> float:
        against = experiment_result(found, at(days)).arms[1].against
        assert against is not None
        assert against.z is not None
        return (against.high - against.value) / (against.value / against.z)

    assert errors(3) == pytest.approx(3)
    assert errors(14) == pytest.approx(1.973)


def test_asking_refuses_what_starting_refuses(crowd: Program) -> None:
    found = write(crowd)
    mia = Actor.of_user(User.objects.create_user("mia@shop.example"))
    Campaign.objects.update(template="bundle", offer={})
    with pytest.raises(DomainError) as refused:
        ask_to_start(experiment=found, actor=mia, now=NOW)
    assert refused.value.errors[0].field == "arms[1].promotion"


def test_an_arm_that_is_changed_takes_back_the_request_to_start(crowd: Program) -> None:
    found = write(crowd)
    mia = Actor.of_user(User.objects.create_user("mia@shop.example"))
    asked = ask_to_start(experiment=found, actor=mia, now=NOW)
    campaign = Campaign.objects.get()
    said = definition_of_campaign(campaign).model_copy(update={"title": "Ten times"})
    change_campaign(campaign=campaign, definition=said, actor=mia, now=NOW)
    after = fresh_experiment(found)
    assert (after.asked_by, after.asked_at) == (None, None)
    assert after.revision > asked.revision


def test_what_is_for_some_by_its_nature_is_no_arm_for_everybody(crowd: Program) -> None:
    code = draft(crowd, template="early-access", name="Early").code
    arms = [{"name": "A", "share": 50}, {"name": "B", "share": 50, "promotion": code}]
    with pytest.raises(DomainError, match="not for everybody"):
        write(crowd, arms=arms)
    some = {"field": "customer.country", "op": "is", "value": "MY"}
    assert write(crowd, arms=arms, audience=some).arms.count() == 2


def test_a_program_file_from_before_leaves_its_arms_to_it(crowd: Program) -> None:
    found = write(crowd)
    before = definition_of(crowd, NOW)
    planned = before.model_copy(
        update={"campaigns": [
            item.model_copy(update={"state": "planned"}) for item in before.campaigns
        ]}
    )  # fmt: skip
    apply_definition(planned, actor=SYSTEM, now=NOW)
    assert Campaign.objects.get().status == "draft"
    start_experiment(experiment=found, actor=SYSTEM, now=NOW)
    for file in (before, planned):
        assert apply_definition(file, actor=SYSTEM, now=at(1)).changes == []
    assert Campaign.objects.get().status == "live"
