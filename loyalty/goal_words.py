"""Goals in words: what is wanted, how far it is, and what a target asks for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.goal_metrics import GoalMetric, metric_of
from loyalty.goal_progress import Progress
from loyalty.models import Goal
from members.formatting import format_day, format_number

# A pace so many times that of before is not explained by what was done before.
MUCH_FASTER = 3


def goal_title(goal: Goal, tier_name: str = "") -> str:
    """ "Active members: 55% by Mar 31, 2026" """
    metric = metric_of(goal)
    label = metric.label
    if goal.tier_code:
        label = _("Members of %s or higher") % (tier_name or goal.tier_code)
    return _("%(what)s: %(much)s by %(day)s") % {
        "what": label, "much": metric.in_words(goal.target, goal.program.currency),
        "day": format_day(goal.due_on),
    }  # fmt: skip


def progress_sentence(progress: Progress, currency: str) -> str:
    """Whether it is enough by now, and what it takes."""
    metric, value = progress.metric, progress.value
    if value is None:
        return _("There is nothing to measure yet.")
    words = metric.in_words(value, currency)
    if progress.state == "reached":
        return _("Reached: it is %s.") % words
    if progress.state == "overdue":
        gap = metric.change_in_words(progress.target - value, currency)
        return _("The day is over: it is %(value)s, %(gap)s short.") % {"value": words, "gap": gap}
    line = metric.in_words(progress.expected, currency)
    if progress.state == "on_track":
        said = _("On track: it is %(value)s, and would be %(line)s on a straight line.")
    else:
        said = _("Behind: it is %(value)s, but would be %(line)s on a straight line.")
    return f"{said % {'value': words, 'line': line}} {effort_sentence(progress, currency)}".strip()


def effort_sentence(progress: Progress, currency: str) -> str:
    """What each week that is left has to bring."""
    per_week = progress.per_week
    if per_week is None:
        return ""
    change = progress.metric.change_in_words(_no_less(per_week, progress.metric), currency)
    left = ngettext("%s day is left", "%s days are left", progress.days_left)
    said = _("%(left)s: it takes %(change)s more each week.")
    if progress.metric.direction == "down":
        said = _("%(left)s: it takes %(change)s less each week.")
    return said % {"left": left % format_number(progress.days_left), "change": change}


def target_warnings(progress: Progress, before: Decimal | None, currency: str) -> Iterator[str]:
    """What makes a target doubtful. `before`: the figure as long ago as the goal will last."""
    metric = progress.metric
    beyond = metric.usual and not _within_reach(metric, progress.target)
    if beyond and metric.usual:
        low, high = metric.usual
        yield _("Programs that do well are between %(low)s and %(high)s; this is beyond.") % {
            "low": metric.in_words(Decimal(low), currency),
            "high": metric.in_words(Decimal(high), currency),
        }
    if before is None or progress.value is None:
        return
    wanted, was = progress.target - progress.value, progress.value - before
    if abs(wanted) > MUCH_FASTER * abs(was) or wanted * was < 0:
        moved = metric.change_in_words(was, currency)
        way = _("up") if was > 0 else _("down")
        if not was:
            yield _("In as many days before it did not change at all.")
        else:
            yield _(
                "In as many days before it went %(way)s by %(moved)s; this asks for %(wanted)s."
            ) % {
                "way": way, "moved": moved, "wanted": metric.change_in_words(wanted, currency),
            }  # fmt: skip


def _within_reach(metric: GoalMetric, target: Decimal) -> bool:
    assert metric.usual is not None
    low, high = metric.usual
    return target <= high if metric.direction == "up" else target >= low


def _no_less(change: Decimal, metric: GoalMetric) -> Decimal:
    """Half a member a week is one in the end."""
    return Decimal(ceil(abs(change))) if metric.unit == "count" else abs(change)
