"""The pages of the development phone. They exist in development only: config/urls.py."""

import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from campaigns.channels import channel_named
from config.devphone.texts import clear, keep, list_texts


@require_safe
def phone(request: HttpRequest) -> HttpResponse:
    texts = list_texts(settings.DEVPHONE_DIR)
    rows = [(text, channel_named(text.channel)) for text in texts]
    return render(request, "dev/phone.html", {"rows": rows})


@csrf_exempt
@require_POST
def phone_receive(request: HttpRequest, channel: str) -> HttpResponse:
    """What a provider does: takes it, and says so. A number that ends in 0000 does not exist."""
    try:
        told = json.loads(request.body)
    except ValueError:
        return JsonResponse({"error": "no JSON"}, status=400)
    if not isinstance(told, dict) or not told.get("to"):
        return JsonResponse({"error": "no “to”"}, status=400)
    if str(told["to"]).endswith("0000"):
        return JsonResponse({"error": "there is no such number"}, status=410)
    keep(settings.DEVPHONE_DIR, channel, told)
    return JsonResponse({"taken": True})


@require_POST
def phone_clear(request: HttpRequest) -> HttpResponse:
    clear(settings.DEVPHONE_DIR)
    return redirect("devphone:phone")
