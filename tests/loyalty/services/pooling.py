"""Short ways to pools, who is in them and what they move."""

from loyalty.ledger.balances import holdings
from loyalty.models import Membership, Pool, PoolMember, Program, Transfer
from loyalty.selectors.pools import (
    pool_wallets,
)
from loyalty.services.pool_leaving import (
    leave_pool,
)
from loyalty.services.pool_moves import (
    put_into_pool,
    spend_from_pool,
    take_from_pool,
)
from loyalty.services.pools import (
    PoolTerms,
    add_pool_member,
    create_pool,
)
from members.models import Customer
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    make_wallet,
)

HOW = {"actor": SYSTEM, "source": "backoffice"}


def join(program: Program, number: str) -> Membership:
    wallet = make_wallet(program, number)
    Customer.objects.filter(external_id=number).update(given_name=number.capitalize())
    return Membership.objects.select_related("customer").get(account=wallet.account_id)


def found_pool(owner: Membership, *, bring: bool = False, now=NOW, **terms) -> Pool:
    terms = PoolTerms(**{"name": "The Harts"} | terms)
    return create_pool(owner=owner, terms=terms, bring=bring, now=now, **HOW)


def add(pool: Pool, member: Membership, *, now=NOW, **how) -> PoolMember:
    return add_pool_member(pool=pool, membership=member, now=now, **HOW, **how)


def leave(member: PoolMember, now=NOW):
    return leave_pool(member=member, now=now, **HOW)


def place(number: str) -> PoolMember:
    return PoolMember.objects.select_related("pool", "membership__customer").get(
        membership__customer__external_id=number, left_at=None
    )


def put_in(number: str, units: int, key: str = "p1", *, now=NOW) -> Transfer:
    wallet_type = place(number).pool.program.wallet_types.first()
    return put_into_pool(
        member=place(number), wallet_type=wallet_type, units=units, key=key, now=now, **HOW
    )[0]


def take(number: str, units: int, key: str = "t1", *, now=NOW) -> Transfer:
    wallet_type = place(number).pool.program.wallet_types.first()
    return take_from_pool(
        member=place(number), wallet_type=wallet_type, units=units, key=key, now=now, **HOW
    )[0]


def in_pool(pool: Pool, at=NOW) -> tuple[int, int]:
    """What the pool can spend, and what is pending in it."""
    wallet = pool_wallets(pool)[0]
    found = holdings([wallet], at)[wallet.pk]
    return found.spendable, found.pending


def spend(membership: Membership, units: int, key: str = "r1", *, now=NOW, **how) -> Transfer:
    wallet_type = membership.program.wallet_types.first()
    return spend_from_pool(
        membership=membership, wallet_type=wallet_type, units=units, key=key, now=now, **HOW, **how
    )[0]
