"""What services write is told as the catalog says: every type of event, by its schema."""

import pytest
from jsonschema import Draft202012Validator

from campaigns.models import Passage, WebhookDelivery
from campaigns.webhook_events import known_types, message_schema, sample_message, told_types
from tests.campaigns.services.stories.hearing import LISTENER, data_of, heard
from tests.campaigns.services.stories.of_campaigns import leading, shares, writing
from tests.campaigns.services.stories.of_members import people
from tests.campaigns.services.stories.table import STORIES
from tests.campaigns.webhooks import make_endpoint
from tests.loyalty.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("story", list(STORIES), ids=lambda story: story.__name__)
def test_what_services_write_is_told_by_the_schema_of_its_type(story):
    make_endpoint(LISTENER)
    story()
    found = heard()
    assert found.keys() >= STORIES[story]
    assert WebhookDelivery.objects.count() == sum(found.values())


def test_what_becomes_of_a_membership_is_told_once_however_often_it_is_asked_for():
    make_endpoint(LISTENER)
    people()
    found = heard()
    once = ("membership.suspended", "membership.resumed", "membership.left")
    assert [found[name] for name in once] == [1, 1, 1]
    # Two joined, and the one that was merged is a member again when that is undone.
    assert (found["membership.merged"], found["membership.joined"]) == (1, 3)


def test_messages_are_told_by_what_became_of_them_and_shares_by_what_is_left():
    make_endpoint(LISTENER)
    writing()
    shares()
    found = heard()
    # One arrived and one is in the inbox; opening is counted of what is read there alone.
    assert (found["message.sent"], found["message.opened"], found["message.clicked"]) == (2, 1, 1)
    assert data_of("message.suppressed")["reason"] == "address_blocked"
    assert data_of("message.failed")["state"] == "failed"
    # None says a word of what was written.
    assert not any("subject" in data_of(kind) for kind in found if kind.startswith("message."))
    # Both sides, of one further purchase.
    assert (found["referral.share_paid"], found["referral.share_taken_back"]) == (2, 2)
    told = data_of("referral.share_taken_back")
    assert (told["order_external_id"], told["units"], told["units_back"]) == ("B2", "100", "100")


def test_who_is_kept_aside_of_a_journey_is_not_told_of():
    make_endpoint(LISTENER)
    leading()
    passage = Passage.objects.get()
    Passage.objects.create(
        journey=passage.journey, version=passage.version, membership=passage.membership,
        occurrence="aside", held_out=True, state="done", entered_at=NOW, left_at=NOW, why="aside",
    )  # fmt: skip
    found = heard()
    assert (found["journey.entered"], found["journey.left"]) == (1, 1)
    assert data_of("journey.left")["why"] == "finished"


def test_the_stories_tell_every_type_that_there_is():
    assert set().union(*STORIES.values()) == known_types()


@pytest.mark.parametrize("kind", told_types(), ids=lambda kind: kind.name)
def test_the_sample_of_a_type_is_one_of_it(kind):
    schema = message_schema(kind)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(sample_message(kind))
