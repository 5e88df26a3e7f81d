"""One thing that is sent: what it is, where it goes, how far it is; and those of a customer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from loyalty.backoffice.links import customer_crumbs, customer_url
from loyalty.models import Membership
from loyalty.selectors.memberships import list_memberships
from members.formatting import format_number
from members.forms import errors_on, posted
from members.models import Customer
from members.paging import paginate
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from rewards.address_forms import AddressForm, first_guess
from rewards.addresses import kept_address
from rewards.backoffice.fulfillment_forms import AssignForm, GiveForm, SendForm, WhyForm
from rewards.backoffice.fulfillment_queue import due, undo_url
from rewards.backoffice.links import NAMESPACE
from rewards.models import FulfillmentTask
from rewards.selectors.fulfillment import last_address, sent_to, tasks
from rewards.services.fulfillment import (
    NEXT,
    advance_task,
    assign_task,
    forget_addresses,
    give_by_hand,
    set_address,
)

Status = FulfillmentTask.Status


def _url(task: FulfillmentTask) -> str:
    return reverse(f"{NAMESPACE}:task", args=[task.public_id])


@require_safe
@staff_view("customers.view")
def task_page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What it is, where it goes and what was done."""
    found = _task(public_id)
    steps = list(found.steps.select_related("staff"))
    context = {
        "title": found.what,
        "task": found,
        "due": due(found, timezone.now()),
        "address": kept_address(found.address),
        "steps": steps,
        "can_undo": any(step.undone_at is None for step in steps),
        "undo_url": undo_url([found]),
        "next": NEXT[found.status],
        "addressable": found.status in (*FulfillmentTask.OPEN, Status.RETURNED),
        "may_work": is_allowed(request.user, "fulfillment.work"),
        "breadcrumbs": [(_("Fulfillment"), reverse(f"{NAMESPACE}:task_list"))],
    }
    return render(request, "rewards/fulfillment/task.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("fulfillment.work")
def task_advance(request: HttpRequest, public_id: UUID, to: str) -> HttpResponse:
    """One step, with what belongs to it: a tracking number, or why."""
    found = _task(public_id)
    labels = {
        "packed": _("Is %s packed?"), "sent": _("Is %s on its way?"),
        "returned": _("Did %s come back?"), "to_do": _("Send %s again?"),
        "canceled": _("Send %s to nobody?"),
    }  # fmt: skip
    to = to if to in labels else "packed"
    kinds = {"sent": SendForm, "returned": WhyForm, "canceled": WhyForm}
    form = kinds.get(to, forms.Form)(posted(request))

    def act(data: dict[str, Any]) -> str:
        advance_task(
            task=found, to=to, actor=acting(request), now=timezone.now(),
            **{name: value for name, value in data.items() if name in
               ("reason", "carrier", "tracking_number")},
        )  # fmt: skip
        return str(dict(Status.choices)[Status(to)])

    submits = {
        "packed": _("It is packed"), "sent": _("It is sent"), "returned": _("It came back"),
        "to_do": _("Send it again"), "canceled": _("Do not send it"),
    }  # fmt: skip
    effect = ""
    if to == "canceled" and found.redemption is not None:
        effect = _("The reward is canceled with it: its units go back to the member.")
    context = {"title": labels[to] % found.what, "submit": submits[to], "effect": effect}
    return _dialog(request, _url(found), form, act, context, undo=undo_url([found]))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("fulfillment.work")
def task_address(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where it goes to."""
    found = _task(public_id)
    known = kept_address(found.address) or last_address(found.membership)
    form = AddressForm(posted(request), initial=first_guess(found.membership.customer, known))

    def act(_data: dict[str, Any]) -> str:
        if address := form.address():
            set_address(task=found, address=address, actor=acting(request), now=timezone.now())
        return _("The address was noted.")

    context = {"title": _("Where it goes to"), "submit": _("Save the address")}
    return _dialog(request, _url(found), form, act, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("fulfillment.work")
def task_assign(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Who sees to it."""
    found = _task(public_id)
    form = AssignForm(posted(request), initial={"assignee": found.assignee_id})

    def act(data: dict[str, Any]) -> str:
        assign_task(task=found, assignee=data["assignee"], actor=acting(request))
        return _("It is noted who sees to it.")

    context = {"title": _("Who sees to it"), "submit": _("Save")}
    return _dialog(request, _url(found), form, act, context)


@require_safe
@staff_view("customers.view")
def task_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What was, and is to be, sent to a customer."""
    customer = get_object_or_404(Customer, public_id=public_id)
    members = list_memberships(customer)
    page = paginate(
        sent_to(members), request=request, orderings={"": ("-created_at", "-pk")}, default="",
        per_page=5,
    )  # fmt: skip
    may_work = is_allowed(request.user, "fulfillment.work")
    now = timezone.now()
    context = {
        "customer": customer,
        "title": _("Parcels and notes"),
        "panel_id": "fulfillment",
        "panel_icon": "package",
        "panel_flush": True,
        "panel_refresh": "wallet-changed fulfillment-changed",
        "breadcrumbs": customer_crumbs(customer),
        "page": page,
        "rows": [(task, due(task, now)) for task in page],
        "givers": [item for item in members if item.status == "active"] if may_work else [],
        "forgettable": may_work and sent_to(members).filter(address__isnull=False).exists(),
    }
    return render(request, "rewards/fulfillment/task_panel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("fulfillment.work")
def task_give(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A surprise gift or a note for a member."""
    members = Membership.objects.select_related("program", "customer")
    member = get_object_or_404(members, public_id=public_id)
    guess = first_guess(member.customer, last_address(member))
    form = GiveForm(posted(request), initial=guess)

    def act(data: dict[str, Any]) -> str:
        address = None if data["later"] else form.address()
        if not form.errors:
            give_by_hand(
                membership=member, kind=data["kind"], what=data["what"], words=data["words"],
                address=address, key=f"backoffice:{data['key']}", actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
        return _("It is in the queue.")

    context = {"title": _("Send a gift or a note"), "submit": _("Put it into the queue")}
    return _dialog(request, customer_url(member.customer), form, act, context)


@require_POST
@staff_view("fulfillment.work")
def task_forget(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Forget where a customer lives; what is still to be sent keeps it."""
    customer = get_object_or_404(Customer, public_id=public_id)
    members = Membership.objects.filter(
        pk__in=sent_to(list_memberships(customer)).values("membership")
    ).select_related("customer")
    forgotten = forget_addresses(memberships=list(members), actor=acting(request))
    return dialog_done(
        request, url=customer_url(customer), changed="fulfillment",
        message=_("Addresses of %s parcels were forgotten.") % format_number(forgotten),
    )  # fmt: skip


def _dialog(
    request: HttpRequest, back: str, form: forms.Form, act: Any, context: dict[str, Any],
    undo: str = "",
) -> HttpResponse:  # fmt: skip
    if form.is_valid():
        with errors_on(form):
            message = act(form.cleaned_data)
            if not form.errors:
                return dialog_done(
                    request, url=back, changed="fulfillment", message=message, undo_url=undo
                )
    shown = {"form": form, "back": back, **context}
    status = 422 if form.errors else 200
    return render(request, "rewards/fulfillment/act.html", shown, status=status)


def _task(public_id: UUID) -> FulfillmentTask:
    return get_object_or_404(tasks(), public_id=public_id)
