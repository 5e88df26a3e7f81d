"""A small shop with the storefront script in it. It exists in development only: config/urls.py.

Its pages have nothing of the back-office's: markup of their own, one stylesheet, and a policy that
allows no more than a shop needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.demoshop.goods import GOODS, REVIEWS
from config.demoshop.server import ShopError, ShopServer
from members.models import Customer
from rewards.selectors.storefront import get_storefront

SESSION_KEY = "demo_shop"
MOST_OF_ONE = 20
POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
}

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class SignUpForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254)
    join = forms.BooleanField(label=gettext_lazy("Join the loyalty program"), required=False)


def of_demonstration(view: View[P]) -> View[P]:
    """Only where the demonstration is loaded; each page under the shop's own policy."""

    @wraps(view)
    def shown(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if get_storefront().program is None:
            raise Http404("Nothing is shown in the shop's pages.")
        return view(request, *args, **kwargs)

    guarded: View[P] = csp_replace(POLICY)(never_cache(shown))  # type: ignore[assignment]
    return guarded


@require_safe
@of_demonstration
def shop(request: HttpRequest) -> HttpResponse:
    return _page(request, "demoshop/shop.html", {"title": _("Riverside Market")})


@require_safe
@of_demonstration
def product(request: HttpRequest, sku: str) -> HttpResponse:
    goods = GOODS.get(sku)
    if goods is None:
        raise Http404("The shop does not sell this.")
    badges: list[str] = []
    try:
        badges = ShopServer(request).badges(_reviewers())
    except ShopError:
        badges = []  # the shop sells without its loyalty program, too
    context = {"title": goods.name, "goods": goods, "reviews": zip(badges, REVIEWS, strict=False)}
    return _page(request, "demoshop/product.html", context)


@require_safe
@of_demonstration
def basket(request: HttpRequest) -> HttpResponse:
    rows, total = _rows(request)
    state = _state(request)
    if changed := state.pop("changed", ""):
        request.session[SESSION_KEY] = state
    lines = [
        {"sku": item.sku, "category": item.category, "quantity": str(count),
         "total": str(item.price * count)}
        for item, count, _sum in rows
    ]  # fmt: skip
    context = {
        "title": _("Your basket"),
        "rows": rows,
        "total": total,
        "told": json.dumps({"currency": "USD", "lines": lines}),
        # The loyalty program hears of it once, on the page that follows.
        "changed": GOODS.get(changed),
        "changed_to": state["basket"].get(changed, 0),
    }
    return _page(request, "demoshop/basket.html", context)


@require_POST
@of_demonstration
def basket_change(request: HttpRequest) -> HttpResponse:
    """Put one more in, or take all of a kind out."""
    sku = request.POST.get("sku", "")
    if sku in GOODS:
        state = _state(request)
        found = state["basket"]
        if request.POST.get("out"):
            found.pop(sku, None)
        else:
            found[sku] = min(found.get(sku, 0) + 1, MOST_OF_ONE)
        request.session[SESSION_KEY] = state | {"changed": sku}
    return redirect("demoshop:basket")


@require_POST
@of_demonstration
def order(request: HttpRequest) -> HttpResponse:
    """The shop's server records what was bought."""
    rows, total = _rows(request)
    if not rows:
        return redirect("demoshop:basket")
    lines = [
        {"sku": item.sku, "name": item.name, "category": item.category, "quantity": str(count),
         "total": str(item.price * count)}
        for item, count, _sum in rows
    ]  # fmt: skip
    state = _state(request)
    code = request.POST.get("code", "").strip()[:64]
    try:
        number, total = ShopServer(request).place_order(state["customer"], lines, code)
    except ShopError as error:
        messages.error(request, str(error))
        return redirect("demoshop:basket")
    request.session[SESSION_KEY] = state | {"basket": {}}
    context = {"title": _("Thank you"), "number": number, "total": total}
    return _page(request, "demoshop/ordered.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@of_demonstration
def sign_up(request: HttpRequest) -> HttpResponse:
    """An account in the shop, and membership in the program for who wants it."""
    form = SignUpForm(request.POST if request.method == "POST" else None, initial={"join": True})
    if form.is_valid():
        program = get_storefront().program
        wanted = program.code if program and form.cleaned_data["join"] else ""
        try:
            number = ShopServer(request).sign_up(
                name=form.cleaned_data["name"], email=form.cleaned_data["email"], program=wanted
            )
        except ShopError as error:
            form.add_error(None, str(error))
        else:
            return _signed_in(request, number, form.cleaned_data["name"])
    context = {"title": _("Make an account"), "form": form}
    status = 422 if form.errors else 200
    return _page(request, "demoshop/sign_up.html", context, status=status)


@require_POST
@of_demonstration
def sign_in(request: HttpRequest) -> HttpResponse:
    """As the customer whom the demonstration guides through: the shop asks for no password."""
    guide = Customer.objects.filter(email=settings.SETIA_DEMO_CUSTOMER).first()
    if guide is None or not guide.external_id:
        raise Http404("The demonstration has no such customer.")
    return _signed_in(request, guide.external_id, guide.display_name)


@require_POST
@of_demonstration
def sign_out(request: HttpRequest) -> HttpResponse:
    request.session.pop(SESSION_KEY, None)
    return redirect("demoshop:shop")


@require_safe
@of_demonstration
def loyalty_token(request: HttpRequest) -> HttpResponse:
    """What the storefront script asks the shop's server for; nothing for who is not signed in."""
    number = _state(request)["customer"]
    if not number:
        return HttpResponse(status=204)
    try:
        return JsonResponse(ShopServer(request).member_token(number))
    except ShopError:
        return HttpResponse(status=204)


def _signed_in(request: HttpRequest, number: str, name: str) -> HttpResponse:
    request.session[SESSION_KEY] = _state(request) | {"customer": number, "name": name}
    return redirect("demoshop:shop")


def _state(request: HttpRequest) -> dict[str, Any]:
    empty: dict[str, Any] = {"customer": None, "name": "", "basket": {}}
    found = empty | request.session.get(SESSION_KEY, {})
    return {**found, "basket": dict(found["basket"])}


def _rows(request: HttpRequest) -> tuple[list[tuple[Any, int, Decimal]], Decimal]:
    """What is in the basket, and what it costs."""
    found = [
        (GOODS[sku], count, GOODS[sku].price * count)
        for sku, count in _state(request)["basket"].items()
        if sku in GOODS
    ]
    return found, sum((row[2] for row in found), Decimal(0))


def _reviewers() -> list[str]:
    """Numbers of a few customers, as a shop has them beside its reviews."""
    known = Customer.objects.filter(merged_into=None).exclude(external_id=None)
    return [str(one.external_id) for one in known.order_by("pk")[: len(REVIEWS)]]


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    state = _state(request)
    shared = {
        "goods_list": list(GOODS.values()),
        "signed_in": bool(state["customer"]),
        "name": state["name"],
        "count": sum(state["basket"].values()),
    }
    return render(request, template, shared | context, status=status)
