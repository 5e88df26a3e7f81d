"""The back-office screens of messages and of webhooks."""

from __future__ import annotations

from django.urls import include, path

from campaigns.backoffice import (
    deliveries,
    editor,
    journey_editor,
    journeys,
    occasions,
    policy,
    webhook_deliveries,
    webhooks,
)

WORDS = "messages/occasions/<slug:code>/<slug:channel>/<slug:locale>"
JOURNEY = "messages/journeys/<uuid:public_id>"
ENDPOINT = "settings/webhooks/<uuid:public_id>/"
DELIVERY = "operations/webhooks/<uuid:public_id>/"

message_urls = [
    path("messages/journeys/", journeys.journey_list, name="journey_list"),
    path("messages/journeys/new/", journeys.journey_create, name="journey_create"),
    path(f"{JOURNEY}/", journeys.journey, name="journey"),
    path(f"{JOURNEY}/edit/", journey_editor.journey_edit, name="journey_edit"),
    path(f"{JOURNEY}/people/", journeys.journey_people, name="journey_people"),
    path(f"{JOURNEY}/state/", journeys.journey_state, name="journey_state"),
    path(f"{JOURNEY}/steps/<slug:key>/", journey_editor.journey_step, name="journey_step"),
    path(
        f"{JOURNEY}/steps/<slug:key>/move/",
        journey_editor.journey_step_move,
        name="journey_step_move",
    ),
    path("messages/", occasions.occasion_list, name="occasion_list"),
    path("messages/policy/", policy.policy, name="policy"),
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
urlpatterns = [
    path("", include((message_urls, "messages_backoffice"))),
    path("", include((webhook_urls, "webhooks"))),
]
