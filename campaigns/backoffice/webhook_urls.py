from __future__ import annotations

from django.urls import path

from campaigns.backoffice import webhook_deliveries, webhooks

app_name = "webhooks"

ENDPOINT = "settings/webhooks/<uuid:public_id>/"
DELIVERY = "operations/webhooks/<uuid:public_id>/"

urlpatterns = [
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
