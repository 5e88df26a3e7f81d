"""The back-office screens of messages, webhooks, connections, surveys, promotions, experiments,
challenges, games, referrals, the community and the calendar."""

from __future__ import annotations

from django.urls import include, path

from campaigns.backoffice import (
    affiliates,
    arm_words,
    board_names,
    broadcast_words,
    broadcasts,
    browsing,
    calendar,
    campaign_codes,
    campaign_extras,
    campaign_page,
    campaigns,
    challenge_levels,
    challenge_members,
    challenge_page,
    challenges,
    comments,
    connection_histories,
    connection_mappings,
    connections,
    customer_campaigns,
    customer_games,
    customer_surveys,
    deliveries,
    editor,
    experiment_page,
    experiments,
    figures,
    forum,
    game_page,
    games,
    journey_editor,
    journeys,
    measuring,
    messages_in,
    occasions,
    policy,
    posts,
    receipt_fields,
    referral_settings,
    referrals,
    survey_results,
    surveys,
    topics,
    ways,
    webhook_deliveries,
    webhooks,
    year_plan,
)

WORDS = "messages/occasions/<slug:code>/<slug:channel>/<slug:locale>"
OCCASION = "messages/occasions/<slug:code>"
WAY = "messages/ways/<slug:channel>"
BROADCAST = "messages/broadcasts/<uuid:public_id>"
SAID = f"{BROADCAST}/words/<slug:channel>/<slug:locale>"
JOURNEY = "messages/journeys/<uuid:public_id>"
ENDPOINT = "settings/webhooks/<uuid:public_id>/"
DELIVERY = "operations/webhooks/<uuid:public_id>/"
CONNECTION = "settings/connections/<uuid:public_id>/"
CAME_IN = "operations/came-in/<uuid:public_id>/"
SURVEY = "surveys/<uuid:public_id>"
CHALLENGE = "challenges/<uuid:public_id>"
CAMPAIGN = "campaigns/<uuid:public_id>"
EXPERIMENT = "experiments/<uuid:public_id>"
ARM = f"{EXPERIMENT}/arms/<int:place>"
REFERRAL = "referrals/<uuid:public_id>"
REFERRALS = "programs/<slug:code>/referrals"
POST = "community/posts/<uuid:public_id>"
AFFILIATE = "affiliates/<uuid:public_id>"

message_urls = [
    path("messages/journeys/", journeys.journey_list, name="journey_list"),
    path("messages/journeys/new/", journeys.journey_create, name="journey_create"),
    path(f"{JOURNEY}/", journeys.journey, name="journey"),
    path(f"{JOURNEY}/edit/", journey_editor.journey_edit, name="journey_edit"),
    path(f"{JOURNEY}/people/", journeys.journey_people, name="journey_people"),
    path(
        f"{JOURNEY}/people/<uuid:membership_id>/leave/",
        journeys.journey_take_out,
        name="journey_take_out",
    ),
    path(f"{JOURNEY}/state/", journeys.journey_state, name="journey_state"),
    path(f"{JOURNEY}/steps/<slug:key>/", journey_editor.journey_step, name="journey_step"),
    path(
        f"{JOURNEY}/steps/<slug:key>/move/",
        journey_editor.journey_step_move,
        name="journey_step_move",
    ),
    path(f"{JOURNEY}/figures/", figures.journey_figures, name="journey_figures"),
    path(f"{JOURNEY}/figures/file/", figures.journey_figure_file, name="journey_figure_file"),
    path("messages/broadcasts/", broadcasts.broadcast_list, name="broadcast_list"),
    path("messages/broadcasts/new/", broadcasts.broadcast_create, name="broadcast_create"),
    path(f"{BROADCAST}/", broadcasts.broadcast, name="broadcast"),
    path(f"{BROADCAST}/edit/", broadcasts.broadcast_edit, name="broadcast_edit"),
    path(f"{BROADCAST}/act/", broadcasts.broadcast_act, name="broadcast_act"),
    path(f"{BROADCAST}/progress/", broadcasts.broadcast_progress, name="broadcast_progress"),
    path(f"{BROADCAST}/language/", broadcast_words.broadcast_language, name="broadcast_language"),
    path(f"{SAID}/", broadcast_words.broadcast_words, name="broadcast_words"),
    path(f"{SAID}/preview/", broadcast_words.broadcast_preview, name="broadcast_preview"),
    path(f"{SAID}/test/", broadcast_words.broadcast_test, name="broadcast_test"),
    path(
        f"{SAID}/archive/", broadcast_words.broadcast_words_archive, name="broadcast_words_archive"
    ),
    path("messages/figures/", figures.figure_list, name="figure_list"),
    path("messages/figures/file/", figures.figure_file, name="figure_file"),
    path("messages/figures/counted/", measuring.measuring, name="measuring"),
    path(f"{OCCASION}/figures/", figures.occasion_figures, name="occasion_figures"),
    path(f"{OCCASION}/figures/file/", figures.occasion_figure_file, name="occasion_figure_file"),
    path("messages/", occasions.occasion_list, name="occasion_list"),
    path("messages/ways/", ways.way_list, name="way_list"),
    path(f"{WAY}/", ways.way, name="way"),
    path(f"{WAY}/test/", ways.way_test, name="way_test"),
    path(f"{WAY}/forget/", ways.way_forget, name="way_forget"),
    path(f"{WAY}/secret/", ways.way_secret, name="way_secret"),
    path(f"{WAY}/receipts/", ways.way_receipts, name="way_receipts"),
    path(f"{WAY}/receipts/fields/", receipt_fields.receipt_fields, name="receipt_fields"),
    path(f"{WAY}/receipts/forget/", receipt_fields.receipt_forget, name="receipt_forget"),
    path("messages/policy/", policy.policy, name="policy"),
    path("messages/topics/", topics.topic_list, name="topic_list"),
    path("messages/topics/new/", topics.topic_create, name="topic_create"),
    path("messages/topics/<slug:code>/", topics.topic_edit, name="topic_edit"),
    path("messages/sent/", deliveries.delivery_list, name="delivery_list"),
    path("messages/sent/<uuid:public_id>/", deliveries.delivery, name="delivery"),
    path("messages/sent/<uuid:public_id>/again/", deliveries.delivery_again, name="again"),
    path("messages/occasions/<slug:code>/", occasions.occasion, name="occasion"),
    path("messages/occasions/<slug:code>/language/", editor.language, name="language"),
    path(f"{WORDS}/", editor.words, name="words"),
    path(f"{WORDS}/preview/", editor.preview, name="preview"),
    path(f"{WORDS}/test/", editor.test, name="test"),
    path(f"{WORDS}/archive/", editor.archive, name="archive"),
    path("customers/<uuid:public_id>/messages/", deliveries.message_panel, name="message_panel"),
    path("customers/<uuid:public_id>/consents/", deliveries.consents, name="consents"),
]
browsing_urls = [path("settings/browsing/", browsing.browsing, name="browsing")]
webhook_urls = [
    path("settings/webhooks/", webhooks.endpoint_list, name="endpoint_list"),
    path("settings/webhooks/new/", webhooks.endpoint_create, name="endpoint_create"),
    path(ENDPOINT, webhooks.endpoint, name="endpoint"),
    path(f"{ENDPOINT}edit/", webhooks.endpoint_edit, name="endpoint_edit"),
    path(f"{ENDPOINT}switch/", webhooks.endpoint_switch, name="endpoint_switch"),
    path(f"{ENDPOINT}secret/", webhooks.endpoint_rotate, name="endpoint_rotate"),
    path(f"{ENDPOINT}ping/", webhooks.endpoint_ping, name="endpoint_ping"),
    path(f"{ENDPOINT}replay/", webhooks.endpoint_replay, name="endpoint_replay"),
    path(f"{ENDPOINT}delete/", webhooks.endpoint_delete, name="endpoint_delete"),
    path("home/webhooks/", webhooks.home_panel, name="home_panel"),
    path("operations/webhooks/", webhook_deliveries.delivery_list, name="delivery_list"),
    path(DELIVERY, webhook_deliveries.delivery, name="delivery"),
    path(f"{DELIVERY}replay/", webhook_deliveries.delivery_replay, name="delivery_replay"),
]
connection_urls = [
    path("settings/connections/", connections.connection_list, name="connection_list"),
    path("settings/connections/new/", connections.connection_create, name="connection_create"),
    path(CONNECTION, connections.connection, name="connection"),
    path(f"{CONNECTION}edit/", connections.connection_edit, name="connection_edit"),
    path(f"{CONNECTION}secret/", connections.connection_secret, name="connection_secret"),
    path(f"{CONNECTION}switch/", connections.connection_switch, name="connection_switch"),
    path(f"{CONNECTION}replay/", connections.connection_replay, name="connection_replay"),
    path(f"{CONNECTION}delete/", connections.connection_delete, name="connection_delete"),
    path(
        f"{CONNECTION}mapping/", connection_mappings.connection_mapping, name="connection_mapping"
    ),
    path(f"{CONNECTION}file/", connection_mappings.connection_file, name="connection_file"),
    path(
        f"{CONNECTION}history/", connection_histories.connection_history, name="connection_history"
    ),
    path(f"{CONNECTION}export/", connection_histories.connection_export, name="connection_export"),
    path("home/connections/", connections.home_panel, name="home_panel"),
    path("operations/came-in/", messages_in.message_list, name="message_list"),
    path(CAME_IN, messages_in.message, name="message"),
    path(f"{CAME_IN}replay/", messages_in.message_replay, name="message_replay"),
]
survey_urls = [
    path("surveys/", surveys.survey_list, name="survey_list"),
    path("programs/<slug:code>/surveys/new/", surveys.survey_create, name="survey_create"),
    path(
        "customers/<uuid:public_id>/surveys/",
        customer_surveys.customer_surveys,
        name="customer_surveys",
    ),
    path(f"{SURVEY}/", survey_results.survey, name="survey"),
    path(f"{SURVEY}/edit/", surveys.survey_edit, name="survey_edit"),
    path(f"{SURVEY}/texts/", surveys.survey_texts, name="survey_texts"),
    path(f"{SURVEY}/preview/", surveys.survey_preview, name="survey_preview"),
    path(f"{SURVEY}/act/", surveys.survey_act, name="survey_act"),
    path(f"{SURVEY}/answers.csv", survey_results.survey_export, name="survey_export"),
    path(f"{SURVEY}/words/<slug:code>/", survey_results.survey_words, name="survey_words"),
    path(
        f"{SURVEY}/words/<int:pk>/remove/",
        survey_results.survey_word_remove,
        name="survey_word_remove",
    ),
]
experiment_urls = [
    path("experiments/", experiments.experiment_list, name="experiment_list"),
    path("experiments/new/", experiments.experiment_create, name="experiment_create"),
    path(f"{EXPERIMENT}/", experiment_page.experiment, name="experiment"),
    path(f"{EXPERIMENT}/edit/", experiments.experiment_edit, name="experiment_edit"),
    path(f"{ARM}/words/<slug:channel>/<slug:locale>/", arm_words.arm_words, name="arm_words"),
    path(
        f"{ARM}/words/<slug:channel>/<slug:locale>/preview/",
        arm_words.arm_preview,
        name="arm_preview",
    ),
    path(f"{ARM}/words/<slug:channel>/<slug:locale>/test/", arm_words.arm_test, name="arm_test"),
    path(
        f"{ARM}/words/<slug:channel>/<slug:locale>/archive/",
        arm_words.arm_archive,
        name="arm_archive",
    ),
    path(f"{EXPERIMENT}/act/", experiment_page.experiment_act, name="experiment_act"),
    path(f"{EXPERIMENT}/state/", experiment_page.experiment_state, name="experiment_state"),
]
campaign_urls = [
    path("campaigns/", campaigns.campaign_list, name="campaign_list"),
    path(
        "customers/<uuid:public_id>/campaigns/",
        customer_campaigns.customer_campaigns,
        name="customer_campaigns",
    ),
    path("campaigns/new/", campaigns.campaign_gallery, name="campaign_gallery"),
    path("campaigns/create/", campaigns.campaign_create, name="campaign_create"),
    path("campaigns/rules/<int:pk>/", campaigns.campaign_of_rule, name="campaign_of_rule"),
    path(f"{CAMPAIGN}/", campaign_page.campaign, name="campaign"),
    path(f"{CAMPAIGN}/edit/", campaigns.campaign_edit, name="campaign_edit"),
    path(f"{CAMPAIGN}/texts/", campaigns.campaign_texts, name="campaign_texts"),
    path(f"{CAMPAIGN}/act/", campaign_page.campaign_act, name="campaign_act"),
    path(f"{CAMPAIGN}/state/", campaign_page.campaign_state, name="campaign_state"),
    path(f"{CAMPAIGN}/codes/make/", campaign_codes.campaign_codes_make, name="campaign_codes_make"),
    path(
        f"{CAMPAIGN}/codes/write/", campaign_codes.campaign_codes_write, name="campaign_codes_write"
    ),
    path(f"{CAMPAIGN}/codes/file/", campaign_codes.campaign_codes_file, name="campaign_codes_file"),
    path(
        f"{CAMPAIGN}/draws/<int:number>/file/",
        campaign_extras.campaign_draw_file,
        name="campaign_draw_file",
    ),
    path(f"{CAMPAIGN}/forecast/", campaign_page.campaign_forecast, name="campaign_forecast"),
]
GAME = "games/<uuid:public_id>"
game_urls = [
    path("games/", games.game_list, name="game_list"),
    path("games/new/", games.game_gallery, name="game_gallery"),
    path("games/create/", games.game_create, name="game_create"),
    path("customers/<uuid:public_id>/games/", customer_games.customer_games, name="customer_games"),
    path(f"{GAME}/", game_page.game, name="game"),
    path(f"{GAME}/edit/", games.game_edit, name="game_edit"),
    path(f"{GAME}/texts/", games.game_texts, name="game_texts"),
    path(f"{GAME}/act/", game_page.game_act, name="game_act"),
    path(f"{GAME}/state/", game_page.game_state, name="game_state"),
]
challenge_urls = [
    path("challenges/", challenges.challenge_list, name="challenge_list"),
    path("challenges/new/", challenges.challenge_gallery, name="challenge_gallery"),
    path("challenges/create/", challenges.challenge_create, name="challenge_create"),
    path("challenges/levels/", challenge_levels.level_list, name="level_list"),
    path("challenges/levels/<slug:code>/", challenge_levels.level_edit, name="level_edit"),
    path("challenges/names/", board_names.board_name_list, name="board_name_list"),
    path("challenges/names/<int:pk>/", board_names.board_name_act, name="board_name_act"),
    path(f"{CHALLENGE}/", challenge_page.challenge, name="challenge"),
    path(f"{CHALLENGE}/edit/", challenges.challenge_edit, name="challenge_edit"),
    path(f"{CHALLENGE}/texts/", challenges.challenge_texts, name="challenge_texts"),
    path(f"{CHALLENGE}/act/", challenge_page.challenge_act, name="challenge_act"),
    path(f"{CHALLENGE}/state/", challenge_page.challenge_state, name="challenge_state"),
    path(f"{CHALLENGE}/forecast/", challenge_page.challenge_forecast, name="challenge_forecast"),
    path(f"{CHALLENGE}/members/", challenge_members.challenge_members, name="challenge_members"),
    path(
        "customers/<uuid:public_id>/challenges/",
        challenge_members.customer_challenges,
        name="customer_challenges",
    ),
]
referral_urls = [
    path("referrals/", referrals.referral_list, name="referral_list"),
    path("referrals/review/", referrals.referral_review, name="referral_review"),
    path(f"{REFERRAL}/", referrals.referral, name="referral"),
    path(f"{REFERRAL}/decide/", referrals.referral_decide, name="referral_decide"),
    path(f"{REFERRALS}/", referral_settings.referral_program, name="referral_program"),
    path(f"{REFERRALS}/edit/", referral_settings.referral_edit, name="referral_edit"),
    path(f"{REFERRALS}/texts/", referral_settings.referral_texts, name="referral_texts"),
    path(f"{REFERRALS}/state/", referral_settings.referral_state, name="referral_state"),
    path(f"{REFERRALS}/affiliates/", affiliates.affiliate_list, name="affiliate_list"),
    path(f"{AFFILIATE}/", affiliates.affiliate, name="affiliate"),
    path(f"{AFFILIATE}/act/", affiliates.affiliate_act, name="affiliate_act"),
    path(f"{AFFILIATE}/months.csv", affiliates.affiliate_report, name="affiliate_report"),
    path("customers/<uuid:public_id>/referrals/", referrals.referral_panel, name="referral_panel"),
    path(
        "customers/<uuid:public_id>/referrals/code/", referrals.referral_code, name="referral_code"
    ),
]
community_urls = [
    path("community/", posts.post_list, name="post_list"),
    path("programs/<slug:code>/posts/new/", posts.post_create, name="post_create"),
    path(f"{POST}/", posts.post, name="post"),
    path(f"{POST}/edit/", posts.post_edit, name="post_edit"),
    path(f"{POST}/texts/", posts.post_texts, name="post_texts"),
    path(f"{POST}/act/", posts.post_act, name="post_act"),
    path("community/comments/", comments.comment_list, name="comment_list"),
    path("community/comments/<uuid:public_id>/", comments.comment_act, name="comment_act"),
    path("community/forum/", forum.forum, name="forum"),
    path("community/forum/edit/", forum.forum_edit, name="forum_edit"),
    path("community/forum/act/", forum.forum_act, name="forum_act"),
]
SEASON = "seasons/<uuid:public_id>"
YEAR = "programs/<slug:code>/year"
calendar_urls = [
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/feed/", calendar.feed, name="feed"),
    path("calendar/move/<slug:kind>/<slug:key>/", calendar.move, name="move"),
    path("calendar/move/<slug:kind>/<slug:key>/undo/", calendar.move_undo, name="move_undo"),
    path(
        "calendar/openings/<uuid:public_id>/",
        calendar.opening_promotions,
        name="opening_promotions",
    ),
    path(f"{YEAR}/", year_plan.year_plan, name="year_plan"),
    path(f"{YEAR}/<int:year>/copy/", year_plan.year_copy, name="year_copy"),
    path(f"{YEAR}/<int:year>/quarters/<int:quarter>/", year_plan.quarter_edit, name="quarter_edit"),
    path(f"{YEAR}/seasons/new/", year_plan.season_create, name="season_create"),
    path(f"{SEASON}/", year_plan.season_edit, name="season_edit"),
    path(f"{SEASON}/archive/", year_plan.season_archive, name="season_archive"),
    path(f"{SEASON}/<int:year>/", year_plan.season_dates, name="season_dates"),
    path(f"{SEASON}/<int:year>/begin/", year_plan.season_begin, name="season_begin"),
]
urlpatterns = [
    path("", include((calendar_urls, "calendar_backoffice"))),
    path("", include((message_urls, "messages_backoffice"))),
    path("", include((browsing_urls, "browsing"))),
    path("", include((webhook_urls, "webhooks"))),
    path("", include((connection_urls, "connections"))),
    path("", include((survey_urls, "surveys_backoffice"))),
    path("", include((challenge_urls, "challenges_backoffice"))),
    path("", include((campaign_urls, "campaigns_backoffice"))),
    path("", include((experiment_urls, "experiments_backoffice"))),
    path("", include((game_urls, "games_backoffice"))),
    path("", include((referral_urls, "referrals_backoffice"))),
    path("", include((community_urls, "community_backoffice"))),
]
