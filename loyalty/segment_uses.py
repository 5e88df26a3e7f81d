"""Which earning rules and pledges ask whether somebody is in a segment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import EarningRuleVersion, Pledge
from loyalty.rule_conditions import stored_condition
from members.conditions.tree import ConditionError
from members.segment_uses import SegmentUse, register_segment_uses
from members.selectors.segments import codes_in


@dataclass(frozen=True, slots=True)
class Asking:
    """Something that a condition belongs to. `owner`: it is told once for a segment, however many
    wordings it has."""

    owner: int
    when: Mapping[str, Any]
    label: str
    url: str


def segments_asked_for(kind: str, asking: Iterable[Asking]) -> Iterator[SegmentUse]:
    """The segments that these conditions name. One that cannot be read any more names none."""
    seen: set[tuple[int, str]] = set()
    for item in asking:
        try:
            condition = stored_condition(item.when)
        except ConditionError:
            continue
        for code in codes_in(condition.root) if condition else ():
            if (item.owner, code) not in seen:
                seen.add((item.owner, code))
                yield SegmentUse(code, kind, item.label, item.url)


def uses_of_segments() -> Iterator[SegmentUse]:
    """Rules in force, to come and being written, each once for a segment."""
    versions = EarningRuleVersion.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=timezone.now()), body__has_key="when"
    ).select_related("rule__program")
    return segments_asked_for(_("rule"), map(_asking, versions))


def pledge_uses_of_segments() -> Iterator[SegmentUse]:
    """Pledges and drafts of them: one that is over still counts what is told late."""
    found = Pledge.objects.exclude(status=Pledge.Status.ARCHIVED).exclude(when={})
    asking = map(_pledge_asking, found.select_related("charity__account__program"))
    return segments_asked_for(_("pledge"), asking)


def register() -> None:
    register_segment_uses("rules", uses_of_segments)
    register_segment_uses("pledges", pledge_uses_of_segments)


def _asking(version: EarningRuleVersion) -> Asking:
    rule = version.rule
    url = reverse("loyalty_backoffice:program_page", args=[rule.program.code])
    return Asking(rule.pk, version.body["when"], f"{rule.name} ({rule.program.name})", url)


def _pledge_asking(pledge: Pledge) -> Asking:
    account = pledge.charity.account
    url = reverse("loyalty_backoffice:charity", args=[account.program.code, account.code])
    return Asking(pledge.pk, pledge.when, f"{pledge.name} ({account.program.name})", url)
