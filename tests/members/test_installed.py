"""The members' pages on the home screen: manifest and icon in the merchant's look."""

from __future__ import annotations

import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from PIL import Image

from members.models import Merchant
from members.pdf_pages import MerchantPages
from members.services.audit import SYSTEM
from members.services.merchants import update_merchant

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant() -> Merchant:
    found, _new = Merchant.objects.update_or_create(
        pk=1, defaults={"name": "Corner Coffee", "accent_color": "#1d4ed8"}
    )
    return found


def picture(client: Client, url: str) -> Image.Image:
    response = client.get(url)
    assert response["Content-Type"] == "image/png"
    return Image.open(io.BytesIO(response.content)).convert("RGB")


def test_the_manifest_has_the_merchants_look_and_opens_with_the_card(
    client: Client, merchant: Merchant
) -> None:
    response = client.get("/app.webmanifest")
    assert response["Content-Type"] == "application/manifest+json"
    found = response.json()
    assert (found["name"], found["theme_color"]) == ("Corner Coffee", "#1d4ed8")
    assert (found["start_url"], found["display"]) == ("/me/card/", "standalone")
    for icon in found["icons"]:
        side = int(icon["sizes"].partition("x")[0])
        assert picture(client, icon["src"]).size == (side, side)


def test_without_a_logo_the_icon_is_the_first_letter_on_the_accent_color(
    client: Client, merchant: Merchant
) -> None:
    drawn = picture(client, "/app-icon-192.png")
    assert drawn.getpixel((2, 2)) == (0x1D, 0x4E, 0xD8)
    assert (255, 255, 255) in {color for _count, color in drawn.getcolors(maxcolors=10_000) or []}


def test_another_look_has_another_address_that_may_be_kept(
    client: Client, merchant: Merchant
) -> None:
    before = client.get("/app.webmanifest").json()["icons"][0]["src"]
    assert "immutable" in client.get(before)["Cache-Control"]
    content = io.BytesIO()
    Image.new("RGB", (200, 100), "#ff0000").save(content, "PNG")
    logo = SimpleUploadedFile("logo.png", content.getvalue(), "image/png")
    update_merchant(actor=SYSTEM, changes={"logo": logo})
    after = client.get("/app.webmanifest").json()["icons"][0]["src"]
    assert after != before
    assert picture(client, after).getpixel((90, 90)) == (255, 0, 0)
    assert client.get(before)["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("damage", ["cut", "lost"])
def test_a_damaged_logo_leaves_the_letter(client: Client, merchant: Merchant, damage: str) -> None:
    content = io.BytesIO()
    Image.effect_noise((200, 100), 90).save(content, "PNG")
    logo = SimpleUploadedFile("logo.png", content.getvalue(), "image/png")
    kept = update_merchant(actor=SYSTEM, changes={"logo": logo})
    # Not when it was chosen: that would have been refused.
    kept.logo.storage.delete(kept.logo.name)
    if damage == "cut":
        kept.logo.storage.save(kept.logo.name, ContentFile(content.getvalue()[:600]))
    assert picture(client, "/app-icon-192.png").getpixel((2, 2)) == (0x1D, 0x4E, 0xD8)
    with translation.override("en"):
        pages = MerchantPages(kept, title="Statement", text=[])
    assert bytes(pages.output()).startswith(b"%PDF")


def test_icons_of_other_sizes_are_not_there(client: Client, merchant: Merchant) -> None:
    assert client.get("/app-icon-5000.png").status_code == 404


def test_a_chinese_name_has_its_first_character_on_the_icon(client: Client) -> None:
    Merchant.objects.update_or_create(
        pk=1, defaults={"name": "角落咖啡", "accent_color": "#111111"}
    )
    first = picture(client, "/app-icon-192.png").tobytes()
    Merchant.objects.update(name="咖啡")
    assert picture(client, "/app-icon-192.png").tobytes() != first
