"""The API's own description, and the answer to every address below /api/ that does not exist."""

from __future__ import annotations

from django.urls import path, re_path

from members.api import problems, schema

app_name = "api"

urlpatterns = [
    path("v1/schema", schema.openapi_document, name="schema"),
    path("v1/docs", schema.reference, name="reference"),
    re_path(r"^", problems.no_such_address),
]
