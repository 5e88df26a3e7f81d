"""Who looks like the same person as a member: looked for where somebody's details have changed, and
written down with both."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import connection

from loyalty.models import Membership, RiskScore
from members.selectors.duplicates import MORE_THAN_A_NAME, likely_duplicates

SIMILAR = 10
_FORGET = """
    UPDATE loyalty_riskscore
       SET lookalikes = ARRAY(SELECT unnest(lookalikes) EXCEPT SELECT unnest(%(keys)s::bigint[])
                               ORDER BY 1),
           due_at = least(due_at, now())
     WHERE lookalikes && %(keys)s::bigint[]
"""


def find_similar(
    rows: Sequence[RiskScore], members: Mapping[int, Membership], now: dt.datetime
) -> None:
    """Of these, which are locked, those whose details have changed since it was looked for them.
    Who is found, or is found no more, is to be looked at as well."""
    changed = [row for row in rows if _has_changed(row, members[row.membership_id])]
    batch = {row.membership_id: row for row in rows}
    known = _who_found(
        [members[row.membership_id].customer_id for row in changed if _came(row, members)]
    )
    for row in changed:
        _look_for(row, members[row.membership_id], known, batch, now)


def forget_lookalikes(customers: Sequence[int]) -> None:
    """These look like nobody any more; who looked like them is looked at anew."""
    known = RiskScore.objects.filter(lookalikes__overlap=sorted(customers))
    # In one order, as the statement takes none.
    list(known.select_for_update(of=("self",)).order_by("pk"))
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"keys": sorted(customers)})


def _has_changed(row: RiskScore, member: Membership) -> bool:
    return row.looked_at is None or member.customer.updated_at > row.looked_at


def _came(row: RiskScore, members: Mapping[int, Membership]) -> bool:
    """Who came with a file is not looked for, as there are many: others find them. Once somebody
    has, they are looked for like all."""
    return (
        members[row.membership_id].source == Membership.Source.IMPORT
        and not row.lookalikes
    )  # fmt: skip


def _who_found(customers: Sequence[int]) -> dict[int, set[int]]:
    """By customer those who were found to look like them, in one query."""
    found: dict[int, set[int]] = defaultdict(set)
    wanted = set(customers)
    if wanted:
        rows = RiskScore.objects.filter(
            lookalikes__overlap=sorted(wanted), membership__customer__merged_into=None
        )
        for other, similar in rows.values_list("membership__customer", "lookalikes"):
            for key in wanted.intersection(similar):
                found[key].add(other)
    return found


def _look_for(
    row: RiskScore, member: Membership, known: Mapping[int, set[int]],
    batch: Mapping[int, RiskScore], now: dt.datetime,
) -> None:  # fmt: skip
    customer = member.customer
    if _came(row, {member.pk: member}):
        found, all_of_them = known.get(customer.pk, set()), False
    else:
        hits = likely_duplicates(customer, limit=SIMILAR, least=MORE_THAN_A_NAME)
        # With more of them than are taken, who is left out may still look like them.
        found, all_of_them = {hit.customer.pk for hit in hits}, len(hits) < SIMILAR
    before = set(row.lookalikes)
    row.lookalikes, row.looked_at = sorted(found), now
    _tell(found - before, member, batch, now, alike=True)
    if all_of_them:
        _tell(before - found, member, batch, now, alike=False)


def _tell(
    others: set[int], member: Membership, batch: Mapping[int, RiskScore], now: dt.datetime, *,
    alike: bool,
) -> None:  # fmt: skip
    """Write the member down with those who look like them, or strike them out."""
    if not others:
        return
    key = member.customer_id
    rows = RiskScore.objects.filter(
        membership__customer__in=others, membership__program=member.program_id
    ).select_for_update(of=("self",))
    for known in rows.order_by("pk"):
        other = batch.get(known.membership_id, known)
        similar = {*other.lookalikes, key} if alike else {*other.lookalikes} - {key}
        if similar != set(other.lookalikes):
            other.lookalikes, other.due_at = sorted(similar), now
            other.save(update_fields=["lookalikes", "due_at"])
