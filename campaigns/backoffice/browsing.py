"""Settings, Browsing: whether it is kept what members look at in the shop, how long, and how the
shop tells."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_http_methods

from campaigns.backoffice.browsing_menu import NAMESPACE
from campaigns.selectors.browsing_policies import get_browsing_policy
from campaigns.services.browsing_policies import MOST_DAYS, set_browsing_policy
from campaigns.topics import BROWSING
from members.forms import errors_on, posted
from members.policy import acting, staff_view

# What the shop's pages say, each where it happens.
LINES = (
    (_l("On the page of a product"),
     '<setia-viewed sku="MUG-BLUE" name="Blue Mug" category="Mugs"></setia-viewed>'),
    (_l("On the page of a category"), '<setia-viewed category="Mugs"></setia-viewed>'),
    (_l("On the page with what a search found"),
     '<setia-viewed query="blue mug"></setia-viewed>'),
    (_l("After the cart has changed: how many are in it now"),
     '<setia-viewed sku="MUG-BLUE" name="Blue Mug" quantity="2"></setia-viewed>'),
    (_l("Without another page, from a script"),
     'Setia.tell("cart_updated", {sku: "MUG-BLUE", name: "Blue Mug", quantity: 0})'),
)  # fmt: skip


class BrowsingForm(forms.Form):
    is_on = forms.BooleanField(
        label=_l("Keep what members look at"), required=False,
        help_text=_l("Only of members who say yes to it, on their own page. It earns nothing."),
    )  # fmt: skip
    kept_days = forms.IntegerField(
        label=_l("Days that it is kept"), min_value=1, max_value=MOST_DAYS,
        help_text=_l("After that it is forgotten, at night."),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("merchant.edit")
def browsing(request: HttpRequest) -> HttpResponse:
    """What is settled, and the lines to copy."""
    known = get_browsing_policy()
    initial = {"is_on": known.is_on, "kept_days": known.kept_days}
    form = BrowsingForm(posted(request), initial=initial)
    if form.is_valid():
        with errors_on(form):
            set_browsing_policy(**form.cleaned_data, actor=acting(request))
            messages.success(request, _("Saved."))
            return redirect(f"{NAMESPACE}:browsing")
    context = {"form": form, "lines": LINES, "known": known, "asked": BROWSING}
    status = 422 if form.errors else 200
    return render(request, "messages/backoffice/browsing.html", context, status=status)
