"""What this application tells outside; registered when it is ready."""

from __future__ import annotations

from members.public_events import register_event_source


def register() -> None:
    """Called once, when the application is ready."""
    from campaigns.selectors.telling import campaigns, surveys

    register_event_source("told.campaigns", campaigns.tell_campaigns, campaigns.CAMPAIGN_TYPES)
    register_event_source("told.survey_responses", surveys.tell_answers, surveys.ANSWER_TYPES)
