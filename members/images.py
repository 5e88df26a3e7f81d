"""Which picture an uploaded file is, by its content: its name and its sender are not believed."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

import PIL.Image
from django.utils.translation import gettext as _

LARGEST_FILE = 512 * 1024
LARGEST_SIDE = 4_096

# What comes of drawing a picture whose head is well, but whose rest is damaged or lost.
UNDRAWABLE = (OSError, SyntaxError, ValueError)


class ImageError(ValueError):
    """Why a file cannot serve as a picture, in words for the person who chose it."""


class Readable(Protocol):
    """An opened or uploaded file."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Image:
    content: bytes
    extension: str
    width: int
    height: int

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read_image(upload: Readable, *, least_side: int = 1) -> Image:
    """Read a PNG, JPEG or WebP of reasonable size, or say what is wrong with it."""
    content = upload.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ImageError(_("The file is larger than 512 kB."))
    for extension, measure in _FORMATS.items():
        try:
            size = measure(content)
        except (struct.error, IndexError) as error:
            raise ImageError(_damaged()) from error
        if size is not None:
            return _checked(Image(content, extension, *size), least_side)
    raise ImageError(_("This is not a PNG, JPEG or WebP picture."))


def _checked(image: Image, least_side: int) -> Image:
    if not (0 < image.width <= LARGEST_SIDE and 0 < image.height <= LARGEST_SIDE):
        raise ImageError(_("The picture may be at most 4,096 pixels wide and high."))
    if min(image.width, image.height) < least_side:
        raise ImageError(_("The picture must be at least %s pixels wide and high.") % least_side)
    try:
        with PIL.Image.open(BytesIO(image.content), formats=("PNG", "JPEG", "WEBP")) as drawn:
            drawn.load()
    except UNDRAWABLE as error:
        raise ImageError(_damaged()) from error
    return image


def _damaged() -> str:
    return _("The file is damaged. Save the picture again as PNG, JPEG or WebP, and choose that.")


def _png(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """The size is in the first start-of-frame segment; the segments before it are stepped over."""
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    position = 2
    while content[position] == 0xFF:
        marker = content[position + 1]
        is_frame = 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if is_frame:
            height, width = struct.unpack(">HH", content[position + 5 : position + 9])
            return width, height
        (length,) = struct.unpack(">H", content[position + 2 : position + 4])
        position += 2 + length
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    """WebP comes in three wrappings: lossy, lossless and extended."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    kind = content[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        height = int.from_bytes(content[27:30], "little") + 1
        return width, height
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", content[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


_FORMATS = {"png": _png, "jpg": _jpeg, "webp": _webp}
