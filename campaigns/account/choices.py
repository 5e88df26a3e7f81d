"""What a customer wants to be told, by which way, and by which clock."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns.models import ConsentChange, ContactPreference
from campaigns.selectors.consents import Choice, all_choices_of, blocked_ways
from campaigns.selectors.policies import get_policy
from campaigns.services.blocked_addresses import unblock_way
from campaigns.services.consents import choose_time_zone, set_consents
from campaigns.services.contact_addresses import NAMED
from campaigns.topics import LEARNED, Topic
from members.account.access import CustomerRequest, customer_view
from members.choices import known_zones
from members.errors import DomainError
from members.services.audit import Actor


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def choices(request: CustomerRequest) -> HttpResponse:
    """A box for each topic and way; a yes may have to be confirmed by a mail."""
    customer = request.customer
    shown = all_choices_of(customer)
    if request.method == "POST":
        return _saved(request, shown)
    preference = ContactPreference.objects.filter(customer=customer).first()
    policy = get_policy()
    ways = {choice.channel.key: choice.channel for choice in shown}
    blocked = [(ways[key], found) for key, found in blocked_ways(customer, shown).items()]
    context = {
        "topics": _by_topic(choice for choice in shown if choice.topic.code not in LEARNED),
        "counted": [choice for choice in shown if choice.topic.code in LEARNED],
        "blocked": blocked,
        "has_devices": any(choice.channel.key in NAMED for choice in shown),
        "time_zone": preference.time_zone if preference else "",
        "time_zones": sorted(zone for zone in known_zones() if "/" in zone),
        "quiet": policy if policy.quiet_from != policy.quiet_until else None,
    }
    return render(request, "messages/account/choices.html", context)


def _by_topic(shown: Iterable[Choice]) -> list[tuple[Topic, list[Choice]]]:
    """Each topic once, with the ways by which one can be told of it."""
    found: dict[str, tuple[Topic, list[Choice]]] = {}
    for choice in shown:
        found.setdefault(choice.topic.code, (choice.topic, []))[1].append(choice)
    return list(found.values())


def _saved(request: CustomerRequest, shown: list[Choice]) -> HttpResponse:
    customer, actor, now = request.customer, Actor.of_user(request.user), timezone.now()
    if channel := request.POST.get("unblock", ""):
        unblock_way(customer=customer, channel=channel, actor=actor)
        messages.success(request, _("We try this address again."))
        return redirect("messages_account:choices")
    wanted = {
        (choice.channel.key, choice.topic.code): choice.name in request.POST
        for choice in shown
        # A form that did not show it says nothing about it.
        if choice.topic.code not in LEARNED or "counted" in request.POST
        # What was not touched stays unsaid.
        if (choice.name in request.POST) != choice.wanted
    }
    try:
        changes = set_consents(
            customer=customer, wanted=wanted, source=ConsentChange.Source.ACCOUNT.value,
            actor=actor, now=now,
        )  # fmt: skip
        choose_time_zone(
            customer=customer, time_zone=request.POST.get("time_zone", "")[:64], actor=actor
        )
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("messages_account:choices")
    asked = any(change.became == "asked" for change in changes)
    messages.success(
        request,
        _("Almost done: open the mail or message that we sent you, and confirm it.")
        if asked
        else _("Saved."),
    )
    return redirect("messages_account:choices")
