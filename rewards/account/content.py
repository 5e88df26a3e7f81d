"""The library on the member's own page, and the files in it."""

from __future__ import annotations

import uuid

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Membership
from loyalty.selectors.memberships import list_memberships
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.formatting import format_units
from members.languages import locale_of
from members.services.audit import SYSTEM, Actor
from rewards.account.shelf import item_of, spendable_of
from rewards.models import ContentItem
from rewards.selectors.content import content_items, library
from rewards.services.content import Entry, entries_for, fetch_content, read_token
from rewards.services.eligibility import offers_for


@require_safe
@customer_view
def content_list(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """What the member may have first, then what they could."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now = chosen.membership, timezone.now()
    entries = entries_for(list(library(member.program)), member, now)
    context = {
        "title": _("Library"),
        "tabs": chosen.tabs("rewards_account:library_of"),
        "mine": [entry for entry in entries if entry.allowed],
        "others": [(entry, _price(entry)) for entry in entries if not entry.allowed],
        "breadcrumbs": [
            (_("Rewards"), reverse("rewards_account:shelf_of", args=[member.public_id]))
        ],
    }
    return render_page(request, "rewards/content/account_list.html", chosen, context)


@require_safe
@customer_view
def content(request: CustomerRequest, content_id: uuid.UUID) -> HttpResponse:
    """One item: fetched, or taken first."""
    item, chosen = _found(request, content_id)
    member, now = chosen.membership, timezone.now()
    [entry] = entries_for([item], member, now)
    offered = None
    if entry.to_take and item.reward is not None:
        [offer] = offers_for([item.reward], member, now)
        offered = item_of(offer, spendable_of(member, now), member, locale_of(request.customer))
    context = {
        "title": item.title,
        "entry": entry,
        "offered": offered,
        "key": uuid.uuid4(),
        "breadcrumbs": [
            (_("Library"), reverse("rewards_account:library_of", args=[member.public_id]))
        ],
    }
    return render_page(request, "rewards/content/account_item.html", chosen, context)


@require_safe
@customer_view
def content_file(request: CustomerRequest, content_id: uuid.UUID) -> HttpResponse:
    """The file itself, or where the link leads."""
    item, chosen = _found(request, content_id)
    return _handed_out(item, chosen.membership, Actor.of_user(request.user))


@require_safe
def content_link(_request: HttpRequest, token: str) -> HttpResponse:
    """The file by a signed link that a program was given for a member."""
    try:
        item_id, member_id = read_token(token)
    except DomainError as error:
        raise Http404("This link cannot be used any more.") from error
    item = content_items().filter(public_id=item_id).first()
    members = Membership.objects.select_related("program", "customer")
    member = members.filter(public_id=member_id).first()
    if item is None or member is None or member.program_id != item.program_id:
        raise Http404("This link cannot be used any more.")
    return _handed_out(item, member, SYSTEM)


def _handed_out(item: ContentItem, member: Membership, actor: Actor) -> HttpResponse:
    try:
        fetch_content(item=item, membership=member, actor=actor, now=timezone.now())
    except DomainError as error:
        raise Http404("This member may not have it.") from error
    if item.link:
        return HttpResponseRedirect(item.link)
    if not item.file.name or not item.file.storage.exists(item.file.name):
        raise Http404("The file is gone.")
    # Whatever it is, no browser runs it here.
    response = FileResponse(
        item.file.open("rb"), as_attachment=True, filename=item.file_name,
        content_type="application/octet-stream",
    )  # fmt: skip
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response  # type: ignore[return-value]  # Views may stream.


def _price(entry: Entry) -> str:
    reward = entry.item.reward
    if reward is None:
        return ""
    return format_units(reward.price, reward.wallet_type) if reward.price else _("Free")


def _found(request: CustomerRequest, content_id: uuid.UUID) -> tuple[ContentItem, Chosen]:
    members = list_memberships(request.customer)
    item = content_items().filter(public_id=content_id).exclude(status="draft").first()
    owner = next((one for one in members if item and one.program_id == item.program_id), None)
    if item is None or owner is None:
        raise Http404("This customer's programs have no such content.")
    return item, Chosen(owner, members)
