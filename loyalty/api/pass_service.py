"""/wallet/apple/v1/…: what phones ask for that have a pass, as Apple's documentation of Wallet
passes says ("Adding a Web Service to Update Passes"). A pass shows by its token that it is one."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections.abc import Callable
from functools import update_wrapper
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.models import WalletPass
from loyalty.selectors.wallet_passes import find_pass, passes_of_device
from loyalty.services.wallet_passes import pass_now, register_device, unregister_device
from loyalty.wallet_passes.apple import pass_file, pass_response
from loyalty.wallet_passes.tokens import is_token_of
from members.api.member_views import count_address

logger = logging.getLogger(__name__)

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

SCHEME = "ApplePass"
LONGEST_BODY = 20_000
# Changes are written down by when one began to look, and may be seen in another order: a phone
# that asks again is told for so long also what it may know. 304 is what it gets for that.
OVERLAP = dt.timedelta(minutes=10)
DEVICE = re.compile(r"[0-9A-Za-z._-]{1,100}")
PUSH_TOKEN = re.compile(r"[0-9A-Za-z]{1,200}")
# Of what a phone complains about at once, and of each complaint.
MOST_LINES, LONGEST_LINE = 10, 300
# Serial numbers, tokens, and names of devices.
IDENTIFIER = re.compile(r"[0-9A-Fa-f-]{12,}")


def pass_service(view: View[P]) -> View[P]:
    """Decorate an address that phones ask: there only where passes are made, and limited like all
    that is public."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        keys = settings.APPLE_PASSES
        if keys is None or kwargs.get("pass_type", keys.pass_type) != keys.pass_type:
            return HttpResponse(status=HTTPStatus.NOT_FOUND)
        if "device" in kwargs and not DEVICE.fullmatch(str(kwargs["device"])):
            return HttpResponse(status=HTTPStatus.NOT_FOUND)
        allowance = count_address(request)
        if allowance is not None and not allowance.granted:
            again = {"Retry-After": str(allowance.reset)}
            return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS, headers=again)
        if len(request.body) > LONGEST_BODY:
            return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return csrf_exempt(update_wrapper(guarded, view))


@pass_service
@require_http_methods(["POST", "DELETE"])
def registration(
    request: HttpRequest, device: str, pass_type: str, serial: str
) -> HttpResponse:  # fmt: skip
    """The pass was put onto the device, or taken off it."""
    kept = _shown(request, serial)
    if kept is None:
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    if request.method == "DELETE":
        unregister_device(kept=kept, device=device)
        return HttpResponse(status=HTTPStatus.OK)
    push_token = _body(request).get("pushToken")
    if not isinstance(push_token, str) or not PUSH_TOKEN.fullmatch(push_token):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    new = register_device(kept=kept, device=device, push_token=push_token, now=timezone.now())
    return HttpResponse(status=HTTPStatus.CREATED if new else HTTPStatus.OK)


@pass_service
@require_safe
def device_passes(request: HttpRequest, device: str, pass_type: str) -> HttpResponse:
    """Which of its passes have changed since it asked last. The device's name is all it shows, and
    serial numbers are all it gets."""
    changed = passes_of_device(device, _moment(request.GET.get("passesUpdatedSince", "")))
    if changed is None:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    if not changed:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    latest = min(max(one.changed_at for one in changed), timezone.now() - OVERLAP)
    serials = [one.serial for one in changed]
    return JsonResponse({"lastUpdated": str(int(latest.timestamp())), "serialNumbers": serials})


@pass_service
@require_safe
def latest_pass(request: HttpRequest, pass_type: str, serial: str) -> HttpResponse:
    """The pass as it is now; 304 for who has it."""
    kept, keys = _shown(request, serial), settings.APPLE_PASSES
    if kept is None or keys is None:
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    contents = pass_now(kept, timezone.now())
    changed = int(kept.changed_at.timestamp())
    same = get_conditional_response(request, last_modified=changed)
    response = same or pass_response(pass_file(contents, keys, _token(request)))
    response["Last-Modified"] = http_date(changed)
    return response


@pass_service
@require_POST
def log(request: HttpRequest) -> HttpResponse:
    """What a phone could not do with a pass, without whose pass and which phone."""
    lines = _body(request).get("logs")
    for line in lines[:MOST_LINES] if isinstance(lines, list) else ():
        if isinstance(line, str):
            said = IDENTIFIER.sub("(withheld)", line)
            logger.warning("a phone says of a pass: %r", said[:LONGEST_LINE])
    return HttpResponse(status=HTTPStatus.OK)


def _shown(request: HttpRequest, serial: str) -> WalletPass | None:
    """The pass that the request has the token of."""
    token = _token(request)
    return find_pass(serial) if token.isascii() and is_token_of(token, serial) else None


def _token(request: HttpRequest) -> str:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == SCHEME else ""


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _moment(tag: str) -> dt.datetime | None:
    """What we have called a moment before; anything else is none."""
    if not (tag.isascii() and tag.isdigit() and len(tag) <= 10):
        return None
    return dt.datetime.fromtimestamp(int(tag), dt.UTC)
