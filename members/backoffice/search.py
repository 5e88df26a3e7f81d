"""The search box on every page: the best finds at once, all of them on the customers' page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from members.policy import staff_view
from members.responses import is_htmx
from members.selectors.customers import search_customers

SHOWN = 8


@require_safe
@staff_view("customers.view")
def search(request: HttpRequest) -> HttpResponse:
    """Answer what is typed with rows to choose from; Enter goes to the full list."""
    query = request.GET.get("q", "").strip()
    everything = f"{reverse('backoffice:customer_list')}?{urlencode({'q': query})}"
    if not is_htmx(request):
        return redirect(everything)
    hits = search_customers(query, limit=SHOWN + 1) if query else []
    context = {
        "hits": hits[:SHOWN],
        "more": len(hits) > SHOWN,
        "query": query,
        "everything": everything,
    }
    return render(request, "backoffice/search_results.html", context)
