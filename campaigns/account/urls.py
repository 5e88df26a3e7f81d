"""A member's messages, and what they want to be told."""

from __future__ import annotations

from django.urls import path

from campaigns.account import choices, inbox

app_name = "messages_account"

urlpatterns = [
    path("messages/", inbox.inbox, name="inbox"),
    path("messages/choices/", choices.choices, name="choices"),
    path("messages/<uuid:delivery_id>/", inbox.message, name="message"),
]
