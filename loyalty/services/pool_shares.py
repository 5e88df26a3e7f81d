"""What pools have to do with orders: members share what they earn, and returns take it back.

A share moves in the batch of the accrual that it is of, pending or not, so nobody sees a moment
between the two. When an order comes back, its units go back to whoever earned them before they are
taken: those that the pool still holds of it first.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from loyalty.ledger.posting import Movement, WalletRef, movement
from loyalty.models import Account, Lot, Pool, PoolMember, Transfer, Wallet
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from members.prepared import KeptQuery


@dataclass(frozen=True, slots=True)
class _Place:
    """A member's place in a pool: the pool's wallets by wallet type, and what goes into it."""

    member: PoolMember
    account_id: int
    wallets: dict[int, int]


def with_pools(movements: Sequence[Movement], terms: Terms) -> list[Movement]:
    """The movements of orders and refunds, and with them what they move between members and their
    pools. The caller holds the locks of both (`orders_open`)."""
    programs = {wt: program for program in terms.programs if program.has_pools
                for wt in program.units}  # fmt: skip
    concerned = [entry for entry in movements if entry["wt"] in programs and _is_concerned(entry)]
    places = _places({entry["a"] for entry in concerned}) if concerned else {}
    concerned = [entry for entry in concerned if entry["a"] in places]
    if not concerned:
        return list(movements)
    held = _HeldLots([entry for entry in concerned if entry["dir"] == "out"], places)
    moved = []
    for entry in concerned:
        program, place = programs[entry["wt"]], places[entry["a"]]
        if entry["dir"] == "in":
            moved += _share(entry, place, program)
        else:
            moved += _give_back(entry, place, program, held.of(entry))
    return [*movements, *moved]


def _is_concerned(entry: Movement) -> bool:
    return entry["kind"] in (Transfer.Kind.ACCRUAL, Transfer.Kind.CLAWBACK)


_MEMBERS: KeptQuery[PoolMember] = KeptQuery(
    lambda accounts, still_open: (
        PoolMember.objects.select_related("pool", "membership")
        .filter(membership__account__among=accounts, left_at=None)
        .filter(pool__status=still_open)
    )
)
_WALLETS: KeptQuery[Wallet] = KeptQuery(lambda ids: Wallet.objects.filter(account__among=ids))


def _places(account_ids: Iterable[int]) -> dict[int, _Place]:
    """By account of those members who are in an open pool."""
    members = _MEMBERS.rows(list(account_ids), Pool.Status.OPEN.value)
    if not members:
        return {}
    wallets: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for wallet in _WALLETS.rows([member.pool.account_id for member in members]):
        wallets[wallet.account_id][wallet.wallet_type_id] = wallet.pk
    return {
        member.membership.account_id: _Place(
            member, member.pool.account_id, wallets[member.pool.account_id]
        )
        for member in members
    }


def _share(earned: Movement, place: _Place, program: ProgramTerms) -> list[Movement]:
    """The pool's part of what a member has just earned, rounded down; nothing of what they need to
    repay a debt, and nothing of orders from before they joined."""
    member = place.member
    units = earned["n"] * member.pool.percent // 100
    earned_at = dt.datetime.fromisoformat(earned["at"])
    if not units or not member.contributes or earned_at < member.joined_at:
        return []
    renewal = program.renewal(earned["wt"], Transfer.Kind.POOL, earned_at)
    if renewal:
        # What renews a member's units renews those that they share.
        renewal["act2"] = renewal["act"] or earned.get("act", False)
    return [
        _move(
            earned, program, units,
            giver=WalletRef(earned["w"], earned["a"], earned["wt"], program.zone),
            taker=(place.wallets[earned["wt"]], place.account_id),
            key=f"{earned['key']}:pool", why={"pool": "earned"}, okey=earned["key"], **renewal,
        )
    ]  # fmt: skip


def _give_back(
    taken: Movement, place: _Place, program: ProgramTerms, lots: Sequence[int]
) -> list[Movement]:
    """What the pool still holds of what is taken back returns to the member first."""
    if not lots:
        return []
    giver = WalletRef(place.wallets[taken["wt"]], place.account_id, taken["wt"], program.zone)
    return [_returned(taken, program, giver, taken["n"], lots)]


def brought_back(
    taken: Movement, program: ProgramTerms, pool: Wallet, units: int, lots: Sequence[int]
) -> Movement:  # fmt: skip
    """So many of these lots return from a pool to a member, for an adjustment to take them: what
    they owe stays as it is."""
    giver = WalletRef(pool.pk, pool.account_id, pool.wallet_type_id, program.zone)
    return _returned(taken, program, giver, units, lots, keep=True)


def _returned(
    taken: Movement, program: ProgramTerms, giver: WalletRef, units: int, lots: Sequence[int],
    **rest: Any,
) -> Movement:  # fmt: skip
    renewal = program.renewal(
        taken["wt"], Transfer.Kind.POOL, dt.datetime.fromisoformat(taken["at"])
    )
    if renewal:
        # A return is nobody's activity; units that come need an end in sight.
        renewal["act"] = False
    return _move(
        taken, program, units, giver=giver, taker=(taken["w"], taken["a"]),
        key=f"{taken['key']}:pool", why={"pool": "returned"}, lots=list(lots), **renewal, **rest,
    )  # fmt: skip


def _move(
    cause: Movement, program: ProgramTerms, units: int, *, giver: WalletRef,
    taker: tuple[int, int], key: str, why: dict[str, Any], **rest: Any,
) -> Movement:  # fmt: skip
    return movement(
        direction="move",
        kind=Transfer.Kind.POOL.value,
        ref=giver,
        counter_account_id=program.accounts[Account.Kind.TRANSIT],
        amount=units,
        occurred_at=dt.datetime.fromisoformat(cause["at"]),
        key=key,
        source=cause["src"],
        explanation=why,
        w2=taker[0],
        a2=taker[1],
        pend=True,
        most=True,
        **rest,
    )


class _HeldLots:
    """What pools hold of what is to be taken back: of an order its own units; where a return names
    no order, what the member has put in."""

    def __init__(self, taken: Sequence[Movement], places: dict[int, _Place]) -> None:
        wallets = {places[entry["a"]].wallets[entry["wt"]] for entry in taken}
        orders = {entry["o"] for entry in taken if entry["o"]}
        origins = {entry["cor"] for entry in taken if entry["cor"]}
        members = {entry["w"] for entry in taken if not entry["cor"]}
        self.pool_wallets = {
            (account_id, wallet_type_id): pk
            for account_id, place in places.items()
            for wallet_type_id, pk in place.wallets.items()
        }
        lots = Lot.objects.filter(wallet__in=wallets, due_at__isnull=False).filter(
            Q(origin__in=origins) | Q(origin__order__in=orders) | Q(parent__wallet__in=members)
        )
        self.lots = (
            list(lots.values_list("pk", "wallet", "origin", "origin__order", "parent__wallet"))
            if wallets
            else []
        )

    def of(self, taken: Movement) -> list[int]:
        wallet = self.pool_wallets[taken["a"], taken["wt"]]
        return [
            pk
            for pk, held_in, origin, order, put_in_by in self.lots
            if held_in == wallet
            and (
                origin == taken["cor"] or (taken["o"] is not None and order == taken["o"])
                if taken["cor"]
                else put_in_by == taken["w"]
            )
        ]
