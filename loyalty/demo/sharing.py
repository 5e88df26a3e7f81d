"""What the demonstration's people give each other and share: gifts to and from the guide, and a
household's pool."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from loyalty.demo.people import GUIDE_HOUSEHOLD, person_of
from loyalty.demo.spending import first_wallet
from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Pool, PoolMember, Program, Transfer, Wallet
from loyalty.services.gifts import give_units
from loyalty.services.pool_moves import put_into_pool, take_from_pool
from loyalty.services.pools import PoolTerms, add_pool_member, create_pool
from members.services.audit import SYSTEM


def people_share(program: Program) -> None:
    """Made once, however often the demonstration is loaded."""
    members = Membership.objects.filter(program=program).select_related("customer")
    guide = members.filter(customer__external_id=person_of(GUIDE_HOUSEHOLD).number).first()
    if guide is None:
        return
    friends = list(members.exclude(pk=guide.pk).order_by("customer__external_id")[:2])
    if friends and not Transfer.objects.filter(kind="gift", key__startswith="demo:gift-").exists():
        for number, friend in enumerate(friends, start=1):
            thanks, key = "Thank you for the lift!", f"demo:gift-to-guide-{number}"
            _give(friend, guide, 40 * number, thanks, key)
        _give(guide, friends[0], 60, "Happy birthday!", "demo:gift-of-guide")
    if friends and not Pool.objects.filter(program=program).exists():
        _share(program, guide, friends[0])


def _give(giver: Membership, taker: Membership, units: int, message: str, key: str) -> None:
    wallet = _wallet_with(giver, units)
    if wallet is not None:
        give_units(
            wallet=wallet, to=taker, units=units, message=message, actor=SYSTEM, key=key,
            source=Transfer.Source.ACCOUNT, now=timezone.now(),
        )  # fmt: skip


def _share(program: Program, owner: Membership, other: Membership) -> None:
    """Two of them save for something together."""
    source, now = Transfer.Source.ACCOUNT, timezone.now()
    how: dict[str, Any] = {"actor": SYSTEM, "source": source, "now": now}
    terms = PoolTerms(name="12 Orchard Lane", contribution=Pool.Contribution.SHARE, share=25)
    pool = create_pool(owner=owner, terms=terms, bring=False, **how)
    second = add_pool_member(pool=pool, membership=other, **how)
    first = PoolMember.objects.select_related("pool", "membership").get(membership=owner)
    wallet_type = program.wallet_types.earliest("pk")
    for act, member, units in (
        (put_into_pool, first, 800), (put_into_pool, second, 450), (take_from_pool, second, 120)
    ):  # fmt: skip
        key = f"demo:pool:{act.__name__}:{member.pk}"
        if act is take_from_pool or _wallet_with(member.membership, units) is not None:
            act(member=member, wallet_type=wallet_type, units=units, key=key, **how)


def _wallet_with(member: Membership, units: int) -> Wallet | None:
    """The member's wallet, if so many units can be given from it."""
    wallet = first_wallet(member)
    enough = holdings([wallet], timezone.now())[wallet.pk].spendable >= units
    return wallet if enough and wallet.wallet_type.gifts_to_members else None
