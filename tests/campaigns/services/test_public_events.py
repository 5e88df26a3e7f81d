"""What services write is told as the catalog says: every type of event, by its schema."""

import pytest
from jsonschema import Draft202012Validator, SchemaError, ValidationError

from campaigns.models import Passage, WebhookDelivery
from campaigns.webhook_events import known_types, message_schema, sample_message, told_types
from tests.campaigns.services.stories.hearing import LISTENER, data_of, heard
from tests.campaigns.services.stories.of_campaigns import leading, shares, writing
from tests.campaigns.services.stories.of_members import people
from tests.campaigns.services.stories.table import STORIES
from tests.campaigns.webhooks import make_endpoint
from tests.loyalty.factories import NOW
from tests.sharing import anew, shared

# Each story is told to it.
listening = shared(lambda: make_endpoint(LISTENER))


@pytest.fixture
def listener(listening, db):
    return anew(listening)


def of_people(found):
    """What becomes of a membership is told once however often it is asked for."""
    once = ("membership.suspended", "membership.resumed", "membership.left")
    assert [found[name] for name in once] == [1, 1, 1]
    # Two joined, and the one that was merged is a member again when that is undone.
    assert (found["membership.merged"], found["membership.joined"]) == (1, 3)


def of_messages(found):
    """Messages are told by what became of them."""
    # One arrived and one is in the inbox; opening is counted of what is read there alone.
    assert (found["message.sent"], found["message.opened"], found["message.clicked"]) == (2, 1, 1)
    assert data_of("message.suppressed")["reason"] == "address_blocked"
    assert data_of("message.failed")["state"] == "failed"
    # None says a word of what was written.
    assert not any("subject" in data_of(kind) for kind in found if kind.startswith("message."))


def of_shares(found):
    """Shares are told by what is left of them."""
    # Both sides, of one further purchase.
    assert (found["referral.share_paid"], found["referral.share_taken_back"]) == (2, 2)
    told = data_of("referral.share_taken_back")
    assert (told["order_external_id"], told["units"], told["units_back"]) == ("B2", "100", "100")


def of_journeys(_found):
    """Who is kept aside of a journey is not told of."""
    passage = Passage.objects.get()
    Passage.objects.create(
        journey=passage.journey, version=passage.version, membership=passage.membership,
        occurrence="aside", held_out=True, state="done", entered_at=NOW, left_at=NOW, why="aside",
    )  # fmt: skip
    found = heard()
    assert (found["journey.entered"], found["journey.left"]) == (1, 1)
    assert data_of("journey.left")["why"] == "finished"


FURTHER = {people: of_people, writing: of_messages, shares: of_shares, leading: of_journeys}


@pytest.mark.parametrize("story", list(STORIES), ids=lambda story: story.__name__)
def test_what_services_write_is_told_by_the_schema_of_its_type(listener, story):
    story()
    found = heard()
    assert found.keys() >= STORIES[story]
    assert WebhookDelivery.objects.count() == sum(found.values())
    if story in FURTHER:
        FURTHER[story](found)


def test_the_stories_tell_every_type_that_there_is():
    assert set().union(*STORIES.values()) == known_types()
    assert FURTHER.keys() <= STORIES.keys()


def test_the_sample_of_a_type_is_one_of_it():
    wrong = {}
    for kind in told_types():
        schema = message_schema(kind)
        try:
            Draft202012Validator.check_schema(schema)
            Draft202012Validator(schema).validate(sample_message(kind))
        except (SchemaError, ValidationError) as error:
            wrong[kind.name] = error.message
    assert wrong == {}
