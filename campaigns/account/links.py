"""The pages behind the links in messages. Opening one changes nothing, since mail programs open
links before people do; pressing a button there does, and so does a mail program's own button
(RFC 8058), which posts without a session."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.links import StopLink, read_confirm_token, read_stop_token
from campaigns.models import ConsentChange
from campaigns.selectors.consents import choices_of
from campaigns.services.consents import confirm_consents
from campaigns.services.consents import stop as stop_topics
from campaigns.topics import choosable_topics, topic_named
from members.languages import language_of
from members.models import Customer
from members.selectors.merges import current

ONE_CLICK = "One-Click"


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """No more of this topic, or of all that can be declined."""
    link = read_stop_token(token)
    customer = _customer(link.customer) if link else None
    if link is None or customer is None or topic_named(link.topic) is None:
        return broken(request)
    with translation.override(language_of(customer) or translation.get_language()):
        if request.method == "POST":
            return _stopped(request, customer, link)
        return _stop_page(request, customer, link)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The address is theirs."""
    link = read_confirm_token(token)
    customer = _customer(link.customer) if link else None
    if link is None or customer is None:
        return broken(request)
    with translation.override(language_of(customer) or translation.get_language()):
        if request.method != "POST":
            return render(request, "messages/confirm.html", {})
        confirm_consents(link=link, now=timezone.now())
        context = {
            "title": _("Thank you"),
            "text": _("You will hear from us. You can change your mind at any time."),
        }
        return render(request, "messages/outcome.html", context)


def _stopped(request: HttpRequest, customer: Customer, link: StopLink) -> HttpResponse:
    by_program = request.POST.get("List-Unsubscribe") == ONE_CLICK
    everything = request.POST.get("what") == "everything"
    topics = [topic.code for topic in choosable_topics()] if everything else [link.topic]
    source = ConsentChange.Source.ONE_CLICK if by_program else ConsentChange.Source.LINK
    stop_topics(
        customer=customer, link=link, topics=topics, source=source.value, now=timezone.now()
    )
    if by_program:
        return HttpResponse(_("Done."), content_type="text/plain; charset=utf-8")
    return _stop_page(request, customer, link, done=True)


def _stop_page(
    request: HttpRequest, customer: Customer, link: StopLink, *, done: bool = False
) -> HttpResponse:
    choices = [choice for choice in choices_of(customer) if choice.channel.key == link.channel]
    context = {
        "topic": topic_named(link.topic),
        "wanted": [choice.topic for choice in choices if choice.wanted],
        "still": any(choice.wanted and choice.topic.code == link.topic for choice in choices),
        "done": done,
    }
    return render(request, "messages/stop.html", context)


def _customer(public_id: UUID) -> Customer | None:
    found = Customer.objects.select_related("merged_into").filter(public_id=public_id).first()
    return current(found) if found else None


def broken(request: HttpRequest) -> HttpResponse:
    """What was signed is not what came."""
    context = {
        "title": _("This link does not work any more"),
        "text": _("Sign in to choose what you are told, or open the link in a later message."),
    }
    return render(request, "messages/outcome.html", context, status=404)
