"""How a pool works, in plain sentences: the same words for staff and members."""

from __future__ import annotations

from django.utils.translation import gettext as _

from loyalty.models import Pool
from members.formatting import format_percent


def describe_pool(pool: Pool) -> list[str]:
    """What goes in, who may spend, and what comes back."""
    return [describe_contribution(pool), describe_spending(pool), describe_leaving(pool)]


def describe_contribution(pool: Pool) -> str:
    match pool.contribution:
        case Pool.Contribution.ALL:
            return _("Everything that members earn goes into the pool.")
        case Pool.Contribution.SHARE:
            return _("%s of what members earn goes into the pool.") % format_percent(pool.ratio)
    return _("Members put in what they like.")


def describe_spending(pool: Pool) -> str:
    match pool.spending:
        case Pool.Spending.EVERYONE:
            return _("Every member may spend from it.")
        case Pool.Spending.OWNERS:
            return _("Only owners may spend from it.")
    return _("Owners, and members who were named, may spend from it.")


def describe_leaving(pool: Pool) -> str:
    match pool.leaving:
        case Pool.Leaving.OWN:
            return _("Whoever leaves gets back what is left of what they put in.")
        case Pool.Leaving.EQUAL_SHARE:
            return _("Whoever leaves gets an equal share of what is there.")
    return _("Whoever leaves gets nothing back: it stays in the pool.")
