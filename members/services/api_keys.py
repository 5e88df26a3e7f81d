"""Keys for shops and tills: made, shown once, recognized, revoked.

Only SHA-256 of the secret part is kept. A slow hash (argon2, PBKDF2) protects passwords because
people choose guessable ones; this secret is 256 random bits that no one can search through, so a
slow hash would add nothing but its cost to every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.errors import ConflictError, DomainError, FieldError
from members.models import ApiKey
from members.partner_scope import partner_choices
from members.prepared import KeptQuery, run_prepared
from members.program_scope import program_names
from members.services.audit import Actor, record_audit

SCOPES: dict[str, str | Promise] = {
    "customers:read": gettext_lazy("Read customers"),
    "customers:write": gettext_lazy("Create and change customers"),
    "privacy:read": gettext_lazy("Fetch files with all that is known of a person"),
    "privacy:write": gettext_lazy("Have such files made, and erase persons"),
    "segments:read": gettext_lazy("Read segments and who is in them"),
    "segments:write": gettext_lazy("Make and change segments, and keep lists of customers"),
    "member_tokens:write": gettext_lazy("Issue tokens with which members use what is theirs"),
    "messages:read": gettext_lazy("Read what customers were told"),
    "consents:read": gettext_lazy("Read what customers want to be told"),
    "consents:write": gettext_lazy("Note what customers want to be told"),
    "memberships:read": gettext_lazy("Read memberships"),
    "memberships:write": gettext_lazy("Enroll customers"),
    "risk:read": gettext_lazy("Read whom a fraud review is about, and why"),
    "risk:write": gettext_lazy("Decide fraud reviews"),
    "orders:read": gettext_lazy("Read orders"),
    "quotes:read": gettext_lazy("Say what a basket would earn"),
    "orders:write": gettext_lazy("Send orders and returns"),
    "rates:read": gettext_lazy("Read exchange rates"),
    "rates:write": gettext_lazy("Add and change exchange rates"),
    "activities:read": gettext_lazy("Read activities"),
    "activities:write": gettext_lazy("Send activities"),
    "activities:decide": gettext_lazy("Approve, reject and take back activities"),
    "browsing:read": gettext_lazy("Read what customers looked at in the shop"),
    "browsing:write": gettext_lazy("Tell what customers look at in the shop"),
    "balances:read": gettext_lazy("Read balances"),
    "redemptions:write": gettext_lazy("Redeem points, and undo redemptions"),
    "rewards:read": gettext_lazy("Read rewards and what members took"),
    "fulfillment:read": gettext_lazy("Read what is sent, with addresses"),
    "fulfillment:write": gettext_lazy("Send, and note addresses"),
    "events:write": gettext_lazy("Let people into events, and call events off"),
    "vouchers:read": gettext_lazy("Look at vouchers"),
    "vouchers:write": gettext_lazy("Use vouchers at a checkout, and let them go"),
    "checkouts:read": gettext_lazy("Read carts and what they keep"),
    "checkouts:write": gettext_lazy("Keep points, rewards and vouchers for carts, and use them"),
    "till:write": gettext_lazy("Find members at a till, and record what it sold"),
    "gift_cards:read": gettext_lazy("Look at gift cards and what is on them"),
    "gift_cards:write": gettext_lazy("Issue and use gift cards, and refund to store credit"),
    "pools:read": gettext_lazy("Read pools"),
    "pools:write": gettext_lazy("Found and change pools, and move points in them"),
    "companies:read": gettext_lazy("Read companies, and what their buyers ask for"),
    "companies:write": gettext_lazy("Found and change companies, ask for approval and decide"),
    "transfers:read": gettext_lazy("Read movements of points"),
    "transfers:write": gettext_lazy("Adjust balances, make gifts and undo them"),
    "programs:read": gettext_lazy("Read programs"),
    "programs:write": gettext_lazy("Make and change programs, with all that their files say"),
    "partners:read": gettext_lazy("Read partners, and what is settled with them"),
    "goals:read": gettext_lazy("Read goals and how far they are"),
    "goals:write": gettext_lazy("Set, change and close goals"),
    "books:read": gettext_lazy("Read what is owed to members, key figures, and what members cost"),
    "backtests:read": gettext_lazy("Read backtests"),
    "backtests:write": gettext_lazy("Try rules on real orders"),
    "jobs:read": gettext_lazy("Watch jobs"),
    "broadcasts:read": gettext_lazy("Read broadcasts, whom they reach and what they bring"),
    "broadcasts:write": gettext_lazy("Write, schedule and stop broadcasts"),
    "journeys:read": gettext_lazy("Read journeys, who is in them and what they bring"),
    "journeys:write": gettext_lazy("Lead members into journeys and out of them"),
    "campaigns:read": gettext_lazy("Read promotions, challenges and games, and what they bring"),
    "campaigns:write": gettext_lazy(
        "Write, publish, pause and end promotions and challenges, and their codes"
    ),
    "referrals:read": gettext_lazy("Read who came by whom, and codes of friends"),
    "referrals:write": gettext_lazy("Say that somebody came by a friend"),
    "referrals:review": gettext_lazy("Let referrals pass, or refuse them"),
    "surveys:read": gettext_lazy("Read surveys and what was answered"),
    "surveys:write": gettext_lazy("Make, ask and end surveys, and get members’ links"),
    "community:read": gettext_lazy("Read posts, and whether a member may read them"),
    "webhooks:read": gettext_lazy("Read where webhooks go, and what became of them"),
    "webhooks:write": gettext_lazy("Make and change webhooks, and send again"),
}

# What a partner's key may do at all; each endpoint says besides whether it is for partners.
PARTNER_SCOPES = (
    "till:write", "orders:read", "orders:write", "activities:read", "activities:write",
    "redemptions:write", "transfers:read", "partners:read", "quotes:read",
)  # fmt: skip

BRAND = "setia"
PREFIX_BYTES = 5
SECRET_BYTES = 32
# A revoked key works at most this long in a process that has just seen it.
CACHED_FOR = 5.0
CACHED_AT_MOST = 1_000
USE_NOTED_EVERY = timedelta(minutes=1)
# So many hours may two secrets of one key be good: a week.
OVERLAP_AT_MOST = 168


@dataclass(slots=True)
class _Known:
    key: ApiKey
    until: float


_known: dict[str, _Known] = {}
_BY_PREFIX: KeptQuery[ApiKey] = KeptQuery(lambda prefix: ApiKey.objects.filter(prefix=prefix))
_NOTE_USE = """
    UPDATE members_apikey SET last_used_at = %(now)s
     WHERE id = %(key)s AND (last_used_at IS NULL OR last_used_at <= %(limit)s)
"""


@transaction.atomic
def create_api_key(
    *, actor: Actor, name: str, scopes: Sequence[str], expires_at: datetime | None = None,
    programs: Collection[int] = (), partner: int | None = None,
) -> tuple[ApiKey, str]:  # fmt: skip
    """Make a key; the second value is the key itself, which is not kept: show it now or never.
    `programs`: what it is limited to; none: all. `partner`: on whose behalf it speaks, whose only
    program it is limited to."""
    name = name.strip()
    known = partner_choices().get(partner) if partner is not None else None
    programs = [known.program] if known else programs
    _check(name, scopes, expires_at)
    if partner is not None and known is None:
        message = _("There is no such partner.")
        raise DomainError(message, errors=[FieldError("partner", message, "unknown")])
    _check_limits(scopes, programs, of_partner=known is not None)
    prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        key_hash=_hash(secret),
        scopes=[scope for scope in SCOPES if scope in scopes],
        created_by=actor.user,
        expires_at=expires_at,
        programs=sorted(programs),
        partner=partner,
    )
    after = {"name": name, "scopes": key.scopes, "expires_at": _iso(expires_at)}
    if known is not None:
        after["partner"] = known.name
    elif programs:
        names = program_names()
        after["programs"] = ", ".join(names[pk] for pk in key.programs)
    record_audit(actor=actor, action="api_key.created", target=key, after=after)
    return key, f"{BRAND}_{prefix}_{secret}"


@transaction.atomic
def revoke_api_key(*, actor: Actor, key: ApiKey) -> ApiKey:
    """End a key for good. A repeat changes nothing."""
    now = timezone.now()
    changed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    if changed:
        key.revoked_at = now
        after = {"revoked_at": _iso(now)}
        record_audit(
            actor=actor, action="api_key.revoked", target=key, before={"revoked_at": None},
            after=after,
        )  # fmt: skip
    _known.pop(key.prefix, None)
    return key


@transaction.atomic
def rotate_api_key(*, actor: Actor, key: ApiKey, hours: int, now: datetime) -> tuple[ApiKey, str]:
    """Give a key another secret; the second value is the key as it is presented from now on, shown
    now or never. The secret until now opens for so many hours more, an older one no longer."""
    if not 0 <= hours <= OVERLAP_AT_MOST:
        message = _("Choose from 0 to %(most)s hours.") % {"most": OVERLAP_AT_MOST}
        raise DomainError(message, errors=[FieldError("hours", message)])
    row = ApiKey.objects.select_for_update().get(pk=key.pk)
    if row.state != "active":
        raise ConflictError(_("This key is no longer in use. Make a new one instead."))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    until = now + timedelta(hours=hours)
    row.former_hash, row.former_until = (row.key_hash, until) if hours else (None, None)
    row.key_hash, row.rotated_at = _hash(secret), now
    row.save(update_fields=["key_hash", "former_hash", "former_until", "rotated_at"])
    after = {"former_until": _iso(row.former_until)}
    record_audit(actor=actor, action="api_key.rotated", target=row, after=after)
    _known.pop(row.prefix, None)
    return row, f"{BRAND}_{row.prefix}_{secret}"


def authenticate_api_key(presented: str) -> ApiKey | None:
    """Return the key that was presented, if it exists, is not revoked and has not expired."""
    brand, _, rest = presented.partition("_")
    prefix, _, secret = rest.partition("_")
    if brand != BRAND or not secret or len(prefix) != 2 * PREFIX_BYTES or not prefix.isalnum():
        return None
    key = _find(prefix)
    if key is None or not _opens(key, secret):
        return None
    if key.state != "active":
        return None
    _note_use(key, timezone.now())
    return key


def find_active_key(prefix: str) -> ApiKey | None:
    """The key with this prefix while it opens something. Whoever asks has shown otherwise that the
    prefix was told by us."""
    key = _find(prefix)
    return key if key is not None and key.state == "active" else None


def forget_cached_keys() -> None:
    """Have the next request read its key from the database."""
    _known.clear()


def _opens(key: ApiKey, secret: str) -> bool:
    """Its secret, or the one before while that still holds."""
    hashed = _hash(secret)
    if hmac.compare_digest(bytes(key.key_hash), hashed):
        return True
    if key.former_hash is None or key.former_until is None or key.former_until <= timezone.now():
        return False
    return hmac.compare_digest(bytes(key.former_hash), hashed)


def _find(prefix: str) -> ApiKey | None:
    known = _known.get(prefix)
    if known is not None and known.until > time.monotonic():
        return known.key
    key = _BY_PREFIX.first(prefix)
    if key is None:
        # Not remembered: whoever guesses must not be able to fill the memory.
        _known.pop(prefix, None)
        return None
    if len(_known) >= CACHED_AT_MOST:
        _known.clear()
    _known[prefix] = _Known(key, time.monotonic() + CACHED_FOR)
    return key


def _note_use(key: ApiKey, now: datetime) -> None:
    """Write down the use, once a minute: a busy key must not write a row with every request."""
    limit = now - USE_NOTED_EVERY
    if key.last_used_at is not None and key.last_used_at > limit:
        return
    key.last_used_at = now
    run_prepared(_NOTE_USE, {"now": now, "key": key.pk, "limit": limit})


def _check(name: str, scopes: Sequence[str], expires_at: datetime | None) -> None:
    errors: list[FieldError] = []
    if not name or len(name) > 100:
        errors.append(FieldError("name", _("Give the key a name of at most 100 characters.")))
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        message = _("Unknown: %(scopes)s.") % {"scopes": ", ".join(unknown)}
        errors.append(FieldError("scopes", message, "unknown_scope"))
    if not scopes:
        errors.append(FieldError("scopes", _("Choose what the key may do."), "required"))
    if expires_at is not None and expires_at <= timezone.now():
        errors.append(FieldError("expires_at", _("Choose a day in the future.")))
    if errors:
        raise DomainError(_("The key cannot be made like this."), errors=errors)
    if ApiKey.objects.filter(name=name, revoked_at=None).exists():
        message = _("A key with this name is in use. Revoke it first or choose another name.")
        raise ConflictError(message, errors=[FieldError("name", message, "taken")])


def _check_limits(scopes: Sequence[str], programs: Collection[int], *, of_partner: bool) -> None:
    if not set(programs) <= program_names().keys():
        message = _("There is no such program.")
        raise DomainError(message, errors=[FieldError("programs", message, "unknown")])
    beyond = [scope for scope in scopes if scope not in PARTNER_SCOPES]
    if of_partner and beyond:
        message = _("A partner’s key may not have: %(scopes)s.") % {"scopes": ", ".join(beyond)}
        raise DomainError(message, errors=[FieldError("scopes", message, "not_for_partners")])


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
