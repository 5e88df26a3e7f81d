"""Addresses that belong to the installation as a whole."""

from __future__ import annotations

from django.urls import path

from members import branding
from members.account.landing import landing

app_name = "members"

urlpatterns = [
    path("", landing, name="landing"),
    path("media/merchant/<str:name>", branding.merchant_logo, name="logo"),
    path("merchant.css", branding.merchant_stylesheet, name="branding"),
]
