from __future__ import annotations

from django.urls import path

from campaigns.api.v1 import consents, messages, own_messages

app_name = "api-campaigns"

urlpatterns = [
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
    path("me/messages", own_messages.OwnMessages.as_view(), name="own-messages"),
    path("me/messages/unread", own_messages.OwnUnread.as_view(), name="own-unread"),
    path(
        "me/messages/<uuid:message_id>/read",
        own_messages.OwnMessageReading.as_view(),
        name="own-message-reading",
    ),
    path("me/consents", own_messages.OwnConsents.as_view(), name="own-consents"),
]
