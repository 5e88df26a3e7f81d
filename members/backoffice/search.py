"""The search box on every page: the best finds at once, all customers on the customers' page; and
pages, programs and rewards by their names."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from members.places import find_places
from members.policy import staff_view
from members.responses import is_htmx
from members.selectors.customers import search_customers

SHOWN = 8
PLACES_SHOWN = 6


@require_safe
@staff_view("customers.view")
def search(request: HttpRequest) -> HttpResponse:
    """Answer what is typed with rows to choose from; Enter goes to the full list."""
    query = request.GET.get("q", "").strip()
    everything = f"{reverse('backoffice:customer_list')}?{urlencode({'q': query})}"
    if not is_htmx(request):
        return redirect(everything)
    hits = search_customers(query, limit=SHOWN + 1) if query else []
    places = find_places(request, query, PLACES_SHOWN)
    context = {
        "found": min(len(hits), SHOWN) + len(places),
        "hits": hits[:SHOWN],
        "more": len(hits) > SHOWN,
        "places": places,
        "query": query,
        "everything": everything,
    }
    return render(request, "backoffice/search_results.html", context)
