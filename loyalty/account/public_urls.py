"""Pages of programs that need no account."""

from __future__ import annotations

from django.urls import path

from loyalty.account import terms

app_name = "programs"

urlpatterns = [
    path("<slug:code>/terms/", terms.terms, name="terms"),
]
