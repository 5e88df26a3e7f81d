"""What staff do with gift cards: issue, block, replace, cancel, top up, erase for whom one is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loyalty.card_numbers import qr_code
from loyalty.models import Transfer
from members.formatting import format_money
from members.forms import errors_on, posted
from members.policy import acting, staff_view
from members.responses import dialog_done
from rewards.backoffice.gift_card_forms import AmountForm, IssueForm, WhyForm
from rewards.backoffice.links import (
    NAMESPACE,
    gift_card_crumbs,
    gift_card_url,
    ways_to_stored_value,
)
from rewards.models import GiftCard
from rewards.selectors.gift_cards import gift_cards
from rewards.services.gift_card_money import top_up_gift_card
from rewards.services.gift_cards import (
    block_gift_card,
    cancel_gift_card,
    code_of,
    forget_people,
    issue_gift_card,
    replace_gift_card,
    unblock_gift_card,
)

SOURCE = Transfer.Source.BACKOFFICE.value
Act = Callable[[dict[str, Any]], str]


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gift_cards.issue")
def gift_card_issue(request: HttpRequest) -> HttpResponse:
    """A new card. The answer has its code, to be printed or read out: it is shown here alone."""
    form = IssueForm(posted(request))
    back = reverse(f"{NAMESPACE}:gift_card_list")
    if not form.programs:
        return render(
            request, "rewards/backoffice/gift_card_none.html",
            {
                "title": _("New gift card"), "breadcrumbs": gift_card_crumbs(),
                "ways": ways_to_stored_value(request.user),
            },
        )  # fmt: skip
    if form.is_valid():
        with errors_on(form):
            card, _replayed = issue_gift_card(
                program=form.chosen_program, amount=form.cleaned_data["amount"],
                key=f"backoffice:{form.cleaned_data['key']}", source=SOURCE, people=form.people(),
                actor=acting(request), now=timezone.now(),
            )  # fmt: skip
            return _told(request, card)
    context = {
        "title": _("New gift card"), "form": form, "back": back,
        "breadcrumbs": gift_card_crumbs(),
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/gift_card_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gift_cards.serve")
def gift_card_replace(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Another code for the money of a card that was lost, shown once."""
    card = _card(public_id)
    form = WhyForm(posted(request))
    if form.is_valid():
        with errors_on(form):
            other, _replayed = replace_gift_card(
                card=card, reason=form.cleaned_data["reason"],
                key=f"backoffice:{form.cleaned_data['key']}", source=SOURCE, actor=acting(request),
                now=timezone.now(),
            )  # fmt: skip
            return _told(request, other)
    context = {
        "title": _("Replace gift card %s") % card,
        "effect": _("What is on it stays. The old code is worth nothing any more."),
        "submit": _("Replace it"), "form": form, "back": gift_card_url(card),
        "breadcrumbs": [*gift_card_crumbs(), (str(card), gift_card_url(card))],
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/gift_card_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gift_cards.serve")
def gift_card_block(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Nothing can be paid with it until it is let go."""
    card = _card(public_id)

    def act(data: dict[str, Any]) -> str:
        block_gift_card(card=card, reason=data["reason"], actor=acting(request), now=timezone.now())
        return _("The card is blocked.")

    context = {
        "title": _("Block gift card %s?") % card,
        "effect": _("Nothing can be paid with it until you let it go. What is on it stays."),
        "submit": _("Block it"),
    }
    return _dialog(request, card, WhyForm(posted(request)), act, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gift_cards.serve")
def gift_card_unblock(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """It can be used again."""
    card = _card(public_id)

    def act(data: dict[str, Any]) -> str:
        unblock_gift_card(
            card=card, reason=data["reason"], actor=acting(request), now=timezone.now()
        )
        return _("The card can be used again.")

    context = {
        "title": _("Let gift card %s go?") % card,
        "effect": _("It can be used again, by whoever has its code."),
        "submit": _("Let it go"),
    }
    return _dialog(request, card, WhyForm(posted(request)), act, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gift_cards.serve")
def gift_card_cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The sale did not happen; only while nothing was spent."""
    card = _card(public_id)

    def act(data: dict[str, Any]) -> str:
        cancel_gift_card(
            card=card, reason=data["reason"], source=SOURCE, actor=acting(request),
            now=timezone.now(),
        )  # fmt: skip
        return _("The card is canceled.")

    context = {
        "title": _("Cancel gift card %s?") % card,
        "effect": _(
            "All that was paid in is taken off it, and its code is worth nothing any more. Pay the"
            " money back yourself."
        ),
        "submit": _("Cancel the card"),
    }
    return _dialog(request, card, WhyForm(posted(request)), act, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gift_cards.issue")
def gift_card_top_up(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Somebody paid more onto it."""
    card = _card(public_id)

    def act(data: dict[str, Any]) -> str:
        top_up_gift_card(
            card=card, amount=data["amount"], key=f"backoffice:{data['key']}", source=SOURCE,
            actor=acting(request), now=timezone.now(),
        )  # fmt: skip
        return _("%s more is on the card.") % format_money(data["amount"], card.program.currency)

    context = {
        "title": _("Top up gift card %s") % card,
        "effect": _("Once you have the money."),
        "submit": _("Top it up"),
    }
    return _dialog(request, card, AmountForm(posted(request)), act, context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_view("gift_cards.serve")
def gift_card_forget(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Erase whom it is for, because they ask for it."""
    card = _card(public_id)

    def act(_data: dict[str, Any]) -> str:
        forget_people(card=card, actor=acting(request))
        return _("Names, address and message are erased.")

    context = {
        "title": _("Erase for whom gift card %s is?") % card,
        "effect": _("Names, e-mail address and message are gone for good. The money stays."),
        "submit": _("Erase them"),
    }
    return _dialog(request, card, forms.Form(posted(request)), act, context)


def _dialog(
    request: HttpRequest, card: GiftCard, form: forms.Form, act: Act, context: dict[str, Any]
) -> HttpResponse:
    back = gift_card_url(card)
    if form.is_valid():
        with errors_on(form):
            return dialog_done(
                request, url=back, changed="gift-card", message=act(form.cleaned_data)
            )
    shown = {"form": form, "card": card, "back": back, **context}
    status = 422 if form.errors else 200
    return render(request, "rewards/backoffice/gift_card_act.html", shown, status=status)


def _told(request: HttpRequest, card: GiftCard) -> HttpResponse:
    """The card with its code. Whoever sends the form again before it is used sees it again."""
    code = code_of(card)
    context = {
        "title": _("Gift card %s") % card,
        "breadcrumbs": gift_card_crumbs(),
        "card": card,
        "program": card.program,
        "code": code,
        "qr_code": qr_code(code) if code else "",
        "url": gift_card_url(card),
    }
    response = render(request, "rewards/backoffice/gift_card_told.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _card(public_id: UUID) -> GiftCard:
    return get_object_or_404(gift_cards(), public_id=public_id)
