"""What the shop's pages show, set by staff; and what a visitor's basket would earn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.models import Program
from loyalty.services.order_inputs import OrderInput
from loyalty.services.quotes import quote_order
from members.errors import DomainError, FieldError
from members.services.audit import Actor, audit_changes
from members.services.merchants import update_merchant
from rewards.models import Storefront
from rewards.selectors.storefront import Earned, get_storefront, summed

PLACE = re.compile(r"|https?://[^\s/\\]+(/\S*)?|/([^\s/\\]\S*)?")
FIELDS = ("program", "elements", "join_url", "account_url", "popup_seconds")


def update_storefront(
    *, actor: Actor, changes: dict[str, Any], shop_origins: Sequence[str] | None = None
) -> Storefront:
    """Change the named fields, and from which pages members' tokens may be used."""
    unknown = set(changes) - set(FIELDS)
    if unknown:
        errors = [FieldError(name, _("There is no such field."), "unknown") for name in unknown]
        raise DomainError(_("Some fields are not known."), errors=errors)
    get_storefront()
    with transaction.atomic():
        if shop_origins is not None:
            update_merchant(actor=actor, changes={"shop_origins": list(shop_origins)})
        row = Storefront.objects.select_for_update(of=("self",)).get(pk=1)
        before = _said(row)
        for name, value in changes.items():
            setattr(row, name, value)
        _check(row)
        if audit_changes(
            actor=actor, action="storefront.changed", target=row, before=before, after=_said(row)
        ):
            row.save()
    return row


def earned_in(program: Program, order: OrderInput) -> list[Earned]:
    """What a basket earns for the customer that it names, or for who joins with it. Raises
    InvalidOrderError."""
    quotes = quote_order(order, program_code=program.code)
    return summed(
        program,
        (
            (quoted.award.version.wallet_type_id, quoted.award.units)
            for quote in quotes
            for quoted in quote.awards
        ),
    )


def _said(row: Storefront) -> dict[str, Any]:
    return {
        "program": row.program.code if row.program else "",
        "elements": sorted(row.elements),
        "join_url": row.join_url,
        "account_url": row.account_url,
        "popup_seconds": row.popup_seconds,
    }


def _check(row: Storefront) -> None:
    errors: list[FieldError] = []
    try:
        row.clean_fields(exclude=["program"])
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            errors.extend(FieldError(name, message) for message in messages)
    for name in ("join_url", "account_url"):
        setattr(row, name, getattr(row, name).strip())
        # A link of any other kind could run in the shop's page.
        if not PLACE.fullmatch(getattr(row, name)):
            words = _(
                "Write an address like https://shop.example/account, or a path like /account."
            )
            errors.append(FieldError(name, words))
    if not 3 <= row.popup_seconds <= 600:
        errors.append(FieldError("popup_seconds", _("From 3 to 600.")))
    if row.program is not None and row.program.status != Program.Status.LIVE:
        errors.append(FieldError("program", _("This program is not live."), "not_live"))
    if errors:
        raise DomainError(_("The settings cannot be kept like this."), errors=errors)
