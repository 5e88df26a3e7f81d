"""What a merge of two customers, or its undoing, would do to what they hold. Changes nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from loyalty.ledger.balances import Holding, holdings, spendable_of
from loyalty.models import Membership, Order, Refund, Wallet, WalletType
from loyalty.selectors.merged_lots import lots_that_came
from members.formatting import format_day, format_number, format_points
from members.merging import MergeRow, MergeSection, Record
from members.models import Customer, CustomerMerge
from members.states import state_label

Status = Membership.Status
NOTHING = Holding(0, 0, 0, 0)


def joined_status(kept: str, merged: str) -> str:
    """Who was suspended under either name stays so; else who takes part under either, does."""
    for status in (Status.SUSPENDED, Status.ACTIVE):
        if status in {kept, merged}:
            return status.value
    return Status.LEFT.value


def preview_joined(kept: Customer, merged: Customer, now: dt.datetime) -> list[MergeSection]:
    """Each program with its wallets, then orders and refunds."""
    found = Membership.objects.filter(customer__in=[kept, merged]).select_related("program")
    memberships = list(found.exclude(status=Status.MERGED).order_by("program__name", "pk"))
    wallets = _wallets(memberships)
    held = holdings((w for items in wallets.values() for w in items), now)
    by_program: defaultdict[int, dict[int, Membership]] = defaultdict(dict)
    for membership in memberships:
        by_program[membership.program_id][membership.customer_id] = membership
    sections = []
    for pair in by_program.values():
        mine, theirs = pair.get(kept.pk), pair.get(merged.pk)
        title = next(iter(pair.values())).program.name
        rows = [*_balance_rows(mine, theirs, wallets, held), *_membership_rows(mine, theirs)]
        sections.append(MergeSection(title, "wallet", rows))
    rows = list(_purchase_rows(kept, merged))
    return [*sections, MergeSection(_("Purchases"), "receipt", rows)] if rows else sections


def preview_parted(merge: CustomerMerge, record: Record, now: dt.datetime) -> list[MergeSection]:
    """What goes back to the merged customer: units that are left, debts, orders."""
    sections = []
    for joined in record["memberships"]:
        program = Membership.objects.select_related("program").get(pk=joined["membership"]).program
        rows = list(_parted_rows(joined["wallets"], record, now))
        sections.append(MergeSection(program.name, "wallet", rows))
    orders = Order.objects.filter(pk__in=record["orders"], customer=merge.kept).count()
    if orders:
        stay = Order.objects.filter(customer=merge.kept).count() - orders
        row = MergeRow(_("Orders"), format_number(stay), format_number(orders), "")
        sections.append(MergeSection(_("Purchases"), "receipt", [row]))
    return sections


def _parted_rows(joined: Sequence[Record], record: Record, now: dt.datetime) -> Iterator[MergeRow]:
    found = Wallet.objects.select_related("wallet_type").in_bulk([item["to"] for item in joined])
    held = holdings(found.values(), now)
    for item in joined:
        here, wallet = held[item["to"]], found[item["to"]]
        back = lots_that_came(
            kept=item["to"], theirs=item["from"], orders=record["orders"],
            after=record["after"], at=now,
        ).units  # fmt: skip
        label, shown = _words(wallet.wallet_type)
        yield MergeRow(label, shown(here.balance + here.pending - back), shown(back), "")
        if here.owed:
            owed = min(item["owed"], here.owed)
            yield MergeRow(_("%s owed") % label, shown(here.owed - owed), shown(owed), "")


def _balance_rows(
    mine: Membership | None,
    theirs: Membership | None,
    wallets: Mapping[int, Sequence[Wallet]],
    held: Mapping[int, Holding],
) -> Iterator[MergeRow]:
    types: dict[int, WalletType] = {}
    sides: list[dict[int, Holding]] = []
    for membership in (mine, theirs):
        side = wallets[membership.account_id] if membership else ()
        types |= {wallet.wallet_type_id: wallet.wallet_type for wallet in side}
        sides.append({wallet.wallet_type_id: held[wallet.pk] for wallet in side})
    for key, wallet_type in sorted(types.items()):
        here, there = (side.get(key, NOTHING) for side in sides)
        label, shown = _words(wallet_type)
        blocked = (here.blocked and here.owed > 0) or (there.blocked and there.owed > 0)
        after = spendable_of(here.balance + there.balance, here.owed + there.owed, blocks=blocked)
        yield MergeRow(label, shown(here.spendable), shown(there.spendable), shown(after))
        for name, one, other in (
            (_("%s pending"), here.pending, there.pending),
            (_("%s owed"), here.owed, there.owed),
        ):
            if one or other:
                yield MergeRow(name % label, shown(one), shown(other), shown(one + other))


def _membership_rows(mine: Membership | None, theirs: Membership | None) -> Iterator[MergeRow]:
    both = [membership for membership in (mine, theirs) if membership]
    oldest = min(both, key=lambda membership: membership.enrolled_at)
    yield MergeRow(_("Member since"), _since(mine), _since(theirs), _since(oldest))
    card, other_card = (member.card_number if member else "" for member in (mine, theirs))
    note = _("Both cards work.") if mine and theirs else ""
    if mine is None:
        note = _("The card works on, and there will be a new one.")
    yield MergeRow(_("Card number"), card, other_card, card, note)
    if any(membership.status != Status.ACTIVE for membership in both):
        status = joined_status(both[0].status, both[-1].status)
        yield MergeRow(_("Status"), _state(mine), _state(theirs), state_label(status)[0])


def _purchase_rows(kept: Customer, merged: Customer) -> Iterator[MergeRow]:
    for label, rows in ((_("Orders"), Order.objects.all()), (_("Refunds"), Refund.objects.all())):
        one, other = (rows.filter(customer=customer).count() for customer in (kept, merged))
        if one or other:
            yield MergeRow(
                label, format_number(one), format_number(other), format_number(one + other)
            )


def _state(membership: Membership | None) -> str:
    return state_label(membership.status)[0] if membership else ""


def _since(membership: Membership | None) -> str:
    return format_day(membership.enrolled_at, membership.program.zone) if membership else ""


def _words(wallet_type: WalletType) -> tuple[str, Callable[[int], str]]:
    return capfirst(wallet_type.plural), lambda units: format_points(units, wallet_type.scale)


def _wallets(memberships: Sequence[Membership]) -> Mapping[int, Sequence[Wallet]]:
    """By account."""
    found: defaultdict[int, list[Wallet]] = defaultdict(list)
    accounts = [membership.account_id for membership in memberships]
    for wallet in Wallet.objects.filter(account__in=accounts).select_related("wallet_type"):
        found[wallet.account_id].append(wallet)
    return found
