from __future__ import annotations

from django.urls import path

from campaigns.api.v1 import webhooks

app_name = "api-webhooks"

WEBHOOK = "webhooks/<uuid:webhook_id>"
DELIVERY = "webhook-deliveries/<uuid:delivery_id>"

urlpatterns = [
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
