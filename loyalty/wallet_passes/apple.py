"""A pass as Apple's wallet takes it: a packed folder that is signed as a whole."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
)
from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from loyalty.card_numbers import grouped
from loyalty.wallet_passes.contents import PassContents
from loyalty.wallet_passes.keys import ApplePassKeys
from loyalty.wallet_passes.tokens import pass_token
from members.branding import foreground_on, parse_hex, to_hex
from members.installed.icons import draw_icon
from members.languages import offered_languages
from members.selectors.merchants import get_merchant

CONTENT_TYPE = "application/vnd.apple.pkpass"
# The sides in points of what Apple names so; each is there for screens of one to three pixels.
PICTURES = {"icon": 29, "logo": 50}
SCALES = {"": 1, "@2x": 2, "@3x": 3}
# What the pass says besides names and numbers, by the key that stands for it. A program, which
# fills in "%@", says what a number has become.
WORDS = {
    "member": _("Member"),
    "tier": _("Tier"),
    "number": _("Card number"),
    "program": _("Program"),
    "page": _("Your page"),
    "description": _("Member card"),
    "balance_changed": _("You have %@ now."),
    "tier_changed": _("Your tier is %@ now."),
}
# As many as there is room for beside the first.
MORE_BALANCES = 3


def pass_file(contents: PassContents, keys: ApplePassKeys, token: str = "") -> bytes:
    """The signed package. `token`: that of the pass which this one takes the place of; Apple lets
    everything change but this."""
    said = pass_json(contents, keys) | ({"authenticationToken": token} if token else {})
    files = {
        "pass.json": json.dumps(said, ensure_ascii=False).encode(),
        **_pictures(),
        **_texts(),
    }
    digests = {
        name: hashlib.sha1(content, usedforsecurity=False).hexdigest()
        for name, content in sorted(files.items())
    }
    manifest = json.dumps(digests).encode()
    files |= {"manifest.json": manifest, "signature": _signature(manifest, keys)}
    return _packed(files)


def pass_response(content: bytes) -> HttpResponse:
    """A browser on a phone shows it, and offers to keep it."""
    response = HttpResponse(content, content_type=CONTENT_TYPE)
    response["Content-Disposition"] = 'attachment; filename="card.pkpass"'
    return response


def pass_json(contents: PassContents, keys: ApplePassKeys) -> dict[str, Any]:
    """What is in it."""
    accent = parse_hex(contents.accent)
    ink = _rgb(to_hex(foreground_on(accent)))
    return {
        "formatVersion": 1,
        "passTypeIdentifier": keys.pass_type,
        "teamIdentifier": keys.team,
        "serialNumber": contents.serial,
        "organizationName": contents.merchant,
        "description": "description",
        "logoText": contents.program,
        "backgroundColor": _rgb(contents.accent),
        "foregroundColor": ink,
        "labelColor": ink,
        "sharingProhibited": True,
        "webServiceURL": f"{_site()}/wallet/apple/",
        "authenticationToken": pass_token(contents.serial),
        "voided": contents.void,
        "barcodes": [] if contents.void else [_barcode(contents)],
        "storeCard": _void_fields(contents) if contents.void else _fields(contents),
    }


def _fields(contents: PassContents) -> dict[str, list[dict[str, str]]]:
    first, *more = [
        {"key": f"balance-{one.unit}", "label": one.label, "value": one.number,
         "changeMessage": "balance_changed"}
        for one in contents.balances
    ] or [{}]  # fmt: skip
    tier = {"key": "tier", "label": "tier", "value": contents.tier, "changeMessage": "tier_changed"}
    return {
        "headerFields": [tier] if contents.tier else [],
        "primaryFields": [first] if first else [],
        "secondaryFields": [{"key": "member", "label": "member", "value": contents.member}],
        "auxiliaryFields": more[:MORE_BALANCES],
        "backFields": [
            {"key": "program", "label": "program", "value": contents.program},
            {"key": "number", "label": "number", "value": grouped(contents.card_number)},
            {"key": "page", "label": "page", "value": f"{_site()}/me/"},
        ],
    }


def _void_fields(contents: PassContents) -> dict[str, list[dict[str, str]]]:
    return {"backFields": [{"key": "program", "label": "program", "value": contents.program}]}


def _barcode(contents: PassContents) -> dict[str, str]:
    """What the till reads from the card on the member's page."""
    return {
        "format": "PKBarcodeFormatQR", "message": contents.card_number,
        "messageEncoding": "iso-8859-1", "altText": grouped(contents.card_number),
    }  # fmt: skip


def _site() -> str:
    return str(settings.SITE_URL).rstrip("/")


def _rgb(color: str) -> str:
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def _pictures() -> dict[str, bytes]:
    merchant = get_merchant()
    return {
        f"{name}{mark}.png": draw_icon(merchant, side * scale)
        for name, side in PICTURES.items()
        for mark, scale in SCALES.items()
    }


def _texts() -> dict[str, bytes]:
    """Of each language that is offered; the phone chooses by its own."""
    found = {}
    for code in offered_languages().codes:
        with translation.override(code):
            found[f"{_folder(code)}.lproj/pass.strings"] = _strings(WORDS)
    return found


def _folder(code: str) -> str:
    """ "zh-hans" is "zh-Hans" there, and "pt-br" "pt-BR"."""
    language, _dash, rest = code.partition("-")
    return language + (f"-{rest.title() if len(rest) == 4 else rest.upper()}" if rest else "")


def _strings(words: Mapping[str, Any]) -> bytes:
    def quoted(text: object) -> str:
        return json.dumps(str(text), ensure_ascii=False)

    return "".join(f"{quoted(key)} = {quoted(text)};\n" for key, text in words.items()).encode()


def _signature(manifest: bytes, keys: ApplePassKeys) -> bytes:
    """Detached, with the intermediate, so that it leads to Apple's root."""
    return (
        PKCS7SignatureBuilder()
        .set_data(manifest)
        .add_signer(keys.certificate, keys.key, hashes.SHA256())
        .add_certificate(keys.intermediate)
        .sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
    )


def _packed(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in files.items():
            package.writestr(name, data)
    return content.getvalue()
