"""What this application tells outside; registered when it is ready."""

from __future__ import annotations

from members.public_events import register_event_source


def register() -> None:
    """Called once, when the application is ready."""
    from campaigns.selectors.telling import (
        broadcasts,
        campaigns,
        challenges,
        consents,
        experiments,
        games,
        journeys,
        messages,
        offers,
        posts,
        referral_shares,
        referrals,
        surveys,
    )

    register_event_source("told.campaigns", campaigns.tell_campaigns, campaigns.CAMPAIGN_TYPES)
    register_event_source("told.broadcasts", broadcasts.tell_broadcasts, broadcasts.BROADCAST_TYPES)
    register_event_source("told.personal_offers", offers.tell_offers, offers.OFFER_TYPES)
    register_event_source("told.surprise_tickets", offers.tell_surprises, offers.SURPRISE_TYPES)
    register_event_source(
        "told.experiments", experiments.tell_experiments, experiments.EXPERIMENT_TYPES
    )
    register_event_source("told.games", games.tell_games, games.GAME_TYPES)
    register_event_source("told.game_plays", games.tell_plays, games.PLAY_TYPES)
    register_event_source("told.game_draws", games.tell_draws, games.DRAW_TYPES)
    register_event_source("told.challenge_entries", challenges.tell_entries, challenges.ENTRY_TYPES)
    register_event_source("told.challenge_wins", challenges.tell_wins, challenges.WIN_TYPES)
    register_event_source("told.referrals", referrals.tell_referrals, referrals.REFERRAL_TYPES)
    register_event_source(
        "told.referral_payments", referral_shares.tell_shares, referral_shares.SHARE_TYPES
    )
    register_event_source("told.deliveries", messages.tell_messages, messages.MESSAGE_TYPES)
    register_event_source("told.consent_changes", consents.tell_consents, consents.CONSENT_TYPES)
    register_event_source("told.passages", journeys.tell_passages, journeys.JOURNEY_TYPES)
    register_event_source("told.survey_responses", surveys.tell_answers, surveys.ANSWER_TYPES)
    register_event_source("told.posts", posts.tell_posts, posts.POST_TYPES)
    register_event_source("told.post_comments", posts.tell_comments, posts.COMMENT_TYPES)
