"""/transfers: movements of units, adjustments by hand and their reversal."""

from __future__ import annotations

import datetime as dt
import hashlib
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.request import Request

from loyalty.api.v1.amounts import Units, UnitsAboveZero, UnitsIn, parse_units, units_text
from loyalty.explanations import explain_transfer
from loyalty.models import Membership, Transfer, Wallet
from loyalty.selectors.memberships import with_id
from loyalty.selectors.transfers import transfers
from loyalty.services.adjustments import adjust_units
from loyalty.services.gift_reversals import undo_movement
from loyalty.services.redemptions import reverse_redemption
from members.api.authentication import require_scope
from members.api.bodies import TEXT, Answer, Body, PublicId, answer, read_body, refuse_field
from members.api.idempotency import idempotent, require_key
from members.api.pagination import Page
from members.api.views import ApiView
from members.errors import NotFoundError

Reason = Annotated[
    str,
    Field(
        max_length=64,
        pattern=TEXT,
        description="The code of a reason that the merchant offers: GET /adjustment-reasons.",
        examples=["goodwill"],
    ),
]
Note = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
LARGEST_ID = 2**63 - 1


class AdjustmentIn(Body):
    """Units to add, or with a minus sign to take."""

    membership: PublicId
    wallet_type: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        "points", description="The wallet type's code."
    )
    units: UnitsIn
    reason: Reason
    note: Note = Field("", description="For the merchant's staff; the member does not see it.")


class ReversalIn(Body):
    units: UnitsAboveZero | None = Field(
        None,
        description="Of a redemption so many; by default all that has not come back yet. With it"
        " an Idempotency-Key is required.",
    )
    note: Note = ""


class ExplanationOut(Answer):
    """Why, in the language of Accept-Language."""

    title: str
    steps: list[str]


class DocumentOut(Answer):
    """An order or refund, by where it came from."""

    source: str
    external_id: str


class TransferOut(Answer):
    id: str
    membership: UUID | None = Field(description="Whose wallet it is; null: a pool's.")
    pool: UUID | None = Field(description="The pool whose wallet it is.")
    kind: Transfer.Kind
    wallet_type: str
    decimals: int
    units: Units = Field(description="Below zero where units left the wallet.")
    occurred_at: dt.datetime = Field(description="Business time.")
    recorded_at: dt.datetime
    source: Transfer.Source
    order: DocumentOut | None
    refund: DocumentOut | None
    reverses: str | None = Field(description="What it undoes, as a whole or in part.")
    reversed: bool = Field(description="Whether it was undone.")
    reason: str
    note: str
    message: str = Field(description="What the merchant, or another member, wrote with a gift.")
    explanation: ExplanationOut


class TransferPage(Page):
    results: list[TransferOut]


class Transfers(ApiView):
    scopes = {"POST": "transfers:write"}

    @extend_schema(operation_id="adjust", request=AdjustmentIn, responses={201: TransferOut})
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Add units to a wallet or take some, with a reason."""
        body = read_body(request, AdjustmentIn)
        wallet = wallet_named(body.membership, body.wallet_type)
        transfer, _replayed = adjust_units(
            wallet=wallet,
            units=parse_units(body.units, wallet.wallet_type),
            reason=body.reason,
            note=body.note,
            actor=self.actor,
            key=ledger_key(self, request),
            source=Transfer.Source.API,
            now=timezone.now(),
        )
        return answer(transfer_out(listed_transfer(transfer.pk)), HTTPStatus.CREATED)


class OneTransfer(ApiView):
    scopes = {"GET": "transfers:read"}
    for_partners = frozenset({"GET"})

    @extend_schema(operation_id="getTransfer", responses={200: TransferOut})
    def get(self, request: Request, transfer_id: int) -> HttpResponse:
        """Read a movement."""
        transfer = listed_transfer(transfer_id)
        require_own_movement(self.api_key.partner, transfer)
        return answer(transfer_out(transfer))


class TransferReversal(ApiView):
    scopes = {"POST": ("transfers:write", "redemptions:write")}
    for_partners = frozenset({"POST"})

    @extend_schema(
        operation_id="reverse",
        request=ReversalIn,
        responses={200: TransferOut, 201: TransferOut},
    )
    @idempotent()
    def post(self, request: Request, transfer_id: int) -> HttpResponse:
        """Undo an adjustment, a donation, or what was given for a day of the year as a whole, a
        gift as far as something is left of it, a redemption as a whole or in part. Undoing it again
        changes nothing and answers 200. With `redemptions:write` alone only redemptions."""
        body = read_body(request, ReversalIn)
        transfer = listed_transfer(transfer_id)
        require_own_movement(self.api_key.partner, transfer)
        if transfer.kind == Transfer.Kind.REDEMPTION:
            reversal, replayed = self._give_back(request, transfer, body)
        else:
            reversal, replayed = self._undo(transfer, body)
        status = HTTPStatus.OK if replayed else HTTPStatus.CREATED
        return answer(transfer_out(listed_transfer(reversal.pk)), status)

    def _undo(self, transfer: Transfer, body: ReversalIn) -> tuple[Transfer, bool]:
        require_scope(self.api_key, "transfers:write")
        if body.units is not None:
            raise refuse_field("units", _("Only a redemption can be undone in part."))
        return undo_movement(
            transfer=transfer,
            actor=self.actor,
            source=Transfer.Source.API,
            now=timezone.now(),
            note=body.note,
        )

    def _give_back(
        self, request: Request, transfer: Transfer, body: ReversalIn
    ) -> tuple[Transfer, bool]:
        part = body.units is not None
        return reverse_redemption(
            transfer=transfer,
            units=parse_units(body.units, transfer.wallet_type) if body.units else None,
            key=ledger_key(self, request) if part else f"undo:{transfer.pk}",
            source=Transfer.Source.API,
            actor=self.actor,
            now=timezone.now(),
            note=body.note,
        )


def require_own_movement(partner: int | None, transfer: Transfer) -> None:
    """Raises NotFoundError where a partner asks for a movement that was not at it."""
    if partner is not None and partner not in (transfer.from_account_id, transfer.to_account_id):
        raise NotFoundError(_("There is no such movement."))


def ledger_key(view: ApiView, request: Request) -> str:
    """The request's Idempotency-Key for the ledger, which knows it longer than a record of the
    answer is kept."""
    name = hashlib.sha256(require_key(request).encode()).hexdigest()
    return view.key_for_ledger(name)


def listed_transfers() -> QuerySet[Transfer]:
    """Movements with all that `transfer_out` reads, but the membership when that is known."""
    return transfers()


def transfer_out(transfer: Transfer, membership: Membership | None = None) -> TransferOut:
    scale = transfer.wallet_type.scale
    explanation = explain_transfer(transfer)
    account = None if membership else transfer.wallet.account
    owner = membership or getattr(account, "membership", None)
    pool = None if owner else getattr(account, "pool", None)
    return TransferOut(
        id=str(transfer.pk),
        membership=owner.public_id if owner else None,
        pool=pool.public_id if pool else None,
        kind=Transfer.Kind(transfer.kind),
        wallet_type=transfer.wallet_type.code,
        decimals=scale,
        units=units_text(transfer.signed_amount, scale),
        occurred_at=transfer.occurred_at,
        recorded_at=transfer.recorded_at,
        source=Transfer.Source(transfer.source),
        order=document(transfer.order),
        refund=document(transfer.refund),
        reverses=_undone_id(transfer),
        reversed=transfer.is_reversed,  # type: ignore[attr-defined]
        reason=transfer.reason,
        note=transfer.note,
        message=explanation.message,
        explanation=ExplanationOut(title=explanation.title, steps=list(explanation.steps)),
    )


def _undone_id(transfer: Transfer) -> str | None:
    undoes = transfer.kind == Transfer.Kind.REVERSAL
    target = transfer.reverses_id or (transfer.corrects_id if undoes else None)
    return str(target) if target else None


def document(found: object) -> DocumentOut | None:
    if found is None:
        return None
    return DocumentOut(source=found.source, external_id=found.external_id)  # type: ignore[attr-defined]


def listed_transfer(transfer_id: int) -> Transfer:
    """One movement as `transfer_out` reads it. Raises NotFoundError."""
    found = None
    if transfer_id <= LARGEST_ID:
        chosen = listed_transfers().select_related(
            "wallet__account__membership", "wallet__account__pool"
        )
        found = chosen.filter(pk=transfer_id).first()
    if found is None:
        raise NotFoundError(_("There is no such transfer."))
    return found


def wallet_named(membership: UUID, wallet_type: str) -> Wallet:
    """A member's wallet of the units with this code, or the refusal of the field at fault. A member
    who was merged into another stands for that one."""
    found = Wallet.objects.filter(account__membership__in=with_id(membership))
    wallets = list(found.select_related("wallet_type__program"))
    if not wallets:
        raise refuse_field("membership", _("There is no such membership."), "not_found")
    for wallet in wallets:
        if wallet.wallet_type.code == wallet_type:
            return wallet
    known = ", ".join(wallet.wallet_type.code for wallet in wallets)
    raise refuse_field("wallet_type", _("One of: %(known)s.") % {"known": known}, "not_found")
