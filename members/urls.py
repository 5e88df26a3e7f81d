"""Addresses that belong to the installation as a whole."""

from __future__ import annotations

from django.urls import path

from members import branding

app_name = "members"

urlpatterns = [
    path("merchant.css", branding.merchant_stylesheet, name="branding"),
]
