from campaigns.models.affiliates import Affiliate, AffiliatePayout
from campaigns.models.broadcasts import Broadcast, BroadcastRecipient
from campaigns.models.browsing import BrowsingDay, BrowsingEvent, BrowsingPolicy, CartLine
from campaigns.models.calendar_feeds import CalendarFeed
from campaigns.models.campaign_forecasts import CampaignForecast
from campaigns.models.campaigns import Campaign, CampaignMember
from campaigns.models.challenge_forecasts import ChallengeForecast
from campaigns.models.challenge_levels import ChallengeLevel
from campaigns.models.challenges import Challenge, ChallengeEntry, ChallengeTeam, ChallengeWin
from campaigns.models.connections import Connection, InboundMessage, KnownVersion
from campaigns.models.consents import (
    BlockedAddress,
    Consent,
    ConsentChange,
    ConsentWording,
    ContactPreference,
    OwnTopic,
)
from campaigns.models.experiments import Experiment, ExperimentArm, ExperimentMember
from campaigns.models.forum import Forum, ForumMember, ForumSignIn, ForumTask
from campaigns.models.game_draws import AnyDraw, GameDraw, GamePlay
from campaigns.models.game_guests import GuestDraw
from campaigns.models.game_seeds import GameSeed
from campaigns.models.games import Game, GamePrize, GamePrizeDay
from campaigns.models.journeys import (
    Journey,
    JourneyDue,
    JourneyVersion,
    Passage,
    PassageStep,
)
from campaigns.models.leaderboards import BoardName, BoardScore
from campaigns.models.messages import Delivery, DeliveryClick, Message, ShortLink
from campaigns.models.occasions import (
    ExpiryNotice,
    MessagingPolicy,
    OccasionSetting,
    ProgramMeasuring,
)
from campaigns.models.outages import ChannelOutage
from campaigns.models.personal_offers import PersonalOffer
from campaigns.models.posts import (
    CommentReport,
    CommunityName,
    Post,
    PostComment,
    PostReading,
)
from campaigns.models.promo_codes import PromoCode, PromoCodeUse
from campaigns.models.referral_programs import ReferralProgram, ReferralTerms
from campaigns.models.referrals import (
    Referral,
    ReferralAsk,
    ReferralLink,
    ReferralPayment,
    ReferralTrace,
    ReferralVisit,
)
from campaigns.models.seasons import QuarterPlan, Season, SeasonDates
from campaigns.models.surprises import SurpriseDraw, SurpriseTicket
from campaigns.models.surveys import Survey, SurveyAnswer, SurveyQuestion, SurveyResponse
from campaigns.models.tallies import (
    BroadcastTally,
    ChallengeTally,
    ExperimentTally,
    JourneyTally,
)
from campaigns.models.templates import MessageTemplate, TemplateVersion
from campaigns.models.ways import ChannelSetting, ContactAddress, EarlyReceipt
from campaigns.models.webhooks import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookSecret,
)

__all__ = [
    "Affiliate",
    "AffiliatePayout",
    "AnyDraw",
    "BlockedAddress",
    "BoardName",
    "BoardScore",
    "Broadcast",
    "BroadcastRecipient",
    "BroadcastTally",
    "BrowsingDay",
    "BrowsingEvent",
    "BrowsingPolicy",
    "CalendarFeed",
    "Campaign",
    "CampaignForecast",
    "CampaignMember",
    "CartLine",
    "Challenge",
    "ChallengeEntry",
    "ChallengeForecast",
    "ChallengeLevel",
    "ChallengeTally",
    "ChallengeTeam",
    "ChallengeWin",
    "ChannelOutage",
    "ChannelSetting",
    "CommentReport",
    "CommunityName",
    "Connection",
    "Consent",
    "ConsentChange",
    "ConsentWording",
    "ContactAddress",
    "ContactPreference",
    "Delivery",
    "DeliveryClick",
    "EarlyReceipt",
    "Experiment",
    "ExperimentArm",
    "ExperimentMember",
    "ExperimentTally",
    "ExpiryNotice",
    "Forum",
    "ForumMember",
    "ForumSignIn",
    "ForumTask",
    "Game",
    "GameDraw",
    "GamePlay",
    "GamePrize",
    "GamePrizeDay",
    "GameSeed",
    "GuestDraw",
    "InboundMessage",
    "Journey",
    "JourneyDue",
    "JourneyTally",
    "JourneyVersion",
    "KnownVersion",
    "Message",
    "MessageTemplate",
    "MessagingPolicy",
    "OccasionSetting",
    "OwnTopic",
    "Passage",
    "PassageStep",
    "PersonalOffer",
    "Post",
    "PostComment",
    "PostReading",
    "ProgramMeasuring",
    "PromoCode",
    "PromoCodeUse",
    "QuarterPlan",
    "Referral",
    "ReferralAsk",
    "ReferralLink",
    "ReferralPayment",
    "ReferralProgram",
    "ReferralTerms",
    "ReferralTrace",
    "ReferralVisit",
    "Season",
    "SeasonDates",
    "ShortLink",
    "SurpriseDraw",
    "SurpriseTicket",
    "Survey",
    "SurveyAnswer",
    "SurveyQuestion",
    "SurveyResponse",
    "TemplateVersion",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookSecret",
]
