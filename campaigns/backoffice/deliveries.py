"""What was sent, to whom, and what became of it; a customer's own messages and what they want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.backoffice.places import NAMESPACE, crumbs, tabs
from campaigns.channels import SHOP, all_channels, channel_named
from campaigns.models import Consent, ConsentChange, ContactAddress, Delivery, Message
from campaigns.occasions import (
    Occasion,
    all_occasions,
    families,
    family_of,
    occasion_named,
    subject_for_staff,
)
from campaigns.selectors.broadcasts import name_of
from campaigns.selectors.consents import Choice, all_choices_of, blocked_because
from campaigns.selectors.messages import deliveries, get_delivery, messages_of, outages
from campaigns.selectors.ways import contact_addresses_of
from campaigns.services.blocked_addresses import unblock_address
from campaigns.services.consents import set_consents
from campaigns.services.retries import may_be_sent_again, send_again
from campaigns.timeline import became
from campaigns.topics import LEARNED, Topic, known_topics
from campaigns.words import reason_words
from loyalty.backoffice.links import customer_crumbs, customer_url
from members.errors import DomainError
from members.forms import errors_on, posted
from members.list_files import ListFile, hand_out
from members.models import Customer
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from members.selectors.merges import current

State = Delivery.State


ORDERINGS = {"-written": ("-pk",), "written": ("pk",)}
FILE: ListFile[Delivery] = ListFile(
    "messages",
    {
        "id": lambda row: row.public_id,
        "occasion": lambda row: row.message.occasion,
        "way": lambda row: row.channel,
        "language": lambda row: row.message.locale,
        "customer": lambda row: row.message.customer.external_id,
        "email": lambda row: row.message.customer.email,
        "state": lambda row: row.state,
        "reason": lambda row: row.reason,
        "written_at": lambda row: row.message.created_at,
        "sent_at": lambda row: row.sent_at,
    },
    personal=True,
)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("customers.view")
def delivery_list(request: HttpRequest) -> HttpResponse:
    """Newest first; by state, occasion and way."""
    wanted = {
        "state": _one_of(request, "state", State.values),
        "channel": _one_of(request, "channel", [way.key for way in all_channels()]),
        "occasion": _asked_occasion(request),
    }
    found = deliveries()
    if wanted["state"]:
        found = found.filter(state=wanted["state"])
    if wanted["channel"]:
        found = found.filter(channel=wanted["channel"])
    if wanted["occasion"]:
        found = found.filter(_of_occasion(wanted["occasion"]))
    if request.method == "POST":
        return hand_out(request, FILE, found, orderings=ORDERINGS, default="-written")
    page = paginate(found, request=request, orderings=ORDERINGS, default="-written", per_page=50)
    context = {
        "title": _("Sent messages"),
        "breadcrumbs": crumbs(),
        "tabs": tabs("delivery_list"),
        "outages": outages(),
        "page": page,
        "rows": [_row(item) for item in page.items],
        "wanted": wanted,
        "file": FILE.offered(request),
        "states": State.choices,
        "channels": all_channels(),
        "occasions": _choices(wanted["occasion"]),
    }
    return render(request, "messages/backoffice/delivery_list.html", context)


@require_safe
@staff_view("customers.view")
def delivery(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One of them, with all that is known of it."""
    found = get_delivery(public_id)
    context = {
        "title": subject_for_staff(found.message.occasion, found.subject),
        "breadcrumbs": [*crumbs()],
        "row": _row(found),
        "delivery": found,
        "customer": current(found.message.customer),
        "device": ContactAddress.objects.filter(public_id=found.device).first()
        if found.device
        else None,
        "clicks": found.clicks.order_by("first_at", "pk"),
        "may_send_again": may_be_sent_again(found) and is_allowed(request.user, "messages.serve"),
    }
    return render(request, "messages/backoffice/delivery.html", context)


@require_POST
@staff_view("messages.serve")
def delivery_again(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Have it tried anew."""
    found = get_delivery(public_id)
    try:
        send_again(delivery=found, actor=acting(request), now=timezone.now())
        messages.success(request, _("It is being sent again."))
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(f"{NAMESPACE}:delivery", found.public_id)


@require_safe
@staff_view("customers.view")
def message_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What a customer was told, newest first, and what they want to be told."""
    customer = get_object_or_404(Customer, public_id=public_id)
    page = paginate(
        messages_of(customer), request=request, orderings={"": ("-created_at", "-pk")},
        default="", per_page=6,
    )  # fmt: skip
    choices = all_choices_of(customer)
    devices = list(contact_addresses_of(customer))
    names = {row.public_id: row.label for row in devices}
    context = {
        "customer": customer,
        "title": _("Messages"),
        "panel_id": "messages",
        "panel_icon": "mail",
        "panel_flush": True,
        "panel_refresh": "messages-changed",
        "breadcrumbs": customer_crumbs(customer),
        "page": page,
        "rows": [_of_message(item, names) for item in page.items],
        "choices": choices,
        "blocked": _blocked(customer, choices),
        "devices": [(row, channel_named(row.channel)) for row in devices],
        "may_change": is_allowed(request.user, "messages.serve"),
    }
    return render(request, "messages/backoffice/message_panel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("messages.serve")
def consents(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Note what a customer has told us that they want."""
    customer = get_object_or_404(Customer, public_id=public_id)
    choices = all_choices_of(customer)
    blocked = _blocked(customer, choices)
    form = _consent_form(choices, blocked=bool(blocked), data=posted(request))
    back = customer_url(customer)
    if form.is_valid():
        with errors_on(form):
            set_consents(
                customer=customer,
                wanted={
                    (choice.channel.key, choice.topic.code): form.cleaned_data[choice.name]
                    for choice in choices
                    if form.cleaned_data[choice.name] != choice.wanted
                    # A form that did not show it says nothing about it.
                    and (choice.topic.code not in LEARNED or form.cleaned_data["counted"])
                },
                source=ConsentChange.Source.STAFF.value, actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            if form.cleaned_data.get("unblock"):
                for channel, address in blocked:
                    unblock_address(
                        customer=customer, channel=channel, address=address, actor=acting(request)
                    )
            return dialog_done(request, url=back, changed="messages", message=_("Saved."))
    context = {
        "title": _("What they want to be told"),
        "lead": str(customer),
        "effect": _("Only what they have told you themselves. What they said stays on record."),
        "form": form, "back": back, "submit": _("Save"),
        "history": _history(customer),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "messages/backoffice/consents.html", context, status=status)


def _consent_form(choices: list[Choice], *, blocked: bool, data: Any) -> forms.Form:
    fields: dict[str, forms.Field] = {
        choice.name: forms.BooleanField(
            label=f"{choice.topic.label} · {choice.channel.label}", required=False,
            initial=choice.wanted, help_text=str(choice.topic.description),
        )
        for choice in choices
    }  # fmt: skip
    fields["counted"] = forms.BooleanField(required=False, initial=True, widget=forms.HiddenInput)
    if blocked:
        fields["unblock"] = forms.BooleanField(
            label=_("Their address works again"), required=False,
            help_text=_("Nothing is sent to it, because mail came back or was reported as spam."),
        )  # fmt: skip
    form_class: type[forms.Form] = type("ConsentForm", (forms.Form,), fields)
    return form_class(data)


def _history(customer: Customer) -> list[tuple[ConsentChange, str, str]]:
    """The last changes, with the topic and what was said in words."""
    said = dict(Consent.State.choices)
    topics = {**known_topics(), **LEARNED}
    return [
        (change, _consent_words(topics[change.topic], change), str(said.get(change.became, "–")))
        for change in ConsentChange.objects.filter(customer=customer).select_related("wording")[:8]
        if change.topic in topics
    ]


def _consent_words(topic: Topic, change: ConsentChange) -> str:
    """What it is about, by which way: a yes to one of them says nothing of another."""
    channel = SHOP if change.channel == SHOP.key else channel_named(change.channel)
    return f"{topic.label} · {channel.label if channel else change.channel}"


def _blocked(customer: Customer, choices: list[Choice]) -> list[tuple[str, str]]:
    """The channels and addresses of theirs that nothing is sent to."""
    channels = {choice.channel.key: choice.channel for choice in choices}
    return [
        (key, address)
        for key, channel in channels.items()
        if (address := channel.address(customer)) and blocked_because(key, address)
    ]


def _occasions() -> list[Occasion]:
    """Also those of which each has a code of its own."""
    return [*all_occasions(), *families()]


def _of_occasion(code: str) -> Q:
    if code in {family.code for family in families()}:
        return Q(message__occasion__startswith=f"{code}-")
    return Q(message__occasion=code)


def _asked_occasion(request: HttpRequest) -> str:
    """Also one alone of those that have codes of their own."""
    said = request.GET.get("occasion", "")
    return said if family_of(said) else _one_of(request, "occasion", [o.code for o in _occasions()])


def _choices(asked: str) -> list[tuple[str, str]]:
    """By code; the one that is asked for among them, by its name where it has one."""
    found = [(occasion.code, str(occasion.label)) for occasion in _occasions()]
    family = family_of(asked)
    if family is None:
        return found
    name = name_of(asked)
    return [*found, (asked, f"{family.label}: {name}" if name else str(family.label))]


def _one_of(request: HttpRequest, name: str, known: list[str]) -> str:
    said = request.GET.get(name, "")
    return said if said in known else ""


def _row(item: Delivery) -> dict[str, Any]:
    occasion = occasion_named(item.message.occasion)
    channel = channel_named(item.channel)
    return {
        "delivery": item,
        "subject": subject_for_staff(item.message.occasion, item.subject),
        "occasion": occasion.label if occasion else item.message.occasion,
        "channel": channel,
        "reason": reason_words(item.reason) if item.reason else "",
    }


def _of_message(item: Message, devices: Mapping[UUID, str]) -> dict[str, Any]:
    """`devices`: what those of theirs are called."""
    occasion = occasion_named(item.occasion)
    ways = sorted(item.deliveries.all(), key=lambda way: way.pk)
    subject = next((way.subject for way in ways if way.subject), "")
    label = occasion.label if occasion else item.occasion
    return {
        "message": item, "icon": occasion.icon if occasion else "mail",
        "subject": subject_for_staff(item.occasion, subject), "occasion": label,
        "ways": [
            (
                way, channel_named(way.channel), reason_words(way.reason), capfirst(became(way)),
                devices.get(way.device, "") if way.device else "",
            )
            for way in ways
        ],
    }  # fmt: skip
