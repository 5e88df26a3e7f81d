"""The rows of a file of balances: each is a lot, as `lot_exports` writes it."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from django.utils.translation import gettext as _

from loyalty.instants import NEVER
from loyalty.models import Program, WalletType
from loyalty.rules.calendar import end_of_day, localize, start_of_day
from loyalty.services.adjustments import MOST_UNITS
from loyalty.services.import_rows import PLAIN_NUMBER, TEXT
from loyalty.services.order_checks import ahead
from loyalty.services.row_staging import Layout
from members.errors import DomainError, FieldError

FILE = "balances"
# Who, what and until when; the rest says where it came from.
WHO = ("customer_id", "customer", "email")
COLUMNS = (
    "reference", *WHO, "wallet_type", "units", "earned_at", "matures_at", "expires_at", "expiry",
    "holder", "origin", "reason", "source_reference",
)  # fmt: skip
LAYOUT = Layout(FILE, COLUMNS, required=("reference", "units"), naming=WHO, key="reference")
MEMBER = "member"
HELD = "held"
# Whether it ends on a day, never, with inactivity, or once a warning went out.
EXPIRIES = ("fixed", "never", "inactivity", "warned")
# What makes a row another one than that which was imported under its reference.
_TOLD = (*WHO, "wallet_type", "units", "earned_at", "matures_at", "expires_at", "expiry")


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """A lot that is to be there; units at the wallet type's scale. `expiry` empty: as the program
    gives it to units that are earned at `earned_at`."""

    number: int
    cells: Mapping[str, str]
    wallet_type: WalletType
    units: int
    earned_at: dt.datetime
    matures_at: dt.datetime
    expires_at: dt.datetime | None
    expiry: str

    @property
    def reference(self) -> str:
        return self.cells["reference"]

    def digest(self) -> str:
        """The same for the same row, whenever and by whatever file it comes."""
        told = "\0".join(self.cells.get(name, "") for name in _TOLD)
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def cells_of(body: str) -> dict[str, str]:
    """What a row says, as text. Raises DomainError for what no file of balances says."""
    said: dict[str, Any] = orjson.loads(body)
    errors = []
    cells = {}
    for name, value in said.items():
        if name not in COLUMNS:
            errors.append(FieldError(name, _("There is no such field."), "unknown"))
        elif value is None:
            cells[name] = ""
        elif isinstance(value, str):
            cells[name] = value.strip()
        elif name == "units" and isinstance(value, int) and not isinstance(value, bool):
            cells[name] = str(value)
        else:
            errors.append(FieldError(name, _("Write it as text."), "not_a_text"))
    if errors:
        raise DomainError(_("Some fields are not right."), errors=errors)
    return cells


def read_balance(
    number: int, body: str, program: Program, types: Mapping[str, WalletType], now: dt.datetime
) -> BalanceRow:
    """The row, checked. Raises DomainError naming every cell that is wrong."""
    cells = cells_of(body)
    errors = list(_wrong_texts(cells))
    wallet_type = _wallet_type(cells.get("wallet_type", ""), types, errors)
    units = _units(cells.get("units", ""), wallet_type, errors)
    earned = _time(cells, "earned_at", program, errors) or now
    errors += ahead("earned_at", earned, now)
    matures = _time(cells, "matures_at", program, errors) or earned
    expires = _time(cells, "expires_at", program, errors)
    expiry = cells.get("expiry", "") or ("fixed" if expires else "")
    errors += _wrong_end(cells, matures, expires, expiry, now)
    if errors or wallet_type is None:
        raise DomainError(_("Some fields are not right."), errors=errors)
    return BalanceRow(
        number, cells, wallet_type, units, earned, matures, expires, expiry
    )  # fmt: skip


def _wrong_texts(cells: Mapping[str, str]) -> list[FieldError]:
    errors = []
    if not cells.get("reference"):
        words = _("Every row needs a reference of its own, so that it comes in once.")
        errors.append(FieldError("reference", words, "required"))
    for name, text in cells.items():
        if len(text) > (254 if name == "email" else TEXT):
            errors.append(FieldError(name, _("At most 128 characters."), "too_long"))
    if not any(cells.get(name) for name in WHO):
        words = _("Say whose units these are: customer_id, customer or email.")
        errors.append(FieldError("customer_id", words, "required"))
    if cells.get("customer"):
        try:
            uuid.UUID(cells["customer"])
        except ValueError:
            words = _("This is the id of a customer in Setia, or nothing.")
            errors.append(FieldError("customer", words, "uuid"))
    if cells.get("holder") not in (None, "", MEMBER):
        words = _("Only balances of members come in. Found pools and issue gift cards first, and"
                  " move units there.")  # fmt: skip
        errors.append(FieldError("holder", words, "not_a_member"))
    return errors


def _wallet_type(
    code: str, types: Mapping[str, WalletType], errors: list[FieldError]
) -> WalletType | None:
    if not code and len(types) == 1:
        return next(iter(types.values()))
    if code not in types:
        words = _("One of: %(known)s.") % {"known": ", ".join(types)}
        errors.append(FieldError("wallet_type", words, "not_found"))
    return types.get(code)


def _units(text: str, wallet_type: WalletType | None, errors: list[FieldError]) -> int:
    if not PLAIN_NUMBER(text) or Decimal(text) <= 0:
        words = _("Write a number above zero such as 120 or 12.50.")
        errors.append(FieldError("units", words))
        return 0
    if wallet_type is None:
        return 0
    scaled = Decimal(text).scaleb(wallet_type.scale)
    if scaled != scaled.to_integral_value():
        words = _("Give %(units)s with at most %(decimals)s decimals.") % {
            "units": wallet_type.plural, "decimals": wallet_type.scale,
        }  # fmt: skip
        errors.append(FieldError("units", words, "too_fine"))
    elif scaled > MOST_UNITS:
        errors.append(FieldError("units", _("So many units cannot be counted."), "too_large"))
    return int(scaled)


def _time(
    cells: Mapping[str, str], name: str, program: Program, errors: list[FieldError]
) -> dt.datetime | None:
    """A time, or a day: of what ends the whole of it, of all else its beginning."""
    text = cells.get(name, "")
    if not text:
        return None
    if name == "matures_at" and text == HELD:
        words = _("These units were held back. Write from when on they can be spent.")
        errors.append(FieldError(name, words, "held"))
        return None
    try:
        at = dt.datetime.fromisoformat(text.upper())
    except ValueError:
        at = None
    if at is None or not 1900 <= at.year <= 2200:
        words = _("Write a day or a time such as 2026-03-31T18:05:00+08:00.")
        errors.append(FieldError(name, words, "date_time"))
        return None
    if len(text) == len("2026-03-31"):
        day = at.date()
        ends = name == "expires_at"
        return end_of_day(day, program.zone) if ends else start_of_day(day, program.zone)
    return localize(at, program.zone) if at.tzinfo is None else at


def _wrong_end(
    cells: Mapping[str, str], matures: dt.datetime, expires: dt.datetime | None, expiry: str,
    now: dt.datetime,
) -> list[FieldError]:  # fmt: skip
    if expiry and expiry not in EXPIRIES:
        words = _("One of: %(known)s.") % {"known": ", ".join(EXPIRIES)}
        return [FieldError("expiry", words)]
    if expiry == "never" and expires is not None:
        return [FieldError("expires_at", _("What never expires has no such time."))]
    if expiry in ("fixed", "warned") and expires is None and not cells.get("expires_at"):
        return [FieldError("expires_at", _("Say when these units expire."), "required")]
    if expires is None:
        return []
    if expires <= now and expiry != "warned":
        return [FieldError("expires_at", _("These units have expired. Leave them out."), "expired")]
    if min(matures, NEVER) >= expires:
        words = _("They would expire before they can be spent.")
        return [FieldError("expires_at", words, "before_maturity")]
    return []
