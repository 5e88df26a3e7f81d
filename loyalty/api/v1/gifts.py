"""/gifts: members give units to each other and to charities."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Self

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from rest_framework.request import Request

from loyalty.api.v1.amounts import parse_units
from loyalty.api.v1.transfers import (
    TransferOut,
    ledger_key,
    listed_transfer,
    transfer_out,
    wallet_named,
)
from loyalty.models import Account, Membership, Transfer, Wallet
from loyalty.selectors.memberships import with_card, with_id
from loyalty.services.gifts import LONGEST_MESSAGE, donate_units, give_units, most_to_give
from members.api.bodies import TEXT, Body, PublicId, answer, read_body, refuse_field
from members.api.idempotency import idempotent
from members.api.views import ApiView


class Recipient(Body):
    """Whom the gift is for, by one of the three."""

    membership: PublicId | None = None
    card_number: Annotated[str, Field(max_length=32, pattern=TEXT)] | None = None
    charity: Annotated[str, Field(max_length=64, pattern=TEXT)] | None = Field(
        None, description="The charity's code."
    )

    @model_validator(mode="after")
    def exactly_one(self) -> Self:
        if sum(value is not None for value in self.model_dump().values()) != 1:
            message = _("Give membership, card_number or charity, and one only.")
            raise PydanticCustomError("one_of", str(message))
        return self


class GiftIn(Body):
    """Units that one member gives to another, or to a charity."""

    membership: PublicId = Field(description="Who gives.")
    to: Recipient
    wallet_type: Annotated[str, Field(max_length=64, pattern=TEXT)] = Field(
        "points", description="The wallet type's code."
    )
    units: Annotated[str, Field(pattern=r"^(all|-?[0-9]{1,12}(\.[0-9]{1,4})?)$")] = Field(
        description="Units as decimal text, with at most the wallet type's decimals; to a charity"
        " also `all`: as many as can be given.",
        examples=["120"],
    )
    message: Annotated[str, Field(max_length=LONGEST_MESSAGE, pattern=r"^[^\x00]*$")] = Field(
        "", description="For the member who is given something."
    )


class Gifts(ApiView):
    scopes = {"POST": "transfers:write"}

    @extend_schema(operation_id="give", request=GiftIn, responses={201: TransferOut})
    @idempotent(required=True)
    def post(self, request: Request) -> HttpResponse:
        """Give units of a member to another member of the program, or to a charity. Answers with
        the movement out of the giver's wallet; `/transfers/{id}/reversal` undoes it."""
        body = read_body(request, GiftIn)
        wallet = wallet_named(body.membership, body.wallet_type)
        transfer = self._give(body, wallet, ledger_key(self, request))
        return answer(transfer_out(listed_transfer(transfer.pk)), HTTPStatus.CREATED)

    def _units(self, body: GiftIn, wallet: Wallet) -> int:
        if body.units != "all":
            return parse_units(body.units, wallet.wallet_type)
        if body.to.charity is None:
            raise refuse_field("units", _("All is for charities only."))
        return most_to_give(wallet, timezone.now())

    def _give(self, body: GiftIn, wallet: Wallet, key: str) -> Transfer:
        units = self._units(body, wallet)
        source, now = Transfer.Source.API.value, timezone.now()
        if body.to.charity is not None:
            if body.message:
                raise refuse_field("message", _("A charity is given no message."))
            return donate_units(
                wallet=wallet, charity=_charity(body.to.charity, wallet), units=units,
                actor=self.actor, key=key, source=source, now=now,
            )[0]  # fmt: skip
        return give_units(
            wallet=wallet, to=_member(body.to, wallet), units=units, message=body.message,
            actor=self.actor, key=key, source=source, now=now,
        )[0]  # fmt: skip


def _member(to: Recipient, wallet: Wallet) -> Membership:
    members = Membership.objects.select_related("customer").filter(
        program=wallet.wallet_type.program_id
    )
    if to.membership is not None:
        chosen, field = with_id(to.membership), "to.membership"
    else:
        chosen, field = with_card(to.card_number or ""), "to.card_number"
    found = members.filter(pk__in=chosen).first()
    if found is None:
        raise refuse_field(field, _("There is no such member in this program."), "not_found")
    return found


def _charity(code: str, wallet: Wallet) -> Account:
    charities = wallet.wallet_type.program.accounts.filter(kind=Account.Kind.CHARITY)
    found = charities.filter(code=code).first()
    if found is None:
        known = ", ".join(charities.values_list("code", flat=True)) or "–"
        raise refuse_field("to.charity", _("One of: %(known)s.") % {"known": known}, "not_found")
    return found
