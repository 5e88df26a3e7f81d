"""What a merge of two customers does here: one membership in each program, one wallet of each
type, and all orders, refunds and activities with who is kept.

Wallets are joined lot by lot and debt by debt, so that they can be parted again: the lots that came
keep their origin, maturity and expiry, and no debt is repaid by the merge itself. Awards that are
given once are kept once: they belong to the membership that goes on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from loyalty.ledger.balances import holdings
from loyalty.ledger.posting import Movement, lock_wallets, point_wallets, post
from loyalty.models import (
    Activity,
    Membership,
    MemberTier,
    Order,
    OrderEvaluation,
    PoolMember,
    Program,
    Refund,
    RiskCase,
    Transfer,
    Wallet,
)
from loyalty.selectors.merged_lots import lots_that_came
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.absences import note_status
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.memberships import enroll_many
from loyalty.services.merged_caps import join_caps, part_caps
from loyalty.services.merged_plans import join_plans, part_plans
from loyalty.services.merged_windows import join_windows, part_windows
from loyalty.services.transits import Transit
from members.errors import ConflictError
from members.merging import Merging, Record


def lock_wallets_of(customer_ids: Sequence[int]) -> None:
    """Before the customers, with those of their pools: orders of one of them wait, and then find
    whom they belong to now."""
    shared = Wallet.objects.filter(
        account__pool__members__membership__customer__in=customer_ids,
        account__pool__members__left_at=None,
    )
    # Each by its own index: of either or both the database would go through all wallets there are.
    own = Wallet.objects.filter(account__membership__customer__in=customer_ids)
    lock_wallets([pk for (pk,) in own.values_list("pk").union(shared.values_list("pk"))])


def merge_members(merging: Merging) -> Record:
    """Everything of the merged customer goes to the kept one."""
    merge = {"customer": merging.merged, "to": merging.kept}
    record: Record = {
        "orders": _hand_over(Order.objects.all(), **merge),
        "refunds": _hand_over(Refund.objects.all(), **merge),
        "activities": _hand_over(Activity.objects.all(), **merge),
        "memberships": [],
        # All that is posted for these two from now on has a higher number.
        "after": Transfer.objects.aggregate(last=Max("pk", default=0))["last"],
    }
    theirs = Membership.objects.filter(customer=merging.merged).select_related("program")
    for membership in theirs.exclude(status=Membership.Status.MERGED).order_by("pk"):
        record["memberships"].append(_join_membership(merging, membership))
    _refresh_tiers(merging)
    return record


def _refresh_tiers(merging: Merging) -> None:
    """Everything counts for who is kept, or for each of the two again."""
    MemberTier.objects.filter(membership__status=Membership.Status.MERGED).filter(
        membership__customer__in=(merging.kept, merging.merged)
    ).delete()
    people = (merging.kept.pk, merging.merged.pk)
    refresh_customers(people, terms=fresh_terms(), now=merging.now, locked=True)


def part_members(merging: Merging, record: Record) -> None:
    """What came goes back as far as it is there; what happened since stays with the kept one."""
    for joined in reversed(record["memberships"]):
        _part_membership(merging, joined, record)
    for model, name in ((Order, "orders"), (Refund, "refunds"), (Activity, "activities")):
        rows: QuerySet[Any] = model.objects.filter(pk__in=record.get(name, ()))
        _hand_over(rows, customer=merging.kept, to=merging.merged)
    _refresh_tiers(merging)


def _hand_over(rows: QuerySet[Any], *, customer: Any, to: Any) -> list[int]:
    """Give the customer's rows among these to another; answers with their keys."""
    rows = rows.filter(customer=customer)
    keys = sorted(rows.values_list("pk", flat=True))
    rows.filter(pk__in=keys).update(customer=to)
    return keys


# --- Memberships ----------------------------------------------------------------------------------


def _join_membership(merging: Merging, membership: Membership) -> Record:
    """The kept customer's membership takes over; they get one where they had none."""
    program = membership.program
    _refuse_pooled(membership)
    found = Membership.objects.filter(customer=merging.kept, program=program).first()
    if found is None:
        since = {merging.kept.pk: membership.enrolled_at}
        enroll_many(program_id=program.pk, enrolled=since, source=membership.source)
    kept = found or Membership.objects.get(customer=merging.kept, program=program)
    _refuse_held(membership, kept)
    status = joined_status(kept.status if found else membership.status, membership.status)
    followers = Membership.objects.filter(merged_into=membership)
    record: Record = {
        "membership": membership.pk,
        "into": kept.pk,
        "made": found is None,
        "status": membership.status,
        "kept_before": {"status": kept.status, "enrolled_at": kept.enrolled_at.isoformat()},
        "kept_status": status,
        "followers": list(followers.values_list("pk", flat=True)),
        "wallets": _join_wallets(merging, program, membership, kept),
        "caps": join_caps(membership, kept),
    }
    kept.status, kept.enrolled_at = status, min(kept.enrolled_at, membership.enrolled_at)
    kept.save(update_fields=["status", "enrolled_at"])
    followers.update(merged_into=kept)
    membership.status, membership.merged_into = Membership.Status.MERGED, kept
    membership.save(update_fields=["status", "merged_into"])
    note_status(kept, at=merging.now)
    record["plans"] = join_plans(kept, merging.now)
    record["windows"], movements = join_windows(merging, membership, kept)
    post(movements, now=merging.now)
    return record


def _refuse_pooled(membership: Membership) -> None:
    """Who shares a pool leaves it first: what comes back is for its members to decide."""
    shared = PoolMember.objects.select_related("pool").filter(membership=membership, left_at=None)
    for member in shared:
        raise ConflictError(
            _("%(customer)s shares the pool %(pool)s. Take them out of it first.")
            % {"customer": membership.customer, "pool": member.pool.name},
            code="in_a_pool",
        )


def _refuse_held(*memberships: Membership) -> None:
    """A hold ends with its case, which only is about one of them: it is decided first."""
    held = RiskCase.objects.filter(membership__in=memberships, state=RiskCase.State.HELD)
    for case in held.select_related("membership__customer", "membership__program")[:1]:
        raise ConflictError(
            _("%(customer)s is held in %(program)s by a fraud review. Decide that case first.")
            % {"customer": case.membership.customer, "program": case.membership.program.name},
            code="held",
        )


def joined_status(kept: str, merged: str) -> str:
    """Who was suspended under either name stays so; else who takes part under either, does."""
    for status in (Membership.Status.SUSPENDED, Membership.Status.ACTIVE):
        if status in {kept, merged}:
            return status.value
    return Membership.Status.LEFT.value


def _part_membership(merging: Merging, joined: Record, record: Record) -> None:
    membership = Membership.objects.select_related("program").get(pk=joined["membership"])
    kept = Membership.objects.get(pk=joined["into"])
    _part_wallets(merging, membership.program, joined["wallets"], record)
    part_caps(
        membership, kept, joined["caps"], orders=record["orders"],
        activities=record.get("activities", ()), after=record["after"],
    )  # fmt: skip
    membership.status, membership.merged_into = joined["status"], None
    membership.save(update_fields=["status", "merged_into"])
    _bring_back_followers(joined, kept, membership)
    part_plans(joined.get("plans", []), merging.now)
    movements = part_windows(
        merging, membership, kept, joined=joined["windows"], orders=record["orders"]
    )
    post(movements, now=merging.now)
    before = joined["kept_before"]
    if kept.status == joined["kept_status"]:
        kept.status = _leaving(kept, membership.program) if joined["made"] else before["status"]
    if kept.enrolled_at == membership.enrolled_at:
        kept.enrolled_at = dt.datetime.fromisoformat(before["enrolled_at"])
    kept.save(update_fields=["status", "enrolled_at"])
    for member in (membership, kept):
        note_status(member, at=merging.now)


def _bring_back_followers(joined: Record, kept: Membership, membership: Membership) -> None:
    """Duplicates that had been merged into the merged customer before are theirs again."""
    followers = Membership.objects.filter(pk__in=joined["followers"], merged_into=kept)
    back = {item["to"]: item["from"] for item in joined["wallets"]}
    wallets = Wallet.objects.filter(
        account__membership__in=followers, merged_into__in=list(back)
    ).values_list("pk", "merged_into_id")
    point_wallets({pk: back[into] for pk, into in wallets})
    followers.update(merged_into=membership)


def _leaving(membership: Membership, program: Program) -> str:
    """Who takes part by the merge alone does so no more, unless the next order would enroll them
    anyway."""
    moved = Transfer.objects.filter(wallet__account=membership.account_id)
    used = (
        OrderEvaluation.objects.filter(membership=membership).exists()
        or moved.exclude(kind=Transfer.Kind.MERGE).exists()
        or PoolMember.objects.filter(membership=membership).exists()
    )
    stays = used or program.takes_in_everybody
    return Membership.Status.ACTIVE if stays else Membership.Status.LEFT


# --- Wallets --------------------------------------------------------------------------------------


def _join_wallets(
    merging: Merging, program: Program, giver: Membership, taker: Membership
) -> list[Record]:
    """Units and debts of each wallet go to the one of the same type; the empty one is closed."""
    lock_wallets([wallet.pk for wallet in _wallets([giver, taker])])
    wallets = _wallets([giver, taker])
    theirs = {w.wallet_type_id: w for w in wallets if w.account_id == taker.account_id}
    given = [wallet for wallet in wallets if wallet.account_id == giver.account_id]
    held = holdings(given, merging.now)
    transit = Transit(program, "joined", merging.now, merging.source, merging.actor)
    movements: list[Movement] = []
    for wallet in given:
        key = f"merge:{merging.merge.pk}:{wallet.pk}"
        movements += transit.join(wallet, theirs[wallet.wallet_type_id], held[wallet.pk], key=key)
    post(movements, now=merging.now)
    into = {wallet.pk: theirs[wallet.wallet_type_id].pk for wallet in given}
    followers = Wallet.objects.filter(merged_into__in=given)
    point_wallets(into | {wallet.pk: into[wallet.merged_into_id or 0] for wallet in followers})
    return [{"from": pk, "to": into[pk], "owed": held[pk].owed} for pk in into]


def _part_wallets(
    merging: Merging, program: Program, joined: Sequence[Record], record: Record
) -> None:
    pairs = {item["from"]: item["to"] for item in joined}
    lock_wallets([*pairs, *pairs.values()])
    wallets = Wallet.objects.in_bulk([*pairs, *pairs.values()])
    held = holdings(wallets.values(), merging.now)
    point_wallets(dict.fromkeys(pairs))
    transit = Transit(program, "parted", merging.now, merging.source, merging.actor)
    movements: list[Movement] = []
    for item in joined:
        kept, theirs = wallets[item["to"]], wallets[item["from"]]
        key = f"merge:{merging.merge.pk}:undone:{theirs.pk}"
        came = lots_that_came(
            kept=kept.pk, theirs=theirs.pk, orders=record["orders"],
            activities=record.get("activities", ()), after=record["after"], at=merging.now,
        )  # fmt: skip
        if came.units:
            movements.append(transit.move(kept, theirs, came.units, key=key, lots=came.lot_ids))
        owed = min(item["owed"], held[kept.pk].owed)
        if owed:
            movements.append(transit.owe(kept, theirs, owed, key=f"{key}:debt"))
    post(movements, now=merging.now)


def _wallets(memberships: Sequence[Membership]) -> list[Wallet]:
    accounts = [membership.account_id for membership in memberships]
    return list(Wallet.objects.filter(account__in=accounts).order_by("pk"))
