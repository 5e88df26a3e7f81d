"""Below /wallet/apple/v1/; Apple gives the addresses."""

from __future__ import annotations

from django.urls import path

from loyalty.api import pass_service

app_name = "apple-passes"

OF_DEVICE = "devices/<str:device>/registrations/<str:pass_type>"

urlpatterns = [
    path(OF_DEVICE, pass_service.device_passes, name="device-passes"),
    path(f"{OF_DEVICE}/<str:serial>", pass_service.registration, name="registration"),
    path("passes/<str:pass_type>/<str:serial>", pass_service.latest_pass, name="latest-pass"),
    path("log", pass_service.log, name="log"),
]
