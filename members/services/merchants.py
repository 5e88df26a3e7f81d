"""Changing the merchant: its name, look, currency, time zone and language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from babel.core import get_global
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from members.choices import known_zones
from members.errors import DomainError, FieldError
from members.languages import forget_languages
from members.models import Merchant
from members.picture_files import keep_picture
from members.selectors.merchants import get_merchant
from members.services.audit import Actor, audit_changes, snapshot

FIELDS = ("name", "accent_color", "currency", "time_zone", "locale", "languages", "shop_origins")
# As browsers name the place that a page comes from: no path, and no capitals.
ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?(:[0-9]{1,5})?", re.ASCII)
MOST_ORIGINS = 20


def update_merchant(*, actor: Actor, changes: dict[str, Any]) -> Merchant:
    """Change the named fields; `logo` is an uploaded file, or None to go without."""
    unknown = set(changes) - {*FIELDS, "logo"}
    if unknown:
        errors = [FieldError(name, _("There is no such field."), "unknown") for name in unknown]
        raise DomainError(_("Some fields are not known."), errors=errors)
    get_merchant()
    with transaction.atomic():
        merchant = Merchant.objects.select_for_update().get(pk=1)
        before = _snapshot(merchant)
        for name in FIELDS:
            if name in changes:
                setattr(merchant, name, changes[name])
        _check(merchant)
        if "logo" in changes:
            keep_picture(merchant.logo, changes["logo"], field="logo", of="logo")
        if audit_changes(
            actor=actor, action="merchant.updated", target=merchant, before=before,
            after=_snapshot(merchant),
        ):  # fmt: skip
            merchant.save()
            forget_languages()
            transaction.on_commit(forget_languages)
    return merchant


def _snapshot(merchant: Merchant) -> dict[str, Any]:
    return snapshot(merchant, list(FIELDS)) | {"logo": merchant.logo.name or ""}


def _check(merchant: Merchant) -> None:
    errors: list[FieldError] = []
    merchant.name = str(merchant.name).strip()
    merchant.accent_color = str(merchant.accent_color).lower()
    try:
        merchant.clean_fields(exclude=["logo"])
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            errors.extend(FieldError(name, message) for message in messages)
    if merchant.currency not in get_global("all_currencies"):
        errors.append(FieldError("currency", _("Write the three letters of a currency.")))
    if merchant.time_zone not in known_zones():
        errors.append(FieldError("time_zone", _("There is no such time zone.")))
    errors.extend(_wrong_languages(merchant))
    if wrong := [item for item in merchant.shop_origins if not ORIGIN.fullmatch(item)]:
        words = _("Write an address like https://shop.example, without a path: not “%s”.")
        errors.append(FieldError("shop_origins", words % wrong[0]))
    if len(merchant.shop_origins) > MOST_ORIGINS:
        errors.append(FieldError("shop_origins", _("At most %s.") % MOST_ORIGINS))
    if errors:
        raise DomainError(_("The settings cannot be kept like this."), errors=errors)


def _wrong_languages(merchant: Merchant) -> Iterator[FieldError]:
    known = dict(settings.LANGUAGES)
    if merchant.locale not in known:
        yield FieldError("locale", _("Setia does not speak this language yet."))
    elif merchant.languages and merchant.locale not in merchant.languages:
        yield FieldError("locale", _("Choose one of the languages that you offer."))
    if set(merchant.languages) - set(known):
        yield FieldError("languages", _("Setia does not speak this language yet."))
