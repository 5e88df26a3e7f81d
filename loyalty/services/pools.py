"""Founding and changing pools of members, and joining them.

Whoever changes a pool holds its row, then the wallets of everybody concerned in id order; orders
hold the same wallets, so a member's orders come either before or after their joining or leaving.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import Movement, lock_wallets, post
from loyalty.models import Account, Membership, Pool, PoolMember, Program, Wallet
from loyalty.pool_roles import ROLES_OF, fitting_role
from loyalty.selectors.erased_holders import refuse_erased_member
from loyalty.selectors.pools import pool_wallets
from loyalty.services.company_rows import make_company
from loyalty.services.pool_audit import record_pool_audit
from loyalty.services.pool_moves import pool_movement, refused
from loyalty.services.redemptions import terms_of
from members.services.audit import Actor, record_audit
from members.services.transactions import run_atomically

LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """What a pool is called and how it works."""

    name: str
    kind: str = Pool.Kind.HOUSEHOLD
    contribution: str = Pool.Contribution.ALL
    share: int | None = None
    spending: str = Pool.Spending.EVERYONE
    leaving: str = Pool.Leaving.OWN


CHANGEABLE = tuple(PoolTerms.__dataclass_fields__)
CHANGEABLE_OF_MEMBERS = ("role", "may_spend", "contributes")


def create_pool(
    *, owner: Membership, terms: PoolTerms, bring: bool, actor: Actor, source: str,
    now: dt.datetime, company: Mapping[str, Any] | None = None,
) -> Pool:  # fmt: skip
    """Found a pool with its first owner. `bring`: what they hold already goes into it too, as far
    as what they earn does. `company`: what is said of a company beside that
    (`company_rows.CompanyDetails`). Raises PoolRefusedError."""
    values = _clean(terms)

    def create() -> Pool:
        program = Program.objects.select_for_update(of=("self",)).get(pk=owner.program_id)
        if program.status != Program.Status.LIVE:
            raise refused("program", _("A pool needs a program that is live."))
        account = Account.objects.create(program=program, kind=Account.Kind.POOL)
        shared = program.wallet_types.filter(stored_value=False)
        Wallet.objects.bulk_create(Wallet(account=account, wallet_type=item) for item in shared)
        first = not Pool.objects.filter(program=program).exists()
        pool = Pool.objects.create(program=program, account=account, created_at=now, **values)
        if pool.kind == Pool.Kind.COMPANY:
            make_company(pool, now=now, changes=company)
        if first:
            # From now on the orders of this program look for pools.
            Program.objects.filter(pk=program.pk).update(revision=F("revision") + 1)
        record_audit(actor=actor, action="pool.created", target=pool, after=_snapshot(pool))
        _join(pool, owner, PoolMember.Role.OWNER, False, bring, actor, source, now)
        return pool

    return run_atomically(create)


def change_pool(*, pool: Pool, changes: Mapping[str, Any], actor: Actor) -> Pool:
    """Change what a pool is called or how it works, from now on. What changes nothing leaves no
    trace. A household may become a company, and a company stays one."""

    def change() -> Pool:
        row = open_pool(pool)
        before = _snapshot(row)
        wanted = {name: getattr(row, name) for name in CHANGEABLE} | dict(changes)
        values = _clean(PoolTerms(**wanted))
        was_company = row.kind == Pool.Kind.COMPANY
        if was_company and values["kind"] != Pool.Kind.COMPANY:
            raise refused("kind", _("A company stays one. Close it and found a household."))
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
        if row.kind == Pool.Kind.COMPANY and not was_company:
            # What was bought for the household before counts as bought for the company.
            make_company(row, now=row.created_at)
        _record_change("pool.changed", row, before, _snapshot(row), actor)
        return row

    return run_atomically(change)


def add_pool_member(
    *, pool: Pool, membership: Membership, role: str = PoolMember.Role.MEMBER,
    may_spend: bool = False, bring: bool = False, actor: Actor, source: str, now: dt.datetime,
) -> PoolMember:  # fmt: skip
    """Let a member join. `bring`: what they hold goes into the pool too, as far as what they earn
    does. Raises PoolRefusedError: not active, in another program, in a pool already."""

    def add() -> PoolMember:
        return _join(open_pool(pool), membership, role, may_spend, bring, actor, source, now)

    return run_atomically(add)


def change_pool_member(
    *, member: PoolMember, changes: Mapping[str, Any], actor: Actor
) -> PoolMember:
    """Change a member's role, whether they may spend, or whether what they earn is shared."""

    def change() -> PoolMember:
        pool = open_pool(member.pool)
        row = current_member(pool, member)
        before = _member_snapshot(row)
        for name in CHANGEABLE_OF_MEMBERS:
            setattr(row, name, changes.get(name, getattr(row, name)))
        row.role = _role_in(pool, row.role)
        others = pool.members.filter(left_at=None, role=PoolMember.Role.OWNER).exclude(pk=row.pk)
        if not row.is_owner and not others.exists():
            raise refused("role", _("A pool needs an owner: name another one first."))
        row.save(update_fields=CHANGEABLE_OF_MEMBERS)
        _record_change("pool.member_changed", row, before, _member_snapshot(row), actor)
        return row

    return run_atomically(change)


def open_pool(pool: Pool) -> Pool:
    """The pool's row, held until the transaction ends. Raises PoolRefusedError if it is closed."""
    row = Pool.objects.select_for_update(of=("self",)).select_related("program").get(pk=pool.pk)
    if row.status != Pool.Status.OPEN:
        raise refused("pool", _("This pool was closed."))
    return row


def current_member(pool: Pool, member: PoolMember) -> PoolMember:
    """The member's row as it is now. Raises PoolRefusedError if they have left."""
    present = pool.members.filter(left_at=None).select_related("membership__customer")
    row = present.filter(pk=member.pk).first()
    if row is None:
        raise refused("membership", _("This member has left the pool."))
    row.pool = pool
    return row


def lock_pool_wallets(pool: Pool, memberships: Iterable[Membership]) -> None:
    """Lock the wallets of a pool and of these members."""
    accounts = [pool.account_id, *(membership.account_id for membership in memberships)]
    wallets = Wallet.objects.filter(account__in=accounts).values_list("pk", flat=True)
    lock_wallets(list(wallets))


def _join(
    pool: Pool, membership: Membership, role: str, may_spend: bool, bring: bool, actor: Actor,
    source: str, now: dt.datetime,
) -> PoolMember:  # fmt: skip
    if membership.program_id != pool.program_id:
        raise refused("membership", _("This member is in another program."))
    refuse_erased_member(membership)
    lock_pool_wallets(pool, [membership])
    role = _role_in(pool, role)
    status = Membership.objects.values_list("status", flat=True).get(pk=membership.pk)
    if status != Membership.Status.ACTIVE:
        raise refused("membership", _("Only active members can be in a pool."))
    if PoolMember.objects.filter(membership=membership, left_at=None).exists():
        raise refused("membership", _("This member is in a pool already."), code="already_in_pool")
    member = PoolMember.objects.create(
        pool=pool, membership=membership, role=role, may_spend=may_spend, joined_at=now
    )
    record_pool_audit(
        actor=actor, action="pool.joined", member=member,
        after={"role": role} | ({"may_spend": True} if may_spend else {}),
    )  # fmt: skip
    if bring:
        post(_brought(member, actor, source, now), now=now)
    return member


def _role_in(pool: Pool, role: str) -> str:
    """The role as pools of this kind call it. Raises PoolRefusedError where they have none such."""
    fitting = fitting_role(pool.kind, role)
    if fitting not in ROLES_OF[pool.kind]:
        raise _invalid("role", _("One of: %s.") % ", ".join(ROLES_OF[pool.kind]))
    return fitting


def _brought(member: PoolMember, actor: Actor, source: str, now: dt.datetime) -> list[Movement]:
    """What a member holds when they join, pending units too, at the share of what they earn."""
    into = {wallet.wallet_type_id: wallet for wallet in pool_wallets(member.pool)}
    wallets = list(
        Wallet.objects.filter(
            account=member.membership.account_id, wallet_type__stored_value=False
        ).select_related("wallet_type__program")
    )
    held = holdings(wallets, now)
    movements = []
    for wallet in wallets:
        found = held[wallet.pk]
        beyond_debt = max(found.balance + found.pending - found.owed, 0)
        units = beyond_debt * member.pool.percent // 100
        if units:
            movements.append(
                pool_movement(
                    wallet, into[wallet.wallet_type_id], units, program=terms_of(wallet),
                    why="brought", key=f"pool:{member.pk}:brought:{wallet.wallet_type_id}",
                    source=source, actor=actor, now=now, pend=True,
                )
            )  # fmt: skip
    return movements


def _clean(terms: PoolTerms) -> dict[str, Any]:
    """The columns of a pool with these terms. Raises PoolRefusedError at the field."""
    name = " ".join(terms.name.replace("\x00", "").split())
    if not name or len(name) > LONGEST_NAME:
        raise _invalid("name", _("Give a name of at most %s characters.") % LONGEST_NAME)
    for field, choices in (
        ("kind", Pool.Kind), ("contribution", Pool.Contribution), ("spending", Pool.Spending),
        ("leaving", Pool.Leaving),
    ):  # fmt: skip
        if getattr(terms, field) not in choices.values:
            raise _invalid(field, _("One of: %s.") % ", ".join(choices.values))
    shared = terms.contribution == Pool.Contribution.SHARE
    if shared and not 1 <= (terms.share or 0) <= 100:
        raise _invalid("share", _("Give a share of 1 to 100 percent."))
    return {
        **{field: getattr(terms, field) for field in CHANGEABLE},
        "name": name,
        "share": terms.share if shared else None,
    }


def _invalid(field: str, message: str) -> Exception:
    return refused(field, message, code="invalid_request", status=422)


def _snapshot(pool: Pool) -> dict[str, Any]:
    return {name: getattr(pool, name) for name in CHANGEABLE if getattr(pool, name) is not None}


def _member_snapshot(member: PoolMember) -> dict[str, Any]:
    return {name: getattr(member, name) for name in CHANGEABLE_OF_MEMBERS}


def _record_change(
    action: str,
    of: Pool | PoolMember,
    before: dict[str, Any],
    after: dict[str, Any],
    actor: Actor,
) -> None:
    """In the audit log, where something is different."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not changed:
        return
    old = {name: before[name] for name in changed if name in before}
    new = {name: after[name] for name in changed if name in after}
    if isinstance(of, Pool):
        record_audit(actor=actor, action=action, target=of, before=old, after=new)
    else:
        record_pool_audit(actor=actor, action=action, member=of, before=old, after=new)
