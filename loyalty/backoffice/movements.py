"""Movements as rows of a screen: what happened, why, who did it, and whether it can be undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from loyalty.explanations import circumstances_of, explain_transfer
from loyalty.models import Transfer
from loyalty.services.occasion_reversals import is_of_occasion, taken_back
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
OCCASION_UNDO = "loyalty_backoffice:occasion_undo"


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A transfer with its explanation in the reader's language."""

    transfer: Transfer
    icon: str
    look: str
    title: str
    circumstances: str
    why: tuple[WhyStep, ...]
    actor: str
    undo_url: str
    bring_back_url: str
    undone: bool


def movement_rows(
    transfers: Iterable[Transfer],
    user: AbstractBaseUser | AnonymousUser,
    *,
    may_undo: bool = True,
) -> list[MovementRow]:
    """Rows for transfers that come from `loyalty.selectors.transfers.transfers`, or that would be
    made. `may_undo`: False where they are only looked at, whoever looks."""
    found = list(transfers)
    gone = taken_back(found)

    def may(action: str) -> bool:
        return may_undo and is_allowed(user, action)

    undo = {kind: name for kind, (action, name) in UNDO.items() if may(action)}
    for_days = OCCASION_UNDO if may("activities.decide") else ""
    may_edit = may("lots.edit")
    return [
        _row(
            transfer,
            for_days if is_of_occasion(transfer) else undo.get(transfer.kind, ""),
            may_edit,
            undone=transfer.pk in gone or getattr(transfer, "is_reversed", False),
        )
        for transfer in found
    ]


def _row(transfer: Transfer, undo: str, may_edit: bool, *, undone: bool) -> MovementRow:
    explanation = explain_transfer(transfer, audience="staff")
    icon, look = LOOK[transfer.kind]
    # These are undone where they were made.
    elsewhere = transfer.explanation.get("gift_card") or transfer.explanation.get("reward")
    return MovementRow(
        transfer=transfer,
        icon=icon,
        look=look,
        title=explanation.title,
        circumstances=circumstances_of(transfer),
        why=explanation.why,
        actor=str(transfer.actor) if transfer.actor_id else transfer.get_source_display(),
        undo_url=reverse(undo, args=[transfer.pk]) if undo and not (undone or elsewhere) else "",
        bring_back_url=_bring_back_url(transfer) if may_edit and not undone else "",
        undone=undone,
    )


def _bring_back_url(transfer: Transfer) -> str:
    if transfer.kind != Transfer.Kind.EXPIRY:
        return ""
    return reverse("loyalty_backoffice:units_reinstate", args=[transfer.pk])
