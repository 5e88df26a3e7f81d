"""What a merge of two customers, or its undoing, does to what they hold: it is done, looked at, and
left as it was. So the preview is what will happen, and not a second calculation of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from loyalty.ledger.balances import Holding, holdings
from loyalty.models import Membership, Order, Program, Refund, Transfer, Wallet, WalletType
from loyalty.services.merging import lock_wallets_of, merge_members, part_members
from members.formatting import format_day, format_number, format_points
from members.merging import MergeRow, MergeSection, Merging, Record
from members.models import Customer, CustomerMerge
from members.services.audit import SYSTEM
from members.states import state_label

NOTHING = Holding(0, 0, 0, 0)


@dataclass(slots=True)
class Standing:
    """Where customers stand in one program: memberships by customer, and what these hold."""

    program: Program
    members: dict[int, Membership] = field(default_factory=dict)
    held: dict[int, dict[WalletType, Holding]] = field(default_factory=dict)

    def member(self, customer: Customer) -> Membership | None:
        return self.members.get(customer.pk)

    def holds(self, customer: Customer, wallet_type: WalletType) -> Holding:
        return self.held.get(customer.pk, {}).get(wallet_type, NOTHING)


def preview_joined(kept: Customer, merged: Customer, now: dt.datetime) -> list[MergeSection]:
    """Each program with its wallets, then orders and refunds: both, and what there will be."""
    before = _standings([kept, merged], now)
    with transaction.atomic():
        lock_wallets_of([kept.pk, merged.pk])
        merge = CustomerMerge.objects.create(kept=kept, merged=merged, merged_at=now)
        merge_members(_merging(merge, now))
        after = _standings([kept], now)
        transaction.set_rollback(True)
    sections = []
    for key, standing in before.items():
        then = after[key]
        rows = [
            *_balance_rows(standing, kept, merged, then),
            *_member_rows(standing, kept, merged, then),
        ]
        sections.append(MergeSection(standing.program.name, "wallet", rows))
    rows = list(_purchase_rows(kept, merged))
    return [*sections, MergeSection(_("Purchases"), "receipt", rows)] if rows else sections


def preview_parted(merge: CustomerMerge, record: Record, now: dt.datetime) -> list[MergeSection]:
    """What each of the two will have."""
    both = [merge.kept, merge.merged]
    with transaction.atomic():
        lock_wallets_of([customer.pk for customer in both])
        part_members(_merging(merge, now), record)
        after = _standings(both, now)
        counts = [Order.objects.filter(customer=customer).count() for customer in both]
        transaction.set_rollback(True)
    sections = []
    for standing in after.values():
        rows = list(_parted_rows(standing, merge.kept, merge.merged))
        sections.append(MergeSection(standing.program.name, "wallet", rows))
    if any(counts):
        row = MergeRow(_("Orders"), format_number(counts[0]), format_number(counts[1]), "")
        sections.append(MergeSection(_("Purchases"), "receipt", [row]))
    return sections


def _merging(merge: CustomerMerge, now: dt.datetime) -> Merging:
    source = Transfer.Source.BACKOFFICE.value
    return Merging(merge, merge.kept, merge.merged, SYSTEM, source, now)


def _standings(customers: Sequence[Customer], now: dt.datetime) -> dict[int, Standing]:
    """By program, in the order of their names."""
    found = Membership.objects.filter(customer__in=customers).select_related("program")
    memberships = found.exclude(status=Membership.Status.MERGED).order_by("program__name", "pk")
    owners = {membership.account_id: membership for membership in memberships}
    wallets = list(Wallet.objects.filter(account__in=owners).select_related("wallet_type"))
    held = holdings(wallets, now)
    standings: dict[int, Standing] = {}
    for membership in owners.values():
        standing = standings.setdefault(membership.program_id, Standing(membership.program))
        standing.members[membership.customer_id] = membership
    for wallet in wallets:
        owner = owners[wallet.account_id]
        holds = standings[owner.program_id].held.setdefault(owner.customer_id, {})
        holds[wallet.wallet_type] = held[wallet.pk]
    return standings


def _balance_rows(
    before: Standing, kept: Customer, merged: Customer, after: Standing
) -> Iterator[MergeRow]:
    for wallet_type in _wallet_types(after, [kept]):
        three = (
            before.holds(kept, wallet_type),
            before.holds(merged, wallet_type),
            after.holds(kept, wallet_type),
        )
        for label, amounts, always in _amounts(wallet_type, three):
            if always or any(amounts):
                yield MergeRow(label, *_shown(wallet_type, amounts))


def _parted_rows(after: Standing, kept: Customer, merged: Customer) -> Iterator[MergeRow]:
    for wallet_type in _wallet_types(after, [kept, merged]):
        two = after.holds(kept, wallet_type), after.holds(merged, wallet_type)
        for label, amounts, always in _amounts(wallet_type, two):
            if always or any(amounts):
                mine, theirs = _shown(wallet_type, amounts)
                yield MergeRow(label, mine, theirs, "")


def _amounts(
    wallet_type: WalletType, held: Sequence[Holding]
) -> Iterator[tuple[str, list[int], bool]]:
    """What is spendable, pending and owed, each with its label; what is spendable always counts."""
    label = capfirst(wallet_type.plural)
    yield label, [item.spendable for item in held], True
    yield _("%s pending") % label, [item.pending for item in held], False
    yield _("%s owed") % label, [item.owed for item in held], False


def _shown(wallet_type: WalletType, amounts: Iterable[int]) -> list[str]:
    return [format_points(units, wallet_type.scale) for units in amounts]


def _wallet_types(standing: Standing, customers: Iterable[Customer]) -> list[WalletType]:
    found = {item for customer in customers for item in standing.held.get(customer.pk, {})}
    return sorted(found, key=lambda wallet_type: wallet_type.pk)


def _member_rows(
    before: Standing, kept: Customer, merged: Customer, after: Standing
) -> Iterator[MergeRow]:
    mine, theirs, then = before.member(kept), before.member(merged), after.members[kept.pk]
    yield MergeRow(_("Member since"), _since(mine), _since(theirs), _since(then))
    card, other_card = (member.card_number if member else "" for member in (mine, theirs))
    note = _("Both cards work.") if mine and theirs else ""
    if mine is None:
        note = _("The card works on, and there will be a new one.")
    yield MergeRow(_("Card number"), card, other_card, card, note)
    states = [_state(member) for member in (mine, theirs, then)]
    if any(member.status != Membership.Status.ACTIVE for member in before.members.values()):
        yield MergeRow(_("Status"), *states)


def _purchase_rows(kept: Customer, merged: Customer) -> Iterator[MergeRow]:
    for label, rows in ((_("Orders"), Order.objects.all()), (_("Refunds"), Refund.objects.all())):
        one, other = (rows.filter(customer=customer).count() for customer in (kept, merged))
        if one or other:
            yield MergeRow(
                label, format_number(one), format_number(other), format_number(one + other)
            )


def _since(membership: Membership | None) -> str:
    return format_day(membership.enrolled_at, membership.program.zone) if membership else ""


def _state(membership: Membership | None) -> str:
    return state_label(membership.status)[0] if membership else ""
