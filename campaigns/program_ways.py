"""Which foreign keys lead from rows of this application to their program
(`members.program_scope`)."""

from __future__ import annotations

from campaigns import models as m
from members.program_scope import Way, register_ways

_PROGRAM, _CAMPAIGN, _MEMBER = ("program",), ("campaign",), ("membership",)
_CUSTOMER, _GAME = ("customer",), ("game",)

PROMOTIONS: dict[type, Way] = {
    m.Campaign: _PROGRAM,
    m.CampaignMember: _CAMPAIGN,
    m.CampaignForecast: _CAMPAIGN,
    m.Experiment: _PROGRAM,
    m.ExperimentArm: ("experiment",),
    m.ExperimentMember: ("experiment",),
    m.ExperimentTally: ("experiment",),
    m.PersonalOffer: _CAMPAIGN,
    m.PromoCode: _PROGRAM,
    m.PromoCodeUse: _CAMPAIGN,
    m.SurpriseDraw: _CAMPAIGN,
    m.SurpriseTicket: ("draw",),
    m.Season: _PROGRAM,
    m.SeasonDates: ("season",),
    m.QuarterPlan: _PROGRAM,
    m.ProgramMeasuring: _PROGRAM,
}
PLAY: dict[type, Way] = {
    m.Challenge: _CAMPAIGN,
    m.ChallengeLevel: _PROGRAM,
    m.ChallengeForecast: ("challenge",),
    m.ChallengeTally: ("challenge",),
    m.ChallengeTeam: ("challenge",),
    m.ChallengeEntry: ("challenge",),
    m.ChallengeWin: ("entry",),
    m.BoardName: _PROGRAM,
    m.BoardScore: _PROGRAM,
    m.Game: _PROGRAM,
    m.GamePrize: _GAME,
    m.GamePrizeDay: ("prize",),
    m.GameSeed: _GAME,
    m.GuestDraw: _GAME,
    m.GamePlay: _GAME,
    m.GameDraw: _GAME,
}
REFERRALS: dict[type, Way] = {
    m.ReferralProgram: _PROGRAM,
    m.ReferralTerms: ("referral_program",),
    m.Affiliate: ("referral_program",),
    m.AffiliatePayout: ("affiliate",),
    m.ReferralLink: ("referral_program",),
    m.ReferralVisit: ("link",),
    m.ReferralAsk: ("link",),
    m.ReferralTrace: _CUSTOMER,
    m.Referral: _PROGRAM,
    m.ReferralPayment: ("referral",),
}
TOLD: dict[type, Way] = {
    m.Message: ("customer", "membership?"),
    m.Delivery: ("message",),
    m.DeliveryClick: ("delivery",),
    m.ShortLink: ("delivery",),
    m.BrowsingEvent: _CUSTOMER,
    m.BrowsingDay: _CUSTOMER,
    m.CartLine: _CUSTOMER,
    m.Consent: _CUSTOMER,
    m.ConsentChange: _CUSTOMER,
    m.ContactPreference: _CUSTOMER,
    m.ContactAddress: _CUSTOMER,
    m.Broadcast: _PROGRAM,
    m.BroadcastRecipient: ("broadcast",),
    m.BroadcastTally: ("broadcast",),
    m.ExpiryNotice: ("wallet",),
    m.Journey: _PROGRAM,
    m.JourneyVersion: ("journey",),
    m.JourneyTally: ("journey",),
    m.Passage: ("journey",),
    m.PassageStep: ("passage",),
    m.JourneyDue: ("journey",),
    m.Survey: _PROGRAM,
    m.SurveyQuestion: ("survey",),
    m.SurveyResponse: ("survey",),
    m.SurveyAnswer: ("question",),
    m.Post: _PROGRAM,
    m.PostReading: ("post",),
    m.PostComment: ("post",),
    m.CommentReport: ("comment",),
    m.CommunityName: _PROGRAM,
    m.Forum: _PROGRAM,
    m.ForumMember: _MEMBER,
}
CONNECTED: dict[type, Way] = {
    m.Connection: ("program?",),
    m.InboundMessage: ("connection",),
    m.KnownVersion: ("connection",),
    m.WebhookEndpoint: ("program?",),
    m.WebhookSecret: ("endpoint",),
    m.WebhookDelivery: ("endpoint",),
    m.WebhookAttempt: ("delivery",),
}


def register() -> None:
    for ways in (PROMOTIONS, PLAY, REFERRALS, TOLD, CONNECTED):
        register_ways(ways)
