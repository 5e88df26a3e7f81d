"""A member's messages, what they want to be told, what they are asked,
promotions, challenges, games, friends whom they bring, and the community."""

from __future__ import annotations

from django.urls import include, path

from campaigns.account import (
    campaigns,
    challenges,
    choices,
    community,
    devices,
    forum,
    games,
    inbox,
    leaderboards,
    referrals,
    surveys,
)

message_urls = [
    path("messages/", inbox.inbox, name="inbox"),
    path("messages/choices/", choices.choices, name="choices"),
    path("messages/devices/", devices.devices, name="devices"),
    path("messages/devices/<uuid:address_id>/remove/", devices.device_remove, name="device_remove"),
    path(
        "messages/devices/<uuid:address_id>/confirm/",
        devices.device_confirm,
        name="device_confirm",
    ),
    path("messages/devices/<uuid:address_id>/code/", devices.device_code, name="device_code"),
    path("messages/<uuid:delivery_id>/", inbox.message, name="message"),
]
survey_urls = [
    path("surveys/", surveys.survey_list, name="surveys"),
    path("<uuid:public_id>/surveys/", surveys.survey_list, name="surveys_of"),
    path("<uuid:public_id>/surveys/<uuid:survey_id>/", surveys.survey, name="survey"),
]
campaign_urls = [
    path("promotions/", campaigns.campaign_list, name="campaigns"),
    path("promotions/<uuid:public_id>/", campaigns.campaign_list, name="campaigns_of"),
]
game_urls = [
    path("games/", games.game_list, name="games"),
    path("<uuid:public_id>/games/", games.game_list, name="games_of"),
    path("<uuid:public_id>/games/<uuid:game_id>/", games.game, name="game"),
]
challenge_urls = [
    path("challenges/board/", leaderboards.board, name="board"),
    path("<uuid:public_id>/challenges/board/", leaderboards.board, name="board_of"),
    path("challenges/", challenges.challenge_list, name="challenges"),
    path("<uuid:public_id>/challenges/", challenges.challenge_list, name="challenges_of"),
    path(
        "<uuid:public_id>/challenges/<uuid:challenge_id>/join/",
        challenges.challenge_join,
        name="challenge_join",
    ),
    path(
        "<uuid:public_id>/challenges/<uuid:challenge_id>/leave/",
        challenges.challenge_leave,
        name="challenge_leave",
    ),
]
referral_urls = [
    path("invite/", referrals.invite, name="invite"),
    path("invite/<uuid:public_id>/", referrals.invite, name="invite_of"),
]
community_urls = [
    path("community/", community.community, name="community"),
    path("community/<uuid:public_id>/", community.community, name="community_of"),
    path("community/<uuid:public_id>/forum/", forum.forum, name="forum"),
    path("community/<uuid:public_id>/<uuid:post_id>/", community.post, name="post"),
    path("community/<uuid:public_id>/<uuid:post_id>/act/", community.post_act, name="post_act"),
]
urlpatterns = [
    path("", include((message_urls, "messages_account"))),
    path("", include((survey_urls, "surveys_account"))),
    path("", include((campaign_urls, "campaigns_account"))),
    path("", include((game_urls, "games_account"))),
    path("", include((challenge_urls, "challenges_account"))),
    path("", include((referral_urls, "referrals_account"))),
    path("", include((community_urls, "community_account"))),
]
