"""What a merge does to awards that belong to a window of a member: the orders of both count towards
one window, and what is given once is kept once."""

from __future__ import annotations

from collections.abc import Sequence

from loyalty.ledger.posting import Movement
from loyalty.models import Membership, WindowAward, WindowPart
from loyalty.selectors.rulebooks import fresh_terms
from loyalty.services.pool_shares import with_pools
from loyalty.services.reconciliation import member_refs
from loyalty.services.window_awards import given_so_far, judge_windows
from members.merging import Merging, Record


def join_windows(
    merging: Merging, giver: Membership, taker: Membership
) -> tuple[list[Record], list[Movement]]:
    """The record, and what is to be posted since both count together."""
    joined: list[Record] = []
    touched = []
    theirs = WindowAward.objects.filter(membership=giver, merged_into=None)
    for window in theirs.order_by("pk"):
        target, _created = WindowAward.objects.get_or_create(
            membership=taker,
            rule_version_id=window.rule_version_id,
            window_start=window.window_start,
        )
        followers = list(window.duplicates.values_list("pk", flat=True))
        window.duplicates.update(merged_into=target)
        window.parts.update(award=target)
        target.units += window.units
        target.short += window.short
        target.save(update_fields=["units", "short"])
        window.units, window.short, window.merged_into = 0, 0, target
        window.save(update_fields=["units", "short", "merged_into"])
        joined.append({"from": window.pk, "to": target.pk, "followers": followers})
        touched.append(target)
    return joined, _judged(merging, taker, touched)


def part_windows(
    merging: Merging,
    giver: Membership,
    taker: Membership,
    *,
    joined: Sequence[Record],
    orders: Sequence[int],
) -> list[Movement]:
    """What is to be posted once each counts alone again."""
    mine, theirs = [], []
    for item in joined:
        window = WindowAward.objects.get(pk=item["from"])
        target = WindowAward.objects.get(pk=item["to"])
        window.merged_into = None
        window.save(update_fields=["merged_into"])
        target.duplicates.filter(pk__in=item["followers"]).update(merged_into=window)
    for window, target in _pairs(giver, taker, joined, orders):
        WindowPart.objects.filter(award=target, order__in=orders).update(award=window)
        for award in (window, target):
            # Whose want of budget it was is not known any more: each asks anew.
            award.units, award.short = given_so_far(award), 0
            award.save(update_fields=["units", "short"])
        theirs.append(window)
        mine.append(target)
    return [*_judged(merging, taker, mine), *_judged(merging, giver, theirs)]


def _pairs(
    giver: Membership, taker: Membership, joined: Sequence[Record], orders: Sequence[int]
) -> list[tuple[WindowAward, WindowAward]]:
    """The windows that were joined; and those in which these orders count only since then, each
    with the giver's own."""
    known = {item["to"]: item["from"] for item in joined}
    since = WindowAward.objects.filter(membership=taker, parts__order__in=orders).distinct()
    for target in since.exclude(pk__in=known).order_by("pk"):
        window, _created = WindowAward.objects.get_or_create(
            membership=giver,
            rule_version_id=target.rule_version_id,
            window_start=target.window_start,
        )
        known[target.pk] = window.pk
    found = WindowAward.objects.in_bulk([*known, *known.values()])
    return [(found[own], found[target]) for target, own in known.items()]


def _judged(
    merging: Merging, membership: Membership, windows: Sequence[WindowAward]
) -> list[Movement]:
    if not windows:
        return []
    terms = fresh_terms()
    program = next(item for item in terms.programs if item.id == membership.program_id)
    refs = member_refs([membership.customer_id], terms)
    movements = judge_windows(
        windows,
        program=program,
        member=refs[membership.customer_id, membership.program_id],
        now=merging.now,
        transfer_source=merging.source,
    )
    return with_pools(movements, terms)
