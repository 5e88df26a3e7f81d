"""Journeys that tell before units expire: at distances that their manager chooses, with conditions,
ways and waits of their own.

Told by the same message as the occasion, so units that must not lapse unwarned expire after it, and
by the same name, so what was told at a distance is not told there again.
"""

from __future__ import annotations

import datetime as dt

from campaigns.journey_news import Asked, register_journey_message
from campaigns.models import ExpiryNotice, Message
from campaigns.news import News
from campaigns.selectors.ending_lots import DISTANCES, Due, due_of, endings_of
from campaigns.services.told_expiry import (
    EXPIRING,
    expiry_news,
    horizon,
    members_to_tell,
    name_of,
    note_told,
    wallets_to_tell,
)
from loyalty.models import Membership, Wallet
from loyalty.selectors.balances import values_of_wallets

# A reminder in the same journey comes later than this.
REMINDED = dt.timedelta(days=1)


def register() -> None:
    """Called once, when the application is ready."""
    register_journey_message(EXPIRING.code, tell_in_journey)


def tell_in_journey(asked: Asked) -> News | None:
    """What ends in the wallet that the passage began with, as it is now; in a journey that began
    otherwise, in that of the member in which something ends first."""
    kind, _colon, rest = asked.occurrence.partition(":")
    if kind != "expiring":
        return _whatever_ends_first(asked)
    wallet_id, days, before = rest.split(":", 2)
    wallet = wallets_to_tell().filter(pk=wallet_id).first()
    if wallet is None or asked.member not in members_to_tell([wallet])[wallet.pk]:
        # They were merged into somebody else, whose wallet is looked at itself, or left the pool.
        return None
    name = name_of(wallet, asked.member, int(days), before)
    told = Message.objects.filter(occasion=EXPIRING.code, occurrence=name)
    if told.filter(created_at__lte=asked.now - REMINDED).exists():
        name = asked.name
    return _news(wallet, asked.member, int(days), name, asked.now)


def _whatever_ends_first(asked: Asked) -> News | None:
    own = wallets_to_tell().filter(account=asked.member.account_id)
    wallets = {wallet.pk: wallet for wallet in own}
    found = {pk: ends[0].ends for pk, ends in endings_of(list(wallets), asked.now).items()}
    if not found:
        return None
    first = min(found, key=lambda pk: (found[pk], pk))
    return _news(wallets[first], asked.member, max(DISTANCES), asked.name, asked.now)


def _news(
    wallet: Wallet, member: Membership, days: int, name: str, now: dt.datetime
) -> News | None:
    due = due_of([wallet.pk], now, [days]).get(wallet.pk)
    until = horizon(due or Due(days, None), now)
    if due is None:
        # Somebody else who may spend of it was told just now, as far as this.
        told = ExpiryNotice.objects.filter(wallet=wallet, days=days).first()
        until = max(until, told.through) if told is not None else until
    reach = max(days, (until - now).days)
    ending = [
        item for item in endings_of([wallet.pk], now, [reach])[wallet.pk] if item.ends <= until
    ]
    if not ending:
        return None
    note_told({wallet.pk: days}, {wallet.pk: until})
    own = values_of_wallets([wallet], now).get(wallet.pk)
    return expiry_news(wallet, member, name, ending, own)
