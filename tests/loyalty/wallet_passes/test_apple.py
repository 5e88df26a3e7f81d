"""A pass is what Apple's wallet opens: signed, whole, with what the member has."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from loyalty.models import Membership, WalletPass
from loyalty.services.leaving import leave_program
from loyalty.services.wallet_passes import apple_pass_file
from loyalty.wallet_passes.apple import _folder, _strings
from loyalty.wallet_passes.keys import ApplePassKeys
from loyalty.wallet_passes.tokens import is_token_of, pass_token
from members.errors import NotFoundError
from members.models import Customer, Merchant
from members.services.audit import SYSTEM
from tests.loyalty.account.conftest import define_program
from tests.loyalty.account.test_tiers import TIERS
from tests.loyalty.wallet_passes.authority import PASS_TYPE, TEAM, AppleFiles

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("maya_for_all")]


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def said(member: Membership) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opened(apple_pass_file(member, timezone.now()))["pass.json"])
    return found


def parts_of(content: bytes) -> list[tuple[int, bytes, bytes]]:
    """What a DER value consists of: of each part its tag, all of it, and what is in it."""
    found, at = [], 0
    while at < len(content):
        length, head = content[at + 1], 2
        if length & 0x80:
            head += length & 0x7F
            length = int.from_bytes(content[at + 2 : at + head], "big")
        end = at + head + length
        found.append((content[at], content[at:end], content[at + head : end]))
        at = end
    return found


def test_the_signature_is_that_of_the_certificate_over_the_manifest_which_is_not_in_it(
    apple: ApplePassKeys, files: AppleFiles, member: Membership
) -> None:
    package = opened(apple_pass_file(member, timezone.now()))
    ((_tag, _all, outer),) = parts_of(package["signature"])
    _kind, (_tag, _all, wrapped) = parts_of(outer)
    ((_tag, _all, signed),) = parts_of(wrapped)
    _version, _digests, (_tag, _all, content), certificates, (_tag, _all, signers) = parts_of(
        signed
    )
    assert len(parts_of(content)) == 1
    assert {raw for _tag, raw, _inside in parts_of(certificates[2])} == {
        one.certificate.public_bytes(Encoding.DER) for one in (files.own, files.intermediate)
    }
    ((_tag, _all, signer),) = parts_of(signers)
    *_who, (_tag, attributes, _inside), _how, (_tag, _all, signature) = parts_of(signer)
    # As a set is what is signed.
    said = b"\x31" + attributes[1:]
    key = files.own.certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(signature, said, PKCS1v15(), SHA256())
    assert hashlib.sha256(package["manifest.json"]).digest() in said


@pytest.mark.skipif(shutil.which("openssl") is None, reason="OpenSSL's command is not installed")
def test_openssl_verifies_the_signature_up_to_the_root(
    apple: ApplePassKeys, files: AppleFiles, member: Membership, tmp_path: Path
) -> None:
    package = opened(apple_pass_file(member, timezone.now()))
    for name in ("manifest.json", "signature"):
        (tmp_path / name).write_bytes(package[name])

    def verify(manifest: str) -> int:
        return subprocess.run(
            ["openssl", "smime", "-verify", "-binary", "-inform", "DER", "-purpose", "any",
             "-in", "signature", "-content", manifest, "-CAfile", files.path("root.pem"),
             "-out", "/dev/null"],
            cwd=tmp_path, check=False, capture_output=True,
        ).returncode  # fmt: skip

    assert verify("manifest.json") == 0
    (tmp_path / "forged.json").write_bytes(package["manifest.json"] + b" ")
    assert verify("forged.json") != 0


def test_the_manifest_has_the_digest_of_every_file(
    apple: ApplePassKeys, member: Membership
) -> None:
    package = opened(apple_pass_file(member, timezone.now()))
    manifest = json.loads(package["manifest.json"])
    assert set(manifest) == set(package) - {"manifest.json", "signature"}
    for name, digest in manifest.items():
        assert hashlib.sha1(package[name], usedforsecurity=False).hexdigest() == digest, name


def test_it_says_who_has_what_and_has_the_code_of_the_till(
    apple: ApplePassKeys, member: Membership, settings: Any
) -> None:
    settings.SITE_URL = "https://club.example"
    Merchant.objects.update(accent_color="#0f766e")
    found = said(member)
    card = found["storeCard"]
    assert (found["passTypeIdentifier"], found["teamIdentifier"]) == (PASS_TYPE, TEAM)
    assert found["formatVersion"] == 1
    assert found["serialNumber"] == str(member.public_id)
    assert (found["organizationName"], found["logoText"]) == ("Corner Coffee", "Bean Club")
    assert found["backgroundColor"] == "rgb(15, 118, 110)"
    assert found["foregroundColor"] == found["labelColor"] == "rgb(255, 255, 255)"
    assert found["webServiceURL"] == "https://club.example/wallet/apple/"
    assert found["voided"] is False
    (barcode,) = found["barcodes"]
    assert barcode["format"] == "PKBarcodeFormatQR"
    assert barcode["message"] == member.card_number
    assert barcode["altText"].replace(" ", "") == member.card_number
    assert card["primaryFields"] == [
        {"key": "balance-points", "label": "Beans", "value": "151",
         "changeMessage": "balance_changed"}
    ]  # fmt: skip
    assert card["secondaryFields"] == [{"key": "member", "label": "member", "value": "Maya Lim"}]
    assert {field["key"] for field in card["backFields"]} == {"program", "number", "page"}
    assert card["headerFields"] == []


def test_its_token_is_its_own_and_kept_nowhere(
    apple: ApplePassKeys, member: Membership, settings: Any
) -> None:
    token = said(member)["authenticationToken"]
    assert len(token) == 64
    assert token == pass_token(str(member.public_id))
    assert is_token_of(token, str(member.public_id).upper())
    assert not is_token_of(token, "3f0c8a52-0000-4000-8000-000000000000")
    kept = WalletPass.objects.values().get()
    assert token not in str(kept)
    # Phones have passes from before the key was replaced.
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 9, [settings.SECRET_KEY]
    assert is_token_of(token, str(member.public_id))
    settings.SECRET_KEY_FALLBACKS = []
    assert not is_token_of(token, str(member.public_id))


def test_its_words_are_there_in_every_language(
    apple: ApplePassKeys, member: Membership, settings: Any
) -> None:
    package = opened(apple_pass_file(member, timezone.now()))
    folders = {name.partition("/")[0] for name in package if name.endswith("pass.strings")}
    assert folders == {f"{_folder(code)}.lproj" for code, _name in settings.LANGUAGES}
    assert "en.lproj" in folders
    found = json.loads(package["pass.json"])
    english = package["en.lproj/pass.strings"].decode()
    keys = {line.partition(" = ")[0].strip('"') for line in english.splitlines()}
    fields = [field for group in found["storeCard"].values() for field in group]
    for field in fields:
        if not field["key"].startswith("balance-"):
            assert field["label"] in keys
        assert field.get("changeMessage", "description") in keys
    assert '"balance_changed" = "You have %@ now.";' in english
    assert _folder("zh-hans") == "zh-Hans"
    assert _folder("pt-br") == "pt-BR"
    assert _strings({"a": 'with "quotes"'}) == b'"a" = "with \\"quotes\\"";\n'


def test_its_pictures_are_pngs_of_the_sizes_that_apple_names(
    apple: ApplePassKeys, member: Membership, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    package = opened(apple_pass_file(member, timezone.now()))
    sides = {"icon": 29, "logo": 50}
    for name, side in sides.items():
        for mark, scale in (("", 1), ("@2x", 2), ("@3x", 3)):
            with Image.open(io.BytesIO(package[f"{name}{mark}.png"])) as picture:
                assert picture.format == "PNG"
                assert picture.size == (side * scale, side * scale)
    letter = package["logo@3x.png"]
    merchant = Merchant.objects.get()
    drawn = io.BytesIO()
    Image.new("RGB", (64, 64), "#aa3300").save(drawn, "PNG")
    merchant.logo.save("logo.png", ContentFile(drawn.getvalue()))
    with_logo = opened(apple_pass_file(member, timezone.now()))["logo@3x.png"]
    assert with_logo != letter


def test_who_has_left_has_no_card(apple: ApplePassKeys, member: Membership) -> None:
    leave_program(membership=member, actor=SYSTEM, now=timezone.now())
    member.refresh_from_db()
    with pytest.raises(NotFoundError):
        apple_pass_file(member, timezone.now())


def test_there_is_none_without_a_certificate_or_when_it_has_ended(
    apple: ApplePassKeys, member: Membership, settings: Any
) -> None:
    with pytest.raises(NotFoundError):
        apple_pass_file(member, apple.valid_until)
    settings.APPLE_PASSES = None
    with pytest.raises(NotFoundError):
        apple_pass_file(member, timezone.now())
    assert not WalletPass.objects.exists()


def test_numbers_are_written_as_the_member_reads_them(
    apple: ApplePassKeys, member: Membership, maya: Customer, shop: Any
) -> None:
    shop.adjust(member, 5_000)
    Customer.objects.filter(pk=maya.pk).update(locale="el")
    value = said(member)["storeCard"]["primaryFields"][0]["value"]
    assert value == "5.151"


def test_the_tier_stands_above_and_says_so_when_it_changes(
    apple: ApplePassKeys, member: Membership
) -> None:
    define_program(tiers=TIERS)
    member.refresh_from_db()
    assert said(member)["storeCard"]["headerFields"] == [
        {"key": "tier", "label": "tier", "value": "Member", "changeMessage": "tier_changed"}
    ]
