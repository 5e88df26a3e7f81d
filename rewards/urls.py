"""What is read without signing in."""

from __future__ import annotations

from django.urls import path

from rewards import pictures

app_name = "rewards"

urlpatterns = [path("media/rewards/<str:name>", pictures.reward_picture, name="picture")]
