"""What two members save for, and want taken by itself, when they turn out to be one person: of each
the newest counts. What the duplicate has chosen stays with it, unseen, for the case that the merge
is undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from loyalty.models import Membership
from members.formatting import format_number
from members.merging import MergeRow, MergeSection, Merging, Record
from members.models import Customer
from rewards.models import AutoTake, RewardGoal

Row = dict[str, Any]
OF_GOAL = ("reward_id", "chosen_at")
OF_AUTO = ("balance", "armed", "chosen_at")


def preview_wishes(kept: Customer, merged: Customer, _now: datetime) -> Sequence[MergeSection]:
    """How many of what is carried over."""
    found = (
        _preview(_("Rewards they save for"), RewardGoal, kept, merged),
        _preview(_("Rewards taken by itself"), AutoTake, kept, merged),
    )
    rows = [row for row in found if row is not None]
    return (MergeSection(_("Wishes"), "target", rows),) if rows else ()


def merge_wishes(merging: Merging) -> Record:
    """Members of a program that both are in; one that only the duplicate is in goes over whole."""
    pairs = {
        member.pk: member.merged_into
        for member in Membership.objects.filter(
            customer=merging.merged, merged_into__customer=merging.kept
        ).select_related("merged_into")
        if member.merged_into is not None
    }
    goals = RewardGoal.objects.filter(membership__in=pairs).order_by("pk")
    autos = AutoTake.objects.filter(membership__in=pairs).order_by("pk")
    carried = [_carry_goal(item, pairs[item.membership_id]) for item in goals]
    carried_autos = [_carry_auto(item, pairs[item.membership_id]) for item in autos]
    return {
        "goals": [row for row in carried if row is not None],
        "auto_takes": [row for row in carried_autos if row is not None],
    }


def part_wishes(_merging: Merging, record: Record) -> None:
    """The kept one has again what it had, where it has not chosen anew since."""
    for item in record["goals"]:
        came = RewardGoal.objects.filter(membership=item["membership"], **item["came"])
        _put_back(came, item["was"])
    for item in record["auto_takes"]:
        waiting = AutoTake.objects.filter(
            membership=item["membership"], reward=item["reward"],
            chosen_at=item["came"]["chosen_at"],
        )  # fmt: skip
        _put_back(waiting, item["was"])


def _carry_goal(goal: RewardGoal, to: Membership) -> Row | None:
    """None: what is kept is newer."""
    known = RewardGoal.objects.select_for_update().filter(membership=to).first()
    if known is not None and known.chosen_at >= goal.chosen_at:
        return None
    values = {name: getattr(goal, name) for name in OF_GOAL}
    RewardGoal.objects.update_or_create(membership=to, defaults=values)
    return {"membership": to.pk, "came": _plain(values), "was": _said(known, OF_GOAL)}


def _carry_auto(auto: AutoTake, to: Membership) -> Row | None:
    """It goes on to wait as it did: the units of both together may bring it about."""
    rows = AutoTake.objects.select_for_update()
    known = rows.filter(membership=to, reward=auto.reward_id).first()
    if known is not None and known.chosen_at >= auto.chosen_at:
        return None
    values = {name: getattr(auto, name) for name in OF_AUTO}
    AutoTake.objects.update_or_create(membership=to, reward_id=auto.reward_id, defaults=values)
    return {
        "membership": to.pk, "reward": auto.reward_id, "came": _plain(values),
        "was": _said(known, OF_AUTO),
    }  # fmt: skip


def _put_back(rows: Any, was: Row | None) -> None:
    if was is None:
        rows.delete()
    else:
        rows.update(**was)


def _said(known: RewardGoal | AutoTake | None, names: Sequence[str]) -> Row | None:
    return None if known is None else _plain({name: getattr(known, name) for name in names})


def _plain(values: Row) -> Row:
    """As JSON holds it."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _preview(
    label: str, model: type[RewardGoal | AutoTake], kept: Customer, merged: Customer
) -> MergeRow | None:
    one = "membership__program" if model is RewardGoal else "reward"

    def found(*people: Customer) -> int:
        rows = model.objects.filter(membership__customer__in=people)
        return len(set(rows.values_list(one, flat=True)))

    if not found(merged):
        return None
    return MergeRow(
        label, format_number(found(kept)), format_number(found(merged)),
        format_number(found(kept, merged)), note=_("Of two of the same the newest counts."),
    )  # fmt: skip
