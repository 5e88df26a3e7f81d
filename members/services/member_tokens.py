"""Tokens with which a member's browser sees and uses what is theirs, and badges that say who wrote.

A token is signed rather than stored: a shop asks for one with every page that somebody signed in
opens, and a row for each would be more writing than all the rest of the day. What makes it void
before its time is in rows that are read anyway: the key that issued it (revoked, expired) and the
customer (`tokens_from`). Keys of signing rotate with SECRET_KEY and SECRET_KEY_FALLBACKS.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.db import transaction

from members.models import ApiKey, Customer
from members.selectors.merges import current
from members.services.api_keys import find_active_key
from members.services.audit import Actor, record_audit

# What no API key begins with, so that neither is taken for the other.
BRAND = "setia-member_"
BADGE = "badge_"
LONGEST_TOKEN = 4_096
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token as it goes to the shop; it is kept nowhere."""

    token: str
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class MemberToken:
    """A good token: who it is, whose key issued it, and from which pages it may be used. No
    origins: from all of the merchant's."""

    customer: Customer
    api_key: ApiKey
    origins: tuple[str, ...]


def issue_member_token(
    *,
    customer: Customer,
    api_key: ApiKey,
    lifetime: dt.timedelta,
    now: dt.datetime,
    origins: Sequence[str] = (),
) -> IssuedToken:
    """A token for what is this customer's own. Nothing is written."""
    expires_at = now + lifetime
    said = [
        customer.public_id.hex,
        api_key.prefix,
        int(now.timestamp() * MICROSECONDS),
        math.ceil(expires_at.timestamp()),
        list(origins),
    ]
    return IssuedToken(BRAND + _tokens().sign_object(said, compress=True), expires_at)


def read_member_token(presented: str, now: dt.datetime) -> MemberToken | None:
    """Whose token it is; None if it was not issued here, is over, or was called back. Who was
    merged into another acts as that one."""
    if not presented.startswith(BRAND) or len(presented) > LONGEST_TOKEN:
        return None
    try:
        public_id, prefix, issued, ends, origins = _tokens().unsign_object(
            presented.removeprefix(BRAND)
        )
    except (signing.BadSignature, ValueError):
        return None
    if now.timestamp() >= ends:
        return None
    api_key = find_active_key(prefix)
    own = Customer.objects.select_related("merged_into").filter(public_id=public_id).first()
    if api_key is None or own is None:
        return None
    customer = current(own)
    if any(_called_back(person, issued) for person in {own, customer}):
        return None
    return MemberToken(customer, api_key, tuple(origins))


@transaction.atomic
def revoke_member_tokens(*, customer: Customer, actor: Actor, now: dt.datetime) -> None:
    """Make all tokens of a customer void that were issued until now; later ones are good."""
    Customer.objects.filter(pk=customer.pk).update(tokens_from=now)
    record_audit(
        actor=actor, action="customer.tokens_revoked", target=customer,
        after={"tokens_from": now.isoformat()},
    )  # fmt: skip


def badge_of(customer: Customer) -> str:
    """What may stand in a public page beside what a customer wrote: it says nothing but their
    tier, and always is the same."""
    return BADGE + _badges().sign(customer.public_id.hex)


def customers_of_badges(badges: Sequence[str]) -> dict[str, uuid.UUID]:
    """Whose badges they are; those that were not made here are left out."""
    found = {}
    for badge in badges:
        try:
            said = _badges().unsign(badge.removeprefix(BADGE))
            found[badge] = uuid.UUID(said)
        except (signing.BadSignature, ValueError):
            continue
    return found


def _called_back(customer: Customer, issued: int) -> bool:
    since = customer.tokens_from
    return since is not None and issued < int(since.timestamp() * MICROSECONDS)


def _tokens() -> signing.Signer:
    return signing.Signer(salt="setia.member-token", sep=".")


def _badges() -> signing.Signer:
    return signing.Signer(salt="setia.tier-badge", sep=".")
