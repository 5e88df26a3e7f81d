"""What the audience of an experiment did in the program's last weeks, as the ground of its plan."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection

from campaigns.experiment_plans import Plan, Stretch, make_plan
from campaigns.experiment_statistics import Moments
from campaigns.models import Experiment
from campaigns.selectors.experiment_results import OF_MEMBER, of_experiment
from campaigns.selectors.experiments import audience_of_experiment

# Lengths that an experiment may have; longer than half a year nothing else stays as it is.
WEEKS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 26)
_ORDERS = """
    SELECT w.member, o.placed_at AS at, o.total AS amount FROM who w
      JOIN loyalty_countedorder o ON o.customer_id = w.customer
     WHERE (o.program_id IS NULL OR o.program_id = %s) AND o.placed_at >= %s
       AND o.placed_at < %s AND o.currency = %s AND o.status NOT IN ('cancelled', 'refunded')
"""
_REDEEMED = """
    SELECT w.member, r.created_at AS at, 1 AS amount FROM who w
      JOIN rewards_redemption r ON r.membership_id = w.member
     WHERE r.created_at >= %s AND r.created_at < %s AND r.gift = '' AND r.status <> 'cancelled'
"""
# Whether there is anything from before the longest length, and else the first after it: what is
# older need not be looked for.
_FIRST = "SELECT CASE WHEN EXISTS ({before}) THEN %(since)s ELSE ({first}) END"
_SOLD = """
    SELECT {value} FROM loyalty_countedorder o
     WHERE (o.program_id IS NULL OR o.program_id = %(program)s) AND o.currency = %(currency)s
       AND o.placed_at {when} %(since)s
"""
_TAKEN = """
    SELECT {value} FROM rewards_redemption r JOIN loyalty_membership m ON m.id = r.membership_id
     WHERE m.program_id = %(program)s AND r.created_at {when} %(since)s
"""
_FIRST_ORDER = _FIRST.format(
    before=_SOLD.format(value="1", when="<"),
    first=_SOLD.format(value="min(o.placed_at)", when=">="),
)
_FIRST_REWARD = _FIRST.format(
    before=_TAKEN.format(value="1", when="<"),
    first=_TAKEN.format(value="min(r.created_at)", when=">="),
)
# What whoever was told a message in the last so many weeks did since the first time. Each message
# is looked at once, however many lengths there are: the first from one length to the next is kept.
_TOLD = """
    WITH who (member, customer) AS ({who}),
    told AS MATERIALIZED (
        SELECT w.member, w.customer, min(g.created_at) AS at
          FROM campaigns_message g JOIN who w ON w.member = g.membership_id
         WHERE g.occasion = %(occasion)s AND g.created_at >= %(first)s
           AND g.created_at < %(until)s
         GROUP BY w.member, w.customer, width_bucket(g.created_at, %(edges)s::timestamptz[])),
    turns AS (SELECT k.weeks, t.member, t.customer, min(t.at) AS since
                FROM unnest(%(weeks)s::int[], %(since)s::timestamptz[]) k(weeks, since)
                JOIN told t ON t.at >= k.since
               GROUP BY k.weeks, t.member, t.customer)
    SELECT c.weeks, count(*), avg(x.value), coalesce(var_samp(x.value), 0), min(c.since)
      FROM turns c CROSS JOIN LATERAL ({of_member}) x
     GROUP BY c.weeks ORDER BY c.weeks
"""
_FIGURE = {
    "revenue": "coalesce(sum(amount) FILTER (WHERE at >= %s), 0)",
    "orders": "count(*) FILTER (WHERE at >= %s)",
    "ordered": "(count(*) FILTER (WHERE at >= %s) > 0)::int",
    "redeemed": "(count(*) FILTER (WHERE at >= %s) > 0)::int",
}


def plan_of(experiment: Experiment, now: dt.datetime) -> Plan:
    """One pass over the orders of half a year, whatever the number of lengths. Weeks before the
    program's first order, its first reward, or its first message, are not known, and not told."""
    if experiment.occasion:
        return _plan_of_message(experiment, now)
    members, some, stretches = _lately(experiment, now)
    first = _first(experiment, now) if some else None
    known = 0 if first is None else max((now - first).days // 7, 1)
    return make_plan(
        [stretch for stretch in stretches if stretch.weeks <= known], members=members,
        shares=[arm.share for arm in experiment.arms.all()], smallest=experiment.smallest,
        measure=experiment.measure,
    )  # fmt: skip


def _plan_of_message(experiment: Experiment, now: dt.datetime) -> Plan:
    """Those count whose turn it was: they are fewer the shorter it runs."""
    audience = audience_of_experiment(experiment, now).order_by()
    told, first = _told(experiment, now)
    known = 0 if first is None else max((now - first).days // 7, 1)
    return make_plan(
        [stretch for stretch in told if stretch.weeks <= known], members=audience.count(),
        shares=[arm.share for arm in experiment.arms.all()], smallest=experiment.smallest,
        measure=experiment.measure,
    )  # fmt: skip


def _told(experiment: Experiment, now: dt.datetime) -> tuple[list[Stretch], dt.datetime | None]:
    """And when the first of them was told, within the longest length."""
    audience = audience_of_experiment(experiment, now).order_by()
    text, values = audience.values_list("pk", "customer_id").query.sql_with_params()
    # What the rest is asked with has names, so this has, too.
    named = {f"who{number}": value for number, value in enumerate(values)}
    first, *others = text.split("%s")
    who = first + "".join(f"%({name})s{rest}" for name, rest in zip(named, others, strict=True))
    since = [now - dt.timedelta(weeks=weeks) for weeks in WEEKS]
    asked: dict[str, Any] = named | of_experiment(experiment) | {
        "weeks": list(WEEKS), "since": since, "edges": since[::-1],
        "first": since[-1], "until": now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TOLD.format(who=who, of_member=OF_MEMBER[experiment.measure]), asked)
        found = cursor.fetchall()
    stretches = [
        Stretch(weeks, Moments(members, float(mean), float(variance)))
        for weeks, members, mean, variance, _first in found
    ]
    return stretches, min((row[4] for row in found), default=None)


def _first(experiment: Experiment, now: dt.datetime) -> dt.datetime | None:
    """Of whomever; what is older than the longest length counts as of its beginning."""
    rewards = experiment.measure == Experiment.Measure.REDEEMED
    asked: dict[str, Any] = {
        "program": experiment.program_id, "currency": experiment.program.currency,
        "since": now - dt.timedelta(weeks=WEEKS[-1]),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_REWARD if rewards else _FIRST_ORDER, asked)
        found: dt.datetime | None = cursor.fetchone()[0]
    return found


def _lately(experiment: Experiment, now: dt.datetime) -> tuple[int, bool, list[Stretch]]:
    """How many they are, whether any of them did anything, and how much."""
    since = [now - dt.timedelta(weeks=weeks) for weeks in WEEKS]
    rows = audience_of_experiment(experiment, now).order_by().values_list("pk", "customer_id")
    found, values = rows.query.sql_with_params()
    figure = _FIGURE[experiment.measure]
    figures = ", ".join(f"{figure} AS f{weeks}" for weeks in WEEKS)
    of_all = ", ".join(
        f"avg(coalesce(f{weeks}, 0)), coalesce(var_samp(coalesce(f{weeks}, 0)), 0)"
        for weeks in WEEKS
    )
    rewards = experiment.measure == Experiment.Measure.REDEEMED
    events, asked = (_REDEEMED, [since[-1], now]) if rewards else (
        _ORDERS, [experiment.program_id, since[-1], now, experiment.program.currency]
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH who (member, customer) AS ({found}), events AS ({events}),"
            f" each AS (SELECT member, {figures} FROM events GROUP BY member)"
            f" SELECT count(*), count(e.member), {of_all}"
            f" FROM who w LEFT JOIN each e ON e.member = w.member",
            [*values, *asked, *since],
        )
        members, some, *numbers = cursor.fetchone()
    stretches = [
        Stretch(weeks, Moments(members, float(mean or 0), float(variance or 0)))
        for weeks, mean, variance in zip(WEEKS, numbers[::2], numbers[1::2], strict=True)
    ]
    return members, some > 0, stretches
