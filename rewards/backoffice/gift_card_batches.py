"""Many gift cards at once: batches, their codes as a list, and the end of it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.csv_files import csv_response
from members.file_cells import harmless
from members.forms import errors_on, posted
from members.policy import acting, is_allowed, staff_view
from members.responses import dialog_done
from members.services.job_runs import queue_job
from rewards.backoffice.gift_card_forms import BatchForm
from rewards.backoffice.gift_cards import programs_with_cards
from rewards.backoffice.links import NAMESPACE, gift_card_crumbs
from rewards.models import GiftCardBatch
from rewards.services.gift_card_batches import codes_of, create_batch, forget_codes

HEADER = ("number", "code", "ends_in", "amount", "currency", "status")


@require_safe
@staff_view("customers.view")
def batch_list(request: HttpRequest) -> HttpResponse:
    """Every batch with how far it is, and whether its codes can still be read."""
    told = Q(cards__seed__isnull=False)
    batches = GiftCardBatch.objects.select_related("program", "job").annotate(
        made=Count("cards"), told=Count("cards", filter=told)
    )
    context = {
        "title": _("Gift cards in bulk"),
        "breadcrumbs": gift_card_crumbs(),
        "batches": batches[:100],
        "may_issue": is_allowed(request.user, "gift_cards.issue"),
        "sold_somewhere": programs_with_cards().exists(),
    }
    return render(request, "rewards/backoffice/gift_card_batch_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gift_cards.issue")
def batch_create(request: HttpRequest) -> HttpResponse:
    """So many cards of one amount; a worker makes them."""
    form = BatchForm(posted(request))
    back = reverse(f"{NAMESPACE}:gift_card_batch_list")
    if form.programs and form.is_valid():
        data = form.cleaned_data
        with errors_on(form):
            _batch, job = create_batch(
                program=form.chosen_program, name=data["name"], amount=data["amount"],
                count=data["count"], active=data["active"], actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            queue_job(job)
            return dialog_done(
                request, url=back, changed="gift-card", message=_("The cards are being made.")
            )
    context = {
        "title": _("Many gift cards"), "form": form, "submit": _("Make them"), "back": back,
        "effect": _("Each has a code of its own. You get them as a list."),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/gift_card_act.html", context, status=status)


@require_POST
@staff_view("gift_cards.issue")
def batch_codes(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The list to be printed. That somebody fetched it is in the log."""
    batch = get_object_or_404(GiftCardBatch.objects.select_related("program"), public_id=public_id)
    rows = (
        (
            str(number), code, card.last_four, f"{card.amount:.2f}", batch.program.currency,
            card.status,
        )
        for number, (card, code) in enumerate(codes_of(batch, actor=acting(request)), start=1)
    )  # fmt: skip
    name = harmless(f"gift-cards-{batch.public_id}.csv")
    response = csv_response(name, ((*HEADER,), *rows))
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@staff_view("gift_cards.issue")
def batch_forget(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Nobody can read the codes any more; whoever has a card has its code."""
    batch = get_object_or_404(GiftCardBatch, public_id=public_id)
    forget_codes(batch=batch, actor=acting(request), now=timezone.now())
    return dialog_done(
        request, url=reverse(f"{NAMESPACE}:gift_card_batch_list"), changed="gift-card",
        message=_("The codes are forgotten."),
    )  # fmt: skip
