"""The back-office screens of messages."""

from __future__ import annotations

from django.urls import path

from campaigns.backoffice import deliveries, editor, occasions, policy

app_name = "messages_backoffice"

WORDS = "messages/occasions/<slug:code>/<slug:channel>/<slug:locale>"

urlpatterns = [
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
