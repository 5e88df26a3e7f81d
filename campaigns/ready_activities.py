"""What campaigns give for, as an activity: having done a challenge, being surprised."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from campaigns.campaign_rules import DONE, SURPRISED
from loyalty.ready_activities import ReadyActivity, register_ready_activity

CHALLENGE_DONE = ReadyActivity(
    gettext_noop("Challenge done"), gettext_noop("Challenge done: {subject}")
)
SURPRISE = ReadyActivity(gettext_noop("Surprise"), gettext_noop("A surprise for you: {subject}"))


def register() -> None:
    register_ready_activity(DONE, CHALLENGE_DONE)
    register_ready_activity(SURPRISED, SURPRISE)
