"""The back-office screens of customers, staff and settings."""

from __future__ import annotations

from django.urls import path

from members.backoffice import styleguide

app_name = "backoffice"

urlpatterns = [
    path("styleguide/", styleguide.styleguide, name="styleguide"),
    path("styleguide/dialog/", styleguide.styleguide_dialog, name="styleguide_dialog"),
    path("styleguide/panel/<slug:state>/", styleguide.styleguide_panel, name="styleguide_panel"),
]
