"""The customer's own pages. Each shows one membership: the chosen one, or the one in the address."""

from __future__ import annotations

from django.urls import path

from loyalty.account import profile, views

app_name = "mypage"

urlpatterns = [
    path("", views.home, name="home"),
    path("history/", views.history, name="history"),
    path("history/<int:pk>/", views.movement, name="history_movement"),
    path("card/", views.card, name="card"),
    path("profile/", profile.profile, name="profile"),
    path("<uuid:public_id>/", views.home, name="home_of"),
    path("<uuid:public_id>/history/", views.history, name="history_of"),
    path("<uuid:public_id>/card/", views.card, name="card_of"),
]
