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
    undone: bool


def movement_rows(
    transfers: Iterable[Transfer], user: AbstractBaseUser | AnonymousUser
) -> list[MovementRow]:
    """Rows for transfers that come from `loyalty.selectors.transfers.transfers`, or that would be
    made."""
    may_adjust = is_allowed(user, "points.adjust")
    return [_row(transfer, may_adjust) for transfer in transfers]


def _row(transfer: Transfer, may_adjust: bool) -> MovementRow:
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
        undo_url=_undo_url(transfer) if may_adjust and not undone else "",
        undone=undone,
    )


def _undo_url(transfer: Transfer) -> str:
    """The dialog that undoes a movement of this kind by hand, if there is one."""
    names = {
        Transfer.Kind.ADJUSTMENT: "transfer_undo",
        Transfer.Kind.REDEMPTION: "redemption_undo",
    }
    name = names.get(Transfer.Kind(transfer.kind))
    return reverse(f"loyalty_backoffice:{name}", args=[transfer.pk]) if name else ""
