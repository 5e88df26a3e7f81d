"""A pass as Google's wallet takes it: a link that carries it, signed by the service account."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import jwt
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from loyalty.card_numbers import grouped
from loyalty.wallet_passes.contents import PassBalance, PassContents
from loyalty.wallet_passes.keys import GooglePassKeys

SAVE = "https://pay.google.com/gp/v/save/"
ICON_SIDE = 512
# More of a name is shown nowhere, and a link has an end.
LONGEST_NAME = 24
# What is not said would stay as it was, so it is said to be nothing.
PERSONAL = (
    "accountName", "accountId", "barcode", "loyaltyPoints", "secondaryLoyaltyPoints",
    "textModulesData",
)  # fmt: skip


def save_link(contents: PassContents, keys: GooglePassKeys, now: dt.datetime) -> str:
    """Where the pass is saved by whoever is signed in at Google; what is saved before stays as it
    is, which is why changes are told besides (`google_line`)."""
    claims = {
        "iss": keys.account,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(now.timestamp()),
        "origins": [settings.SITE_URL],
        "payload": {
            "loyaltyClasses": [loyalty_class(contents, keys)],
            "loyaltyObjects": [_said(loyalty_object(contents, keys))],
        },
    }
    # Written as it is: escaped, names in most scripts would make the link too long.
    said = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    head = {"kid": keys.key_id}
    return SAVE + jwt.PyJWS().encode(said, keys.key, algorithm="RS256", headers=head)


def class_id(contents: PassContents, keys: GooglePassKeys) -> str:
    return f"{keys.issuer}.{contents.program_code}"


def object_id(contents: PassContents, keys: GooglePassKeys) -> str:
    return f"{keys.issuer}.{contents.serial}"


def loyalty_class(contents: PassContents, keys: GooglePassKeys) -> dict[str, Any]:
    """The program."""
    site = settings.SITE_URL.rstrip("/")
    icon = f"{site}{reverse('members:app_icon', args=[ICON_SIDE])}?v={contents.icon}"
    return {
        "id": class_id(contents, keys),
        "issuerName": _short(contents.merchant),
        "programName": _short(contents.program),
        "programLogo": {"sourceUri": {"uri": icon}},
        "hexBackgroundColor": contents.accent,
        "reviewStatus": "UNDER_REVIEW",
    }


def loyalty_object(contents: PassContents, keys: GooglePassKeys) -> dict[str, Any]:
    """The member's card in it."""
    named = {"id": object_id(contents, keys), "classId": class_id(contents, keys)}
    if contents.void:
        return {**named, "state": "INACTIVE", **dict.fromkeys(PERSONAL)}
    first, second = [*map(_points, contents.balances), None, None][:2]
    return {
        **named,
        "state": "ACTIVE",
        "accountName": _short(contents.member),
        # Written below the code.
        "accountId": grouped(contents.card_number),
        "barcode": {"type": "QR_CODE", "value": contents.card_number},
        "loyaltyPoints": first,
        "secondaryLoyaltyPoints": second,
        "textModulesData": _tier(contents),
    }  # fmt: skip


def _said(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is nothing: a new one has nothing to lose, and a link has an end."""
    return {name: value for name, value in values.items() if value}


def _points(balance: PassBalance) -> dict[str, Any]:
    return {"label": _short(balance.label), "balance": {"string": balance.number}}


def _tier(contents: PassContents) -> list[dict[str, str]]:
    if not contents.tier:
        return []
    with translation.override(contents.language):
        return [{"id": "tier", "header": _("Tier"), "body": _short(contents.tier)}]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
