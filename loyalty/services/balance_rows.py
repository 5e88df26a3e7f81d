"""The rows of a file of balances: each is a lot, what somebody owes, or who is in a pool, as
`lot_exports` writes them."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from loyalty.instants import NEVER
from loyalty.models import Program, WalletType
from loyalty.pool_roles import COMPANY, HOUSEHOLD, ROLES_OF
from loyalty.rules.calendar import end_of_day, localize, start_of_day
from loyalty.services.adjustments import MOST_UNITS
from loyalty.services.import_rows import PLAIN_NUMBER, TEXT
from loyalty.services.order_checks import ahead
from loyalty.services.row_staging import Layout
from members.errors import DomainError, FieldError

FILE = "balances"
# Who, what and until when; the rest says where it came from.
WHO = ("customer_id", "customer", "email")
# Of a pool: which, and how it works; on rows of people, what they are in it.
POOL_TERMS = ("contribution", "share", "spending", "leaving")
OF_POOLS = ("pool", "pool_name", "company_id", *POOL_TERMS, "role", "may_spend", "contributes")
# Of a gift card: what it is called in the file, what its holder has, whether it may be used.
OF_CARDS = ("gift_card", "code", "card_state")
COLUMNS = (
    "reference", *WHO, "wallet_type", "units", "earned_at", "matures_at", "expires_at", "expiry",
    "holder", *OF_POOLS, *OF_CARDS, "origin", "reason", "source_reference",
)  # fmt: skip
NAMING = (*WHO, "pool", "gift_card", "code")
LAYOUT = Layout(
    FILE, COLUMNS, required=("reference", "units"), naming=NAMING, key="reference", group="pool",
    secret=True,
)  # fmt: skip
MEMBER, POOL, CARD = HOLDERS = ("member", "pool", "gift_card")
CARD_STATES = ACTIVE, BLOCKED = ("active", "blocked")
YES, NO = ("yes", "no")
HELD = "held"
# Whether it ends on a day, never, with inactivity, or once a warning went out.
EXPIRIES = ("fixed", "never", "inactivity", "warned")
# What makes a row another one than that which was imported under its reference.
_TOLD = (*WHO, "wallet_type", "units", "earned_at", "matures_at", "expires_at", "expiry")
_TOLD_OF_OTHERS = ("pool", "company_id", "gift_card")


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """A lot that is to be there; units at the wallet type's scale, below zero: what is owed. None
    and no wallet type: somebody who is in a pool. `expiry` empty: as the program gives it to units
    that are earned at `earned_at`."""

    number: int
    cells: Mapping[str, str]
    wallet_type: WalletType | None
    units: int
    earned_at: dt.datetime
    matures_at: dt.datetime
    expires_at: dt.datetime | None
    expiry: str

    @property
    def reference(self) -> str:
        return self.cells["reference"]

    @property
    def holder(self) -> str:
        return self.cells.get("holder") or MEMBER

    @property
    def kind(self) -> WalletType:
        """Of what; a row about a person has none."""
        assert self.wallet_type is not None
        return self.wallet_type

    @property
    def is_person(self) -> bool:
        """Says who is in a pool, and brings no units."""
        return self.wallet_type is None

    @property
    def card(self) -> str:
        """What the gift card is called in its file."""
        return self.cells.get("gift_card") or self.reference

    def digest(self) -> str:
        """The same for the same row, whenever and by whatever file it comes."""
        return self._digest(settings.SECRET_KEY)

    def is_what_came(self, digest: str) -> bool:
        """Whether the same row came before; by the installation's key or one before it."""
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        return any(self._digest(key) == digest for key in keys)

    def _digest(self, key: str) -> str:
        plain = "\0".join(self.cells.get(name, "") for name in _TOLD)
        # What is not of a member, beside it: rows of members are what they were before there was.
        more = [f"{name}={self.cells[name]}" for name in _TOLD_OF_OTHERS if self.cells.get(name)]
        if code := self.cells.get("code"):
            # By the installation's key, so that the database alone tells nobody's code.
            told = salted_hmac("setia.balances.code", code, secret=key, algorithm="sha256")
            more.append(told.hexdigest())
        return hashlib.blake2b("\0".join([plain, *more]).encode(), digest_size=16).hexdigest()


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
    earned = _time(cells, "earned_at", program, errors) or now
    errors += ahead("earned_at", earned, now)
    if cells.get("holder") == POOL and cells.get("role"):
        _raise(errors + _wrong_person(cells))
        return BalanceRow(number, cells, None, 0, earned, earned, None, "")
    wallet_type = _wallet_type(cells, types, errors)
    units = _units(cells, wallet_type, errors)
    matures = _time(cells, "matures_at", program, errors) or earned
    expires = _time(cells, "expires_at", program, errors)
    expiry = cells.get("expiry", "") or ("fixed" if expires else "")
    errors += _wrong_debt(cells) if units < 0 else _wrong_end(cells, matures, expires, expiry, now)
    _raise(errors)
    return BalanceRow(number, cells, wallet_type, units, earned, matures, expires, expiry)


def _raise(errors: list[FieldError]) -> None:
    if errors:
        raise DomainError(_("Some fields are not right."), errors=errors)


def _wrong_texts(cells: Mapping[str, str]) -> list[FieldError]:
    errors = []
    if not cells.get("reference"):
        words = _("Every row needs a reference of its own, so that it comes in once.")
        errors.append(FieldError("reference", words, "required"))
    for name, text in cells.items():
        if len(text) > (254 if name == "email" else TEXT):
            errors.append(FieldError(name, _("At most 128 characters."), "too_long"))
    holder = cells.get("holder") or MEMBER
    if holder not in HOLDERS:
        errors.append(_one_of("holder", HOLDERS, "unknown_holder"))
    if holder == POOL and not cells.get("pool"):
        words = _("Say which pool: any name that all of its rows have.")
        errors.append(FieldError("pool", words, "required"))
    if cells.get("card_state") and cells["card_state"] not in CARD_STATES:
        errors.append(_one_of("card_state", CARD_STATES))
    person = holder == MEMBER or (holder == POOL and cells.get("role"))
    if person and not any(cells.get(name) for name in WHO):
        words = _("Say whose units these are: customer_id, customer or email.")
        errors.append(FieldError("customer_id", words, "required"))
    if cells.get("customer") and not is_uuid(cells["customer"]):
        words = _("This is the id of a customer in Setia, or nothing.")
        errors.append(FieldError("customer", words, "uuid"))
    return errors


def is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _wrong_person(cells: Mapping[str, str]) -> list[FieldError]:
    """Of who is in a pool. Its terms are checked as it is founded."""
    errors = []
    roles = ROLES_OF[COMPANY if cells.get("company_id") else HOUSEHOLD]
    if cells["role"] not in roles:
        errors.append(_one_of("role", roles))
    for name in ("may_spend", "contributes"):
        if cells.get(name) not in (None, "", YES, NO):
            errors.append(_one_of(name, (YES, NO)))
    if cells.get("units"):
        words = _("A row with a role says who is in the pool. Give its units in rows without one.")
        errors.append(FieldError("units", words, "not_a_lot"))
    share = cells.get("share", "")
    if share and not (share.isascii() and share.isdecimal() and 1 <= int(share[:9]) <= 100):
        errors.append(FieldError("share", _("Give a share of 1 to 100 percent.")))
    return errors


def _one_of(name: str, known: Iterable[str], code: str = "invalid") -> FieldError:
    return FieldError(name, _("One of: %(known)s.") % {"known": ", ".join(known)}, code)


def _wallet_type(
    cells: Mapping[str, str], types: Mapping[str, WalletType], errors: list[FieldError]
) -> WalletType | None:
    """Gift cards hold stored value, and pools none of it."""
    code, holder = cells.get("wallet_type", ""), cells.get("holder") or MEMBER
    fitting = {
        name: kind for name, kind in types.items()
        if holder == MEMBER or kind.stored_value is (holder == CARD)
    }  # fmt: skip
    if not fitting and holder == CARD:
        words = _("This program has no gift cards: give it a wallet type with stored value first.")
        errors.append(FieldError("holder", words, "no_stored_value"))
        return None
    if not code and len(fitting) == 1:
        return next(iter(fitting.values()))
    if code not in fitting:
        errors.append(_one_of("wallet_type", fitting, "not_found"))
    return fitting.get(code)


def _units(
    cells: Mapping[str, str], wallet_type: WalletType | None, errors: list[FieldError]
) -> int:
    """At the type's scale. Members and pools may owe units, which are below zero."""
    text, holder = cells.get("units", ""), cells.get("holder") or MEMBER
    may_owe = holder != CARD and not (wallet_type and wallet_type.stored_value)
    if not PLAIN_NUMBER(text) or Decimal(text) == 0 or (Decimal(text) < 0 and not may_owe):
        words = _("Write a number above zero such as 120 or 12.50.")
        if may_owe:
            words = _("Write a number such as 120 or 12.50; of what is owed one below zero.")
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
    elif abs(scaled) > MOST_UNITS:
        errors.append(FieldError("units", _("So many units cannot be counted."), "too_large"))
    return int(scaled)


def _wrong_debt(cells: Mapping[str, str]) -> list[FieldError]:
    words = _("What is owed neither matures nor expires. Leave this empty.")
    return [
        FieldError(name, words, "of_a_debt")
        for name in ("matures_at", "expires_at", "expiry")
        if cells.get(name)
    ]


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
