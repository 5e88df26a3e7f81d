"""What is opened from a message, without signing in: its links are signed."""

from __future__ import annotations

from django.urls import path

from campaigns.account import links

app_name = "messages"

urlpatterns = [
    path("stop/<str:token>/", links.stop, name="stop"),
    path("confirm/<str:token>/", links.confirm, name="confirm"),
]
