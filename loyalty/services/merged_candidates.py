"""What a merge does to invitations, the waiting list and the lists of launches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef

from loyalty.models import Candidate, LaunchPlace, Membership
from members.merging import MergeSection, Merging, Record
from members.models import Customer

FOREIGN_KEYS = ("loyalty.candidate.customer", "loyalty.launchplace.customer")


def merge_candidates(merging: Merging) -> Record:
    """Who is kept is a candidate where the other was, unless they are one or a member already; of
    two places in a launch they have the better one."""
    kept, merged = merging.kept, merging.merged
    own = Candidate.objects.filter(customer=kept, program=OuterRef("program"))
    member = Membership.objects.filter(customer=kept, program=OuterRef("program"))
    theirs = Candidate.objects.filter(customer=merged).exclude(Exists(own)).exclude(Exists(member))
    candidates = list(theirs.values_list("pk", flat=True))
    Candidate.objects.filter(pk__in=candidates).update(customer=kept)
    moved: list[int] = []
    exchanged: list[list[int]] = []
    for place in LaunchPlace.objects.filter(customer=merged).order_by("pk"):
        before = LaunchPlace.objects.filter(launch=place.launch_id, customer=kept).first()
        if before is None:
            LaunchPlace.objects.filter(pk=place.pk).update(customer=kept)
            moved.append(place.pk)
        elif place.rank < before.rank:
            _exchange(place, before)
            exchanged.append([place.pk, before.pk])
    return {"candidates": candidates, "places": moved, "exchanged": exchanged}


def part_candidates(merging: Merging, record: Record) -> None:
    """What came goes back, if it is still as it came."""
    back = {"customer": merging.merged}
    Candidate.objects.filter(pk__in=record["candidates"], customer=merging.kept).update(**back)
    LaunchPlace.objects.filter(pk__in=record["places"], customer=merging.kept).update(**back)
    for pair in record["exchanged"]:
        places = LaunchPlace.objects.in_bulk(pair)
        if len(places) == 2:
            _exchange(*places.values())


def _exchange(one: LaunchPlace, other: LaunchPlace) -> None:
    for name in ("position", "rank", "spend"):
        mine, theirs = getattr(one, name), getattr(other, name)
        setattr(one, name, theirs)
        setattr(other, name, mine)
    one.save()
    other.save()


def nothing_to_show(_kept: Customer, _merged: Customer, _now: datetime) -> Sequence[MergeSection]:
    return ()
