"""The occasions that there are, and what follows which event."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from campaigns.models.referrals import MOVED as REFERRED
from campaigns.occasions import Occasion, Variable, register_occasion
from campaigns.services import (
    campaign_messages,
    forum_tasks,
    game_plays,
    guest_plays,
    journey_starts,
    post_clock,
    referral_activities,
    told_browsing,
    told_challenges,
    told_expiry,
    told_expiry_journeys,
    told_games,
    told_journeys,
    told_members,
    told_orders,
    told_plans,
    told_referral_shares,
    told_referrals,
    told_rewards,
)
from campaigns.services.browsing import HEARD
from campaigns.services.browsing_following import follow_browsing
from campaigns.services.consents import CONFIRM
from campaigns.services.number_codes import LASTS, NUMBER_CODE
from campaigns.services.opt_ins import GRANTED, follow_grants
from campaigns.services.referral_further import SHARED
from campaigns.services.survey_invitations import SURVEY
from loyalty.services.gifts import GIVEN as UNITS_GIVEN
from loyalty.services.memberships import JOINED
from loyalty.services.occasions import GIVEN as DAY_GIVEN
from loyalty.services.subscription_states import WENT_ON as PLAN_WENT_ON
from loyalty.services.tier_changes import CHANGED as TIER_CHANGED
from members.models.changes import CHANGED
from members.outbox import register_consumer
from rewards.models.redemptions import ISSUED

CONFIRMATION = Occasion(
    code=CONFIRM,
    label=_("Confirming a yes"),
    description=_("Somebody wants to be told something, and the address must be theirs."),
    icon="mail-check",
    topic="orders",
    priority=5,
    variables=(Variable("topics", _("What they want to be told"), "text", "Offers"),),
    always_by="email",
)
SHOWN_BY_CODE = Occasion(
    code=NUMBER_CODE,
    label=_("A code for a number"),
    description=_("Somebody has named a number for WhatsApp, and has to show that it is theirs."),
    icon="password",
    topic="orders",
    priority=1,
    variables=(Variable("code", _("The code"), "code", "204816"),),
    news_for=LASTS,
    always_by="whatsapp",
    for_reader_alone=True,
)
OCCASIONS = (
    told_members.WELCOME,
    told_orders.EARNED,
    told_rewards.REWARD,
    told_expiry.EXPIRING,
    told_members.TIER_UP,
    told_rewards.BIRTHDAY,
    told_rewards.GIFT,
    SURVEY,
    post_clock.POST,
    *told_challenges.OCCASIONS,
    *told_games.OCCASIONS,
    *told_plans.OCCASIONS,
    *told_referrals.OCCASIONS,
    told_referral_shares.SHARE,
    *campaign_messages.OCCASIONS.values(),
    CONFIRMATION,
    SHOWN_BY_CODE,
)


def register() -> None:
    """Called once, when the application is ready."""
    for occasion in OCCASIONS:
        register_occasion(occasion)
    told_journeys.register()
    told_expiry_journeys.register()
    told_browsing.register()
    register_consumer(JOINED, told_members.follow_joined)
    register_consumer(TIER_CHANGED, told_members.follow_tiers)
    register_consumer(CHANGED, told_orders.follow_orders)
    register_consumer(JOINED, journey_starts.follow_joined)
    register_consumer(TIER_CHANGED, journey_starts.follow_tiers)
    register_consumer(CHANGED, journey_starts.follow_orders)
    register_consumer(JOINED, game_plays.follow_joined)
    register_consumer(JOINED, guest_plays.follow_joined)
    register_consumer(TIER_CHANGED, game_plays.follow_tiers)
    register_consumer(CHANGED, game_plays.follow_customers)
    register_consumer(TIER_CHANGED, forum_tasks.follow_tiers)
    register_consumer(CHANGED, journey_starts.follow_near_tiers)
    register_consumer(TIER_CHANGED, journey_starts.follow_near_after_changes)
    register_consumer(ISSUED, told_rewards.follow_issued)
    register_consumer(DAY_GIVEN, told_rewards.follow_days)
    register_consumer(REFERRED, told_referrals.follow_referrals)
    register_consumer(REFERRED, referral_activities.follow_outcomes)
    register_consumer(SHARED, told_referral_shares.follow_shares)
    register_consumer(PLAN_WENT_ON, told_plans.follow_plans)
    register_consumer(UNITS_GIVEN, told_rewards.follow_gifts)
    register_consumer(GRANTED, follow_grants)
    register_consumer(HEARD, follow_browsing)
