"""/payments/{provider}/notices: what payment providers tell by themselves, signed by them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from loyalty.payments.base import BadSignatureError
from loyalty.payments.providers import PROVIDERS
from loyalty.services.plan_payments import take_notice

LONGEST = 1_000_000


@csrf_exempt
@require_POST
def payment_notice(request: HttpRequest, provider: str) -> HttpResponse:
    """Act on it once. What does not come from the provider is refused; what does not matter here
    is taken note of by the answer alone."""
    known = PROVIDERS.get(provider)
    if known is None:
        raise Http404("There is no such payment provider.")
    if len(request.body) > LONGEST:
        return HttpResponse(status=413)
    try:
        notice = known().read_notice(request.body, request.headers)
    except BadSignatureError:
        return HttpResponse(status=400)
    if notice is not None:
        take_notice(provider=provider, notice=notice, now=timezone.now())
    return HttpResponse(status=204)
