"""Addresses that belong to the installation as a whole."""

from __future__ import annotations

from django.urls import path

from members import branding
from members.account.data_links import data_package
from members.account.landing import landing
from members.backoffice.first_visit import first_visit
from members.installed import views as installed

app_name = "members"

urlpatterns = [
    path("", landing, name="landing"),
    path("begin/<str:token>/", first_visit, name="first_visit"),
    path("data-packages/<str:token>/", data_package, name="data_package"),
    path("media/merchant/<str:name>", branding.merchant_logo, name="logo"),
    path("app.webmanifest", installed.manifest, name="manifest"),
    path("app-icon-<int:size>.png", installed.app_icon, name="app_icon"),
    path("card-keeper.js", installed.card_keeper, name="card_keeper"),
    path("merchant.css", branding.merchant_stylesheet, name="branding"),
]
