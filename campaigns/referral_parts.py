"""Referrals among everything else: codes that are given as somebody joins, what is followed, what
is forgotten with a person, and what becomes of them when two people turn out to be one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from campaigns.models import Referral, ReferralLink, ReferralTrace
from campaigns.selectors.referrals import advocate_of
from campaigns.services import referral_following
from campaigns.services.referrals import refuse
from loyalty.join_codes import register_join_code_reader
from loyalty.services.memberships import JOINED
from members.forgetting import register_forgetting
from members.formatting import format_number
from members.merging import (
    MergeHandler,
    MergeRow,
    MergeSection,
    Merging,
    Record,
    register_merge_handler,
)
from members.models import Customer
from members.models.changes import CHANGED
from members.outbox import register_consumer
from members.selectors.merges import current

Status = Referral.Status
UNPAID = (Status.INVITED, Status.JOINED, Status.PENDING, Status.IN_REVIEW, Status.LAPSED)


def forget_traces(customers: Sequence[Customer]) -> list[str]:
    """By what they could be known again; that somebody came by somebody's link stays."""
    ReferralTrace.objects.filter(customer__in=customers).delete()
    return []


def preview_referrals(kept: Customer, merged: Customer, _now: datetime) -> Sequence[MergeSection]:
    counts = [Referral.objects.filter(friend=one).count() for one in (kept, merged)]
    links = [ReferralLink.objects.filter(membership__customer=one) for one in (kept, merged)]
    brought = [Referral.objects.filter(link__in=rows).count() for rows in links]
    rows = []
    if any(counts):
        after = "1" if any(counts) else "0"
        rows.append(MergeRow(_("Came by a friend"), str(counts[0]), str(counts[1]), after,
                             note=_("One person comes once.")))  # fmt: skip
    if any(brought):
        own = [format_number(number) for number in brought]
        rows.append(
            MergeRow(_("Brought friends"), own[0], own[1], format_number(sum(brought)),
                     note=_("Both links go on to work."))
        )  # fmt: skip
    return (MergeSection(_("Referrals"), "user-heart", rows),) if rows else ()


def merge_referrals(merging: Merging) -> Record:
    """Who came twice came once: what is not paid of the duplicate's is refused, or goes to the one
    who is kept. What was paid stays where it was. Whoever turns out to have brought themselves gets
    nothing for it."""
    kept, merged, now = merging.kept, merging.merged, merging.now
    record: Record = {"moved": [], "refused": []}
    taken = set(Referral.objects.filter(friend=kept).values_list("program", flat=True))
    for row in _locked(merged):
        if row.program_id in taken:
            _refuse(row, "second", record, now)
        else:
            record["moved"].append(row.pk)
            row.friend = kept
            row.save(update_fields=["friend"])
    for row in _locked(kept):
        advocate = advocate_of(row.link)
        if advocate is not None and {advocate.customer_id, current(advocate.customer).pk} & {
            kept.pk, merged.pk
        }:  # fmt: skip
            _refuse(row, "same_customer", record, now)
    traces = ReferralTrace.objects.filter(customer=merged)
    record["traces"] = list(traces.values_list("pk", flat=True))
    return record


def part_referrals(merging: Merging, record: Record) -> None:
    """Each has their own again; what was refused because of the merge stays so, which the staff's
    note tells."""
    Referral.objects.filter(pk__in=record["moved"], friend=merging.kept).update(
        friend=merging.merged
    )


def register() -> None:
    """Called once, when the application is ready."""
    register_forgetting("referral_traces", forget_traces)
    register_join_code_reader("referrals", referral_following.use_join_code)
    register_consumer(JOINED, referral_following.follow_joined)
    register_consumer(CHANGED, referral_following.follow_orders)
    register_merge_handler(
        "referrals",
        MergeHandler(
            fields=("campaigns.referral.friend", "campaigns.referraltrace.customer"),
            preview=preview_referrals, merge=merge_referrals, undo=part_referrals,
        ),
        order=85,
    )  # fmt: skip


def _locked(customer: Customer) -> list[Referral]:
    rows = Referral.objects.select_for_update(of=("self",)).select_related(
        "link__membership__customer", "link__membership__merged_into__customer"
    )
    return list(rows.filter(friend=customer).order_by("pk"))


def _refuse(row: Referral, code: str, record: Record, now: datetime) -> None:
    if row.status in UNPAID:
        refuse(row, code, now)
        row.save()
        record["refused"].append(row.pk)
