"""Pictures that were uploaded, kept under names made from their content."""

from __future__ import annotations

from django.core.files.base import ContentFile, File
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase

from members.errors import DomainError, FieldError
from members.images import ImageError, read_image

YEAR = 365 * 24 * 3600
TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


def keep_picture(
    place: FieldFile, upload: File[bytes] | None, *, field: str, of: str, least_side: int = 1
) -> None:
    """Put an uploaded picture into this place, which is not saved here; None: go without one. Its
    name says what it is of and what is in it, so that browsers never show an old one. Raises
    DomainError at `field` where it is no picture that can serve."""
    owner, attribute = place.instance, place.field.name
    if upload is None:
        setattr(owner, attribute, "")
        return
    try:
        image = read_image(upload, least_side=least_side)
    except ImageError as error:
        raise DomainError(str(error), errors=[FieldError(field, str(error))]) from error
    name = f"{of}-{image.digest[:16]}.{image.extension}"
    kept = place.field.generate_filename(owner, name)
    if place.name == kept:
        return
    if place.storage.exists(kept):
        # The same picture as once before.
        setattr(owner, attribute, kept)
        return
    place.save(name, ContentFile(image.content), save=False)


def serve_picture(place: FieldFile | None) -> HttpResponseBase:
    """The picture, which may be kept for good: another one has another name."""
    if not place or not place.storage.exists(place.name or ""):
        raise Http404("There is no such picture.")
    kind = TYPES[str(place.name).rpartition(".")[2]]
    response = FileResponse(place.open("rb"), content_type=kind)
    response["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
