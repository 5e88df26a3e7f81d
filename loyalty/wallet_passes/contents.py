"""What a pass says, whichever wallet it is in: who, what they hold, where they stand."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils import translation

from loyalty.models import Membership, WalletPass
from loyalty.selectors.balances import Balance, balances_of
from loyalty.selectors.member_tiers import tiers_now
from loyalty.selectors.memberships import memberships
from members.branding import icon_version
from members.formatting import format_points
from members.languages import language_of
from members.models import Customer, Merchant
from members.selectors.erased import erased_at
from members.selectors.merchants import get_merchant

VOID = (Membership.Status.LEFT, Membership.Status.MERGED)


@dataclass(frozen=True, slots=True)
class PassBalance:
    """What can be spent of one kind of unit, under the name that members know."""

    unit: str
    label: str
    number: str


@dataclass(frozen=True, slots=True)
class PassContents:
    """`void`: it names nobody, and has no code that a till could read. `icon`: which look of the
    merchant's icon."""

    serial: str
    language: str
    merchant: str
    accent: str
    icon: str
    program_code: str
    program: str
    void: bool
    member: str = ""
    card_number: str = ""
    tier: str = ""
    balances: tuple[PassBalance, ...] = ()

    @property
    def digest(self) -> str:
        """Another one as soon as it says anything else."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def contents_of(passes: Sequence[WalletPass], now: dt.datetime) -> dict[int, PassContents]:
    """By pass key; a constant number of queries, but for who may have been erased. The passes come
    with their memberships."""
    shown = {one.pk: one.membership.merged_into_id or one.membership_id for one in passes}
    found = {one.pk: one for one in memberships().filter(pk__in=set(shown.values()))}
    balances = balances_of(found.values(), now)
    tiers = tiers_now(list(found.values()), now)
    merchant = get_merchant()
    contents = {}
    for one in passes:
        member = found[shown[one.pk]]
        tier = tiers.get(member.pk)
        contents[one.pk] = _contents(
            one.serial, member, merchant, balances[member.pk], tier.name if tier else ""
        )
    return contents


def _contents(
    serial: str, member: Membership, merchant: Merchant, balances: Sequence[Balance], tier: str
) -> PassContents:
    customer, program = member.customer, member.program
    language = language_of(customer) or merchant.locale
    void = PassContents(
        serial=serial, language=language, merchant=merchant.name, accent=merchant.accent_color,
        icon=icon_version(merchant), program_code=program.code, program=program.name, void=True,
    )  # fmt: skip
    if is_void(member, customer):
        return void
    with translation.override(language):
        return replace(
            void, void=False, member=customer.display_name, card_number=member.card_number,
            tier=tier, balances=_balances(balances),
        )  # fmt: skip


def is_void(member: Membership, customer: Customer) -> bool:
    """Who has left, and who was erased, has no card."""
    return member.status in VOID or erased_at(customer) is not None


def _balances(balances: Sequence[Balance]) -> tuple[PassBalance, ...]:
    """Those that hold something; where none does, the one that a program begins with."""
    held = [one for one in balances if one.spendable]
    usual = [one for one in balances if not one.wallet_type.stored_value]
    return tuple(
        PassBalance(
            one.wallet_type.code,
            one.wallet_type.plural,
            format_points(one.spendable, one.wallet_type.scale),
        )
        for one in held or usual[:1]
    )
