"""Operations → What came in: what shops and tools told, what it became, and taking it in again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_POST, require_safe

from campaigns.backoffice.connection_forms import MessageFilterForm
from campaigns.backoffice.connection_menu import NAMESPACE
from campaigns.models import InboundMessage
from campaigns.selectors.connections import get_message
from campaigns.selectors.connections import messages as messages_in
from campaigns.services.inbound import replay
from loyalty.models import Order
from members.errors import DomainError
from members.models import Customer
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view

ACTION = "connections.manage"
BADGES = {"waiting": "queued", "done": "done", "skipped": "skipped", "failed": "failed",
          "refused": "refused"}  # fmt: skip
KINDS: dict[str, str | Promise] = {
    "order": _l("Order"),
    "refund": _l("Refund"),
    "customer": _l("Customer"),
    "activity": _l("Activity"),
    "consent": _l("Consent"),
    "message": _l("Messages"),
}
OUTCOMES: dict[str, str | Promise] = {
    "created": _l("new"),
    "noted": _l("noted"),
    "updated": _l("changed"),
    "unchanged": _l("known already"),
    "outdated": _l("older than what is known"),
    "parked": _l("waits for its order"),
    "over_limit": _l("over the limit of its kind"),
    "account_gone": _l("account deleted there"),
    "forgotten": _l("erased"),
    "unknown": _l("not known here"),
}


@dataclass(frozen=True, slots=True)
class MessageRow:
    message: InboundMessage
    badge: str
    became: str


@require_safe
@staff_view("connections.view")
def message_list(request: HttpRequest) -> HttpResponse:
    """The log, newest first."""
    form = MessageFilterForm(request.GET)
    wanted = form.wanted()
    page = paginate(messages_in(wanted), request=request, orderings={"": ("-pk",)}, default="")
    context = {
        "title": _("What came in"), "form": form, "page": page, "rows": message_rows(page),
        "filtered": any((wanted.connection, wanted.state, wanted.topic, wanted.number)),
    }  # fmt: skip
    return render(request, "connections/message_list.html", context)


@require_safe
@staff_view("connections.view")
def message(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What was told, what it became, and what was wrong with it."""
    found = get_message(public_id)
    context = {
        "title": found.topic or _("A message"),
        "breadcrumbs": [(_("What came in"), reverse(f"{NAMESPACE}:message_list"))],
        "message": found,
        "row": message_row(found),
        "results": [_linked(found, item) for item in found.result],
        "body": _readable(found.payload),
        "live": found.state == InboundMessage.State.WAITING,
        "may_manage": is_allowed(request.user, ACTION),
    }
    return render(request, "connections/message.html", context)


@require_POST
@staff_view(ACTION)
def message_replay(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take it in again in a moment."""
    found = get_message(public_id)
    try:
        replay(message=found, actor=acting(request))
        messages.success(request, _("It is taken in again in a moment."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(f"{NAMESPACE}:message", found.public_id)


def message_rows(found: Any) -> list[MessageRow]:
    return [message_row(item) for item in found]


def message_row(found: InboundMessage) -> MessageRow:
    return MessageRow(found, BADGES[found.state], _became(found))


def result_words(item: dict[str, Any]) -> str:
    """ "Order 1001: new"."""
    kind = KINDS.get(item["kind"], item["kind"])
    outcome = OUTCOMES.get(item["outcome"], item["outcome"])
    words = f"{kind} {item['number']}: {outcome}"
    return f"{words}. {item['note']}" if item.get("note") else words


def _became(found: InboundMessage) -> str:
    """The first thing that it became or that was wrong, and how many more there are."""
    errors = [f"{item['field']}: {item['message']}".strip(": ") for item in found.errors]
    words = errors or [result_words(item) for item in found.result]
    if not words:
        return found.note
    return f"{words[0]} (+{len(words) - 1})" if len(words) > 1 else words[0]


def _linked(found: InboundMessage, item: dict[str, Any]) -> tuple[str, str]:
    """What it became, and the page of it; empty where it has none."""
    url = ""
    if item["kind"] == "order":
        orders = Order.objects.filter(
            source=found.connection.source, external_id=item["number"]
        ).values_list("pk", flat=True)
        url = next((reverse("loyalty_backoffice:order_page", args=[pk]) for pk in orders), "")
    elif item["kind"] == "customer":
        people = Customer.objects.filter(external_id=item["number"]).values_list("public_id")
        url = next((reverse("backoffice:customer", args=[pk]) for (pk,) in people), "")
    return result_words(item), url


def _readable(payload: str) -> str:
    """JSON with a line for each field; anything else as it came."""
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return payload
