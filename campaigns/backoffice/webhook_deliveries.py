"""Operations → Webhook deliveries: what was sent to whom, what came back, and sending it again."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.webhook_forms import DeliveryFilterForm
from campaigns.backoffice.webhook_menu import NAMESPACE
from campaigns.backoffice.webhook_rows import answer_words, delivery_row, delivery_rows
from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.selectors.webhooks import deliveries, get_delivery
from campaigns.services.webhook_replays import replay_delivery
from campaigns.webhook_events import message_id, message_of, told_type
from members.errors import DomainError
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view

ACTION = "webhooks.manage"


@require_safe
@staff_view("webhooks.view")
def delivery_list(request: HttpRequest) -> HttpResponse:
    """The log, newest first."""
    form = DeliveryFilterForm(request.GET, endpoints=list(WebhookEndpoint.objects.all()))
    wanted = form.wanted()
    page = paginate(deliveries(wanted), request=request, orderings={"": ("-pk",)}, default="")
    context = {
        "title": _("Webhook deliveries"),
        "form": form,
        "filtered": any((wanted.endpoint, wanted.type, wanted.state)),
        "page": page,
        "rows": delivery_rows(page),
    }
    return render(request, "webhooks/delivery_list.html", context)


@require_safe
@staff_view("webhooks.view")
def delivery(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What was sent, every attempt, and what was answered."""
    found = get_delivery(public_id)
    kind = told_type(found.event.type)
    context = {
        "title": found.event.type,
        "summary": str(kind.sentence) if kind else "",
        "breadcrumbs": [(_("Webhook deliveries"), reverse(f"{NAMESPACE}:delivery_list"))],
        "row": delivery_row(found),
        "delivery": found,
        "message_id": message_id(found.event),
        "body": json.dumps(message_of(found.event), indent=2, ensure_ascii=False, sort_keys=True),
        "attempts": [
            (item, answer_words(item.status, item.error)) for item in found.attempts.all()
        ],
        # Looked at again while it is on its way.
        "may_manage": is_allowed(request.user, ACTION),
        "live": found.state == WebhookDelivery.State.WAITING and found.tries <= 1,
    }
    return render(request, "webhooks/delivery.html", context)


@require_POST
@staff_view(ACTION)
def delivery_replay(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Send it again in a moment."""
    found = get_delivery(public_id)
    try:
        replay_delivery(delivery=found, actor=acting(request), now=timezone.now())
        messages.success(request, _("It is sent again in a moment."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(f"{NAMESPACE}:delivery", found.public_id)
