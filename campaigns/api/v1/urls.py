"""Messages, consents, webhooks, surveys, promotions, experiments, challenges, games, referrals,
posts and the calendar in the API."""

from __future__ import annotations

from django.urls import include, path

from campaigns.api.v1 import (
    addresses,
    broadcasts,
    browsing,
    calendar,
    campaign_changes,
    campaigns,
    challenge_forecasts,
    challenge_levels,
    challenges,
    consents,
    experiments,
    figures,
    games,
    journey_states,
    journeys,
    messages,
    offers,
    own_challenges,
    own_games,
    own_leaderboards,
    own_messages,
    own_posts,
    own_referrals,
    own_surveys,
    posts,
    referrals,
    surveys,
    topics,
    webhooks,
)

WEBHOOK = "webhooks/<uuid:webhook_id>"
BROADCAST = "broadcasts/<uuid:broadcast_id>"
JOURNEY = "journeys/<uuid:journey_id>"
DELIVERY = "webhook-deliveries/<uuid:delivery_id>"
EXPERIMENT = "experiments/<uuid:experiment_id>"
SURVEY = "surveys/<uuid:survey_id>"
REFERRAL = "referrals/<uuid:referral_id>"
OWN_REFERRALS = "me/memberships/<uuid:membership_id>/referrals"
MINE = "me/memberships/<uuid:membership_id>/surveys"

message_urls = [
    path(
        "customers/<uuid:customer_id>/messages",
        messages.CustomerMessages.as_view(),
        name="customer-messages",
    ),
    path(
        "customers/<uuid:customer_id>/consents",
        consents.CustomerConsents.as_view(),
        name="customer-consents",
    ),
    path("message-topics", topics.MessageTopics.as_view(), name="message-topics"),
    path("message-figures", figures.AllFigures.as_view(), name="message-figures"),
    path(
        "message-figures/<slug:occasion>",
        figures.OccasionFigures.as_view(),
        name="occasion-figures",
    ),
    path(
        f"{JOURNEY}/message-figures",
        figures.JourneyMessageFigures.as_view(),
        name="journey-message-figures",
    ),
    path("me/messages", own_messages.OwnMessages.as_view(), name="own-messages"),
    path("me/messages/unread", own_messages.OwnUnread.as_view(), name="own-unread"),
    path(
        "me/messages/<uuid:message_id>/read",
        own_messages.OwnMessageReading.as_view(),
        name="own-message-reading",
    ),
    path(
        "customers/<uuid:customer_id>/addresses",
        addresses.CustomerAddresses.as_view(),
        name="customer-addresses",
    ),
    path(
        "customers/<uuid:customer_id>/addresses/<uuid:address_id>",
        addresses.CustomerAddress.as_view(),
        name="customer-address",
    ),
    path("me/addresses", addresses.OwnAddresses.as_view(), name="own-addresses"),
    path("me/addresses/<uuid:address_id>", addresses.OwnAddress.as_view(), name="own-address"),
    path(
        "me/addresses/<uuid:address_id>/confirm",
        addresses.OwnAddressConfirming.as_view(),
        name="own-address-confirming",
    ),
    path(
        "me/addresses/<uuid:address_id>/code",
        addresses.OwnAddressCode.as_view(),
        name="own-address-code",
    ),
    path("me/consents/unblock", own_messages.OwnUnblocking.as_view(), name="own-unblocking"),
    path("me/consents", own_messages.OwnConsents.as_view(), name="own-consents"),
    path("browsing-events", browsing.BrowsingEvents.as_view(), name="browsing-events"),
    path("me/browsing-events", browsing.OwnBrowsingEvents.as_view(), name="own-browsing-events"),
]
broadcast_urls = [
    path("broadcasts", broadcasts.Broadcasts.as_view(), name="broadcasts"),
    path(BROADCAST, broadcasts.OneBroadcast.as_view(), name="broadcast"),
    path(f"{BROADCAST}/reach", broadcasts.BroadcastReach.as_view(), name="broadcast-reach"),
    path(f"{BROADCAST}/results", broadcasts.BroadcastResults.as_view(), name="broadcast-results"),
    path(
        f"{BROADCAST}/schedule",
        broadcasts.BroadcastScheduling.as_view(),
        name="broadcast-scheduling",
    ),
    path(
        f"{BROADCAST}/withdraw",
        broadcasts.BroadcastWithdrawing.as_view(),
        name="broadcast-withdrawing",
    ),
    path(f"{BROADCAST}/pause", broadcasts.BroadcastPausing.as_view(), name="broadcast-pausing"),
    path(f"{BROADCAST}/resume", broadcasts.BroadcastResuming.as_view(), name="broadcast-resuming"),
    path(f"{BROADCAST}/stop", broadcasts.BroadcastStopping.as_view(), name="broadcast-stopping"),
]
journey_urls = [
    path("journeys", journeys.Journeys.as_view(), name="journeys"),
    path(JOURNEY, journeys.OneJourney.as_view(), name="journey"),
    path(
        f"{JOURNEY}/publish",
        journey_states.JourneyPublishing.as_view(),
        name="journey-publishing",
    ),
    path(f"{JOURNEY}/pause", journey_states.JourneyPausing.as_view(), name="journey-pausing"),
    path(f"{JOURNEY}/resume", journey_states.JourneyResuming.as_view(), name="journey-resuming"),
    path(f"{JOURNEY}/end", journey_states.JourneyEnding.as_view(), name="journey-ending"),
    path(f"{JOURNEY}/figures", journeys.JourneyFigures.as_view(), name="journey-figures"),
    path(f"{JOURNEY}/members", journeys.JourneyMembers.as_view(), name="journey-members"),
    path(
        f"{JOURNEY}/members/<uuid:membership_id>/leave",
        journeys.JourneyLeaving.as_view(),
        name="journey-leaving",
    ),
]
webhook_urls = [
    path("event-types", webhooks.EventTypes.as_view(), name="event-types"),
    path("webhooks", webhooks.Webhooks.as_view(), name="webhooks"),
    path(WEBHOOK, webhooks.OneWebhook.as_view(), name="webhook"),
    path(f"{WEBHOOK}/secret", webhooks.WebhookSecretRotation.as_view(), name="webhook-secret"),
    path(f"{WEBHOOK}/ping", webhooks.WebhookPing.as_view(), name="webhook-ping"),
    path(f"{WEBHOOK}/replay", webhooks.WebhookReplay.as_view(), name="webhook-replay"),
    path("webhook-deliveries", webhooks.WebhookDeliveries.as_view(), name="webhook-deliveries"),
    path(DELIVERY, webhooks.OneWebhookDelivery.as_view(), name="webhook-delivery"),
    path(
        f"{DELIVERY}/replay",
        webhooks.WebhookDeliveryReplay.as_view(),
        name="webhook-delivery-replay",
    ),
]
survey_urls = [
    path("surveys", surveys.Surveys.as_view(), name="surveys"),
    path(SURVEY, surveys.OneSurvey.as_view(), name="survey"),
    path(f"{SURVEY}/publish", surveys.SurveyPublishing.as_view(), name="survey-publishing"),
    path(f"{SURVEY}/pause", surveys.SurveyPausing.as_view(), name="survey-pausing"),
    path(f"{SURVEY}/resume", surveys.SurveyResuming.as_view(), name="survey-resuming"),
    path(f"{SURVEY}/end", surveys.SurveyEnding.as_view(), name="survey-ending"),
    path(f"{SURVEY}/results", surveys.SurveyResults.as_view(), name="survey-results"),
    path(f"{SURVEY}/responses", surveys.SurveyResponses.as_view(), name="survey-responses"),
    path(f"{SURVEY}/links", surveys.SurveyLinks.as_view(), name="survey-links"),
    path(MINE, own_surveys.OwnSurveys.as_view(), name="own-surveys"),
    path(
        f"{MINE}/<uuid:survey_id>/answers",
        own_surveys.OwnSurveyAnswers.as_view(),
        name="own-survey-answers",
    ),
]
CHALLENGE = "challenges/<uuid:challenge_id>"
OWN_CHALLENGES = "me/memberships/<uuid:membership_id>/challenges"
challenge_urls = [
    path("challenges", challenges.Challenges.as_view(), name="challenges"),
    path(CHALLENGE, challenges.OneChallenge.as_view(), name="challenge"),
    path(f"{CHALLENGE}/publish", challenges.ChallengePublishing.as_view(), name="publishing"),
    path(f"{CHALLENGE}/pause", challenges.ChallengePausing.as_view(), name="pausing"),
    path(f"{CHALLENGE}/resume", challenges.ChallengeResuming.as_view(), name="resuming"),
    path(f"{CHALLENGE}/end", challenges.ChallengeEnding.as_view(), name="ending"),
    path(f"{CHALLENGE}/results", challenges.ChallengeResults.as_view(), name="results"),
    path(
        f"{CHALLENGE}/forecast",
        challenge_forecasts.ChallengeForecasting.as_view(),
        name="forecast",
    ),
    path(
        "programs/<slug:code>/challenge-levels",
        challenge_levels.ChallengeLevels.as_view(),
        name="levels",
    ),
    path(f"{CHALLENGE}/entries", challenges.ChallengeEntries.as_view(), name="entries"),
    path(
        "me/memberships/<uuid:membership_id>/leaderboard",
        own_leaderboards.OwnLeaderboard.as_view(),
        name="own-leaderboard",
    ),
    path(OWN_CHALLENGES, own_challenges.OwnChallenges.as_view(), name="own-challenges"),
    path(
        f"{OWN_CHALLENGES}/<uuid:challenge_id>/join",
        own_challenges.OwnChallengeJoining.as_view(),
        name="own-joining",
    ),
    path(
        f"{OWN_CHALLENGES}/<uuid:challenge_id>/leave",
        own_challenges.OwnChallengeLeaving.as_view(),
        name="own-leaving",
    ),
]
experiment_urls = [
    path("experiments", experiments.Experiments.as_view(), name="experiments"),
    path(EXPERIMENT, experiments.OneExperiment.as_view(), name="experiment"),
    path(f"{EXPERIMENT}/plan", experiments.ExperimentPlan.as_view(), name="experiment-plan"),
    path(f"{EXPERIMENT}/start", experiments.StartExperiment.as_view(), name="experiment-start"),
    path(f"{EXPERIMENT}/end", experiments.EndExperiment.as_view(), name="experiment-end"),
    path(
        f"{EXPERIMENT}/results", experiments.ExperimentResults.as_view(), name="experiment-results"
    ),
]
campaign_urls = [
    path("campaigns", campaigns.Campaigns.as_view(), name="campaigns"),
    path("campaigns/<uuid:campaign_id>", campaigns.OneCampaign.as_view(), name="campaign"),
    *(
        path(f"campaigns/<uuid:campaign_id>/{act}", view.as_view(), name=f"campaign-{act}")
        for act, view in (
            ("publish", campaign_changes.PublishCampaign),
            ("withdraw", campaign_changes.WithdrawCampaign),
            ("pause", campaign_changes.PauseCampaign),
            ("resume", campaign_changes.ResumeCampaign),
            ("end", campaign_changes.EndCampaign),
            ("codes", campaign_changes.CampaignCodes),
        )
    ),
    path(
        "campaigns/<uuid:campaign_id>/results",
        campaigns.CampaignResults.as_view(),
        name="campaign-results",
    ),
    path(
        "campaigns/<uuid:campaign_id>/draws", offers.CampaignDraws.as_view(), name="campaign-draws"
    ),
    path(
        "memberships/<uuid:membership_id>/offers",
        offers.MemberOffers.as_view(),
        name="member-offers",
    ),
    path(
        "me/memberships/<uuid:membership_id>/offers", offers.OwnOffers.as_view(), name="own-offers"
    ),
    path(
        "me/memberships/<uuid:membership_id>/offers/<uuid:offer_id>/seen",
        offers.OwnOfferSeen.as_view(),
        name="own-offer-seen",
    ),
    path(
        "me/memberships/<uuid:membership_id>/surprises",
        offers.OwnSurprises.as_view(),
        name="own-surprises",
    ),
    path(
        "me/memberships/<uuid:membership_id>/campaigns",
        campaigns.OwnCampaigns.as_view(),
        name="own-campaigns",
    ),
]
OWN_GAMES = "me/memberships/<uuid:membership_id>/games"
game_urls = [
    path("games", games.Games.as_view(), name="games"),
    path("games/<uuid:game_id>", games.OneGame.as_view(), name="game"),
    path("games/<uuid:game_id>/results", games.GameResults.as_view(), name="game-results"),
    path("storefront/games/<uuid:game_id>", games.GameOdds.as_view(), name="game-odds"),
    path("storefront/game-draws/<uuid:draw_id>", games.OneGameDraw.as_view(), name="game-draw"),
    path(OWN_GAMES, own_games.OwnGames.as_view(), name="own-games"),
    path(f"{OWN_GAMES}/<uuid:game_id>/play", own_games.OwnGamePlaying.as_view(), name="own-play"),
    path(
        f"{OWN_GAMES}/<uuid:game_id>/purchases",
        own_games.OwnGamePurchases.as_view(),
        name="own-game-purchases",
    ),
    path(
        "me/memberships/<uuid:membership_id>/game-draws",
        own_games.OwnGameDraws.as_view(),
        name="own-game-draws",
    ),
]
referral_urls = [
    path("referrals", referrals.Referrals.as_view(), name="referrals"),
    path(REFERRAL, referrals.OneReferral.as_view(), name="referral"),
    path(f"{REFERRAL}/approve", referrals.ReferralApproval.as_view(), name="referral-approval"),
    path(f"{REFERRAL}/refuse", referrals.ReferralRefusal.as_view(), name="referral-refusal"),
    path("referral-codes/<str:code>", referrals.ReferralCode.as_view(), name="referral-code"),
    path(
        "programs/<slug:code>/referral-results",
        referrals.ReferralResults.as_view(),
        name="referral-results",
    ),
    path(
        f"{OWN_REFERRALS}/code",
        own_referrals.OwnReferralCode.as_view(),
        name="own-referral-code",
    ),
    path(OWN_REFERRALS, own_referrals.OwnReferrals.as_view(), name="own-referrals"),
]
OWN_POSTS = "me/memberships/<uuid:membership_id>/posts"
post_urls = [
    path("posts", posts.Posts.as_view(), name="posts"),
    path("posts/<uuid:post_id>/access", posts.PostAccess.as_view(), name="post-access"),
    path(OWN_POSTS, own_posts.OwnPosts.as_view(), name="own-posts"),
    path(f"{OWN_POSTS}/<uuid:post_id>", own_posts.OwnPost.as_view(), name="own-post"),
    path(
        f"{OWN_POSTS}/<uuid:post_id>/read",
        own_posts.OwnPostReading.as_view(),
        name="own-post-reading",
    ),
    path(
        f"{OWN_POSTS}/<uuid:post_id>/comments",
        own_posts.OwnPostComments.as_view(),
        name="own-post-comments",
    ),
    path(
        f"{OWN_POSTS}/<uuid:post_id>/comments/<uuid:comment_id>",
        own_posts.OwnPostComment.as_view(),
        name="own-post-comment",
    ),
    path(
        f"{OWN_POSTS}/<uuid:post_id>/comments/<uuid:comment_id>/report",
        own_posts.OwnCommentReport.as_view(),
        name="own-comment-report",
    ),
]
calendar_urls = [path("calendar", calendar.Calendar.as_view(), name="calendar")]
urlpatterns = [
    path("", include((calendar_urls, "api-calendar"))),
    path("", include((broadcast_urls, "api-broadcasts"))),
    path("", include((journey_urls, "api-journeys"))),
    path("", include((message_urls, "api-campaigns"))),
    path("", include((webhook_urls, "api-webhooks"))),
    path("", include((survey_urls, "api-surveys"))),
    path("", include((challenge_urls, "api-challenges"))),
    path("", include((campaign_urls, "api-promotions"))),
    path("", include((experiment_urls, "api-experiments"))),
    path("", include((game_urls, "api-games"))),
    path("", include((referral_urls, "api-referrals"))),
    path("", include((post_urls, "api-posts"))),
]
