"""Messages go out once, or are told as failed or uncertain; webhooks arrive at least once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from campaigns.services import sending
from tests.kill.installation import Installation, kill, start
from tests.kill.messages import AT_ONCE, try_messages, try_webhooks
from tests.kill.texts import try_texts

pytestmark = [pytest.mark.kill, pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def _only_senders(installation: Installation) -> Iterator[None]:
    """The worker would send, too."""
    kill(installation.worker)
    yield
    start(installation.worker)


def test_each_message_goes_out_once_or_is_uncertain(installation: Installation) -> None:
    outcome = try_messages(installation, messages=200, kills=8)
    assert outcome.states["sent"] > 100
    assert AT_ONCE == sending.AT_ONCE


def test_each_text_message_goes_out_once_or_is_uncertain(installation: Installation) -> None:
    outcome = try_texts(installation, messages=120, kills=6)
    assert outcome.states["sent"] > 50


def test_a_webhook_arrives_however_often_its_worker_is_killed(installation: Installation) -> None:
    times = try_webhooks(installation, messages=300, kills=4)
    assert len(times) == 300
    # Only what was under way is sent again.
    assert sum(count - 1 for count in times.values()) <= 4 * 48
