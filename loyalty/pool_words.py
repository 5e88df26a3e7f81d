"""How a pool works, in plain sentences: the same words for staff and members."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import Company, Pool, WalletType
from members.formatting import format_percent, format_units


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
    if pool.kind == Pool.Kind.COMPANY:
        return _describe_company_spending(pool)
    match pool.spending:
        case Pool.Spending.EVERYONE:
            return _("Every member may spend from it.")
        case Pool.Spending.OWNERS:
            return _("Only owners may spend from it.")
    return _("Owners, and members who were named, may spend from it.")


def _describe_company_spending(pool: Pool) -> str:
    match pool.spending:
        case Pool.Spending.EVERYONE:
            return _("Every buyer may spend from it, up to the company’s limits.")
        case Pool.Spending.OWNERS:
            return _("Owners and approvers spend from it; buyers ask them.")
    return _(
        "Owners, approvers, and buyers who were named spend from it; others ask. Limits are for"
        " buyers."
    )


def describe_limits(company: Company, wallet_type: WalletType) -> list[str]:
    """How much buyers spend without asking, and how long approvers have to answer."""
    whole = 10**wallet_type.scale
    sentences = []
    if company.most_at_once is not None:
        most = format_units(company.most_at_once * whole, wallet_type)
        sentences.append(_("Without approval a buyer spends at most %s at once.") % most)
    if company.most_in_period is not None:
        most = format_units(company.most_in_period * whole, wallet_type)
        sentences.append(
            (
                _("And at most %s in a day.")
                if company.period == Company.Period.DAY
                else _("And at most %s in a month.")
            )
            % most
            if sentences
            else (
                _("Without approval a buyer spends at most %s in a day.")
                if company.period == Company.Period.DAY
                else _("Without approval a buyer spends at most %s in a month.")
            )
            % most
        )
    if not sentences:
        return [_("Buyers spend without approval.")]
    days = ngettext(
        "Approvers have %s day to answer.", "Approvers have %s days to answer.",
        company.answer_days,
    )  # fmt: skip
    return [*sentences, days % company.answer_days]


def describe_leaving(pool: Pool) -> str:
    match pool.leaving:
        case Pool.Leaving.OWN:
            return _("Whoever leaves gets back what is left of what they put in.")
        case Pool.Leaving.EQUAL_SHARE:
            return _("Whoever leaves gets an equal share of what is there.")
    return _("Whoever leaves gets nothing back: it stays in the pool.")
