"""Mappings of connections: checked, kept, and tried on a sample before they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.connectors import mapping as mapped
from campaigns.connectors.reading import currency
from campaigns.connectors.targets import ACTIVITY, CUSTOMER, FIXED, ORDER, TARGETS
from campaigns.models import Connection
from campaigns.selectors.connections import reading_of
from campaigns.services.connections import change_connection
from campaigns.services.inbound import take_parts
from loyalty.models import ActivityType
from members.errors import DomainError, FieldError
from members.services.audit import Actor

SHOWN = 20
MOST_KEPT = 20
LONGEST_PATH = 200


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """What would become of one row."""

    place: str
    results: list[dict[str, Any]]
    errors: list[dict[str, str]]


def save_mapping(*, connection: Connection, mapping: Mapping[str, Any], actor: Actor) -> Connection:
    """From now on messages are read like this; those that failed can be taken in again."""
    return change_connection(
        connection=connection, actor=actor, changes={"mapping": clean_mapping(mapping)}
    )


def preview_mapping(
    *, connection: Connection, mapping: Mapping[str, Any], sample: str, now: dt.datetime
) -> list[PreviewRow]:
    """What the first rows of a sample would become: they are taken in, looked at, and nothing of it
    stays. Raises DomainError where the sample or the mapping cannot be read at all."""
    about = replace(reading_of(connection, now), mapping=clean_mapping(mapping))
    found = []
    for part in mapped.read("", sample, "", about)[:SHOWN]:
        with transaction.atomic():
            taken = take_parts(connection, [part], now=now)
            transaction.set_rollback(True)
        found.append(PreviewRow(part.place, taken.results, taken.errors))
    return found


def clean_mapping(given: Mapping[str, Any]) -> dict[str, Any]:
    """As it is kept. Raises DomainError naming each field that lacks something."""
    what = given.get("what", "")
    if what not in TARGETS:
        raise DomainError(_("Say what it tells of."), errors=[_wrong("what")])
    targets = {target.name: target for target in TARGETS[what]}
    fields = {
        name: str(path)[:LONGEST_PATH]
        for name, path in given.get("fields", {}).items()
        if name in targets and path
    }
    fixed = {
        name: str(value).strip()
        for name, value in given.get("fixed", {}).items()
        if name in FIXED[what] and value
    }
    errors = [
        _wrong(name)
        for name, target in targets.items()
        if target.required and name not in fields and name not in fixed
    ]
    errors += _wrong_fixed(what, fixed)
    if what != CUSTOMER and not {"customer_number", "customer_email"} & set(fields):
        words = _("Say where this, or the e-mail address, is found.")
        errors.append(FieldError("customer_number", words, "required"))
    lines = str(given.get("lines", "")) if what == ORDER else ""
    if lines and "line_total" not in fields:
        errors.append(_wrong("line_total"))
    if errors:
        raise DomainError(_("Some fields are missing."), errors=errors)
    keep = [str(path) for path in given.get("keep", ())][:MOST_KEPT]
    return {
        "what": what, "rows": str(given.get("rows", "")), "fields": fields, "fixed": fixed,
        "lines": lines, "keep": keep if what == ACTIVITY else [],
    }  # fmt: skip


def _wrong_fixed(what: str, fixed: Mapping[str, str]) -> list[FieldError]:
    if what == ACTIVITY:
        code = fixed.get("type", "")
        if not ActivityType.objects.filter(code=code, active=True).exists():
            return [FieldError("type", _("Choose which activity this is."), "required")]
    if "currency" in fixed:
        try:
            currency(fixed, "currency")
        except DomainError as error:
            return list(error.errors)
    return []


def _wrong(name: str) -> FieldError:
    return FieldError(name, _("Say where this is found."), "required")
