from __future__ import annotations

from django.urls import path

from campaigns.api.v1 import consents, messages

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
]
