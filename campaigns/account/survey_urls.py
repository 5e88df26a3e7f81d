"""What a member is asked, and has answered."""

from __future__ import annotations

from django.urls import path

from campaigns.account import surveys

app_name = "surveys_account"

urlpatterns = [
    path("surveys/", surveys.survey_list, name="surveys"),
    path("<uuid:public_id>/surveys/", surveys.survey_list, name="surveys_of"),
    path("<uuid:public_id>/surveys/<uuid:survey_id>/", surveys.survey, name="survey"),
]
