"""What is opened by a link, without signing in: in a message, whose links are signed, or to a
survey; how games draw. And what is answered."""

from __future__ import annotations

from django.urls import include, path

from campaigns import post_pictures
from campaigns.account import (
    calendar_files,
    counted_links,
    forum,
    game_proofs,
    guest_games,
    links,
    referral_links,
    survey_links,
)
from campaigns.api import receipts, replies

message_urls = [
    path("stop/<str:token>/", links.stop, name="stop"),
    path("confirm/<str:token>/", links.confirm, name="confirm"),
    path("go/<str:token>/", counted_links.follow, name="follow"),
    path("seen/<str:token>.gif", counted_links.opened, name="opened"),
    path("replies/<slug:channel>/<str:token>/", replies.receive_reply, name="reply"),
    path("receipts/<slug:channel>/", receipts.receive_receipt, name="receipt"),
]
survey_urls = [path("<str:token>/", survey_links.survey, name="survey")]
game_urls = [
    path("<uuid:game_id>/", game_proofs.game, name="game"),
    path("<uuid:game_id>/play/", guest_games.guest, name="guest"),
    path("draws/<uuid:draw_id>/", game_proofs.draw, name="draw"),
]
referral_urls = [
    path("partner/<str:token>/", referral_links.affiliate, name="affiliate"),
    path("<str:code>/", referral_links.invited, name="invited"),
]
community_urls = [
    path("community/discourse/sso", forum.forum_sign_in, name="sign_in"),
    path("community/discourse/logout", forum.forum_sign_out, name="sign_out"),
    path("media/posts/<str:name>", post_pictures.post_picture, name="picture"),
]
calendar_urls = [path("<str:token>.ics", calendar_files.calendar_of, name="calendar_file")]
urlpatterns = [
    path("l/<str:code>", counted_links.follow_short, name="short_link"),
    path("", include((community_urls, "community"))),
    path("calendar/", include((calendar_urls, "calendars"))),
    path("messages/", include((message_urls, "messages"))),
    path("surveys/", include((survey_urls, "surveys"))),
    path("games/", include((game_urls, "games"))),
    path("refer/", include((referral_urls, "referrals"))),
]
