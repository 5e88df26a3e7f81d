"""Which earning rules ask whether their buyer is in a segment."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty.models import EarningRuleVersion
from loyalty.rule_conditions import RULE_SCOPES
from members.conditions.tree import ConditionError, parse
from members.segment_uses import SegmentUse, register_segment_uses
from members.selectors.segments import codes_in


def uses_of_segments() -> Iterator[SegmentUse]:
    """Rules in force, to come and being written, each once for a segment."""
    versions = EarningRuleVersion.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=timezone.now()), body__has_key="when"
    ).select_related("rule__program")
    seen: set[tuple[int, str]] = set()
    for version in versions:
        try:
            node = parse(version.body["when"], scopes=RULE_SCOPES, choices_known=False)
        except ConditionError:
            continue
        for code in codes_in(node):
            if (version.rule_id, code) not in seen:
                seen.add((version.rule_id, code))
                rule = version.rule
                url = reverse("loyalty_backoffice:program_page", args=[rule.program.code])
                yield SegmentUse(code, _("rule"), f"{rule.name} ({rule.program.name})", url)


def register() -> None:
    register_segment_uses("rules", uses_of_segments)
