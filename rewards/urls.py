"""What is read without signing in."""

from __future__ import annotations

from django.urls import path

from rewards import pictures, storefront_script

app_name = "rewards"

urlpatterns = [
    path("media/rewards/<str:name>", pictures.reward_picture, name="picture"),
    path("storefront.js", storefront_script.storefront_script, name="storefront_script"),
]
