"""The merchant's own topics: offered beside those that come with Setia, taken a yes or no of."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from campaigns.links import StopLink, stop_token
from campaigns.models import Consent, OwnTopic
from campaigns.selectors.consents import choices_of
from campaigns.selectors.policies import get_policy
from campaigns.services.consent_doors import boxes
from campaigns.services.consents import set_consents
from campaigns.services.policies import set_policy
from campaigns.services.topics import change_topic, create_topic, put_away
from campaigns.topics import choosable_topics, topic_named
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell
from tests.factories import CustomerFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]


def make(code: str = "events", **changes: Any) -> OwnTopic:
    said: dict[str, Any] = {
        "name": "Events", "sentence": "Tastings and markets.", "texts": {}, "opt_in_only": True,
        "asked_at_join": False,
    } | changes  # fmt: skip
    return create_topic(code=code, actor=SYSTEM, **said)


def test_surveys_and_the_community_are_topics_apart_from_offers() -> None:
    codes = [topic.code for topic in choosable_topics()]
    assert codes == ["points", "offers", "surveys", "community"]


def test_people_say_yes_to_one_and_are_told_of_it_alone() -> None:
    make()
    ana, ben = CustomerFactory(), CustomerFactory()
    set_consents(
        customer=ana, wanted={("email", "events"): True}, source="staff", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    tell(ana, "one", topic="events")
    tell(ben, "two", topic="events")
    tell(ana, "three", topic="offers")
    send()
    assert states() == [
        ("sent", ""), ("suppressed", "no_consent"), ("suppressed", "no_consent"),
    ]  # fmt: skip


def test_one_that_takes_a_yes_is_never_assumed() -> None:
    make()
    with pytest.raises(DomainError):
        set_policy(changes={"assumed_topics": ["events"]}, actor=SYSTEM)
    topic = make("news", opt_in_only=False)
    set_policy(changes={"assumed_topics": ["news"]}, actor=SYSTEM)
    change_topic(topic=topic, opt_in_only=True, actor=SYSTEM)
    assert get_policy().assumed_topics == []


def test_it_is_called_as_it_is_in_the_language_of_the_page() -> None:
    make(texts={"el": {"name": "Εκδηλώσεις", "sentence": ""}})
    with translation.override("el"):
        topic = topic_named("events")
    assert topic is not None
    assert (topic.label, topic.description) == ("Εκδηλώσεις", "Tastings and markets.")


def test_who_joins_is_asked_where_the_merchant_wants_it() -> None:
    make(asked_at_join=True)
    assert [box.topic for box in boxes()] == ["offers", "events"]


def test_one_that_is_put_away_is_offered_no_more_and_can_still_be_declined() -> None:
    topic, ana = make(), CustomerFactory()
    set_consents(
        customer=ana, wanted={("email", "events"): True}, source="staff", actor=SYSTEM,
        now=timezone.now(),
    )  # fmt: skip
    delivery = tell(ana, topic="events")
    put_away(topic=topic, away=True, actor=SYSTEM, now=timezone.now())
    assert "events" not in {choice.topic.code for choice in choices_of(ana)}
    link = StopLink(ana.public_id, delivery.public_id, "email", "events")
    page = Client().post(f"/messages/stop/{stop_token(link)}/")
    assert page.status_code == 200
    assert Consent.objects.get().state == "denied"


@pytest.mark.parametrize("code", ["offers", "tracking", "With space", "a" * 17, ""])
def test_codes_that_are_taken_or_no_codes_are_refused(code: str) -> None:
    with pytest.raises(DomainError) as refused:
        make(code)
    assert refused.value.errors[0].field == "code"
