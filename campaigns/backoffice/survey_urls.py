"""The back-office screens of surveys."""

from __future__ import annotations

from django.urls import path

from campaigns.backoffice import survey_results, surveys

app_name = "surveys_backoffice"

SURVEY = "surveys/<uuid:public_id>"

urlpatterns = [
    path("surveys/", surveys.survey_list, name="survey_list"),
    path("programs/<slug:code>/surveys/new/", surveys.survey_create, name="survey_create"),
    path(f"{SURVEY}/", survey_results.survey, name="survey"),
    path(f"{SURVEY}/edit/", surveys.survey_edit, name="survey_edit"),
    path(f"{SURVEY}/texts/", surveys.survey_texts, name="survey_texts"),
    path(f"{SURVEY}/preview/", surveys.survey_preview, name="survey_preview"),
    path(f"{SURVEY}/act/", surveys.survey_act, name="survey_act"),
    path(f"{SURVEY}/answers.csv", survey_results.survey_export, name="survey_export"),
    path(f"{SURVEY}/words/<slug:code>/", survey_results.survey_words, name="survey_words"),
    path(
        f"{SURVEY}/words/<int:pk>/remove/",
        survey_results.survey_word_remove,
        name="survey_word_remove",
    ),
]
