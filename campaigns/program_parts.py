"""What this application adds to a program's definition."""

from __future__ import annotations

from campaigns.level_definitions import LevelDefinition
from campaigns.post_definitions import ProgramPost
from campaigns.program_definitions import (
    ProgramCampaign,
    ProgramChallenge,
    ProgramGame,
    ProgramJourney,
    ProgramSurvey,
)
from campaigns.promised_words import game_parts, post_parts, referral_parts
from campaigns.referral_program_definitions import ProgramReferrals
from campaigns.selectors.challenge_levels import own_levels
from campaigns.services import (
    campaign_files,
    challenge_levels,
    game_files,
    post_files,
    program_challenges,
    program_files,
    referral_files,
)
from loyalty.program_parts import ProgramPart, register_program_part

PARTS = (
    ProgramPart("surveys", ProgramSurvey, program_files.surveys_of, program_files.apply_surveys),
    ProgramPart(
        "games", ProgramGame, game_files.games_of, game_files.apply_games,
        begin=game_files.begin_with_program, words=game_parts,
    ),
    ProgramPart("challenge_levels", LevelDefinition, own_levels, challenge_levels.apply_levels),
    ProgramPart(
        "challenges", ProgramChallenge, program_challenges.challenges_of,
        program_challenges.apply_challenges, once_live=True,
    ),
    ProgramPart(
        "referrals", ProgramReferrals, referral_files.referrals_of, referral_files.apply_referrals,
        words=referral_parts,
    ),
    ProgramPart(
        "journeys", ProgramJourney, program_files.journeys_of, program_files.apply_journeys
    ),
    ProgramPart(
        "campaigns", ProgramCampaign, campaign_files.campaigns_of, campaign_files.apply_campaigns,
        once_live=True,
    ),
    ProgramPart(
        "posts", ProgramPost, post_files.posts_of, post_files.apply_posts, words=post_parts
    ),
)  # fmt: skip


def register() -> None:
    """Called once, when the application is ready."""
    for part in PARTS:
        register_program_part(part)
