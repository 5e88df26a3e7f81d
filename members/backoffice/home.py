"""The first page after signing in: a shell of panels that each application brings."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from members.models import User
from members.panels import home_panels
from members.policy import staff_view
from members.selectors.customers import search_customers

NEWEST = 6


@require_safe
@staff_view("home.view")
def home(request: HttpRequest) -> HttpResponse:
    """Greet, and let the panels load themselves."""
    panels = home_panels(request)
    context = {
        "title": _greeting(request),
        "wide": [panel for panel in panels if panel.column == "wide"],
        "main": [panel for panel in panels if panel.column == "main"],
        "side": [panel for panel in panels if panel.column == "side"],
    }
    return render(request, "backoffice/home.html", context)


@require_safe
@staff_view("customers.view")
def newest_customers(request: HttpRequest) -> HttpResponse:
    """Who became known last."""
    context = {
        "title": _("Newest customers"),
        "panel_id": "newest-customers",
        "panel_icon": "users",
        "panel_flush": True,
        "panel_refresh": "customer-changed",
        "customers": [hit.customer for hit in search_customers("", limit=NEWEST)],
    }
    return render(request, "backoffice/home_newest_customers.html", context)


def _greeting(request: HttpRequest) -> str:
    name = request.user.name if isinstance(request.user, User) else ""
    given = name.split()[0] if name else ""
    return _("Hello, %(name)s") % {"name": given} if given else _("Hello")
