"""Pages of programs that need no account."""

from __future__ import annotations

from django.urls import path

from loyalty.account import joining, terms

app_name = "programs"

urlpatterns = [
    path("<slug:code>/", joining.program, name="program"),
    path("<slug:code>/join/<str:token>/", joining.join_confirm, name="join_confirm"),
    path("<slug:code>/invitation/<str:token>/", joining.invitation, name="invitation"),
    path("<slug:code>/terms/", terms.terms, name="terms"),
]
