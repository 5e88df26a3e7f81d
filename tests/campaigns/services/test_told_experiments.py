"""What has to be told so that an experiment on words compares something, and what was told."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from campaigns.experiment_definitions import ExperimentDefinition
from campaigns.models import OccasionSetting, PassageStep
from campaigns.selectors.experiment_plans import plan_of
from campaigns.selectors.templates import versions_of_variants
from campaigns.services.experiments import change_experiment, start_experiment
from campaigns.services.journey_entries import lead_in
from campaigns.services.journey_steps import take_due
from campaigns.services.journeys import publish_journey
from loyalty.models import Program
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.campaigns.campaigns import member
from tests.campaigns.experiments import (
    WARM,
    fresh_experiment,
    make_crowd,
    on_message,
    start_on_message,
    tell_crowd,
    write_on_message,
)
from tests.campaigns.factories import make_journey, switch_on, write
from tests.loyalty.factories import NOW
from tests.loyalty.factories import day as at
from tests.rewards.services.racing import until_it_waits
from tests.sharing import anew, shared

pytestmark = pytest.mark.django_db

MAIL = WARM | {"channel": "email", "body": "<mj-section><mj-column><mj-text>{{ gift }}"
               "</mj-text></mj-column></mj-section>"}  # fmt: skip


made_once = shared(lambda: make_crowd(40))


@pytest.fixture
def crowd(made_once: Program, db: None) -> Program:
    return anew(made_once)


def arms_with(*words: dict[str, str]) -> list[dict[str, Any]]:
    return [{"name": "As it is", "share": 50}, {"name": "Warm", "share": 50, "words": words}]


def test_an_arm_whose_words_nobody_is_told_is_refused(crowd: Program) -> None:
    found = write_on_message(crowd, arms=arms_with(MAIL))
    switch_on("gift", "inbox", at=NOW)
    with pytest.raises(DomainError, match=r"says something only by E-mail") as refused:
        start_experiment(experiment=found, actor=SYSTEM, now=NOW)
    assert refused.value.errors[0].field == "arms[1].words"
    switch_on("gift", "email", at=NOW)
    assert start_experiment(experiment=found, actor=SYSTEM, now=NOW).status == "running"


def test_words_by_a_way_besides_that_is_not_used_are_no_reason(crowd: Program) -> None:
    switch_on("gift", "inbox", at=NOW)
    found = write_on_message(crowd, arms=arms_with(MAIL, WARM))
    assert start_experiment(experiment=found, actor=SYSTEM, now=NOW).status == "running"


def test_the_message_of_a_journey_is_told_by_the_ways_of_its_step(crowd: Program) -> None:
    found = write_on_message(crowd, message="welcome", arms=arms_with(WARM | {"body": "Hello"}))
    OccasionSetting.objects.update(is_on=False)
    with pytest.raises(DomainError, match="nobody is told"):
        start_experiment(experiment=found, actor=SYSTEM, now=NOW)
    publish_journey(journey=make_journey(crowd), actor=SYSTEM, now=NOW)
    assert start_experiment(experiment=found, actor=SYSTEM, now=NOW).status == "running"


def test_the_step_of_a_journey_says_that_the_arm_was_not_told(crowd: Program) -> None:
    journey = make_journey(crowd)
    journey = publish_journey(journey=journey, actor=SYSTEM, now=NOW)
    start_on_message(crowd, message="welcome", arms=[
        {"name": "Nothing", "share": 99, "silent": True},
        {"name": "Warm", "share": 1, "words": [WARM | {"body": "Hello"}]},
    ])  # fmt: skip
    for number in range(10):
        lead_in(journey=journey, member=member(f"c{number}"), actor=SYSTEM, now=NOW)
    take_due(clock=lambda: at(0.1))
    steps = PassageStep.objects.filter(message__arm__silent=True)
    assert steps.count() >= 5
    assert set(steps.values_list("outcome", flat=True)) == {"withheld"}


def test_words_that_are_said_again_otherwise_spaced_change_nothing(crowd: Program) -> None:
    two = WARM | {"locale": "de-AT", "subject": "Für  Sie "}
    spaced = WARM | {"body": " With love: {{ gift }}.\n", "text": "x"}
    said = on_message(arms=arms_with(two, spaced))
    found = write_on_message(crowd, arms=arms_with(two, WARM | {"text": "x"}))
    assert found.revision == 0
    for definition in (said, reversed_words(said)):
        again = change_experiment(
            experiment=fresh_experiment(found), definition=definition, actor=SYSTEM, now=NOW
        )
        assert again.revision == 0


def test_approved_words_that_are_said_again_otherwise_spaced_change_nothing(
    crowd: Program,
) -> None:
    whatsapp = WARM | {"channel": "whatsapp"}
    approved = {"name": "gift_2", "language": "en_US", "values": ["{{ gift }}", "Two words"]}
    spaced = {"name": " gift_2", "language": "en_US ", "values": [" {{ gift }}\n", "Two\nwords"]}
    found = write_on_message(crowd, arms=arms_with(WARM, whatsapp | {"approved": approved}))
    # What the provider approved says nothing by other ways.
    arms = arms_with(WARM | {"approved": approved}, whatsapp | {"approved": spaced})
    again = change_experiment(
        experiment=fresh_experiment(found), definition=on_message(arms=arms), actor=SYSTEM, now=NOW
    )
    assert again.revision == 0
    kept = again.arms.get(place=1)
    [version] = [row for row in versions_of_variants([kept.variant])[kept.variant] if row.approved]
    assert version.approved == approved


def reversed_words(said: ExperimentDefinition) -> ExperimentDefinition:
    first, second = said.arms
    words = [one.model_dump() for one in reversed(second.words)]
    return on_message(arms=[first.model_dump(), second.model_dump() | {"words": words}])


def test_an_arm_says_something_once_by_a_way_in_a_language(crowd: Program) -> None:
    with pytest.raises(ValueError, match="once"):
        on_message(arms=arms_with(WARM, WARM | {"locale": "EN", "subject": "Other"}))


def test_the_plan_counts_each_message_once_and_not_for_each_length(crowd: Program) -> None:
    for number in range(5):
        tell_crowd(days=-3, members=40, name=f"n{number}")
    found = write_on_message(crowd, weeks=None)
    with CaptureQueriesContext(connection) as queries:
        assert plan_of(found, NOW).rows[0].have == 20
    [asked] = [query["sql"] for query in queries if "campaigns_message" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + asked)
        [[[explained]]] = cursor.fetchall()
    # 200 messages, and 40 members for each of ten lengths.
    assert max(rows_of(explained["Plan"])) <= 400


def rows_of(node: dict[str, Any]) -> Iterator[float]:
    """How many come out of each step that messages have gone through."""
    inner = [rows for each in node.get("Plans", ()) for rows in rows_of(each)]
    if inner or node.get("Relation Name") == "campaigns_message" or node.get("CTE Name") == "told":
        yield node["Actual Rows"] * node["Actual Loops"]
    yield from inner


@pytest.mark.django_db(transaction=True)
def test_whoever_saves_words_while_an_experiment_on_them_starts_waits_and_is_refused() -> None:
    program = make_crowd(2)
    write("gift", "A gift", "{{ gift }}")
    switch_on("gift", "inbox", at=NOW)
    found = write_on_message(program)

    def save() -> None:
        try:
            write("gift", "Another", "{{ gift }}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            start_experiment(experiment=found, actor=SYSTEM, now=NOW)
            saving = other.submit(save)
            until_it_waits(saving)
        with pytest.raises(ConflictError, match="stay until it ends"):
            saving.result()
