"""What is on its way to a member: how far it is, and where it goes to."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.account.chosen import Chosen
from loyalty.account.pages import render_page
from loyalty.models import Membership
from loyalty.selectors.memberships import list_memberships
from members.account.access import CustomerRequest, customer_view
from members.errors import DomainError
from members.forms import add_domain_errors, posted
from members.services.audit import Actor
from rewards.address_forms import AddressForm, first_guess
from rewards.addresses import kept_address
from rewards.models import FulfillmentTask, Redemption
from rewards.selectors.fulfillment import last_address, sent_to
from rewards.selectors.parcels import TOLD, is_surprise
from rewards.services.fulfillment import set_address

Status = FulfillmentTask.Status
SHOWN_FOR = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A task as its member reads it."""

    task: FulfillmentTask
    url: str
    title: str
    state: str

    @property
    def last_day(self) -> dt.datetime | None:
        """The day on which it is sent at the latest."""
        due = self.task.due_at
        return None if due is None else due - dt.timedelta(microseconds=1)


def parcels_of(member: Membership, now: dt.datetime) -> list[Parcel]:
    """What is on its way, or was lately."""
    found = sent_to([member]).filter(TOLD).exclude(status=Status.CANCELED)
    lately = Q(sent_at=None) | Q(sent_at__gte=now - SHOWN_FOR)
    return [parcel_of(task) for task in found.filter(lately).order_by("-created_at", "-pk")[:20]]


def parcel_of(task: FulfillmentTask) -> Parcel:
    return Parcel(
        task,
        reverse("rewards_account:parcel", args=[task.public_id]),
        _("Something for you") if is_surprise(task) else task.what,
        _state_words(task),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@customer_view
def parcel(request: CustomerRequest, parcel_id: uuid.UUID) -> HttpResponse:
    """How far it is; where it goes to can be said until it is packed."""
    members = list_memberships(request.customer)
    found = sent_to(members).filter(TOLD, public_id=parcel_id).first()
    if found is None:
        raise Http404("Nothing like this is on its way to this customer.")
    owner = next(item for item in members if item.program_id == found.program_id)
    changeable = found.status in (Status.AWAITED, Status.TO_DO)
    known = kept_address(found.address)
    guess = first_guess(request.customer, known or last_address(found.membership))
    form = AddressForm(posted(request) if changeable else None, initial=guess)
    if request.method == "POST" and changeable and (address := form.address()):
        try:
            set_address(
                task=found, address=address, actor=Actor.of_user(request.user), now=timezone.now()
            )
        except DomainError as error:
            add_domain_errors(form, error)
        else:
            messages.success(request, _("Thank you. That is where it goes."))
            return HttpResponseRedirect(parcel_of(found).url)
    shown = parcel_of(found)
    context = {
        "title": shown.title,
        "parcel": shown,
        "address": known,
        "form": form if changeable else None,
        "open": bool(form.errors) or known is None,
        "breadcrumbs": [
            (_("Rewards"), reverse("rewards_account:shelf_of", args=[owner.public_id]))
        ],
    }
    status = 422 if form.errors else 200
    chosen = Chosen(owner, members)
    return render_page(request, "rewards/fulfillment/parcel.html", chosen, context, status=status)


def _state_words(task: FulfillmentTask) -> str:
    reserved = task.redemption is not None and (
        task.redemption.status == Redemption.Status.RESERVED
    )
    if task.status == Status.AWAITED:
        if task.address is None:
            return _("Tell us where it goes to")
        return _("Reserved for you") if reserved else _("Is being prepared")
    return {
        Status.TO_DO: _("Is being prepared"),
        Status.PACKED: _("Is packed"),
        Status.SENT: _("Is on its way"),
        Status.RETURNED: _("Came back to us"),
    }.get(Status(task.status), _("Canceled"))
