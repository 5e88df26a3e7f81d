"""Movements as rows of a screen: what happened, why, who did it, and whether it can be undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from loyalty.explanations import explain_transfer
from loyalty.models import Transfer
from loyalty.timeline import LOOK
from members.policy import is_allowed
from members.timeline_view import WhyStep

# What is undone by hand: who may, and where.
UNDO: dict[str, tuple[str, str]] = {
    Transfer.Kind.ADJUSTMENT: ("points.adjust", "loyalty_backoffice:transfer_undo"),
    Transfer.Kind.REDEMPTION: ("points.adjust", "loyalty_backoffice:redemption_undo"),
    Transfer.Kind.GIFT: ("gifts.make", "loyalty_backoffice:gift_undo"),
    Transfer.Kind.DONATION: ("gifts.make", "loyalty_backoffice:gift_undo"),
}


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A transfer with its explanation in the reader's language."""

    transfer: Transfer
    icon: str
    look: str
    title: str
    why: tuple[WhyStep, ...]
    actor: str
    undo_url: str
    bring_back_url: str
    undone: bool


def movement_rows(
    transfers: Iterable[Transfer], user: AbstractBaseUser | AnonymousUser
) -> list[MovementRow]:
    """Rows for transfers that come from `loyalty.selectors.transfers.transfers`, or that would be
    made."""
    undo = {kind: name for kind, (action, name) in UNDO.items() if is_allowed(user, action)}
    may_edit = is_allowed(user, "lots.edit")
    return [_row(transfer, undo, may_edit) for transfer in transfers]


def _row(transfer: Transfer, undo: dict[str, str], may_edit: bool) -> MovementRow:
    explanation = explain_transfer(transfer, audience="staff")
    undone: bool = getattr(transfer, "is_reversed", False)
    icon, look = LOOK[transfer.kind]
    return MovementRow(
        transfer=transfer,
        icon=icon,
        look=look,
        title=explanation.title,
        why=explanation.why,
        actor=str(transfer.actor) if transfer.actor_id else transfer.get_source_display(),
        undo_url=reverse(undo[transfer.kind], args=[transfer.pk])
        if transfer.kind in undo and not undone
        else "",
        bring_back_url=_bring_back_url(transfer) if may_edit and not undone else "",
        undone=undone,
    )


def _bring_back_url(transfer: Transfer) -> str:
    if transfer.kind != Transfer.Kind.EXPIRY:
        return ""
    return reverse("loyalty_backoffice:units_reinstate", args=[transfer.pk])
