"""Files that staff upload for a connection."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from members.errors import DomainError

LARGEST = 20_000_000


def text_of(file: Any) -> str:
    """What an uploaded file says. Raises DomainError for one that is too large or no text."""
    if file.size > LARGEST:
        raise DomainError(_("At most 20 MB at once."))
    body: bytes = file.read()
    try:
        content = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DomainError(_("The file is not UTF-8.")) from error
    if "\x00" in content:
        raise DomainError(_("The file is not UTF-8."))
    return content
