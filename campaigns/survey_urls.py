"""Surveys that are opened by a link, without signing in."""

from __future__ import annotations

from django.urls import path

from campaigns.account import survey_links

app_name = "surveys"

urlpatterns = [path("<str:token>/", survey_links.survey, name="survey")]
