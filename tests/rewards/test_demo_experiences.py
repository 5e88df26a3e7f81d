"""What the demonstration shows of parcels, events, the library and early access."""

import pytest

from rewards.demo.experiences import show_experiences
from rewards.models import AccessWindow, ContentItem, Event, EventWait, FulfillmentTask
from tests.rewards.factories import make_member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undone_when_refused")]


def test_everything_is_shown_once_however_often_it_is_loaded(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    program = make_member(900, "d0").program
    for number in range(1, 16):
        make_member(900, f"d{number}", program)
    counts = []
    for _load in range(2):
        show_experiences(program)
        models = (FulfillmentTask, Event, EventWait, ContentItem, AccessWindow)
        counts.append([model.objects.count() for model in models])
    assert counts[0] == counts[1] == [14, 2, 3, 2, 1]
    found = set(FulfillmentTask.objects.values_list("status", flat=True))
    assert found == {"awaited", "to_do", "packed", "sent"}
