"""Who may be given to, what may be given away, and how much of it has been given today."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from django.db.models import Q, QuerySet, Sum

from loyalty.models import Account, Charity, Membership, Program, Transfer, Wallet
from loyalty.selectors.memberships import with_card
from loyalty.selectors.program_times import program_times
from members.selectors.erased import erased_at
from members.selectors.identities import having_any
from members.selectors.merges import current_ids

LONGEST = 254
_GAPS = re.compile(r"[ -]")


def find_member(program: Program, text: str) -> Membership | None:
    """The member whose card number, e-mail address or customer number this is."""
    found = _by_card_or_email(program, text)
    if found is None and _searchable(text):
        numbered = current_ids(having_any(external_ids=[text.strip()]))
        found = _members(program).filter(customer__in=numbered).first()
    return found


def find_recipient(program: Program, text: str) -> Membership | None:
    """Whom another member may give to: an active member, by card number or e-mail address. A
    customer number is easily guessed, and not theirs to know; nor is that somebody was erased."""
    found = _by_card_or_email(program, text)
    if found is None or found.status != Membership.Status.ACTIVE:
        return None
    return found if erased_at(found.customer) is None else None


def _by_card_or_email(program: Program, text: str) -> Membership | None:
    if not _searchable(text):
        return None
    members = _members(program)
    if "@" in text:
        people = current_ids(having_any(email=text.strip()))
        return members.filter(customer__in=people).first()
    return members.filter(pk__in=with_card(_GAPS.sub("", text))).first()


def _searchable(text: str) -> bool:
    return bool(text.strip()) and len(text) <= LONGEST and "\x00" not in text


def _members(program: Program) -> QuerySet[Membership]:
    return Membership.objects.select_related("customer", "program").filter(program=program)


def charities_of(program: Program) -> list[Account]:
    """Whom members may give to, in the order of the program file."""
    live = program.accounts.filter(charity__status=Charity.Status.LIVE)
    return list(live.order_by("charity__position", "pk"))


def givable_wallets(membership: Membership, at: dt.datetime) -> list[Wallet]:
    """The wallets of which this member may give something to somebody, in the program's order."""
    wallets = Wallet.objects.filter(account=membership.account_id).select_related(
        "wallet_type__program"
    )
    return givable(membership, list(wallets.order_by("wallet_type_id")), at)


def givable(membership: Membership, wallets: Sequence[Wallet], at: dt.datetime) -> list[Wallet]:
    """Those of a member's wallets of which something may be given to somebody."""
    live = membership.program.status == Program.Status.LIVE
    if not live or membership.status != Membership.Status.ACTIVE:
        return []
    if not program_times([membership.program])[membership.program_id].spends_at(at):
        return []
    closed = [wallet for wallet in wallets if not wallet.wallet_type.gifts_to_members]
    asked = any(wallet.wallet_type.gifts_to_charities for wallet in closed)
    charitable = asked and bool(charities_of(membership.program))
    return [
        wallet
        for wallet in wallets
        if wallet not in closed or (charitable and wallet.wallet_type.gifts_to_charities)
    ]


def room_to_give(wallet: Wallet, at: dt.datetime) -> int | None:
    """How many units more the owner may give to other members on that day; None: no limit."""
    return _room(wallet, wallet.wallet_type.gift_most_per_day, at, given=True)


def room_to_receive(wallet: Wallet, at: dt.datetime) -> int | None:
    """How many units more the owner may be given on that day; None: no limit."""
    return _room(wallet, wallet.wallet_type.gift_most_received_per_day, at, given=False)


def _room(wallet: Wallet, most: int | None, at: dt.datetime, *, given: bool) -> int | None:
    return None if most is None else max(most - _moved_on(wallet, at, given=given), 0)


def _moved_on(wallet: Wallet, at: dt.datetime, *, given: bool) -> int:
    """Units given (or received) on the program's day, less what was undone of it, whenever."""
    day = at.astimezone(wallet.wallet_type.program.zone).date()
    own = {"from_account" if given else "to_account": wallet.account_id}
    moved = Transfer.objects.filter(wallet=wallet, kind=Transfer.Kind.GIFT, booked_on=day, **own)
    undone = Transfer.objects.filter(wallet=wallet, kind=Transfer.Kind.REVERSAL)
    gifts = moved.values("pk")
    undone = undone.filter(Q(reverses__in=gifts) | Q(corrects__in=gifts))
    return _sum(moved) - _sum(undone)


def _sum(transfers: QuerySet[Transfer]) -> int:
    return int(transfers.aggregate(units=Sum("amount", default=0))["units"])
