"""The merchant's settings: checked, written down, and a logo that is what it says it is."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from members.errors import DomainError
from members.images import LARGEST_FILE, ImageError, read_image
from members.models import AuditEntry, Merchant
from members.selectors.merchants import DEFAULT_NAME, get_merchant
from members.services.audit import Actor
from members.services.merchants import update_merchant


def png(width: int = 2, height: int = 3) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = zlib.compress((b"\x00" + b"\x00\x80\x00" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + end


def drawn(form: str, size: tuple[int, int], mode: str = "RGB", **how: Any) -> bytes:
    content = BytesIO()
    PIL.Image.effect_noise(size, 90).convert(mode).save(content, form, **how)
    return content.getvalue()


JPEG = drawn("JPEG", (32, 16))
WEBP_LOSSY = drawn("WEBP", (40, 20))
WEBP_LOSSLESS = drawn("WEBP", (40, 20), lossless=True)
WEBP_EXTENDED = drawn("WEBP", (40, 20), exif=b"Exif\0\0II*\0" + b"\0" * 6)


@pytest.mark.django_db
def test_the_merchant_is_made_with_defaults_by_whoever_asks_first() -> None:
    Merchant.objects.all().delete()
    made = get_merchant()
    assert (made.pk, made.name, made.time_zone) == (1, DEFAULT_NAME, "UTC")
    assert get_merchant() == made == Merchant.objects.get()


@pytest.mark.parametrize(
    ("content", "extension", "size"),
    [
        (png(64, 32), "png", (64, 32)),
        (JPEG, "jpg", (32, 16)),
        (WEBP_LOSSY, "webp", (40, 20)),
        (WEBP_LOSSLESS, "webp", (40, 20)),
        (WEBP_EXTENDED, "webp", (40, 20)),
    ],
)
def test_a_picture_is_recognized_by_its_content(
    content: bytes, extension: str, size: tuple[int, int]
) -> None:
    image = read_image(BytesIO(content))
    assert (image.extension, (image.width, image.height)) == (extension, size)


def test_webp_is_known_in_all_three_wrappings() -> None:
    wrappings = [kind[12:16] for kind in (WEBP_LOSSY, WEBP_LOSSLESS, WEBP_EXTENDED)]
    assert wrappings == [b"VP8 ", b"VP8L", b"VP8X"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a PNG"),
        (b"GIF89a" + b"\0" * 50, "not a PNG"),
        (b"", "not a PNG"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0", "damaged"),
        (b"\xff\xd8\xff\xe0\x00", "damaged"),
        (drawn("PNG", (64, 32))[:600], "damaged.*Save the picture again"),
        (JPEG[: len(JPEG) // 2], "damaged"),
        (WEBP_LOSSY[: len(WEBP_LOSSY) // 2], "damaged"),
        (WEBP_LOSSLESS[: len(WEBP_LOSSLESS) // 2], "damaged"),
        (png()[:12] + b"IHDR" + b"\0" * 20, "pixels"),
        (png()[:12] + b"IHDR" + struct.pack(">II", 5000, 10), "pixels"),
        (png() + b"\0" * LARGEST_FILE, "larger than"),
    ],
)
def test_what_is_no_usable_picture_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        read_image(BytesIO(content))


@pytest.mark.django_db
def test_settings_are_changed_and_written_down(actor: Actor) -> None:
    update_merchant(
        actor=actor,
        changes={"name": " Kedai Kopi ", "accent_color": "#AA3300", "currency": "MYR"},
    )
    merchant = get_merchant()
    assert (merchant.name, merchant.accent_color, merchant.currency) == (
        "Kedai Kopi", "#aa3300", "MYR",
    )  # fmt: skip
    entry = AuditEntry.objects.get()
    assert entry.before == {"name": "Setia", "accent_color": "#0f766e", "currency": "USD"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"accent_color": "red"},
        {"currency": "XYZ"},
        {"time_zone": "Mars/Olympus"},
        {"locale": "tlh"},
        {"owner": "me"},
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_saved(
    actor: Actor, changes: dict[str, Any]
) -> None:
    with pytest.raises(DomainError) as caught:
        update_merchant(actor=actor, changes={"name": "Kedai", **changes})
    assert {error.field for error in caught.value.errors} == set(changes)
    assert get_merchant().name == "Setia"


@pytest.mark.django_db
def test_a_logo_is_kept_under_a_name_made_from_its_content(actor: Actor) -> None:
    upload = SimpleUploadedFile("../../evil.exe", png(), "application/x-msdownload")
    merchant = update_merchant(actor=actor, changes={"logo": upload})
    assert merchant.logo.name.startswith("merchant/logo-")
    assert merchant.logo.name.endswith(".png")
    assert (Path(settings.MEDIA_ROOT) / merchant.logo.name).read_bytes() == png()

    again = update_merchant(actor=actor, changes={"logo": SimpleUploadedFile("x.png", png())})
    assert again.logo.name == merchant.logo.name
    assert AuditEntry.objects.count() == 1

    assert not update_merchant(actor=actor, changes={"logo": None}).logo
    assert AuditEntry.objects.count() == 2


@pytest.mark.django_db
def test_a_logo_that_is_no_picture_is_refused(actor: Actor) -> None:
    upload = SimpleUploadedFile("logo.png", b"<script>alert(1)</script>", "image/png")
    with pytest.raises(DomainError) as caught:
        update_merchant(actor=actor, changes={"logo": upload})
    assert caught.value.errors[0].field == "logo"
    assert not get_merchant().logo
