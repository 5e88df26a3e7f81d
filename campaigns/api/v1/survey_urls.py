from __future__ import annotations

from django.urls import path

from campaigns.api.v1 import own_surveys, surveys

app_name = "api-surveys"

SURVEY = "surveys/<uuid:survey_id>"
MINE = "me/memberships/<uuid:membership_id>/surveys"

urlpatterns = [
    path("surveys", surveys.Surveys.as_view(), name="surveys"),
    path(SURVEY, surveys.OneSurvey.as_view(), name="survey"),
    path(f"{SURVEY}/publish", surveys.SurveyPublishing.as_view(), name="survey-publishing"),
    path(f"{SURVEY}/end", surveys.SurveyEnding.as_view(), name="survey-ending"),
    path(f"{SURVEY}/results", surveys.SurveyResults.as_view(), name="survey-results"),
    path(f"{SURVEY}/responses", surveys.SurveyResponses.as_view(), name="survey-responses"),
    path(f"{SURVEY}/links", surveys.SurveyLinks.as_view(), name="survey-links"),
    path(MINE, own_surveys.OwnSurveys.as_view(), name="own-surveys"),
    path(
        f"{MINE}/<uuid:survey_id>/answers",
        own_surveys.OwnSurveyAnswers.as_view(),
        name="own-survey-answers",
    ),
]
